"""Reads PDF: paragraphs, headings by size, lists, tables (rejoined across pages), form values, with page numbers.

White, tiny and off-page text is left out and reported. Running heads and page numbers are dropped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pdfplumber
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from bot.errors import UnreadableFile
from bot.knowledge.blocks import Block, Extract, Finding
from bot.knowledge.reading.files import Limits
from bot.knowledge.reading.pdf_tables import Table, drawn_tables, table_blocks, undrawn_tables
from bot.knowledge.reading.pdf_unseen import beside, inked, seen_part
from bot.knowledge.reading.text import BULLET


@dataclass
class _Line:
    text: str
    size: float
    bold: bool
    top: float
    bottom: float
    left: float
    page: int


@dataclass
class _Page:
    number: int
    lines: list[_Line]
    tables: list[Table] = field(default_factory=list)


def _words(page: Any) -> list[dict[str, Any]]:
    words: list[dict[str, Any]] = page.extract_words(
        x_tolerance_ratio=0.18,
        y_tolerance=2.5,
        use_text_flow=False,
        keep_blank_chars=False,
        extra_attrs=["size", "fontname"],
    )
    return words


def _lines(words: list[dict[str, Any]], number: int) -> list[_Line]:
    lines: list[_Line] = []
    for line in _rows(words):
        text = " ".join(word["text"] for word in line)
        sizes = Counter(round(word["size"], 1) for word in line)
        bold = all(re.search(r"bold|black|heavy|semib", str(word["fontname"]), re.I) for word in line)
        lines.append(
            _Line(
                text,
                sizes.most_common(1)[0][0],
                bold,
                min(word["top"] for word in line),
                max(word["bottom"] for word in line),
                line[0]["x0"],
                number,
            )
        )
    return lines


def _rows(words: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Words as lines, top to bottom; two columns with a clear gutter are read one after the other."""
    if not words:
        return
    left, right = min(w["x0"] for w in words), max(w["x1"] for w in words)
    gutter = _gutter(words, left, right)
    groups = (
        [words]
        if gutter is None
        else [
            [w for w in words if w["x1"] <= gutter + 1],
            [w for w in words if w["x1"] > gutter + 1],
        ]
    )
    for group in groups:
        line: list[dict[str, Any]] = []
        for word in sorted(group, key=lambda w: (round(w["top"], 0), w["x0"])):
            if line and abs(word["top"] - line[0]["top"]) > max(3.0, 0.4 * (line[0]["bottom"] - line[0]["top"])):
                yield sorted(line, key=lambda w: w["x0"])
                line = []
            line.append(word)
        if line:
            yield sorted(line, key=lambda w: w["x0"])


def _gutter(words: list[dict[str, Any]], left: float, right: float) -> float | None:
    """The x of an empty vertical strip near the middle that splits the page into two full columns."""
    if right - left < 250 or len(words) < 60:
        return None
    for step in range(40, 61, 2):
        x = left + (right - left) * step / 100
        crossing = sum(w["x0"] < x + 5 and w["x1"] > x - 5 for w in words)
        before = sum(w["x1"] <= x for w in words)
        if crossing == 0 and min(before, len(words) - before) > 0.3 * len(words):
            return x
    return None


