"""Stand-ins around the inbox: a turn that answers at once or misbehaves on request, and a platform that keeps its messages."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.inbox import Inbox, Received, Work
from bot.knowledge.library import utc_now
from bot.messages import Answered, Handling, Message, Outcome, Person, Receipt, Reply
from bot.store import Database, open_database
from bot.store.conversations import exchange
from tests.conftest import settings_for


@dataclass(frozen=True)
class Walked:
    answered: Answered
    kept: str


def answer(text: str) -> Answered:
    reply = Reply(Outcome.ANSWERED, Handling.ANSWER, text, "en")
    return Answered(reply, Receipt(secrets.token_hex(8), {}, None, "test", {}))


@dataclass
class Thinker:
    """Answers "re: ..." to everything; ``before`` runs first and may raise or wait."""

    before: Callable[[Message], None] = lambda _: None
    keeps: Callable[[Message], str] = lambda message: message.text
    asked: list[str] = field(default_factory=list)
    histories: list[tuple[str, ...]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def walk(self, message: Message, conversation: str) -> Walked:
        with self.lock:
            self.asked.append(message.text)
            self.histories.append(tuple(line.text for line in message.history))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.before(message)
            return Walked(answer(f"re: {message.text}"), self.keeps(message))
        finally:
            with self.lock:
                self.at_once -= 1

    def redact(self, message: Message) -> str:
        return self.keeps(message)


@dataclass
class Platform:
    """Keeps what is posted by row, as a chat would; ``trouble`` may raise before or after storing."""

    trouble: Callable[[str, Work], None] = lambda _stage, _work: None
    posts: list[tuple[int, str]] = field(default_factory=list)
    sorry: list[tuple[int, str]] = field(default_factory=list)
    signs: list[int] = field(default_factory=list)

    async def working(self, work: Work) -> None:
        self.signs.append(work.row_id)
        self.trouble("working", work)

    async def send(self, work: Work, answered: Answered) -> str:
        if work.maybe_sent and any(row == work.row_id for row, _ in self.posts):
            return f"m{work.row_id}"
        self.trouble("before", work)
        self.posts.append((work.row_id, answered.reply.markdown))
        self.trouble("after", work)
        return f"m{work.row_id}"

    async def apologise(self, work: Work, incident: str) -> None:
        if work.maybe_sent and any(row == work.row_id for row, _ in self.sorry):
            return
        self.trouble("apology", work)
        self.sorry.append((work.row_id, incident))
        self.trouble("apologised", work)

    def ends(self, row_id: int) -> int:
        """How many times the asker saw an end of this row."""
        return sum(row == row_id for row, _ in [*self.posts, *self.sorry])


def open_store(folder: Path) -> Database:
    return open_database(f"sqlite:///{folder / 'inbox.db'}")


def make_inbox(database: Database, folder: Path, thinker: Thinker, platform: Platform, **changes: object) -> Inbox:
    settings = settings_for(folder, **{"limit_person": 0, "limit_organization": 0, "attempts": 3, **changes})
    inbox = Inbox(database, thinker, settings, utc_now)
    inbox.register("test", platform)
    return inbox


def act(name: str, text: str = "", conversation: str = "c", **more: object) -> Received:
    person = more.pop("person", "test:ann")
    message = Message(text or name, person=Person(str(person)), organization=more.pop("organization", None))  # type: ignore[arg-type]
    return Received("test", f"test:{name}", f"test:{conversation}", message, **more)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition, looking often; fails the test when it does not come true."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come about in time"
        await asyncio.sleep(0.005)


def state(database: Database, row_id: int) -> str:
    found = exchange(database, row_id)
    assert found is not None
    return found.state
