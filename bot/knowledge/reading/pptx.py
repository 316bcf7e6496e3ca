"""Reads PPTX: slides in order, titles as headings, text boxes, tables, groups and speaker notes. Hidden slides are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER
from pptx.exc import PackageNotFoundError

from bot.errors import UnreadableFile
from bot.knowledge.blocks import UNSEEN_CHARS, Block, Extract, Finding
from bot.knowledge.reading.docx import core_properties
from bot.knowledge.reading.files import Limits
from bot.knowledge.reading.markdown import table_row

_FURNITURE = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)


def _clean(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\x0b", " ")).strip()


def _shapes(shapes: Any) -> Iterator[Any]:
    for shape in shapes:
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _hidden(shape: Any) -> bool:
    properties = shape._element.xpath(".//p:cNvPr")
    return bool(properties) and properties[0].get("hidden") in ("1", "true")


def _off_slide(shape: Any, width: int, height: int) -> bool:
    if shape.left is None or shape.top is None or shape.width is None or shape.height is None:
        return False
    return bool(shape.left >= width or shape.top >= height or shape.left + shape.width <= 0 or shape.top + shape.height <= 0)


def _all_text(slide: Any) -> str:
    texts = [_clean(shape.text_frame.text) for shape in _shapes(slide.shapes) if shape.has_text_frame]
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        texts.append(_clean(slide.notes_slide.notes_text_frame.text))
    return " ".join(text for text in texts if text)[:UNSEEN_CHARS]


def _described(slide: Any, where: str) -> list[Finding]:
    """Alternative texts of the slide's shapes."""
    found: list[Finding] = []
    for item in slide._element.xpath(".//p:cNvPr"):
        text = _clean(f"{item.get('title') or ''} {item.get('descr') or ''}")
        if len(text.split()) >= 4:
            found.append(Finding("markup", f"picture's description, {where}", text[:UNSEEN_CHARS]))
    return found


def _pale_text(shape: Any) -> str:
    """The text of a box without a fill whose every run is tiny (under 3 points) or white on a slide without a background of
    its own."""
    if not shape.has_text_frame or shape._element.xpath("./p:spPr/a:solidFill | ./p:spPr/a:gradFill | ./p:spPr/a:blipFill"):
        return ""
    runs = shape._element.xpath(".//a:r[a:t]")
    plain = not shape.part._element.xpath("./p:cSld/p:bg")
    for run in runs:
        properties = run.xpath("./a:rPr")
        size = properties[0].get("sz") if properties else None
        white = bool(
            run.xpath(
                "./a:rPr/a:solidFill/a:srgbClr[@val='FFFFFF' or @val='ffffff'] | ./a:rPr/a:solidFill/a:schemeClr[@val='bg1']"
            )
        )
        faint = bool(run.xpath("./a:rPr/a:solidFill//a:alpha[number(@val) < 10000]"))
        if not ((size is not None and size.isdigit() and int(size) < 300) or (white and plain) or faint):
            return ""
    return _clean(shape.text_frame.text) if runs else ""


def _place(shape: Any) -> tuple[int, int]:
    return (int(shape.top or 0), int(shape.left or 0))


def _table(shape: Any, number: int) -> list[Block]:
    rows = [[_clean(cell.text) for cell in row.cells] for row in shape.table.rows]
    if not rows:
        return []
    headed = len(rows) > 1 and shape.table.first_row
    headers = rows[0] if headed else []
    texts = [table_row(headers, row) for row in (rows[1:] if headed else rows)]
    return [Block("row", text, page=number) for text in texts if text]


def _frame(shape: Any, number: int) -> list[Block]:
    blocks: list[Block] = []
    body = shape.is_placeholder and shape.placeholder_format.type in (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT)
    for paragraph in shape.text_frame.paragraphs:
        text = _clean("".join(run.text for run in paragraph.runs) or paragraph.text)
        if text:
            blocks.append(Block("item" if body else "paragraph", text, level=paragraph.level, page=number))
    return blocks


def read_pptx(path: Path, limits: Limits) -> Extract:
    """Blocks of a PPTX; ``page`` is the slide's number. Raises UnreadableFile."""
    try:
        deck = Presentation(str(path))
    except (PackageNotFoundError, KeyError, ValueError) as error:
        raise UnreadableFile(f"the file is damaged ({type(error).__name__})", code="damaged") from None
    if len(deck.slides) > limits.pages:
        raise UnreadableFile(f"the file has {len(deck.slides)} slides; the limit is {limits.pages}", code="too_large")
    blocks: list[Block] = []
    findings: list[Finding] = []
    width, height = int(deck.slide_width or 0), int(deck.slide_height or 0)
    for number, slide in enumerate(deck.slides, 1):
        where = f"slide {number}"
        if slide._element.get("show") in ("0", "false"):
            findings.append(Finding("hidden_text", where, f"hidden slide: {_all_text(slide)}"))
            continue
        findings += _described(slide, where)
        title = slide.shapes.title
        if title is not None and _clean(title.text_frame.text):
            blocks.append(Block("heading", _clean(title.text_frame.text), level=2, page=number))
        for shape in sorted(_shapes(slide.shapes), key=_place):
            if title is not None and shape.shape_id == title.shape_id:
                continue
            if shape.is_placeholder and shape.placeholder_format.type in _FURNITURE:
                continue
            if _hidden(shape) or _off_slide(shape, width, height):
                text = _clean(shape.text_frame.text) if shape.has_text_frame else ""
                if text:
                    findings.append(Finding("hidden_text", where, text[:UNSEEN_CHARS]))
                continue
            pale = _pale_text(shape)
            if pale:
                findings.append(Finding("hidden_text", where, pale[:UNSEEN_CHARS]))
                continue
            if getattr(shape, "has_table", False) and shape.has_table:
                blocks.extend(_table(shape, number))
            elif shape.has_text_frame:
                blocks.extend(_frame(shape, number))
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            for line in slide.notes_slide.notes_text_frame.text.split("\n"):
                if _clean(line):
                    blocks.append(Block("note", _clean(line), page=number))
    for part in deck.part.package.iter_parts():
        if re.search(r"/comments/[^/]+\.xml$", str(part.partname)):
            words = " ".join(re.sub(r"<[^>]+>", " ", part.blob.decode("utf-8", "replace")).split())
            findings.append(Finding("comment", "comments", words[:UNSEEN_CHARS]))
    properties = core_properties(deck.core_properties)
    media = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    return Extract(media, tuple(blocks), tuple(findings[:500]), properties)
