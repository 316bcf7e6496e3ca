"""Group commit: everything the inbox writes within one commit's time goes into the next commit together.

One thread writes. While it commits, new steps gather; so at low load a step waits for nobody, and at high load one flush to
the disk serves many. A commit of the inbox is flushed to the disk (SQLite ``synchronous=FULL``), since an acknowledged act
must survive more than the death of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from bot.inbox.work import Accepted, Received
from bot.store import Database

Result = TypeVar("Result")
Step = Callable[[Connection], Any]


PRESSING = 10
"""Claims within :data:`PRESSED_SECONDS` from which on the door is pressed, and work that can wait waits."""

PRESSED_SECONDS, GIVE_WAY_SECONDS = 0.05, 0.25
"""How long such a crowd counts, and the longest that work gives way."""


class Claim(Protocol):
    """Claims many acts in one transaction."""

    def __call__(self, connection: Connection, arrivals: list[Received]) -> list[Accepted]:
        """One Accepted an arrival, in order."""


MOST_CLAIMS, MOST_STEPS = 512, 32
"""Of one commit. Steps are few, so that a claim never waits long behind the work of others."""


class Journal:
    """Runs steps in transactions, many steps a transaction, in the order given; claims come first and all at once."""

    def __init__(self, database: Database, claim: Claim) -> None:
        self._database = database
        self._claim = claim
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox-journal")
        self._arrivals: list[tuple[Received, asyncio.Future[Accepted]]] = []
        self._steps: list[tuple[Step, asyncio.Future[Any]]] = []
        self._turning: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._lately: deque[float] = deque(maxlen=PRESSING)
        self._pressed_until = 0.0

    async def give_way(self) -> None:
        """Wait while claims press, a quarter of a second at most: a platform waits for its acknowledgement and then comes
        again, while an answer may come a little later."""
        loop = asyncio.get_running_loop()
        until = loop.time() + GIVE_WAY_SECONDS
        while loop.time() < min(until, self._pressed_until):
            await asyncio.sleep(min(until, self._pressed_until) - loop.time())

    async def claim(self, received: Received) -> Accepted:
        """Claim one act in the next transaction; returns once that is committed."""
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._arrivals.append((received, future))
        self._count(future.get_loop().time())
        self._wake()
        return await future

    def _count(self, now: float) -> None:
        """Note one arrival, and whether a crowd of them came within a moment."""
        self._lately.append(now)
        if len(self._lately) == PRESSING and now - self._lately[0] < PRESSED_SECONDS:
            self._pressed_until = now + PRESSED_SECONDS

    async def do(self, step: Callable[[Connection], Result]) -> Result:
        """Run ``step`` in the next transaction; returns its result once that is committed. Raises what the step raises."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._steps.append((step, future))
        self._wake()
        return await future

    def _wake(self) -> None:
        if self._turning is None:
            self._turning = asyncio.create_task(self._turn())

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._arrivals or self._steps:
                arrivals, self._arrivals = self._arrivals[:MOST_CLAIMS], self._arrivals[MOST_CLAIMS:]
                batch, self._steps = self._steps[:MOST_STEPS], self._steps[MOST_STEPS:]
                steps = [step for step, _ in batch]
                if arrivals:
                    steps.insert(0, partial(self._claim, arrivals=[received for received, _ in arrivals]))
                try:
                    results = await loop.run_in_executor(self._thread, self._commit, steps)
                except Exception as error:  # the journal is closed: whoever waits must hear of it
                    results = [error] * len(steps)
                if arrivals:
                    claimed = results.pop(0)
                    failed = isinstance(claimed, Exception)
                    _tell([future for _, future in arrivals], [claimed] * len(arrivals) if failed else claimed)
                _tell([future for _, future in batch], results)
        finally:
            self._turning = None

    def _commit(self, steps: list[Step]) -> list[Any]:
        try:
            return self._together(steps)
        except Exception as error:
            if len(steps) == 1:
                return [error]
        # One step failed and took its companions with it: each gets a transaction of its own.
        results: list[Any] = []
        for step in steps:
            try:
                results += self._together([step])
            except Exception as error:
                results.append(error)
        return results

    def _together(self, steps: list[Step]) -> list[Any]:
        connection = self._begun()
        try:
            results = [step(connection) for step in steps]
            connection.commit()
        except BaseException:
            self._give_back()
            raise
        if not self._database.is_sqlite:
            self._give_back()
        return results

    def _begun(self) -> Connection:
        """A connection with a transaction begun. SQLite's is kept: whatever it is told besides costs this thread a wait for
        its turn among the threads that think."""
        if self._connection is None:
            self._connection = self._database.engine.connect()
            if self._database.is_sqlite:
                self._connection.exec_driver_sql("PRAGMA synchronous=FULL")
        try:
            if self._database.is_sqlite:
                self._connection.exec_driver_sql("BEGIN IMMEDIATE")
            return self._connection
        except BaseException:
            self._give_back()
            raise

    def _give_back(self) -> None:
        """End the connection and what is not committed. SQLite's is not used by others: it flushes more than they need."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(SQLAlchemyError):
            connection.rollback()
            if self._database.is_sqlite:
                connection.invalidate()
        connection.close()

    def close(self) -> None:
        """End the writing thread once what was given is committed."""
        self._thread.submit(self._give_back)
        self._thread.shutdown(wait=True)


def _tell(futures: list[asyncio.Future[Any]], results: list[Any]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
