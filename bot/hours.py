"""Quiet hours: the local hours in which nobody is written to unasked. Pure; called by the outbox and by what it is given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.errors import ConfigurationError

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class QuietHours:
    """``begin`` to ``end`` is local time in ``zone``, over midnight when begin is later than end; equal ends mean none."""

    zone: ZoneInfo
    begin: time
    end: time

    def quiet(self, now: datetime) -> bool:
        """Whether ``now`` falls into the quiet hours."""
        local = now.astimezone(self.zone).time()
        if self.begin <= self.end:
            return self.begin <= local < self.end
        return local >= self.begin or local < self.end

    def free_from(self, now: datetime) -> datetime:
        """``now`` itself, or the moment (UTC) at which the quiet hours it falls into end."""
        if not self.quiet(now):
            return now
        local = now.astimezone(self.zone)
        day = local.date() + timedelta(days=0 if local.time() < self.end else 1)
        return datetime.combine(day, self.end, self.zone).astimezone(UTC)

    def within(self, zone: ZoneInfo | None) -> QuietHours:
        """The same hours in another zone; the own where none is given."""
        return self if zone is None else QuietHours(zone, self.begin, self.end)


def zone_named(name: str, setting: str) -> ZoneInfo:
    """A time zone by its IANA name. Raises ConfigurationError naming the setting."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(f"{setting} names no time zone: {name}") from None


def quiet_hours(hours: str, time_zone: str) -> QuietHours:
    """Quiet hours from settings: ``HH:MM-HH:MM`` and an IANA zone. Raises ConfigurationError."""
    match = _HOURS.fullmatch(hours)
    if match is None:
        raise ConfigurationError("SIGNPOST_QUIET_HOURS reads HH:MM-HH:MM, for example 17:00-08:00")
    first, second, third, fourth = (int(part) for part in match.groups())
    return QuietHours(zone_named(time_zone, "SIGNPOST_TIME_ZONE"), time(first, second), time(third, fourth))


def organization_zones(setting: str) -> dict[str, ZoneInfo]:
    """``SIGNPOST_TIME_ZONES`` ('pinecrest=America/Chicago oak=America/Denver') as a mapping. Raises ConfigurationError."""
    found = {}
    for entry in setting.replace(",", " ").split():
        organization, sign, name = entry.partition("=")
        if not (organization and sign and name):
            raise ConfigurationError(f"SIGNPOST_TIME_ZONES: '{entry}' is not ORGANIZATION=ZONE")
        found[organization] = zone_named(name, "SIGNPOST_TIME_ZONES")
    return found
