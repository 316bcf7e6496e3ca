"""What every runner promises. A new runner is added to ``RUNNERS`` and must pass all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.inbox.runner import EmbeddedRunner, Process, Runner

RUNNERS: dict[str, Callable[[Process, int], Runner]] = {"embedded": EmbeddedRunner}


@pytest.fixture(params=RUNNERS)
def make(request: pytest.FixtureRequest) -> Callable[[Process, int], Runner]:
    return RUNNERS[request.param]


Make = Callable[[Process, int], Runner]


class Desk:
    """A process that notes what it works on; rows end when told, or at once."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.gates: dict[int, asyncio.Event] = {}
        self.answers: dict[int, list[float | None]] = {}
        self.now: set[int] = set()
        self.most = 0

    async def process(self, row_id: int) -> float | None:
        self.begun.append(row_id)
        self.now.add(row_id)
        self.most = max(self.most, len(self.now))
        try:
            if row_id in self.gates:
                await self.gates[row_id].wait()
            steps = self.answers.get(row_id)
            if steps:
                step = steps.pop(0)
                if step is not None and step < 0:
                    raise RuntimeError
                return step
            return None
        finally:
            self.now.discard(row_id)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_conversation_is_worked_on_in_order_one_row_at_a_time(make: Make) -> None:
    async def story() -> None:
        desk = Desk()
        desk.gates = {n: asyncio.Event() for n in (1, 2, 3)}
        runner = make(desk.process, 4)
        for row in (1, 2, 3):
            runner.offer(row, "c")
        for row in (1, 2, 3):
            await settle()
            assert desk.begun == list(range(1, row + 1))
            desk.gates[row].set()
        assert await runner.stop(5)

    asyncio.run(story())


def test_different_conversations_are_worked_on_at_once_up_to_the_bound(make: Make) -> None:
    async def story() -> None:
        desk = Desk()
        desk.gates = {n: asyncio.Event() for n in range(6)}
        runner = make(desk.process, 3)
        for row in range(6):
            runner.offer(row, f"c{row}")
        await settle()
        assert desk.now == {0, 1, 2}
        for gate in desk.gates.values():
            gate.set()
        assert await runner.stop(5)
        assert sorted(desk.begun) == list(range(6))
        assert desk.most == 3

    asyncio.run(story())


def test_a_row_offered_again_while_in_hand_is_the_same_row(make: Make) -> None:
    async def story() -> None:
        desk = Desk()
        desk.gates = {7: asyncio.Event()}
        runner = make(desk.process, 3)
        runner.offer(7, "c")
        runner.offer(7, "c")
        assert runner.in_hand() == [7]
        desk.gates[7].set()
        assert await runner.stop(5)
        assert desk.begun == [7]
        assert runner.in_hand() == []

    asyncio.run(story())


def test_a_row_that_wants_to_be_looked_at_again_keeps_its_place(make: Make) -> None:
    async def story() -> None:
        desk = Desk()
        desk.answers = {1: [0.001, 0.001, None]}
        runner = make(desk.process, 3)
        runner.offer(1, "c")
        runner.offer(2, "c")
        assert await runner.stop(5)
        assert desk.begun == [1, 1, 1, 2]

    asyncio.run(story())


def test_a_process_that_raises_is_tried_again_and_stops_nobody_else(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.inbox.runner.RETRY_SECONDS", 0.001)

    async def story() -> None:
        desk = Desk()
        desk.answers = {1: [-1.0, None]}
        runner = make(desk.process, 2)
        runner.offer(1, "a")
        runner.offer(2, "b")
        assert await runner.stop(5)
        assert sorted(desk.begun) == [1, 1, 2]

    asyncio.run(story())


def test_stopping_finishes_what_is_in_hand_takes_nothing_new_and_tells_when_it_could_not(make: Make) -> None:
    async def story() -> None:
        desk = Desk()
        desk.gates = {1: asyncio.Event()}
        runner = make(desk.process, 2)
        runner.offer(1, "a")
        await settle()
        assert not await runner.stop(0.01)
        runner.offer(2, "b")
        await settle()
        assert desk.begun == [1]

    asyncio.run(story())


def test_an_earlier_row_that_comes_late_goes_before_the_one_that_waits_for_it(make: Make) -> None:
    async def story() -> None:
        desk = Desk()
        ended: list[int] = []

        async def process(row_id: int) -> float | None:
            if row_id == 2 and 1 not in ended:
                return 0.001
            ended.append(row_id)
            return await desk.process(row_id)

        runner = make(process, 2)
        runner.offer(2, "c")
        await settle()
        runner.offer(1, "c")
        assert await runner.stop(5)
        assert desk.begun == [1, 2]

    asyncio.run(story())
