"""What a PDF holds and does not show: text without ink, in the colour of its ground, too small, off the page; notes and actions.
Called by the PDF reader, which leaves such text out and reports it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pdfplumber.utils.text import extract_text
from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import ContentStream, NameObject

from bot.knowledge.blocks import UNSEEN_CHARS, Finding

TINY_POINTS = 2.0
CLOSE = 0.1
"""Largest difference of a colour channel (0 to 1) between text and ground that no one reads."""
_SHOWS = {b"Tj": 0, b"TJ": 0, b"'": 0, b'"': 2}
"""Operators that show text, and where their string stands."""
_FAINT = 0.1
"""Opacity below which text is taken for unseen."""

Rgb = tuple[float, float, float]


def _rgb(color: Any) -> Rgb | None:
    """A colour of 1, 3 or 4 channels as red, green, blue; None for patterns and the unknown."""
    if color is None:
        return (0.0, 0.0, 0.0)
    values = color if isinstance(color, (list, tuple)) else (color,)
    numbers = [float(v) for v in values if isinstance(v, (int, float))]
    if len(numbers) != len(values):
        return None
    if len(numbers) == 1:
        return (numbers[0], numbers[0], numbers[0])
    if len(numbers) == 3:
        return (numbers[0], numbers[1], numbers[2])
    if len(numbers) == 4:
        cyan, magenta, yellow, black = numbers
        return ((1 - cyan) * (1 - black), (1 - magenta) * (1 - black), (1 - yellow) * (1 - black))
    return None


def _close(a: Rgb, b: Rgb) -> bool:
    return max(abs(x - y) for x, y in zip(a, b, strict=True)) < CLOSE


def _under(char: dict[str, Any], boxes: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The last box drawn below the middle of a character."""
    x, y = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
    found = None
    for box in boxes:
        if box["x0"] <= x <= box["x1"] and box["top"] <= y <= box["bottom"]:
            found = box
    return found


class _Grounds:
    """The filled boxes and pictures of a page, for asking whether text stands out."""

    def __init__(self, page: Any) -> None:
        self._filled = [(box, _rgb(box.get("non_stroking_color"))) for box in page.rects if box.get("fill")]
        self._boxes = [box for box, _ in self._filled] + list(page.images)
        self._colors = {id(box): color for box, color in self._filled}
        self._near: dict[Rgb, bool] = {}

    def blends(self, char: dict[str, Any]) -> bool:
        """Whether a character has the colour of what lies under it; paper is white."""
        color = _rgb(char.get("non_stroking_color"))
        if color is None:
            return False
        white = _close(color, (1.0, 1.0, 1.0))
        if color not in self._near:
            self._near[color] = any(ground is not None and _close(color, ground) for _, ground in self._filled)
        if not white and not self._near[color]:
            return False
        box = _under(char, self._boxes)
        if box is None:
            return white
        ground = self._colors.get(id(box))
        return ground is not None and _close(color, ground)


def seen_part(page: Any, number: int, findings: list[Finding]) -> Any:
    """The page without the characters that no one sees; what they spell goes to ``findings``."""
    grounds = _Grounds(page)
    unseen: list[dict[str, Any]] = []

    def seen(item: dict[str, Any]) -> bool:
        if item.get("object_type") != "char":
            return True
        off = item["x1"] <= 0 or item["x0"] >= page.width or item["bottom"] <= 0 or item["top"] >= page.height
        hidden = off or item["size"] < TINY_POINTS or grounds.blends(item)
        if hidden:
            unseen.append(item)
        return not hidden

    kept = page.filter(seen)
    kept.chars  # noqa: B018 - the filter runs when its result is read
    text = re.sub(r"\s+", " ", str(extract_text(unseen)) if unseen else "").strip()
    if len(text) > 3:
        findings.append(Finding("hidden_text", f"page {number}", text[:UNSEEN_CHARS]))
    return kept


