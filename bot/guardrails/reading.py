"""Reads the texts of one message with the embedder: each once, however many ask for it, and some beside others.

The models compute outside the interpreter's lock, so a second thread shortens the wait where a processor is free."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from bot.guardrails.features import Read, Vector

THREADS = 8
"""Messages that have a second thread at once; those beyond wait for one."""

_beside = ThreadPoolExecutor(THREADS, thread_name_prefix="screening")

T = TypeVar("T")
Answer = TypeVar("Answer")


def beside(work: Callable[[], T]) -> Future[T]:
    """Begin some work in another thread. It must not begin any itself."""
    return _beside.submit(work)


def halved(judge: Callable[[T], Answer], texts: Sequence[T]) -> list[Answer]:
    """What ``judge`` says of each, in order; every second one is judged in another thread."""
    if len(texts) < 2:
        return [judge(text) for text in texts]
    others = beside(partial(_each, judge, texts[1::2]))
    found = [judge(text) for text in texts[::2]]
    return [(found if number % 2 == 0 else others.result())[number // 2] for number in range(len(texts))]


def _each(judge: Callable[[T], Answer], texts: Sequence[T]) -> list[Answer]:
    return [judge(text) for text in texts]


def once(read: Read | None) -> Read | None:
    """The embedder that reads a text once, whichever threads ask for it; one that failed is asked again."""
    if read is None:
        return None
    known: dict[str, _Text] = {}

    def remembered(text: str) -> tuple[Vector, Vector]:
        return known.setdefault(text, _Text()).read(read, text)

    return remembered


class _Text:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: tuple[Vector, Vector] | None = None

    def read(self, read: Read, text: str) -> tuple[Vector, Vector]:
        with self._lock:
            if self._found is None:
                self._found = read(text)
            return self._found
