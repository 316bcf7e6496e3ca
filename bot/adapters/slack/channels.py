"""What the people who manage a channel decided for it: when we answer, who sees it, which documents may be quoted.

Called by ``listeners`` for every message of a channel, and by the settings form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from sqlalchemy import delete, insert, select

from bot.adapters.slack.installations import PLATFORM
from bot.store import Database, conversations
from bot.store.conversation_tables import channel_settings, conversation_references, preferences
from bot.store.outbox import To

SHARED = "base"

HELD_SECONDS = 5.0
HELD = 20_000
"""Channels and people whose settings are held in memory at once."""

Value = TypeVar("Value")

Mode = Literal["off", "mentions", "listening"]
Answers = Literal["public", "private"]
MODES: tuple[Mode, ...] = ("off", "mentions", "listening")
ANSWERS: tuple[Answers, ...] = ("public", "private")


@dataclass(frozen=True)
class Channel:
    """The settings of a channel. ``shared_only`` leaves out the organization's own documents."""

    mode: Mode = "mentions"
    answers: Answers = "public"
    shared_only: bool = False


class Channels:
    """Reads and writes channel settings, who we talk with in a thread, and people's languages."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._kept: dict[tuple[str, ...], tuple[float, object]] = {}

    def _held(self, key: tuple[str, ...], read: Callable[[], Value]) -> Value:
        """What ``read`` gives, read again after :data:`HELD_SECONDS`: every message needs it before it is acknowledged."""
        now = self._clock()
        until, value = self._kept.get(key, (0.0, None))
        if now >= until:
            if len(self._kept) > HELD:
                self._kept.clear()
            value = read()
            self._kept[key] = (now + HELD_SECONDS, value)
        return value  # type: ignore[return-value]

    def read(self, team: str, channel: str) -> Channel:
        """The settings in force; the defaults where nobody decided. A change shows at once in this process, in others
        within :data:`HELD_SECONDS`."""
        return self._held(("channel", team, channel), lambda: self._read(team, channel))

    def _read(self, team: str, channel: str) -> Channel:
        table = channel_settings
        query = select(table).where(table.c.platform == PLATFORM, table.c.team == team, table.c.channel == channel)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return Channel()
        mode: Mode = next((mode for mode in MODES if mode == row.mode), "mentions")
        answers: Answers = next((answers for answers in ANSWERS if answers == row.answers), "private")
        return Channel(mode, answers, list(row.libraries) == [SHARED])

    def write(self, team: str, channel: str, decided: Channel, by: str) -> None:
        """Keep what was decided, and who did."""
        table = channel_settings
        key = {"platform": PLATFORM, "team": team, "channel": channel}
        values = {
            "mode": decided.mode,
            "answers": decided.answers,
            "libraries": [SHARED] if decided.shared_only else [],
            "changed_by": by,
            "changed_at": self._clock(),
        }
        with self._database.writing() as connection:
            connection.execute(
                delete(table).where(table.c.platform == PLATFORM, table.c.team == team, table.c.channel == channel)
            )
            connection.execute(insert(table).values(**key, **values))
        self._kept.pop(("channel", team, channel), None)

    def partner(self, conversation: str) -> str | None:
        """Who we talk with in a thread; empty for everyone in it (a helper's thread), None when with nobody."""
        table = conversation_references
        query = select(table.c.person).where(table.c.platform == PLATFORM, table.c.conversation == conversation)
        with self._database.reading() as connection:
            return connection.execute(query).scalar()

    def reference(self, to: To) -> dict[str, str]:
        """What is kept of a conversation, or else of a person's direct messages; empty where nothing is."""
        table = conversation_references
        query = select(table.c.reference).where(table.c.platform == PLATFORM).order_by(table.c.updated_at.desc())
        if to.conversation:
            query = query.where(table.c.conversation == to.conversation)
        else:
            query = query.where(table.c.person == to.person, table.c.kind == "personal")
        with self._database.reading() as connection:
            return dict(connection.execute(query.limit(1)).scalar() or {})

    def remember(self, conversation: str, person: str, kind: str, reference: dict[str, str], *, engage: bool = False) -> None:
        """Keep where a conversation is held and with whom, for follow-ups and messages we begin. ``engage``: its thread is
        one that we take part in, from now on. Writes only what is new."""
        table = conversation_references
        if not engage and self.partner(conversation) == person:
            return
        now = self._clock()
        row = {"platform": PLATFORM, "conversation": conversation, "person": person, "kind": kind, "reference": reference}
        with self._database.writing() as connection:
            connection.execute(delete(table).where(table.c.platform == PLATFORM, table.c.conversation == conversation))
            connection.execute(insert(table).values(**row, updated_at=now))
        if engage:
            conversations.engage(self._database, conversation, PLATFORM, now)

    def language(self, person: str) -> str | None:
        """The language a person chose, or None."""
        return self._held(("language", person), lambda: self._language(person))

    def _language(self, person: str) -> str | None:
        with self._database.reading() as connection:
            return connection.execute(select(preferences.c.language).where(preferences.c.person == person)).scalar()

    def choose_language(self, person: str, language: str | None) -> None:
        """Keep the language a person chose; None means the one they write in."""
        with self._database.writing() as connection:
            where = preferences.c.person == person
            changed = connection.execute(
                preferences.update().where(where).values(language=language, updated_at=self._clock())
            ).rowcount
            if not changed:
                connection.execute(insert(preferences).values(person=person, language=language, updated_at=self._clock()))
        self._kept.pop(("language", person), None)
