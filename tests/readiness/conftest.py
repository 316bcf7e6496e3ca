"""A skill over an empty database, a clock that the test moves, and a person who presses and types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from bot.messages import Action, Choice, Citation, Message, Person, Place, Reply
from bot.readiness.conversation import Readiness
from bot.readiness.instrument import Instrument, instrument
from bot.store import Database
from bot.store.database import _prepare_sqlite
from bot.store.outbox_tables import TABLES as OUTBOX
from bot.store.readiness_tables import READINESS
from bot.store.tables import audit, metadata
from tests.doubles.clock import Clock


def fresh_database(path: Path) -> Database:
    """An SQLite file with this room's tables."""
    engine = create_engine(f"sqlite:///{path}")
    _prepare_sqlite(engine)
    metadata.create_all(engine, tables=[*READINESS, *OUTBOX, audit])
    return Database(engine)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = fresh_database(tmp_path / "check.db")
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def quote(n: int = 1) -> Citation:
    return Citation(
        n,
        "doc",
        "doc@1",
        "s",
        "p",
        "A guide",
        "A publisher",
        "https://example.org/g",
        "2026-01-01",
        "2026-02-01",
        "Ann",
        "national",
        "Keep records.",
        0,
        13,
    )


class Visitor:
    """One person at one device: presses what the last reply offered, or types."""

    def __init__(self, skill: Readiness, clock: Clock, person: str = "slack:T1:U1", place: Place | None = None) -> None:
        self.skill = skill
        self.clock = clock
        self.person = Person(person)
        self.place = place or Place("slack", "T1", "D1")
        self.reply: Reply | None = None

    def _take(self, message: Message) -> Reply | None:
        self.clock.pass_(seconds=2)
        self.reply = self.skill.take(message) or self.reply
        return self.reply

    def types(self, text: str, *, at: datetime | None = None, language: str | None = None) -> Reply | None:
        """Type; None when the skill leaves it to others."""
        self.clock.pass_(seconds=2)
        message = Message(text, person=self.person, place=self.place, at=at or self.clock.now, language=language)
        found = self.skill.take(message)
        self.reply = found or self.reply
        return found

    def sends(self, value: str) -> Reply:
        """Press a button by its value, however old."""
        self.clock.pass_(seconds=2)
        message = Message("", person=self.person, place=self.place, at=self.clock.now, action=Action(value))
        found = self.skill.take(message)
        assert found is not None
        self.reply = found
        return found

    def choice(self, label: str) -> Choice:
        """A button of the last reply."""
        assert self.reply is not None
        return next(c for c in self.reply.choices if c.label == label)

    def presses(self, label: str) -> Reply:
        """Press a button of the last reply by its label."""
        return self.sends(self.choice(label).value)

    def begins(self, form: str = "Quick pulse") -> Reply:
        """From the command to the first question."""
        self.types("check")
        return self.presses(form)

    def answers(self, *labels: str) -> Reply:
        """Press one answer after another."""
        for label in labels:
            self.presses(label)
        assert self.reply is not None
        return self.reply


@pytest.fixture
def make_skill(database: Database, clock: Clock) -> Callable[..., Readiness]:
    """Skills over the same database: a restart, another process."""

    def make(**changes: object) -> Readiness:
        return Readiness(database, clock, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def visitor(make_skill: Callable[..., Readiness], clock: Clock) -> Visitor:
    return Visitor(make_skill(), clock)


@pytest.fixture
def content() -> Instrument:
    return instrument()
