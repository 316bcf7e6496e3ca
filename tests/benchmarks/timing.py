"""Percentiles, growth exponents, and a process's memory."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` (0 to 100) percent of ``values`` lie."""
    return float(np.percentile(values, share))


def clocks() -> tuple[float, float]:
    """Seconds now on the wall's clock and on this process's processors' (all threads), to be subtracted later.

    The second changes little when other processes want the machine; the first is what a person waits.
    """
    return time.perf_counter(), time.process_time()


def since(earlier: tuple[float, float]) -> tuple[float, float]:
    """Milliseconds since :func:`clocks`, on both."""
    now = clocks()
    return (now[0] - earlier[0]) * 1000, (now[1] - earlier[1]) * 1000


def seconds(work: Callable[[], object]) -> float:
    """Wall time of ``work``, after the garbage of whatever came before is collected."""
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def exponent(small: tuple[int, float], large: tuple[int, float]) -> float:
    """``e`` such that time grows as size ** e, from two (size, time) pairs."""
    return math.log(large[1] / small[1]) / math.log(large[0] / small[0])


def memory() -> dict[str, float]:
    """Resident memory of this process in MB (10**6 bytes), now and at its peak.

    Read from the kernel's per-process status: ``ru_maxrss`` would carry over the parent's peak.
    """
    found = dict.fromkeys(("VmRSS", "VmHWM"), 0.0)
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name in found:
            found[name] = int(rest.split()[0]) * 1024 / 1e6
    return {"resident": found["VmRSS"], "peak": found["VmHWM"]}
