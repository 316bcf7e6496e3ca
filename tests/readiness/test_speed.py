"""Each step is quick. Processor time is measured, so that a busy machine does not fail the test and a slow step still does."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.readiness.conversation import Readiness
from tests.readiness.conftest import Clock, Visitor


def test_ninety_five_steps_of_a_hundred_take_at_most_150_ms(make_skill: Callable[..., Readiness], clock: Clock) -> None:
    taken: list[float] = []
    skill = make_skill()
    for person in range(4):
        visitor = Visitor(skill, clock, f"slack:T1:U{person}")
        visitor.begins("Mini check")
        for n in range(15):
            begun = time.process_time()
            visitor.presses(str(1 + (n + person) % 4))
            taken.append(time.process_time() - begun)
    assert visitor.reply is not None
    assert visitor.reply.fixed == "readiness.result"
    taken.sort()
    assert taken[int(0.95 * len(taken)) - 1] <= 0.15
    assert taken[-1] <= 0.6
