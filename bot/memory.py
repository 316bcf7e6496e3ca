"""Memory that the C library keeps for itself."""

from __future__ import annotations

import contextlib
import ctypes


def give_back() -> None:
    """Hand freed memory back to the system, where the C library can (glibc's ``malloc_trim``); elsewhere nothing.

    Loading a model frees a hundred megabytes in pieces that glibc would keep.
    """
    with contextlib.suppress(OSError, TypeError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
