"""Counts and timings of the inbox, as Prometheus reads them. No text, no names: platforms, states and seconds only."""

from __future__ import annotations

import threading
from collections import defaultdict

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histograms' buckets, in seconds."""

Labels = tuple[tuple[str, str], ...]


class Figures:
    """Counters and histograms, safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, Labels], int] = defaultdict(int)
        self._buckets: dict[tuple[str, Labels], list[int]] = {}
        self._sums: dict[tuple[str, Labels], float] = defaultdict(float)

    def count(self, name: str, **labels: str) -> None:
        """Add one to a counter."""
        with self._lock:
            self._counts[name, tuple(sorted(labels.items()))] += 1

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add one duration to a histogram."""
        key = (name, tuple(sorted(labels.items())))
        with self._lock:
            buckets = self._buckets.setdefault(key, [0] * (len(BUCKETS) + 1))
            buckets[next((n for n, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))] += 1
            self._sums[key] += seconds

    def text(self, gauges: dict[str, tuple[str, dict[str, int]]]) -> str:
        """Everything in the Prometheus text format; ``gauges`` are values read now: by name, a label and the values by it.
        Source: prometheus.io/docs/instrumenting/exposition_formats."""
        lines: list[str] = []
        with self._lock:
            for name in sorted({name for name, _ in self._counts}):
                lines.append(f"# TYPE signpost_{name}_total counter")
                mine = [(labels, value) for (n, labels), value in sorted(self._counts.items()) if n == name]
                lines += [f"signpost_{name}_total{_shown(labels)} {value}" for labels, value in mine]
            for name in sorted({name for name, _ in self._buckets}):
                lines.append(f"# TYPE signpost_{name}_seconds histogram")
                for (n, labels), buckets in sorted(self._buckets.items()):
                    if n == name:
                        lines += _histogram(name, labels, buckets, self._sums[n, labels])
        for name, (label, values) in gauges.items():
            lines.append(f"# TYPE signpost_{name} gauge")
            lines += [f"signpost_{name}{_shown(((label, of),))} {value}" for of, value in sorted(values.items())]
        return "\n".join(lines) + "\n"


def _histogram(name: str, labels: Labels, buckets: list[int], total: float) -> list[str]:
    lines, running = [], 0
    for bound, count in zip([*map(str, BUCKETS), "+Inf"], buckets, strict=True):
        running += count
        lines.append(f"signpost_{name}_seconds_bucket{_shown((*labels, ('le', bound)))} {running}")
    lines.append(f"signpost_{name}_seconds_sum{_shown(labels)} {total:.6f}")
    lines.append(f"signpost_{name}_seconds_count{_shown(labels)} {running}")
    return lines


def _shown(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
