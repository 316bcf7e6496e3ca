"""The web's sender and its stream: the reply stands in the inbox row, and whoever has the page open is told that it does."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from bot.inbox import Work
from bot.messages import Answered
from bot.store import Database
from bot.store.conversations import ended

LOOK_SECONDS = 0.5
"""How often a waiting page looks at the row itself, for rows that another process answers."""

SOON_SECONDS = 0.02

BEAT_SECONDS = 10.0
"""How often a waiting stream says that it lives, so that nothing in between closes it."""


class WebSender:
    """Nothing is posted on the web: sending is telling the waiting pages. So a second send is the same as the first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[int, set[asyncio.Event]] = {}

    async def working(self, work: Work) -> None:
        """The page shows its own sign of work as soon as the message is accepted."""

    async def send(self, work: Work, answered: Answered) -> str:
        """Wake the pages that wait for this row."""
        self._wake(work.row_id)
        return f"web:{answered.receipt.answer_id}"

    async def apologise(self, work: Work, incident: str) -> None:  # noqa: ARG002 - the row holds it
        """The page shows the apology from the row, once it has ended."""
        self._wake(work.row_id)

    def _wake(self, row_id: int) -> None:
        for event in self._waiting.get(row_id, ()):
            event.set()

    async def waits(self, row_id: int, seconds: float) -> AsyncIterator[bool]:
        """Yield False now and then while a row is in work, and True once when it has ended; at most ``seconds``."""
        event = asyncio.Event()
        self._waiting.setdefault(row_id, set()).add(event)
        loop = asyncio.get_running_loop()
        started = beat = loop.time()
        try:
            while loop.time() - started < seconds:
                if await asyncio.to_thread(ended, self._database, row_id):
                    yield True
                    return
                if event.is_set():  # the sender wakes us just before the row's end is committed
                    await asyncio.sleep(SOON_SECONDS)
                else:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(event.wait(), LOOK_SECONDS)
                if loop.time() - beat > BEAT_SECONDS:
                    beat = loop.time()
                    yield False
        finally:
            waiting = self._waiting.get(row_id)
            if waiting is not None:
                waiting.discard(event)
                if not waiting:
                    del self._waiting[row_id]


def event(name: str, data: dict[str, str]) -> str:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
