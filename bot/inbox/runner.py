"""Who works on claimed rows. ``Runner`` is the interface; ``EmbeddedRunner`` runs them inside this process.

A runner is given row ids and conversations, nothing else, and calls ``process(row id)`` until that says the row needs no more.
Whatever it is, it keeps each conversation in order, one row at a time, and works on different conversations at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.store.incidents import incident

Process = Callable[[int], Awaitable[float | None]]
"""Works on a row; returns None when it needs no more, or the seconds after which to come back to it."""

RETRY_SECONDS = 1.0
"""When ``process`` itself fails (the database is away, say), the row is tried again after this."""

_log = logging.getLogger("signpost.inbox")


class Runner(Protocol):
    """Works on rows. The tests in ``tests/test_inbox_runner.py`` are what every runner must pass."""

    def offer(self, row_id: int, conversation: str) -> None:
        """Work on a row soon, in the order of the row numbers of its conversation, also when an earlier one is offered
        late (its process died). A row offered again while it is still in hand is the same row."""

    def in_hand(self) -> list[int]:
        """The rows that were offered and have not ended."""

    async def stop(self, seconds: float) -> bool:
        """Take nothing new and wait up to ``seconds`` for what is in hand; True when all of it ended."""


class EmbeddedRunner:
    """Runs rows on this process's event loop, ``at_once`` conversations at a time."""

    def __init__(self, process: Process, at_once: int) -> None:
        self._process = process
        self._slots = asyncio.Semaphore(at_once)
        self._queues: dict[str, set[int]] = {}
        self._in_hand: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    def offer(self, row_id: int, conversation: str) -> None:
        """See :class:`Runner`."""
        if self._stopped or row_id in self._in_hand:
            return
        self._in_hand.add(row_id)
        queue = self._queues.get(conversation)
        if queue is not None:
            queue.add(row_id)
            return
        self._queues[conversation] = {row_id}
        task = asyncio.create_task(self._converse(conversation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def in_hand(self) -> list[int]:
        """See :class:`Runner`."""
        return list(self._in_hand)

    async def _converse(self, conversation: str) -> None:
        queue = self._queues[conversation]
        try:
            while queue:
                # Chosen anew after every wait: the row waited for may have come into our own hands meanwhile.
                row_id = min(queue)
                wait = await self._once(row_id)
                if wait is None:
                    queue.discard(row_id)
                    self._in_hand.discard(row_id)
                else:
                    await asyncio.sleep(wait)
        finally:
            self._in_hand.difference_update(queue)
            del self._queues[conversation]

    async def _once(self, row_id: int) -> float | None:
        async with self._slots:
            try:
                return await self._process(row_id)
            except Exception as error:
                incident(_log, error, "process")
                return RETRY_SECONDS

    async def stop(self, seconds: float) -> bool:
        """See :class:`Runner`. What has not ended by then is left as it stands in the ledger."""
        self._stopped = True
        tasks = list(self._tasks)
        if not tasks:
            return True
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return not late
