"""A database with the lessons' tables, a clock that stands still until told, and a person to talk as."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.literacy.conversation import Lessons, Rules
from bot.literacy.lessons import catalogue
from bot.literacy.sources import Sources
from bot.messages import Action, Message, Person, Place, Reply
from bot.store import Database, open_database
from bot.store.literacy_tables import TABLES
from bot.store.tables import metadata

START = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)


@dataclass
class Clock:
    """The time the skill sees."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


def opened(path: Path) -> Database:
    database = open_database(f"sqlite:///{path}")
    metadata.create_all(database.engine, tables=list(TABLES), checkfirst=True)
    return database


@pytest.fixture(scope="session")
def blank_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("literacy") / "blank.db"
    opened(path).close()
    return path


@pytest.fixture
def database(blank_file: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "signpost.db"
    shutil.copy(blank_file, path)
    database = opened(path)
    yield database
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Talk:
    """One person on any number of devices."""

    lessons: Lessons
    person: str = "slack:T1:U1"
    role: str | None = None
    kind: str = "personal"
    organization: str | None = "pinecrest"
    shown: list[Reply] = field(default_factory=list)

    def message(self, text: str, action: str | None = None) -> Message:
        return Message(
            text,
            organization=self.organization,
            person=Person(self.person, self.role),  # type: ignore[arg-type]
            place=Place("slack", "T1", "D1", kind=self.kind),  # type: ignore[arg-type]
            action=Action(action) if action else None,
        )

    def say(self, text: str) -> Reply:
        reply = self.lessons.take(self.message(text))
        assert reply is not None, f"not taken: {text}"
        self.shown.append(reply)
        return reply

    def ignored(self, text: str) -> bool:
        return self.lessons.take(self.message(text)) is None

    def press(self, value: str) -> Reply:
        reply = self.lessons.take(self.message("", value))
        assert reply is not None, f"not taken: {value}"
        self.shown.append(reply)
        return reply

    def choose(self, label: str, reply: Reply | None = None) -> Reply:
        card = reply or self.shown[-1]
        return self.press(next(choice.value for choice in card.choices if choice.label == label))

    def finish(self, number: int) -> Reply:
        self.say(f"lesson {number}")
        for text in ("next", "next", "next", "1", "2"):
            reply = self.say(text)
        return reply


@pytest.fixture
def make_lessons(database: Database, clock: Clock) -> Callable[..., Lessons]:
    def make(**changes: object) -> Lessons:
        rules = Rules(**changes)  # type: ignore[arg-type]
        return Lessons(catalogue(), database, Sources(database, rules.grace_days), rules, clock)

    return make


@pytest.fixture
def talk(make_lessons: Callable[..., Lessons]) -> Talk:
    return Talk(make_lessons())
