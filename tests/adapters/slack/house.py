"""A house for the door's tests: a real database, a real inbox, the door itself; only the answers are given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select
from starlette.applications import Starlette

from bot.adapters.slack import app as slack
from bot.inbox import Inbox
from bot.knowledge.library import utc_now
from bot.messages import Answered, Citation, Handling, Message, Outcome, Receipt, Reply
from bot.settings import Settings
from bot.store import Database, open_database
from bot.store.conversation_tables import inbox as rows
from bot.turn import Walked
from tests.doubles.slack import SECRET, TOKEN, SlackClient, SlackDouble


def citation(n: int = 1, **changes: Any) -> Citation:
    """A citation of the national rule."""
    given = {
        "n": n,
        "document": "coppa",
        "version": "coppa@1",
        "section": "s",
        "passage": "p",
        "title": "COPPA Rule",
        "publisher": "FTC",
        "url": "https://www.ftc.gov/coppa",
        "published": "2025-04-22",
        "verified_on": "2026-01-05",
        "verified_by": "Ann Lee",
        "level": "national",
        "quote": "The rule took effect on June 23, 2025.",
        "start": 0,
        "end": 38,
    }
    return Citation(**(given | changes))


def answer(text: str = "The rule took effect on June 23, 2025. [1]", **changes: Any) -> Reply:
    """An answer with one citation."""
    given: dict[str, Any] = {"citations": (citation(),)} | changes
    return Reply(Outcome.ANSWERED, Handling.ANSWER, text, "en", **given)


class Walk:
    """Answers what it is told to answer, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Message] = []
        self.answer: Callable[[Message], Reply] = lambda _message: answer()
        self.count = 0

    def walk(self, message: Message, conversation: str) -> Walked:
        """One answer."""
        self.asked.append(message)
        self.count += 1
        reply = self.answer(message)
        return Walked(Answered(reply, Receipt(f"answer{self.count}", {}, None, "p", {"total": 1.0})), message.text)

    def take(self, message: Message) -> Answered:
        """An answer outside the inbox."""
        return self.walk(message, "").answered

    def redact(self, message: Message) -> str:
        """What may be kept."""
        return message.text


class House:
    """What the door needs of the application."""

    def __init__(self, folder: Path, double: SlackDouble, **changes: Any) -> None:
        given: dict[str, Any] = {
            "slack_bot_token": TOKEN,
            "slack_signing_secret": SECRET,
            "slack_api_url": double.url,
            "limit_person": 0,
            "limit_organization": 0,
        }
        self.settings = Settings(_env_file=None, data_dir=folder, **(given | changes))  # type: ignore[call-arg]
        self.database: Database = open_database(self.settings.url)
        self.turn: Any = Walk()
        self.inbox = Inbox(self.database, self.turn, self.settings, utc_now)
        self.double = double
        self.stands = True

    def front(self) -> slack.Front:
        """The door."""
        return slack.front(self)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SlackClient]:
        """Run the inbox and the door; yields the client that sends what Slack sends."""
        client = SlackClient(Starlette(routes=slack.routes(self)), self.double if self.stands else None)
        self.inbox.start()
        try:
            async with slack.background(self):
                yield client
                await self.settled()
        finally:
            await self.inbox.drain(5)
            await client.close()

    def close(self) -> None:
        """Give back the database."""
        self.database.close()

    async def settled(self, seconds: float = 90.0) -> None:
        """Wait until every accepted act has ended and nothing more is under way in the door."""
        async with asyncio.timeout(seconds):
            while True:
                with self.database.reading() as connection:
                    states = set(connection.execute(select(rows.c.state)).scalars())
                if not states & {"received", "working", "answered"} and not self.front().door._tasks:
                    return
                await asyncio.sleep(0.01)

    def states(self) -> list[str]:
        """The states of all rows, oldest first."""
        with self.database.reading() as connection:
            return list(connection.execute(select(rows.c.state).order_by(rows.c.id)).scalars())
