"""The schedule's promises: each job once a slot, however many processes; a run that died or failed is run again."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.schedule import LEASE_SECONDS, Job, Schedule, Work, listed
from bot.store import Database
from bot.store.outbox_tables import job_runs
from tests.doubles.clock import NOON, Clock
from tests.doubles.inbox import open_store, until
from tests.doubles.store import read_only


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = open_store(tmp_path)
    yield database
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def look(*schedules: Schedule) -> None:
    async def all_of_it() -> None:
        await asyncio.gather(*(schedule.look() for schedule in schedules))
        await asyncio.gather(*(schedule.settle() for schedule in schedules))

    asyncio.run(all_of_it())


def states(store: Database) -> list[tuple[str, int]]:
    with store.reading() as connection:
        rows = connection.execute(select(job_runs).order_by(job_runs.c.slot)).all()
    return [(row.state, row.attempts) for row in rows]


def test_a_job_runs_once_a_slot_however_many_processes_look(store: Database, clock: Clock) -> None:
    runs: list[datetime] = []
    many = [Schedule(store, [Job("j", 60, runs.append)], clock) for _ in range(6)]
    look(*many)
    look(*many)
    assert runs == [NOON]
    clock.pass_(seconds=59)
    look(*many)
    assert len(runs) == 1
    clock.pass_(seconds=1)
    look(*many)
    assert len(runs) == 2
    clock.pass_(seconds=6_000)  # nobody looked for a hundred slots: the newest is enough
    look(*many)
    assert len(runs) == 3


def test_a_run_that_failed_is_tried_again_a_few_times_and_its_words_are_not_logged(
    store: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[datetime] = []
    words = "what Ann said"

    def fail(now: datetime) -> None:
        tries.append(now)
        raise ValueError(words)

    schedule = Schedule(store, [Job("j", 86_400, fail)], clock)
    with caplog.at_level(logging.ERROR):
        look(schedule)
        look(schedule)
        assert len(tries) == 1
        for _ in range(200):
            clock.pass_(seconds=30)
            look(schedule)
    assert len(tries) == 5
    assert states(store) == [("failed", 5)]
    assert [b - a for a, b in pairwise(tries)] == [timedelta(seconds=30 * 2**n) for n in range(4)]
    assert "job j" in caplog.text
    assert words not in caplog.text
    with store.reading() as connection:
        assert str(listed(connection)[0]["incident"]) in caplog.text
    clock.pass_(seconds=86_400)
    look(schedule)
    assert len(tries) == 6  # the next slot begins anew


def test_a_run_whose_end_cannot_be_written_is_an_incident_and_is_run_again_when_its_lease_ends(
    store: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    runs: list[datetime] = []
    closing = ExitStack()

    def work(now: datetime) -> None:
        runs.append(now)
        if len(runs) == 1:
            closing.enter_context(read_only(store))

    schedule = Schedule(store, [Job("j", 86_400, work)], clock)
    with closing, caplog.at_level(logging.ERROR):
        look(schedule)
    assert "job j" in caplog.text
    assert states(store) == [("running", 1)]
    clock.pass_(seconds=LEASE_SECONDS + 1)
    look(schedule)
    assert len(runs) == 2
    assert states(store) == [("done", 2)]


def test_a_run_whose_process_died_is_taken_over_at_once_and_of_another_machine_when_its_lease_ends(
    store: Database, clock: Clock
) -> None:
    runs: list[datetime] = []
    schedule = Schedule(store, [Job("j", 3_600, runs.append)], clock)
    look(schedule)
    owners = (("other-machine:1:1:x", 1), (_dead_here(), 2))
    for owner, expected in owners:
        lease = clock.now.timestamp() + 30
        with store.writing() as connection:
            connection.execute(update(job_runs).values(state="running", owner=owner, lease_until=lease))
        look(schedule)
        assert len(runs) == expected, owner
    with store.writing() as connection:
        connection.execute(update(job_runs).values(state="running", owner=owners[0][0]))
    clock.pass_(seconds=31)
    look(schedule)
    assert len(runs) == 3
    assert states(store) == [("done", 3)]


def _dead_here() -> str:
    """The name of a process of this machine that lives no more."""
    import platform

    return f"{platform.node()[:60]}:1:not-when-it-began:x"


def test_a_run_that_takes_long_is_not_begun_again_while_it_works_and_holds_up_no_other(store: Database, clock: Clock) -> None:
    free, begun, quick = threading.Event(), [], []

    def slow(now: datetime) -> None:
        begun.append(now)
        assert free.wait(20)

    jobs = [Job("slow", 60, slow), Job("quick", 60, quick.append)]
    one, other = (Schedule(store, jobs, clock) for _ in range(2))

    async def story() -> None:
        for n in range(1, 4):
            await one.look()
            await other.look()
            while len(quick) < n and not free.is_set():  # a look that found the database busy is repeated
                await asyncio.sleep(0.01)
                await one.look()
            clock.pass_(seconds=60)
        assert len(begun) == 1
        free.set()
        await one.settle()
        await other.settle()
        await one.look()
        await one.settle()
        assert len(begun) == 2

    # Its lease lives in the clock of the test, which the renewal does not follow.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.schedule.LEASE_SECONDS", 1_000.0)
        asyncio.run(story())
    assert len(quick) == 4


def test_a_lease_is_renewed_while_a_run_works(store: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.schedule.LEASE_SECONDS", 0.03)
    free = threading.Event()
    schedule = Schedule(store, [Job("j", 3_600, lambda _now: free.wait(20))], clock)

    def lease() -> float:
        with store.reading() as connection:
            return float(connection.execute(select(job_runs.c.lease_until)).scalar_one())

    async def story() -> None:
        await schedule.look()
        before = lease()
        clock.pass_(seconds=100)
        await until(lambda: lease() > clock.now.timestamp())
        assert lease() >= before + 100
        assert states(store) == [("running", 1)], "renewed, and not begun again"
        free.set()
        await schedule.settle()

    asyncio.run(story())
    assert states(store) == [("done", 1)]


def test_a_database_that_is_away_does_not_end_the_loop(store: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.schedule.LOOK_SECONDS", 0.001)
    looked: list[int] = []

    async def always() -> None:
        looked.append(1)
        if len(looked) < 3:
            raise ConnectionError

    runs: list[datetime] = []
    work: Work = runs.append
    schedule = Schedule(store, [Job("j", 60, work)], clock, always)

    async def story() -> None:
        running = asyncio.create_task(schedule.run())
        await until(lambda: bool(runs))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(story())
    assert len(looked) >= 3


def test_stopping_leaves_what_is_under_way_to_the_next_process(store: Database, clock: Clock) -> None:
    free, begun = threading.Event(), threading.Event()
    stopped: Callable[[datetime], object] = lambda _now: (begun.set(), free.wait(20))  # noqa: E731
    schedule = Schedule(store, [Job("j", 3_600, stopped)], clock)

    async def story() -> None:
        running = asyncio.create_task(schedule.run())
        await until(begun.is_set)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert states(store) == [("running", 1)]
        free.set()

    asyncio.run(story())
    with store.writing() as connection:
        connection.execute(update(job_runs).values(owner=_dead_here()))
    runs: list[datetime] = []
    look(Schedule(store, [Job("j", 3_600, runs.append)], clock))
    assert len(runs) == 1
