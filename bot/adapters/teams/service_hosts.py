"""Which hosts may be a Teams service: who may claim to be Teams (``authentication``), who may get our token (``connector``)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class ServiceHosts:
    """An allow-list of host patterns: ``name``, ``name:port`` or ``*.parent``. ``loopback`` also allows this machine.

    Everything goes over https, except to this machine where it is allowed."""

    patterns: tuple[str, ...]
    loopback: bool = False

    @classmethod
    def read(cls, listed: str, *, loopback: bool = False) -> ServiceHosts:
        """The list as a setting writes it: names set apart by commas or spaces; addresses stand for their host."""
        names = (name.lower().rpartition("://")[2].partition("/")[0] for name in listed.replace(",", " ").split())
        return cls(tuple(names), loopback)

    def allows(self, url: str) -> bool:
        """Whether ``url`` is a plain address of a listed host. Never raises."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        if not host or parts.username is not None or parts.password is not None or "\\" in url:
            return False
        here = host in LOOPBACK
        if parts.scheme != "https" and not (parts.scheme == "http" and here):
            return False
        if here and self.loopback:
            return True
        return any(self._matches(pattern, host, port) for pattern in self.patterns)

    @staticmethod
    def _matches(pattern: str, host: str, port: int | None) -> bool:
        if pattern.startswith("*."):
            return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
        return pattern in (host, f"{host}:{port}")
