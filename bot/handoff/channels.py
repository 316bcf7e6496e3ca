"""Where questions for a person go: the channels that the organization set, and which of them an asker's question may reach."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import ConfigurationError
from bot.messages import Place
from bot.settings import Settings

HELPER = "_helper"
"""Key of a case's id in the reference of its question, so that the door which posts it can say where it stands."""


@dataclass(frozen=True)
class HelperChannel:
    """A channel of people who help. ``team`` is the Slack workspace or the Teams tenant; empty for the only one served."""

    platform: str
    channel: str
    team: str = ""

    def reference(self, case_id: str) -> dict[str, str]:
        """What the platform's door needs to post there."""
        named = {"team": self.team} if self.team else {}
        return {"channel": self.channel, "kind": "channel", HELPER: case_id, **named}


class HelperChannels:
    """The channels of the settings. Raises ConfigurationError for one that does not say whose it is where it must."""

    def __init__(self, settings: Settings) -> None:
        self._slack = _entries("slack", settings.handoff_slack_channel)
        self._teams = _entries("teams", settings.handoff_teams_channel)
        self._many_workspaces = bool(settings.slack_client_id)
        self._tenant = settings.teams_tenant_id
        self._trusting = settings.env == "development"
        if self._many_workspaces and any(not entry.team for entry in self._slack):
            raise ConfigurationError("SIGNPOST_HANDOFF_SLACK_CHANNEL: with many workspaces each entry reads TEAM/CHANNEL")

    def __bool__(self) -> bool:
        return bool(self._slack or self._teams)

    def ids(self, platform: str) -> frozenset[str]:
        """The ids of a platform's channels."""
        return frozenset(entry.channel for entry in (self._slack if platform == "slack" else self._teams))

    def for_asker(self, place: Place | None) -> HelperChannel | None:
        """Where a question from ``place`` goes; None where nobody was named for it. A question never leaves its workspace or
        tenant for another's channel: districts may share one Signpost."""
        platform = place.platform if place is not None else "terminal"
        team = place.team if place is not None else ""
        if platform == "slack":
            return _of(self._slack, team) or (self._any(self._teams) if not self._slack and not self._many_workspaces else None)
        if platform == "teams":
            ours = team == self._tenant if self._tenant else self._trusting
            named = next((entry for entry in self._teams if entry.team == team), None)
            if named is not None or not ours:
                return named
            return self._any([entry for entry in self._teams if not entry.team]) or (
                self._any(self._slack) if not self._teams else None
            )
        return self._any(self._slack) or self._any(self._teams)

    @staticmethod
    def _any(entries: list[HelperChannel]) -> HelperChannel | None:
        return entries[0] if entries else None


def _of(entries: list[HelperChannel], team: str) -> HelperChannel | None:
    return next((e for e in entries if e.team == team), None) or next((e for e in entries if not e.team), None)


def _entries(platform: str, setting: str) -> list[HelperChannel]:
    """The entries of a setting, whose form the settings have checked."""
    found = []
    for entry in setting.replace(",", " ").split():
        team, _, channel = entry.rpartition("/")
        found.append(HelperChannel(platform, channel, team))
    return found
