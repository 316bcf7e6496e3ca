"""Finds tables that no lines are drawn around, by the empty strips between their columns. Called by ``pdf``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Word = dict[str, Any]
"""A word as pdfplumber gives it: text, x0, x1, top, bottom (points), size."""

CELL_GAP = 1.0
"""Empty width, in type sizes, from which two words of a line stand in different cells; between words it is a third."""

STRIP_POINTS = 4.0
"""The least width of the strip that stays empty between two columns."""

ROW_GAP, BAND_GAP, WRAP_GAP = 2.2, 0.6, 0.45
"""Heights of a line: the most between rows of a table, the least between rows of several lines, the most between the lines of
one cell."""

_MARKER = re.compile(r"[^\w\s]|o|\(?\w{1,4}[.)]|\(cid:\d+\)")
"""What stands before an item of a list: a bullet, a number, a letter."""


@dataclass(frozen=True)
class _Cell:
    text: str
    x0: float
    x1: float


@dataclass(frozen=True)
class _Line:
    cells: tuple[_Cell, ...]
    top: float
    bottom: float
    size: float

    @property
    def height(self) -> float:
        return max(self.bottom - self.top, 1.0)


@dataclass(frozen=True)
class Aligned:
    """Rows of cells, the first column first, and where they stand on the page (x0, top, x1, bottom; points)."""

    rows: tuple[tuple[str, ...], ...]
    box: tuple[float, float, float, float]


def aligned_tables(rows: Iterator[list[Word]]) -> list[Aligned]:
    """The tables among the lines of a page or of one of its text columns, each line's words from left to right. A table has
    at least three rows of two columns, or two rows of three."""
    lines = [_line(row) for row in rows if row]
    found: list[Aligned] = []
    start = 0
    while start < len(lines):
        run = _run(lines[start:])
        table = _table(run)
        if table is not None:
            found.append(table)
        start += len(run) if table is not None else 1
    return found


def _line(words: list[Word]) -> _Line:
    cells: list[_Cell] = []
    size = max(float(word["size"]) for word in words)
    for word in words:
        text, x0, x1 = str(word["text"]), float(word["x0"]), float(word["x1"])
        last = cells[-1] if cells else None
        if last is not None and (x0 - last.x1 < CELL_GAP * size or _MARKER.fullmatch(last.text)):
            cells[-1] = _Cell(f"{last.text} {text}", last.x0, x1)
        else:
            cells.append(_Cell(text, x0, x1))
    return _Line(tuple(cells), min(float(w["top"]) for w in words), max(float(w["bottom"]) for w in words), size)


def _columns(lines: list[_Line]) -> list[tuple[float, float]]:
    """The strips of the page that hold words, from left to right."""
    strips: list[tuple[float, float]] = []
    for x0, x1 in sorted((cell.x0, cell.x1) for line in lines for cell in line.cells):
        if strips and x0 < strips[-1][1] + STRIP_POINTS:
            strips[-1] = (strips[-1][0], max(strips[-1][1], x1))
        else:
            strips.append((x0, x1))
    return strips


def _run(lines: list[_Line]) -> list[_Line]:
    """The lines from the first on that keep at least its two columns apart."""
    run = lines[:1]
    if len(run[0].cells) < 2:
        return run
    for line in lines[1:]:
        gap = line.top - run[-1].bottom
        alone = len(line.cells) == 1
        below_first = line.cells[0].x0 <= run[0].cells[0].x1
        if gap > ROW_GAP * line.height or (alone and abs(line.size - run[-1].size) > 0.1 * run[-1].size):
            break
        if alone and below_first and gap > WRAP_GAP * line.height:
            break
        if len(_columns([*run, line])) < min(2, len(run[0].cells)):
            break
        run.append(line)
    return run


def _table(run: list[_Line]) -> Aligned | None:
    columns = _columns(run)
    rows: list[list[str]] = []
    banded = _banded(run)
    before: _Line | None = None
    for line in run:
        texts = _placed(line, columns)
        near = before is not None and line.top - before.bottom < WRAP_GAP * line.height
        if rows and (near if banded else sum(map(bool, texts)) == 1 and not texts[0]):
            rows[-1] = [f"{above} {text}".strip() for above, text in zip(rows[-1], texts, strict=True)]
        else:
            rows.append(texts)
        before = line
    full = [row for row in rows if sum(map(bool, row)) > 1]
    if len(columns) < 2 or len(full) < (3 if len(columns) == 2 else 2) or len(full) < 0.8 * len(rows):
        return None
    if _prose(rows) or _counted(rows):
        return None
    box = (columns[0][0] - 1, run[0].top - 1, columns[-1][1] + 1, run[-1].bottom + 1)
    return Aligned(tuple(map(tuple, rows)), box)


def _banded(run: list[_Line]) -> bool:
    """Whether rows stand clearly further apart than lines do, so that nearness tells which lines make one row."""
    gaps = [(below.top - above.bottom) / below.height for above, below in pairwise(run)]
    return any(gap < WRAP_GAP for gap in gaps) and any(gap > BAND_GAP for gap in gaps)


def _placed(line: _Line, columns: list[tuple[float, float]]) -> list[str]:
    texts = [""] * len(columns)
    for cell in line.cells:
        at = next(i for i, (x0, x1) in enumerate(columns) if x0 - 0.5 <= cell.x0 and cell.x1 <= x1 + 0.5)
        texts[at] = f"{texts[at]} {cell.text}".strip()
    return texts


def _prose(rows: list[list[str]]) -> bool:
    """Whether the columns are text side by side: most cells are long and break off in the middle of a sentence."""
    cells = [cell for row in rows for cell in row if cell]
    long = [cell for cell in cells if len(cell.split()) > 5 and not cell.endswith((".", ":", ";", "?", "!"))]
    return len(long) > 0.5 * len(cells)


def _counted(rows: list[list[str]]) -> bool:
    """Whether the first of two columns only counts 1, 2, 3: a list."""
    return len(rows[0]) == 2 and [row[0] for row in rows] == [str(n) for n in range(1, len(rows) + 1)]
