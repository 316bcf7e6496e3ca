"""Freed memory goes back to the system."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bot import memory
from tests.benchmarks.timing import memory as resident


def test_once_in_so_many_turns_from_any_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[None] = []
    monkeypatch.setattr(memory, "give_back", lambda: given.append(None))
    turnover = memory.Turnover()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: turnover.turned(), range(3 * memory.EVERY)))
    assert len(given) == 3


def test_what_was_freed_in_pieces_goes_back() -> None:
    pieces = [np.ones(12_000, np.uint8) for _ in range(4_000)]
    kept = pieces[:: len(pieces) - 1]
    held = resident()["resident"]
    pieces = []
    memory.give_back()
    assert resident()["resident"] < held - 30
    assert len(kept) == 2
