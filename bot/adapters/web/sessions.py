"""Who may use the web chat, and as whom: this machine without a sign-in, elsewhere whoever holds a signed link.

A browser gets a random person of its own; nothing is known about the person behind it but what the link says (organization,
role). Requests that another page could have made are refused: by Host (a name that was pointed at this machine), by Origin.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from bot.messages import Person, Role

IDENTITY, CONVERSATION = "signpost_id", "signpost_talk"
"""Names of the cookies."""

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


@dataclass(frozen=True)
class Session:
    """One browser: its person, its conversation, and what its link grants."""

    person: str
    talk: str
    organization: str | None
    role: Role | None
    fresh: str | None = None

    @property
    def conversation(self) -> str:
        """The ordering key of the inbox."""
        return f"web:{self.person}:{self.talk}"

    def as_person(self) -> Person:
        """The person as the turn knows them."""
        return Person(f"web:{self.person}", self.role)


class Sessions:
    """Reads and writes sessions. ``key`` signs links and cookies; None lets only this machine in."""

    def __init__(self, key: bytes | None, *, local: bool, organization: str | None, days: int) -> None:
        self._key = key
        self._local = local
        self._organization = organization
        self._age = days * 86_400

    def of(self, request: HTTPConnection, now: datetime) -> Session | None:
        """The request's session, a new one where it may have one, or None for a stranger."""
        held = request.cookies.get(IDENTITY, "")
        talk = _token(request.cookies.get(CONVERSATION, "")) or secrets.token_urlsafe(12)
        grant = self._read(held, now)
        if grant is not None and _token(str(grant.get("p", ""))):
            role = cast("Role | None", grant.get("r"))
            return Session(str(grant["p"]), talk, grant.get("o"), role)
        if not self._local or not is_local(request):
            return None
        person = _token(held)
        if person:
            return Session(person, talk, self._organization, None)
        person = secrets.token_urlsafe(16)
        return Session(person, talk, self._organization, None, fresh=person)

    def link(self, organization: str | None, role: str | None, until: datetime) -> str:
        """The key of a signed link. Raises ValueError without a secret."""
        return self._signed({"k": "link", "o": organization, "r": role, "e": int(until.timestamp())})

    def enter(self, key: str, now: datetime) -> str | None:
        """The identity cookie that a link's key is worth, for a new person; None when it is not valid."""
        grant = self._read(key, now)
        if grant is None or grant.get("k") != "link":
            return None
        return self._signed({**grant, "k": "id", "p": secrets.token_urlsafe(16)})

    def remember(self, response: Response, name: str, value: str, *, secure: bool) -> None:
        """Set a cookie that no script reads and no other site sends along."""
        response.set_cookie(name, value, max_age=self._age, path="/", secure=secure, httponly=True, samesite="lax")

    def _signed(self, grant: dict[str, Any]) -> str:
        if self._key is None:
            raise ValueError("links need a secret to sign them with")
        body = base64.urlsafe_b64encode(json.dumps(grant, separators=(",", ":")).encode()).rstrip(b"=")
        return f"{body.decode()}.{self._mac(body)}"

    def _mac(self, body: bytes) -> str:
        return hmac.new(self._key or b"", b"signpost web 1\0" + body, hashlib.sha256).hexdigest()

    def _read(self, text: str, now: datetime) -> dict[str, Any] | None:
        body, dot, mac = text.partition(".")
        if self._key is None or not dot or not text.isascii():
            return None
        if not hmac.compare_digest(mac.encode(), self._mac(body.encode()).encode()):
            return None
        grant = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return grant if isinstance(grant, dict) and grant.get("e", 0) > now.timestamp() else None


def is_local(request: HTTPConnection) -> bool:
    """Whether the request comes from this machine, addressed to it by its own name, and through nothing in between."""
    try:
        peer = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    if not peer.is_loopback or any(name in request.headers for name in FORWARDED):
        return False
    return _host_name(request.headers.get("host", "")) in LOCAL_NAMES


def is_own(request: HTTPConnection) -> bool:
    """Whether a request that changes something was made by our own page. Old browsers and programs name no origin."""
    site = request.headers.get("sec-fetch-site")
    if site not in (None, "same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin == "null" and site == "same-origin":  # how a page under a strict referrer policy names itself
        return True
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def _host_name(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()


def _token(text: str) -> str:
    """A token of ours, or nothing."""
    fits = 8 <= len(text) <= 64 and text.replace("-", "").replace("_", "").isalnum() and text.isascii()
    return text if fits else ""
