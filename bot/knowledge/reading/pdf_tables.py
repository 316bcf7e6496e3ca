"""Tables of a PDF, drawn with lines or only set in columns, and their rows as blocks. Called by ``pdf``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.knowledge.blocks import Block
from bot.knowledge.reading.markdown import table_row
from bot.knowledge.reading.pdf_columns import Word, aligned_tables


@dataclass
class Table:
    """Rows of cells and where they stand: points from the top of a page of some height."""

    rows: list[list[str]]
    top: float
    bottom: float
    page: int
    height: float


def drawn_tables(page: Any, number: int) -> tuple[list[Table], Any]:
    """Tables drawn with lines, and the page without their characters."""
    found: list[Table] = []
    rest = page
    for table in page.find_tables():
        rows = [[re.sub(r"\s+", " ", cell or "").strip() for cell in row] for row in table.extract()]
        rows = [row for row in rows if any(row)]
        if len(rows) < 1 or max(len(row) for row in rows) < 2:
            continue
        found.append(Table(rows, table.bbox[1], table.bbox[3], number, float(page.height)))
        box = table.bbox
        rest = rest.filter(lambda o, box=box: o.get("object_type") != "char" or not _inside(o, box))
    return found, rest


def undrawn_tables(
    words: list[Word], rows: Callable[[list[Word]], Iterator[list[Word]]], number: int, height: float
) -> tuple[list[Table], list[Word]]:
    """Tables that no lines are drawn around, and the words that stand in none. ``rows`` makes lines of words."""
    found: list[Table] = []
    for table in aligned_tables(rows(words)):
        found.append(Table([list(row) for row in table.rows], table.box[1], table.box[3], number, height))
        words = [word for word in words if not _inside(word, table.box)]
    return found, words


def _inside(item: dict[str, Any], box: tuple[float, float, float, float]) -> bool:
    x, y = (item["x0"] + item["x1"]) / 2, (item["top"] + item["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def table_blocks(table: Table, page: int) -> list[Block]:
    """A table's rows, each under the headers, a merged first cell carried down."""
    if not table.rows:
        return []
    headed = len(table.rows) > 1 and all(table.rows[0])
    headers = table.rows[0] if headed else []
    carried = ""
    blocks: list[Block] = []
    for row in table.rows[1:] if headed else table.rows:
        if row[0]:
            carried = row[0]
        elif carried and sum(bool(cell) for cell in row) > 1:
            row = [carried, *row[1:]]
        text = table_row(headers, row)
        if text:
            blocks.append(Block("row", text, page=page))
    return blocks