def _drop_furniture(pages: list[_Page], heights: dict[int, float]) -> None:
    """Remove lines at the top or bottom margin that recur from page to page, and bare page numbers."""

    def shape(line: _Line) -> str:
        return re.sub(r"\d+", "#", line.text.strip().lower())

    def marginal(line: _Line) -> bool:
        height = heights[line.page]
        return line.top < 0.09 * height or line.bottom > 0.91 * height

    counts = Counter(s for page in pages for s in {shape(line) for line in page.lines if marginal(line)})
    enough = max(2, (len(pages) + 1) // 2)
    for page in pages:
        page.lines = [
            line
            for line in page.lines
            if not (
                marginal(line)
                and (
                    (len(pages) > 1 and counts[shape(line)] >= enough)
                    or re.fullmatch(r"(?:page )?#(?: (?:of|/) #)?", shape(line))
                )
            )
        ]


def _rejoin(pages: list[_Page]) -> None:
    """Continue a table on the next page under the same headers, and a row that the page break cut."""
    last: Table | None = None
    for page in pages:
        for index, table in enumerate(page.tables):
            first_on_page = index == 0 and not any(line.bottom < table.top for line in page.lines)
            follows = (
                last is not None
                and first_on_page
                and table.page == last.page + 1
                and len(table.rows[0]) == len(last.rows[0])
                and last.bottom > 0.6 * last.height
            )
            if follows and last is not None:
                rows = table.rows[1:] if table.rows[0] == last.rows[0] else table.rows
                if rows and table.rows[0] != last.rows[0] and not rows[0][0] and len(last.rows) > 1:
                    last.rows[-1] = [f"{a} {b}".strip() for a, b in zip(last.rows[-1], rows[0], strict=True)]
                    rows = rows[1:]
                last.rows.extend(rows)
                last.page, last.bottom, last.height = table.page, table.bottom, table.height
                table.rows = []
            else:
                last = table
        if (page.lines and page.tables and max(line.top for line in page.lines) > page.tables[-1].bottom) or (
            page.lines and not page.tables
        ):
            last = None


def _paragraphs(lines: list[_Line], body: float, sizes: list[float]) -> Iterator[tuple[float, Block]]:
    """Lines joined into headings, items and paragraphs; yields (top, block)."""
    run: list[_Line] = []
    kind: Literal["paragraph", "item", "heading"] = "paragraph"
    level = 0

    def flush() -> Iterator[tuple[float, Block]]:
        if run:
            text = ""
            for line in run:
                if text.endswith("-") and line.text[:1].islower() and re.search(r"[a-z]-$", text):
                    text = text[:-1] + line.text
                else:
                    text = f"{text} {line.text}".strip()
            text = BULLET.sub("", text) if kind == "item" else text
            yield run[0].top, Block(kind, text, level=level if kind == "heading" else 0, page=run[0].page)

    for line in lines:
        larger = line.size > body * 1.12
        short_bold = line.bold and len(line.text) < 90 and not line.text.rstrip().endswith((".", ";", ","))
        if (larger and len(line.text) < 160) or short_bold:
            if kind != "heading" or not _same_heading(run, line):
                yield from flush()
                run = []
            kind = "heading"
            level = min(sizes.index(line.size) + 1, 5) if line.size in sizes and larger else 6
            run.append(line)
            continue
        gap = line.top - run[-1].bottom if run else 0.0
        height = line.bottom - line.top
        starts_item = bool(BULLET.match(line.text))
        if run and (kind == "heading" or starts_item or gap > 0.75 * height or gap < -height):
            yield from flush()
            run = []
            kind = "paragraph"
        if starts_item:
            kind = "item"
        run.append(line)
    yield from flush()


def _same_heading(run: list[_Line], line: _Line) -> bool:
    """Whether a line goes on with the heading above it: the same type, right below, and the line above was long."""
    if not run:
        return False
    last = run[-1]
    same = last.size == line.size and last.bold == line.bold and last.page == line.page
    return same and 0 < line.bottom - last.bottom < 1.4 * line.size and len(last.text) > 25


def _join_over_pages(blocks: list[Block]) -> list[Block]:
    """A sentence that a page break cut becomes one paragraph again."""
    joined: list[Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.kind in ("paragraph", "item")
            and block.kind == "paragraph"
            and last.page != block.page
            and not re.search(r"[.!?:;]['\")\]]?$", last.text)
            and block.text[:1].islower()
        ):
            joined[-1] = Block(last.kind, f"{last.text} {block.text}", level=last.level, page=last.page)
        else:
            joined.append(block)
    return joined


def _form_values(reader: PdfReader) -> list[Block]:
    blocks: list[Block] = []
    for name, item in (reader.get_fields() or {}).items():
        value = item.get("/V")
        if value in (None, "", "/Off"):
            continue
        label = str(item.get("/TU") or name)
        blocks.append(Block("row", f"{label}: {str(value).lstrip('/')}"))
    return blocks


def _open(path: Path, limits: Limits) -> PdfReader:
    try:
        reader = PdfReader(str(path))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableFile("the file is protected by a password; save it without one", code="encrypted")
        count = len(reader.pages)
    except UnreadableFile:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError, AttributeError, OSError) as error:
        raise UnreadableFile(f"the file is damaged ({type(error).__name__})", code="damaged") from None
    if count == 0:
        raise UnreadableFile("the file is damaged: it has no pages", code="damaged")
    if count > limits.pages:
        raise UnreadableFile(f"the file has {count} pages; the limit is {limits.pages}", code="too_large")
    return reader


def read_pdf(path: Path, limits: Limits) -> Extract:
    """Blocks of a PDF. Raises UnreadableFile for encrypted, damaged or over-long files."""
    reader = _open(path, limits)
    findings: list[Finding] = []
    pages: list[_Page] = []
    heights: dict[int, float] = {}
    with pdfplumber.open(inked(reader, path, findings), password="") as pdf:
        for number, sheet in enumerate(pdf.pages, 1):
            heights[number] = float(sheet.height)
            kept = seen_part(sheet, number, findings)
            tables, rest = drawn_tables(kept, number)
            undrawn, words = undrawn_tables(_words(rest), _rows, number, float(sheet.height))
            tables = sorted([*tables, *undrawn], key=lambda table: table.top)
            pages.append(_Page(number, _lines(words, number), tables))
            sheet.close()
    _drop_furniture(pages, heights)
    _rejoin(pages)
    weights: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            weights[line.size] += len(line.text)
    body = weights.most_common(1)[0][0] if weights else 10.0
    sizes = sorted((size for size in weights if size > body * 1.12), reverse=True)
    blocks: list[Block] = []
    for page in pages:
        placed = list(_paragraphs(page.lines, body, sizes))
        for table in page.tables:
            placed += [(table.top + i / 1000, block) for i, block in enumerate(table_blocks(table, page.number))]
        placed.sort(key=lambda pair: pair[0]) if page.tables else None
        blocks += [block for _, block in placed if block.text.strip()]
    blocks = _join_over_pages(blocks)
    blocks += _form_values(reader)
    findings += beside(reader)
    meta = reader.metadata
    named = ("title", "author", "subject", "keywords")
    properties = {name: str(value) for name in named if meta is not None and (value := meta.get(f"/{name.title()}"))}
    return Extract("application/pdf", tuple(blocks), tuple(findings[:500]), properties)
