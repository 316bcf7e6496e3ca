"""What a run prints and writes: tables of a few columns, bars met or missed, and the circumstances of the measurement."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = (
    "numpy",
    "onnxruntime",
    "tokenizers",
    "chromadb",
    "langchain-core",
    "langchain-text-splitters",
    "langchain-chroma",
    "langchain-classic",
    "langchain-community",
    "llama-index-core",
    "llama-index-retrievers-bm25",
    "haystack-ai",
)

Cell = str | int | float | None


@dataclass
class Table:
    """A titled table with notes that say how it was measured. Numbers are kept; rounding is for the eye."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The table in aligned columns."""
        cells = [self.columns, *(tuple(_shown(cell) for cell in row) for row in self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        lines = [self.title, "-" * len(self.title)]
        for row in cells:
            padded = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
            padded[0] = row[0].ljust(widths[0])
            lines.append("  ".join(padded).rstrip())
        lines += [f"  {note}" for note in self.notes]
        return "\n".join(lines) + "\n"

    def data(self) -> dict[str, Any]:
        """The table for JSON, one object a row."""
        return {
            "title": self.title,
            "rows": [dict(zip(self.columns, row, strict=True)) for row in self.rows],
            "notes": self.notes,
        }


@dataclass(frozen=True)
class Bar:
    """A measured value beside its target. ``most`` is True when the value must not exceed the target."""

    name: str
    value: float
    target: float
    most: bool = True

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.value <= self.target if self.most else self.value >= self.target


def bars_table(bars: Iterable[Bar]) -> Table:
    """All bars in one table, those missed included."""
    table = Table("Bars", ("measure", "value", "target", "met"))
    for bar in bars:
        table.rows.append((bar.name, bar.value, f"{'<=' if bar.most else '>='} {bar.target:g}", "yes" if bar.met else "NO"))
    return table


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 1000 else f"{cell:.1f}" if abs(cell) >= 100 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def load_average() -> str:
    """The machine's 1, 5 and 15 minute load averages."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def circumstances() -> dict[str, Any]:
    """Python, processors and library versions; OpenBLAS variables, because they slow numpy down where they are set."""
    versions: dict[str, str] = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "absent"
    return {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "openblas": {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")},
        "versions": versions,
    }
