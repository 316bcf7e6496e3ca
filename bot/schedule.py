"""The one background loop: named jobs with a period, each run once however many processes there are. Started by the server.

Time is cut into slots of a job's period. Whoever inserts the row of a job and slot runs it, under a lease that is renewed while
it works; a run whose process died, or that failed, is taken over and tried again. Only the newest slot is run: a job does
whatever is due, so a slot that nobody ran is not missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from bot.inbox import ledger
from bot.store import Database
from bot.store.database import insert_new
from bot.store.incidents import incident
from bot.store.outbox_tables import job_runs

LOOK_SECONDS = 2.0
"""How often the loop looks for work."""

LEASE_SECONDS = 60.0
LONGEST_SECONDS = 3_600.0
"""A run that takes longer hangs: its lease is no longer renewed, so another process may take the job up."""

ATTEMPTS = 5
RETRY_SECONDS = 30.0
"""Wait before a failed run is tried again; doubled each time."""

KEEP_SECONDS = 30 * 86_400.0
"""How long runs are kept for an operator to see."""

_log = logging.getLogger("signpost.schedule")

Work = Callable[[datetime], object]
"""What a job does, given the time. Called in a thread; it must bear being called again for the same time."""


@dataclass(frozen=True)
class Job:
    """Something to be done every ``period`` seconds. ``name`` has at most 40 characters."""

    name: str
    period: float
    work: Work


class Schedule:
    """Runs jobs. ``always`` is awaited at every look in every process, for work that shares itself out (the outbox)."""

    def __init__(
        self,
        database: Database,
        jobs: Sequence[Job],
        clock: Callable[[], datetime],
        always: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._database = database
        self.jobs = tuple(jobs)
        self._clock = clock
        self._always = always
        self._owner = ledger.owner_name(secrets.token_hex(4))
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look for work until cancelled. Never raises for what a job does."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self._let_go()

    async def look(self) -> None:
        """Start whatever may run now. Jobs do not wait for each other."""
        try:
            if self._always is not None:
                await self._always()
            for job in self.jobs:
                running = self._running.get(job.name)
                if running is None or running.done():
                    slot = await asyncio.to_thread(self._claim, job)
                    if slot is not None:
                        self._running[job.name] = asyncio.create_task(self._work(job, slot))
        except Exception as error:
            incident(_log, error, "schedule")

    async def settle(self) -> None:
        """Wait until every job that was started here has ended."""
        while waiting := [task for task in self._running.values() if not task.done()]:
            await asyncio.wait(waiting)

    async def _let_go(self) -> None:
        """Leave what is under way to whoever comes next."""
        for task in self._running.values():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    # -- one run -----------------------------------------------------------------------------------------------------

    async def _work(self, job: Job, slot: int) -> None:
        lease = asyncio.create_task(self._renewed(job, slot))
        name = None
        try:
            await asyncio.to_thread(job.work, self._clock())
        except Exception as error:
            name = incident(_log, error, f"job {job.name}")
        finally:
            lease.cancel()
        try:
            await asyncio.to_thread(self._end, job, slot, name)
        except Exception as error:  # an end that could not be written: the lease runs out, and the job is run again
            incident(_log, error, f"job {job.name}")

    async def _renewed(self, job: Job, slot: int) -> None:
        for _ in range(int(LONGEST_SECONDS / (LEASE_SECONDS / 3))):
            await asyncio.sleep(LEASE_SECONDS / 3)
            with contextlib.suppress(Exception):  # the next renewal, or the one who takes over, decides
                await asyncio.to_thread(self._change, job, slot, lease_until=self._now() + LEASE_SECONDS)

    # -- rows --------------------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._clock().timestamp()

    def _claim(self, job: Job) -> int | None:
        """The slot to run now, claimed for this process; None when there is nothing to do."""
        now = self._now()
        slot = int(now // job.period)
        query = select(job_runs).where(job_runs.c.job == job.name).order_by(job_runs.c.slot.desc()).limit(1)
        with self._database.reading() as connection:
            newest = connection.execute(query).first()
        if newest is not None and newest.slot >= slot and not _free(newest, now):
            return None
        with self._database.writing() as connection:
            return self._claimed(connection, job, slot, now)

    def _claimed(self, connection: Connection, job: Job, slot: int, now: float) -> int | None:
        here = job_runs.c.job == job.name
        newest = connection.execute(select(job_runs).where(here).order_by(job_runs.c.slot.desc()).limit(1)).first()
        mine = {"state": "running", "owner": self._owner, "lease_until": now + LEASE_SECONDS, "started_at": now}
        if newest is not None and newest.state == "running" and not _free(newest, now):
            return None  # still at work, also where its slot is over
        if newest is not None and newest.slot >= slot:
            if not _free(newest, now):
                return None
            again = {**mine, "attempts": newest.attempts + 1, "ended_at": None}
            connection.execute(update(job_runs).where(here, job_runs.c.slot == newest.slot).values(**again))
            return int(newest.slot)
        connection.execute(delete(job_runs).where(here, job_runs.c.started_at < now - KEEP_SECONDS))
        new = insert_new(connection, job_runs, [{"job": job.name, "slot": slot, "attempts": 1, **mine}], [job_runs.c.slot])
        return slot if new else None

    def _end(self, job: Job, slot: int, name: str | None) -> None:
        now = self._now()
        state = "done" if name is None else "failed"
        self._change(job, slot, state=state, incident=name, ended_at=now, lease_until=now)

    def _change(self, job: Job, slot: int, **values: object) -> None:
        """Change a run that is still this process's."""
        mine = (job_runs.c.job == job.name, job_runs.c.slot == slot, job_runs.c.owner == self._owner)
        with self._database.writing() as connection:
            connection.execute(update(job_runs).where(*mine, job_runs.c.state == "running").values(**values))


def _free(run: object, now: float) -> bool:
    """Whether the newest run of a job may be taken up again: its process is gone, or it failed and has waited."""
    state, attempts = run.state, run.attempts  # type: ignore[attr-defined]
    if state == "running":
        return bool(run.lease_until <= now or ledger.owner_is_gone(run.owner))  # type: ignore[attr-defined]
    if state == "failed" and attempts < ATTEMPTS:
        return bool(run.ended_at + RETRY_SECONDS * 2.0 ** (attempts - 1) <= now)  # type: ignore[attr-defined]
    return False


def listed(connection: Connection, limit: int = 100) -> list[dict[str, object]]:
    """The last runs for an operator, newest first."""
    names = ("job", "slot", "state", "attempts", "started_at", "ended_at", "incident")
    query = select(*(job_runs.c[name] for name in names)).order_by(job_runs.c.started_at.desc()).limit(limit)
    return [dict(row._mapping) for row in connection.execute(query)]
