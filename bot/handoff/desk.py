"""What both sides of a hand-off work with: database, channels, words, time; and what a press or a message means."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from bot.handoff.cards import PREFIX, Cards, Office
from bot.handoff.cases import MOST_NAME
from bot.handoff.channels import HelperChannels
from bot.handoff.passing import Passed, passing
from bot.handoff.words import LANGUAGES
from bot.messages import SIGNED, Message
from bot.settings import Settings
from bot.store import Database

HELPERS_LANGUAGE = "en"
"""Helpers of one channel are spoken to in one language."""


class Desk:
    """``office`` is the people who help as askers are told of them; ``clock`` gives aware times."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], datetime], office: Office) -> None:
        """Raises ConfigurationError for channels that are none."""
        self.channels = HelperChannels(settings)
        self.database = database
        self.country = settings.country
        self._office = office
        self._contacts = (settings.contact, settings.crisis_contact, settings.readiness_contact)
        self._clock = clock

    def cards(self, language: str | None) -> Cards:
        """The replies in a language."""
        return Cards(language if language in LANGUAGES else "en", self._office)

    @property
    def helpers_cards(self) -> Cards:
        """The replies to helpers."""
        return self.cards(HELPERS_LANGUAGE)

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock().timestamp()

    def passing(self, text: str) -> Passed:
        """Words as they may be passed on."""
        return passing(text, self.country, self._contacts)


def parsed(value: str) -> tuple[str, str]:
    """What a button of ours means, and for which case; empty for others'. A signed send is ``signed``."""
    signed = value.startswith(SIGNED)
    value = value.removeprefix(SIGNED)
    if not value.startswith(PREFIX):
        return "", ""
    what, _, case_id = value.removeprefix(PREFIX).partition(":")
    return ("signed" if signed and what == "send" else what), case_id


def act(message: Message) -> str:
    """The name of one act of one person, the same when it is worked on again after a crash."""
    who, when = message.person.id if message.person else "", message.at.isoformat() if message.at else ""
    place = message.place
    where = f"{place.platform}\0{place.team}\0{place.channel}\0{place.thread}" if place else ""
    return hashlib.sha256(f"{where}\0{who}\0{when}\0{message.text}".encode()).hexdigest()[:24]


def shown_name(text: str) -> str:
    """A name as it may be shown: one line, no markup characters."""
    name = " ".join("".join(c for c in text if c.isalnum() or c in " .,'’-()").split())
    return name[:MOST_NAME] if any(c.isalpha() for c in name) else ""


def aloud(message: Message) -> bool:
    """Whether others read along, so that what is said about the asker is shown to them alone."""
    return message.place is not None and message.place.kind != "personal"
