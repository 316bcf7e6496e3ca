"""What organizations add to the policy: one YAML file each in a folder of their own. Read when first needed and when it changed.

``NAME.yaml`` holds for the organization NAME, ``base.yaml`` for everybody without a file. A file that does not validate is
refused when the server starts and by ``signpost config check``; one that breaks later leaves the last good one in force."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from bot.errors import ConfigurationError, FormatError
from bot.guardrails.policy import OrganizationPolicy, validated

BASE = "base"
_log = logging.getLogger("signpost.guardrails")


class Organizations:
    """The files of a folder, by organization. ``folder`` None: nobody adds anything."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._read: dict[str, tuple[float, OrganizationPolicy | None]] = {}
        self._lock = threading.Lock()

    def of(self, organization: str | None) -> OrganizationPolicy | None:
        """What holds for an organization beside the shipped policy."""
        if self._folder is None:
            return None
        own = self._file(organization) if organization else None
        return own if own is not None else self._file(BASE)

    def check(self) -> None:
        """Read every file. Raises FormatError naming file and line, ConfigurationError when the folder is missing."""
        if self._folder is None:
            return
        if not self._folder.is_dir():
            raise ConfigurationError(f"SIGNPOST_POLICY_DIR: there is no folder {self._folder}")
        for path in sorted(self._folder.glob("*.yaml")):
            validated(OrganizationPolicy, path)

    def _file(self, name: str) -> OrganizationPolicy | None:
        assert self._folder is not None
        path = self._folder / f"{Path(name).name}.yaml"
        try:
            changed = path.stat().st_mtime
        except OSError:
            return None
        with self._lock:
            known = self._read.get(name)
            if known is None or known[0] != changed:
                self._read[name] = (changed, self._validated(path, known))
            return self._read[name][1]

    def _validated(self, path: Path, known: tuple[float, OrganizationPolicy | None] | None) -> OrganizationPolicy | None:
        try:
            return validated(OrganizationPolicy, path)
        except FormatError as error:
            if known is None:
                raise
            _log.error("the policy file %s does not validate at %s; the last good one stands", path.name, error.where)
            return known[1]
