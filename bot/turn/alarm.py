"""Tells people that a crisis text was shown: whom the settings name, at once, without a word of what was written or by whom.

Called by the turn after the screening. The message goes through the outbox, so it is sent once however often the turn is tried;
nothing else about the crisis is kept."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime

from bot import prompts
from bot.guardrails.policy import rules
from bot.messages import Handling, Message, Outcome, Reply
from bot.settings import Settings
from bot.store import Database, outbox
from bot.store.outbox import To

KIND = "crisis"
WAITS = 86_400.0
"""Seconds that a notice waits for a way to its person; later it helps nobody."""
_log = logging.getLogger("signpost.turn")


class Alarm:
    """``recipients`` of the settings are persons ('slack:T0123:U0456', 'teams:TENANT:USER') or Slack channels
    ('slack:T0123:C0456'), for all or for one organization ('pinecrest=slack:T0123:U0456')."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._told = settings.crisis_recipients
        self._clock = clock

    def __call__(self, message: Message, rule: str) -> int:
        """Queue the notices of one crisis; returns how many people or channels are told. The same message again tells nobody
        twice."""
        named = [name for organization, name in self._told if organization in ("", message.organization)]
        if not named:
            _log.warning("a crisis text was shown (%s); nobody is set to be told: SIGNPOST_CRISIS_NOTIFY", rule)
            return 0
        now = self._clock()
        reply = self._notice(message, rule, now)
        for name in dict.fromkeys(named):
            key = hashlib.sha256(f"{self._key(message, now)}:{rule}:{name}".encode()).hexdigest()
            at = now.timestamp()
            with self._database.writing() as connection:
                outbox.put(connection, f"crisis:{key}", _to(name), reply, kind=KIND, now=at, expires=at + WAITS, at_once=True)
        _log.warning("a crisis text was shown (%s); %d told", rule, len(set(named)))
        return len(set(named))

    @staticmethod
    def _key(message: Message, now: datetime) -> str:
        """One crisis message, tried as often as it may be; without a time of its own, the minute."""
        place = message.place
        at = message.at or now.replace(second=0, microsecond=0)
        parts = (message.person.id if message.person else "", place.channel if place else "", place.thread if place else "", at)
        return "|".join(map(str, parts))

    @staticmethod
    def _notice(message: Message, rule: str, now: datetime) -> Reply:
        words = prompts.messages("en")
        platform = message.place.platform if message.place else "terminal"
        known = rules().get(rule)
        text = words.crisis_notice.format(
            about=known.protects if known else rule,
            platform=platform.capitalize(),
            organization=f" ({message.organization})" if message.organization else "",
            at=now.strftime("%Y-%m-%d %H:%M UTC"),
        )
        return Reply(Outcome.ROUTED, Handling.CRISIS, text, "en", fixed="crisis_notice")


def _to(name: str) -> To:
    platform, _, where = name.split(":", 2)
    return To.to_channel(name) if platform == "slack" and where[:1] in ("C", "G") else To.to_person(name)
