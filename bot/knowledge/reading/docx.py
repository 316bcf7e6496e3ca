"""Reads DOCX: the accepted text in order, with headings, lists, tables, text boxes, notes and form values.

Inserted (tracked) text counts, deleted text does not; comments and hidden runs are left out and reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError

from bot.errors import UnreadableFile
from bot.knowledge.blocks import UNSEEN_CHARS, Block, Extract, Finding
from bot.knowledge.reading.files import Limits
from bot.knowledge.reading.markdown import table_row

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_SKIP = {f"{W}del", f"{W}moveFrom", f"{W}instrText", f"{W}delText", f"{MC}Fallback", f"{W}pPr", f"{W}rPr", f"{W}sdtPr"}


def _flag(properties: Any, name: str) -> bool:
    element = properties.find(f"{W}{name}") if properties is not None else None
    return element is not None and element.get(f"{W}val") not in ("0", "false", "none")


def _nearly_white(value: str) -> bool:
    return bool(re.fullmatch(r"(?:[EF][0-9A-F]){3}", value.upper())) and min(int(value[i : i + 2], 16) for i in (0, 2, 4)) >= 0xEE


def _style_hides(style: Any) -> bool:
    properties = style.element.find(f"{W}rPr") if style is not None else None
    return _flag(properties, "vanish")


class _Reader:
    def __init__(self, document: Any) -> None:
        self.document = document
        self.blocks: list[Block] = []
        self.findings: list[Finding] = []
        self.page = 1
        self.boxes: list[Any] = []
        self.styles = {s.style_id: s for s in document.styles}
        self.deleted: list[str] = []

    def hidden(self, run: Any) -> bool:
        properties = run.find(f"{W}rPr")
        if properties is None:
            return False
        reference = properties.find(f"{W}rStyle")
        if reference is not None and _style_hides(self.styles.get(reference.get(f"{W}val"))):
            return properties.find(f"{W}vanish") is None or _flag(properties, "vanish")
        if _flag(properties, "vanish"):
            return True
        color = properties.find(f"{W}color")
        shade = properties.find(f"{W}shd")
        size = properties.find(f"{W}sz")
        white = color is not None and _nearly_white(str(color.get(f"{W}val")))
        filled = shade is not None and str(shade.get(f"{W}fill", "auto")).upper() not in ("AUTO", "FFFFFF")
        tiny = size is not None and str(size.get(f"{W}val", "20")).isdigit() and int(size.get(f"{W}val")) <= 3
        return tiny or (white and not filled and not self.dark)

    dark = False

    def text(self, element: Any) -> str:
        """Visible text below ``element``, breaks as spaces; text boxes are kept for later."""
        parts: list[str] = []
        secret: list[str] = []

        def visit(node: Any) -> None:
            tag = node.tag
            if tag in _SKIP or not isinstance(tag, str):
                if tag in (f"{W}del", f"{W}moveFrom"):
                    self.deleted.append("".join(t.text or "" for t in node.iter(f"{W}t", f"{W}delText")))
                return
            if tag.endswith("}docPr") and (node.get("descr") or node.get("title")):
                described = f"{node.get('title') or ''} {node.get('descr') or ''}".strip()
                self.findings.append(Finding("markup", f"picture's description, page {self.page}", described[:UNSEEN_CHARS]))
            if tag == f"{W}txbxContent":
                self.boxes.append(node)
                return
            if tag == f"{W}r" and self.hidden(node):
                secret.append("".join(t.text or "" for t in node.iter(f"{W}t")))
                return
            if tag == f"{W}t":
                parts.append(node.text or "")
            elif tag in (f"{W}tab", f"{W}cr"):
                parts.append(" ")
            elif tag == f"{W}br":
                parts.append(" ")
                if node.get(f"{W}type") == "page":
                    self.page += 1
            elif tag == f"{W}lastRenderedPageBreak":
                self.page += 1
            elif tag == f"{W}noBreakHyphen":
                parts.append("-")
            elif tag == f"{W}sym":
                parts.append(" ")
            elif tag.endswith("}checkBox") or tag.endswith("}checkbox"):
                checked = next((c for c in node if c.tag.endswith("}checked")), None)
                on = checked is not None and checked.get(next(iter(checked.attrib), ""), "1") not in ("0", "false")
                parts.append("[x] " if on else "[ ] ")
            for child in node:
                visit(child)

        visit(element)
        hidden = "".join(secret).strip()
        if hidden:
            self.findings.append(Finding("hidden_text", f"page {self.page}", hidden[:UNSEEN_CHARS]))
        return re.sub(r"\s+", " ", "".join(parts)).strip()

    def heading_level(self, properties: Any) -> int:
        if properties is None:
            return 0
        outline = properties.find(f"{W}outlineLvl")
        if outline is not None and str(outline.get(f"{W}val", "9")).isdigit() and int(outline.get(f"{W}val")) < 6:
            return int(outline.get(f"{W}val")) + 1
        reference = properties.find(f"{W}pStyle")
        style = self.styles.get(reference.get(f"{W}val")) if reference is not None else None
        seen = 0
        while style is not None and seen < 10:
            match = re.fullmatch(r"(?:heading|título|titre)\s*(\d)", str(style.name).lower())
            if match:
                return min(int(match.group(1)), 6)
            if str(style.name).lower() == "title":
                return 1
            style, seen = getattr(style, "base_style", None), seen + 1
        return 0

    def paragraph(self, element: Any) -> None:
        page = self.page
        text = self.text(element)
        boxes, self.boxes = self.boxes, []
        if text:
            properties = element.find(f"{W}pPr")
            level = self.heading_level(properties)
            reference = properties.find(f"{W}pStyle") if properties is not None else None
            style = str(reference.get(f"{W}val", "")).lower() if reference is not None else ""
            numbering = properties.find(f"{W}numPr") if properties is not None else None
            if level:
                self.blocks.append(Block("heading", text, level=level, page=page))
            elif numbering is not None or style.startswith("list"):
                depth = numbering.find(f"{W}ilvl") if numbering is not None else None
                nested = int(depth.get(f"{W}val", "0")) if depth is not None else 0
                self.blocks.append(Block("item", text, level=nested, page=page))
            else:
                self.blocks.append(Block("paragraph", text, page=page))
        for box in boxes:
            self.body(box)

    def cells(self, row: Any, above: list[str]) -> list[str]:
        found: list[str] = []
        for cell in _children(row, "tc"):
            properties = cell.find(f"{W}tcPr")
            span = properties.find(f"{W}gridSpan") if properties is not None else None
            merge = properties.find(f"{W}vMerge") if properties is not None else None
            shade = properties.find(f"{W}shd") if properties is not None else None
            self.dark = shade is not None and str(shade.get(f"{W}fill", "auto")).upper() not in ("AUTO", "FFFFFF")
            pieces = [self.text(p) for p in cell.iter(f"{W}p")]
            self.dark = False
            text = " ".join(piece for piece in pieces if piece)
            if merge is not None and merge.get(f"{W}val") != "restart" and len(found) < len(above):
                text = above[len(found)]
            found.append(text)
            width = int(span.get(f"{W}val", "1")) if span is not None and str(span.get(f"{W}val")).isdigit() else 1
            found.extend([""] * (min(width, 60) - 1))
        return found

    def table(self, element: Any) -> None:
        rows = list(_children(element, "tr"))
        headers: list[str] = []
        above: list[str] = []
        for index, row in enumerate(rows):
            page = self.page
            cells = self.cells(row, above)
            above = cells
            if index == 0 and len(rows) > 1 and len([c for c in cells if c]) > 1:
                headers = cells
                continue
            if cells == headers:
                continue
            text = table_row(headers, cells)
            if text:
                self.blocks.append(Block("row", text, page=page))
        boxes, self.boxes = self.boxes, []
        for box in boxes:
            self.body(box)

    def body(self, element: Any) -> None:
        for child in element:
            if child.tag == f"{W}p":
                self.paragraph(child)
            elif child.tag == f"{W}tbl":
                self.table(child)
            elif child.tag in (f"{W}sdt", f"{W}ins", f"{W}customXml", f"{W}smartTag", f"{W}moveTo"):
                content = child.find(f"{W}sdtContent")
                self.body(content if content is not None else child)


def _children(element: Any, name: str) -> Iterator[Any]:
    """Rows or cells, also those wrapped in a content control or an accepted insertion."""
    for child in element:
        if child.tag == f"{W}{name}":
            properties = child.find(f"{W}trPr")
            if properties is None or properties.find(f"{W}del") is None:
                yield child
        elif child.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}customXml"):
            yield from _children(child, name)


def read_docx(path: Path, limits: Limits) -> Extract:
    """Blocks of a DOCX. Raises UnreadableFile."""
    try:
        document = docx.Document(str(path))
    except (PackageNotFoundError, KeyError, ValueError) as error:
        raise UnreadableFile(f"the file is damaged ({type(error).__name__})", code="damaged") from None
    reader = _Reader(document)
    reader.body(document.element.body)
    if reader.page > limits.pages:
        raise UnreadableFile(f"the file has {reader.page} pages; the limit is {limits.pages}", code="too_large")
    for part in document.part.package.iter_parts():
        name = str(part.partname)
        if re.search(r"/(footnotes|endnotes)\.xml$", name):
            _notes(reader, part.blob)
        elif re.search(r"/comments\.xml$", name):
            for text in _paragraph_texts(part.blob):
                reader.findings.append(Finding("comment", "comments", text[:UNSEEN_CHARS]))
        elif re.search(r"/docProps/custom\.xml$|/customXml/item\d+\.xml$", name):
            words = " ".join(str(t).strip() for t in _parse(part.blob).itertext() if str(t).strip())
            if len(words.split()) >= 4:
                reader.findings.append(Finding("markup", "file's own properties", words[:UNSEEN_CHARS]))
        elif re.search(r"/(?:header|footer)\d*\.xml$", name):
            reader.findings += [
                Finding("markup", "header or footer", text[:UNSEEN_CHARS]) for text in _paragraph_texts(part.blob)
            ]
    reader.findings += [Finding("tracked_change", "tracked deletion", text[:UNSEEN_CHARS]) for text in reader.deleted]
    properties = core_properties(document.core_properties)
    media = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    return Extract(media, tuple(reader.blocks), tuple(reader.findings[:500]), properties)


def core_properties(core: Any) -> dict[str, str]:
    """What an office file says of itself."""
    named = {name: getattr(core, name, None) for name in ("title", "author", "subject", "keywords", "comments", "category")}
    return {name: str(value) for name, value in named.items() if value}


def _parse(blob: bytes) -> Any:
    from lxml import etree

    return etree.fromstring(blob, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))


def _paragraph_texts(blob: bytes) -> list[str]:
    texts = ["".join(t.text or "" for t in p.iter(f"{W}t")).strip() for p in _parse(blob).iter(f"{W}p")]
    return [text for text in texts if text]


def _notes(reader: _Reader, blob: bytes) -> None:
    for note in _parse(blob):
        if note.get(f"{W}type") in ("separator", "continuationSeparator"):
            continue
        text = " ".join(filter(None, (reader.text(p) for p in note.iter(f"{W}p"))))
        if text:
            reader.blocks.append(Block("note", text))
