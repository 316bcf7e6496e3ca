"""Memory that the C library keeps for itself."""

from __future__ import annotations

import contextlib
import ctypes
import itertools

EVERY = 25
"""Turns between two times that freed memory is given back; once takes about a millisecond."""


def give_back() -> None:
    """Hand freed memory back to the system, where the C library can (glibc's ``malloc_trim``); elsewhere nothing.

    Loading a model frees a hundred megabytes in pieces that glibc would keep.
    """
    with contextlib.suppress(OSError, TypeError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class Turnover:
    """Counts turns, from any thread, and gives freed memory back after every so many: models that load while the first
    messages are answered, and the threads that read them, leave ten megabytes and more behind."""

    def __init__(self) -> None:
        self._turns = itertools.count(1)

    def turned(self) -> None:
        """One more turn has ended."""
        if next(self._turns) % EVERY == 0:
            give_back()
