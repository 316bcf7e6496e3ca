"""Texts are read once, whichever threads ask; some are judged beside others, and come back in order."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bot.guardrails.features import Vector
from bot.guardrails.reading import halved, once


def vectors() -> tuple[Vector, Vector]:
    return np.zeros(3, dtype=np.float32), np.zeros((1, 3), dtype=np.float32)


def test_a_text_is_read_once_however_many_threads_ask_at_the_same_time() -> None:
    asked: list[str] = []

    def slow(text: str) -> tuple[Vector, Vector]:
        asked.append(text)
        time.sleep(0.02)
        return vectors()

    read = once(slow)
    assert read is not None
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, ["one"] * 8 + ["two"] * 8))
    assert sorted(asked) == ["one", "two"]
    assert all(vector is found[0][0] for vector, _ in found[:8])


def test_two_texts_are_read_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=5)

    def read(text: str) -> tuple[Vector, Vector]:
        meeting.wait()  # passes only when both are being read
        return vectors()

    both = once(read)
    assert both is not None
    with ThreadPoolExecutor(2) as pool:
        assert len(list(pool.map(both, ["one", "two"]))) == 2


def test_a_read_that_failed_is_asked_for_again() -> None:
    answers = iter([OSError("gone"), vectors()])

    def unsteady(text: str) -> tuple[Vector, Vector]:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    read = once(unsteady)
    assert read is not None
    with pytest.raises(OSError, match="gone"):
        read("one")
    assert read("one")[0].shape == (3,)


@pytest.mark.parametrize("many", [0, 1, 2, 3, 8])
def test_answers_come_in_order_and_half_of_them_from_another_thread(many: int) -> None:
    threads: set[int] = set()

    def judge(number: int) -> int:
        threads.add(threading.get_ident())
        return number * 10

    assert halved(judge, range(many)) == [number * 10 for number in range(many)]
    assert len(threads) == min(many, 2)


def test_a_fault_in_the_other_thread_is_raised_in_this_one() -> None:
    def judge(number: int) -> int:
        if number % 2:
            raise ValueError(number)
        return number

    with pytest.raises(ValueError, match="1"):
        halved(judge, [0, 1, 2])