def inked(reader: PdfReader, path: Path, findings: list[Finding]) -> Path | io.BytesIO:
    """The file to lay out: itself, or a copy without text drawn in no ink (rendering mode 3, or nearly transparent) on pages
    that are not scans with a text layer. What was taken out goes to ``findings``."""
    writer: PdfWriter | None = None
    for number, page in enumerate(reader.pages):
        try:
            raw = page.get_contents()
            if raw is None or not _suspect(page, raw.get_data()) or _scanned(page):
                continue
            stream = ContentStream(raw, reader)
            kept, gone = _split(stream.operations, _faint_states(page))
        except (PyPdfError, ValueError, KeyError, TypeError, AttributeError):
            continue  # the layout decides what a broken stream shows
        if not gone:
            continue
        findings.append(Finding("hidden_text", f"page {number + 1}", " ".join(gone)[:UNSEEN_CHARS]))
        if writer is None:
            writer = PdfWriter(clone_from=reader)
        fresh = ContentStream(None, writer)
        fresh.operations = kept
        writer.pages[number][NameObject("/Contents")] = writer._add_object(fresh)
    if writer is None:
        return path
    copy = io.BytesIO()
    writer.write(copy)
    copy.seek(0)
    return copy


def _suspect(page: Any, content: bytes) -> bool:
    return bool(re.search(rb"\b3\s+Tr\b", content)) or bool(_faint_states(page))


def _faint_states(page: Any) -> frozenset[str]:
    resources = page.get("/Resources")
    states = resources.get_object().get("/ExtGState") if resources is not None else None
    if states is None:
        return frozenset()
    return frozenset(str(name) for name, state in states.get_object().items() if float(state.get_object().get("/ca", 1)) < _FAINT)


def _scanned(page: Any) -> bool:
    """Whether the page is a picture with a text layer behind it, as text recognition makes: no text of it is inked."""
    resources = page.get("/Resources")
    objects = resources.get_object().get("/XObject") if resources is not None else None
    pictures = any(item.get_object().get("/Subtype") == "/Image" for item in (objects.get_object().values() if objects else ()))
    return pictures and not re.search(rb"\b[0-2]\s+Tr\b", page.get_contents().get_data())


def _split(operations: Any, faint: frozenset[str]) -> tuple[list[Any], list[str]]:
    """Operations without the showing of unseen text, and the texts."""
    kept: list[Any] = []
    gone: list[str] = []
    mode, pale, stack = 0, False, []
    for operands, operator in operations:
        if operator == b"q":
            stack.append((mode, pale))
        elif operator == b"Q" and stack:
            mode, pale = stack.pop()
        elif operator == b"Tr" and operands:
            mode = int(operands[0])
        elif operator == b"gs" and operands:
            pale = str(operands[0]) in faint
        if operator in _SHOWS and (mode == 3 or pale):
            gone.append("".join(_strings(operands[_SHOWS[operator]])))
            continue
        kept.append((operands, operator))
    return kept, [text for text in gone if text.strip()]


def _strings(shown: Any) -> Iterator[str]:
    for part in shown if isinstance(shown, list) else [shown]:
        if isinstance(part, str):
            yield part
        elif isinstance(part, bytes):
            yield part.decode("latin-1")


def beside(reader: PdfReader) -> list[Finding]:
    """Notes, the descriptions of pictures and links, scripts and attached files' names."""
    found: list[Finding] = []
    for number, page in enumerate(reader.pages, 1):
        for note in page.get("/Annots") or ():
            item = note.get_object()
            kind = str(item.get("/Subtype"))
            for key in ("/Contents", "/TU", "/RC"):
                text = re.sub(r"<[^>]+>", " ", str(item.get(key) or "")).strip()
                if text:
                    found.append(
                        Finding("markup" if kind in ("/Widget", "/Link") else "comment", f"page {number}", text[:UNSEEN_CHARS])
                    )
            action = item.get("/A")
            if action is not None and action.get_object().get("/URI"):
                found.append(Finding("link", f"page {number}", str(action.get_object()["/URI"])[:UNSEEN_CHARS]))
    try:
        names = list(reader.attachments)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError):
        names = []
    found += [Finding("markup", "attached file", name[:UNSEEN_CHARS]) for name in names]
    return found
