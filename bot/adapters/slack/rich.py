"""A reply's tree as Slack rich text: exact characters in typed elements, so nothing in the text can format, mention or
link by accident, and every part is balanced by construction.

Called by ``render`` and ``views``. Source: docs.slack.dev/reference/block-kit/blocks/rich-text-block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from bot.adapters.markdown_tree import (
    Block,
    Break,
    Cite,
    Code,
    CodeSpan,
    Emphasis,
    Heading,
    Inline,
    Items,
    Link,
    Paragraph,
    Quote,
    Rule,
    Strike,
    Strong,
    Table,
    Text,
    plain,
)
from bot.adapters.slack.limits import SECTION, TABLE_CELLS, TABLE_ROWS, fitting, weight
from bot.knowledge.sentences import sentences

Json = dict[str, Any]

PIECE = SECTION - 200
"""Most characters of one piece, below a block's limit."""
LONGEST_URL = 2_000
"""Longer addresses are shown as words: no browser or platform promises to follow them."""
_TOKEN = re.compile(r"<(?=[!@#])")


@dataclass(frozen=True)
class Leaf:
    """A run of characters of one style; ``url`` makes it a link. ``cite`` holds it together with what stands before."""

    text: str
    url: str = ""
    style: frozenset[str] = frozenset()
    cite: bool = False

    @property
    def weight(self) -> int:
        """Characters at worst, the address included."""
        return weight(self.text) + weight(self.url)

    def json(self) -> Iterator[Json]:
        """As rich text elements. A mention token is divided between elements, so that no reader of raw elements who
        takes them for message format sees one whole."""
        style = {"style": dict.fromkeys(sorted(self.style), True)} if self.style else {}
        if self.url:
            yield {"type": "link", "url": self.url, "text": self.text, **style}
            return
        for part in filter(None, re.split(r"(?<=<)(?=[!@#])", self.text)):
            yield {"type": "text", "text": part, **style}


Line = tuple[Leaf, ...]


def leaves(children: Iterable[Inline], style: frozenset[str] = frozenset(), url: str = "") -> Iterator[Leaf]:
    """Inline parts as runs of one style each."""
    for part in children:
        match part:
            case Text(text):
                yield Leaf(text, url, style)
            case Cite(n):
                yield Leaf(f"[{n}]", url, style, cite=True)
            case Break():
                yield Leaf("\n", "", style)
            case CodeSpan(text):
                yield Leaf(text, url, style | {"code"})
            case Strong(inner):
                yield from leaves(inner, style | {"bold"}, url)
            case Emphasis(inner):
                yield from leaves(inner, style | {"italic"}, url)
            case Strike(inner):
                yield from leaves(inner, style | {"strike"}, url)
            case Link(address, inner):
                words = plain(inner)
                if len(address) > LONGEST_URL:
                    yield Leaf(words if words == address else f"{words} ({address})", "", style)
                else:
                    yield Leaf(words, address, style)


def _heavy(line: Iterable[Leaf]) -> int:
    return sum(leaf.weight for leaf in line)


def _ends(line: Line) -> list[int]:
    """Where the line may be divided: after sentences, each with the citation marks behind it."""
    words = "".join("\x00" * len(leaf.text) if leaf.cite else leaf.text for leaf in line)
    ends = []
    for _, end in sentences(words.replace("\x00", " ")):
        while end < len(words) and words[end] in " \x00":
            end += 1
        ends.append(end)
    return ends


def _divided(line: Line, ends: list[int]) -> Iterator[Line]:
    """The line cut at the character offsets ``ends``; links and marks stay whole."""
    part: list[Leaf] = []
    position = 0
    waiting = list(ends)
    for leaf in line:
        rest = leaf
        while waiting and waiting[0] < position + len(rest.text) and not (rest.url or rest.cite):
            cut = waiting.pop(0) - position
            if cut > 0:
                part.append(replace(rest, text=rest.text[:cut]))
                rest = replace(rest, text=rest.text[cut:])
                position += cut
            if part:
                yield tuple(part)
                part = []
        part.append(rest)
        position += len(rest.text)
        if waiting and waiting[0] == position:
            waiting.pop(0)
            yield tuple(part)
            part = []
    if part:
        yield tuple(part)


def _forced(line: Line, most: int) -> Iterator[Line]:
    """A line without a usable sentence end, cut at words, or inside a word where one alone is too long."""
    for leaf in line:
        rest = leaf
        room = max(most - weight(leaf.url), 200)
        while weight(rest.text) > room:
            cut = fitting(rest.text, room)
            space = rest.text.rfind(" ", cut // 2, cut)
            cut = space + 1 if space > 0 else cut
            yield (replace(rest, text=rest.text[:cut]),)
            rest = replace(rest, text=rest.text[cut:])
        yield (rest,)


def split(line: Line, most: int = PIECE) -> list[Line]:
    """The line in parts of at most ``most`` characters, cut after sentences and never before a citation mark."""
    if _heavy(line) <= most:
        return [line] if line else []
    parts: list[Line] = []
    for sentence in _divided(line, _ends(line)):
        parts += [sentence] if _heavy(sentence) <= most else _forced(sentence, most)
    packed: list[list[Leaf]] = []
    for part in parts:
        if packed and (_heavy(packed[-1]) + _heavy(part) <= most or part[0].cite):
            packed[-1] += part
        else:
            packed.append(list(part))
    return [tuple(part) for part in packed]


@dataclass(frozen=True)
class Piece:
    """One element of a rich text block, or a table; ``weight`` is its characters at worst."""

    json: Json
    weight: int
    kind: str


def _elements(line: Line) -> list[Json]:
    joined: list[Leaf] = []
    for leaf in line:
        last = joined[-1] if joined else None
        if last and not last.url and not leaf.url and last.style == leaf.style:
            joined[-1] = replace(last, text=last.text + leaf.text)
        elif leaf.text:
            joined.append(leaf)
    return [element for leaf in joined for element in leaf.json()]


def text_piece(kind: str, line: Line, **more: object) -> Piece:
    return Piece({"type": f"rich_text_{kind}", "elements": _elements(line), **more}, _heavy(line), kind)


def pieces(blocks: Iterable[Block]) -> Iterator[Piece]:
    """The tree as pieces, each within a block's limit and balanced alone."""
    for block in blocks:
        yield from _pieces(block)


def _pieces(block: Block) -> Iterator[Piece]:
    match block:
        case Paragraph(children):
            yield from (text_piece("section", part) for part in split(tuple(leaves(children))))
        case Heading(_, children):
            yield from (text_piece("section", part) for part in split(tuple(leaves(children, frozenset({"bold"})))))
        case Quote(children):
            yield from (text_piece("quote", part) for part in split(_flat(children)))
        case Code(code):
            yield from (text_piece("preformatted", part) for part in _code(code))
        case Items():
            yield from _list(block, 0)
        case Table(rows):
            yield from _table(rows)
        case Rule():
            return


def _code(code: str) -> Iterator[Line]:
    """Code in parts cut at line ends; each part is a block of its own, so a fence is never left open."""
    held = ""
    for row in (code or " ").splitlines(keepends=True):
        if held and weight(held) + weight(row) > PIECE:
            yield (Leaf(held.rstrip("\n")),)
            held = ""
        while weight(row) > PIECE:
            cut = fitting(row, PIECE)
            yield (Leaf(row[:cut]),)
            row = row[cut:]
        held += row
    if held.strip("\n"):
        yield (Leaf(held.rstrip("\n")),)


def _flat(blocks: Iterable[Block], indent: str = "") -> Line:
    """Blocks inside a quote or a list item as lines of text, since rich text does not nest them."""
    lines: list[Line] = []
    for block in blocks:
        match block:
            case Paragraph(children) | Heading(_, children):
                lines.append((Leaf(indent), *leaves(children)) if indent else tuple(leaves(children)))
            case Quote(children):
                lines.append(_flat(children, indent + "  "))
            case Code(code):
                lines.append((Leaf(code, style=frozenset({"code"})),))
            case Items(start, items):
                for number, item in enumerate(items):
                    mark = f"{start + number}. " if start is not None else "• "
                    lines.append((Leaf(indent + mark), *_flat(item, indent + "  ")))
            case Table(rows):
                lines += [_row(row) for row in rows]
            case Rule():
                pass
    flat: list[Leaf] = []
    for line in lines:
        flat += [Leaf("\n"), *line] if flat else line
    return tuple(flat)


def _row(row: tuple[tuple[Inline, ...], ...]) -> Line:
    cells: list[Leaf] = []
    for cell in row:
        cells += [Leaf(" | "), *leaves(cell)] if cells else [*leaves(cell)]
    return tuple(cells)


def _list(block: Items, indent: int) -> Iterator[Piece]:
    """A list as consecutive rich text lists; a nested one follows its item with a deeper indent."""
    style = "bullet" if block.start is None else "ordered"
    for number, item in enumerate(block.items):
        own = [part for part in item if not isinstance(part, (Items, Code))]
        before = (block.start or 0) + number - 1
        offset = {"offset": before} if before > 0 and block.start is not None else {}
        parts = split(_flat(own)) or [(Leaf(" "),)]
        section: Json = {"type": "rich_text_section", "elements": _elements(parts[0])}
        deep = {"indent": min(indent, 8)} if indent else {}
        yield Piece({"type": "rich_text_list", "style": style, "elements": [section], **deep, **offset}, _heavy(parts[0]), style)
        yield from (text_piece("section", part) for part in parts[1:])
        for part in item:
            if isinstance(part, Items):
                yield from _list(part, indent + 1)
            elif isinstance(part, Code):
                yield from _pieces(part)


def _table(rows: tuple[tuple[tuple[Inline, ...], ...], ...]) -> Iterator[Piece]:
    lines = [_row(row) for row in rows]
    heavy = sum(_heavy(line) for line in lines)
    if len(rows) <= TABLE_ROWS and len(rows[0]) <= TABLE_CELLS and heavy <= PIECE:
        cells = [[_cell(cell, head=number == 0) for cell in row] for number, row in enumerate(rows)]
        yield Piece({"type": "table", "rows": cells}, heavy, "table")
        return
    for line in lines:
        yield from (text_piece("section", part) for part in split(line))


def _cell(cell: tuple[Inline, ...], head: bool) -> Json:
    line = tuple(leaves(cell, frozenset({"bold"}) if head else frozenset())) or (Leaf(" "),)
    section = {"type": "rich_text_section", "elements": _elements(line) or [{"type": "text", "text": " "}]}
    return {"type": "rich_text", "elements": [section]}


def as_lines(piece: Piece) -> Piece:
    """A table as lines of text: a message holds one table only."""
    elements: list[Json] = []
    for row in piece.json["rows"]:
        for number, cell in enumerate(row):
            elements += [{"type": "text", "text": " | "}] if number else []
            elements += cell["elements"][0]["elements"]
        elements.append({"type": "text", "text": "\n"})
    return Piece({"type": "rich_text_section", "elements": elements[:-1]}, piece.weight + 3 * len(elements), "section")


def blocks(parts: Iterable[Piece], most: int = SECTION) -> list[tuple[Json, int]]:
    """Pieces gathered into rich text blocks (and table blocks) of at most ``most`` characters, with their weights."""
    gathered: list[tuple[Json, int]] = []
    tables = 0
    for piece in parts:
        if piece.kind == "table":
            tables += 1
            if tables == 1:
                gathered.append((piece.json, piece.weight))
                continue
            piece = as_lines(piece)
        last = gathered[-1] if gathered else None
        if last is None or last[0]["type"] != "rich_text" or last[1] + piece.weight + 2 > most:
            gathered.append(({"type": "rich_text", "elements": [piece.json]}, piece.weight))
        else:
            gathered[-1] = ({"type": "rich_text", "elements": _with(last[0]["elements"], piece)}, last[1] + piece.weight + 2)
    return gathered


def _with(elements: list[Json], piece: Piece) -> list[Json]:
    """``piece`` behind ``elements``: lists of one kind go on, text after text gets an empty line between."""
    last = elements[-1]
    same = last["type"] == piece.json["type"]
    if same and piece.json["type"] == "rich_text_list" and _shape(last) == _shape(piece.json):
        return [*elements[:-1], {**last, "elements": [*last["elements"], *piece.json["elements"]]}]
    if last["type"] == "rich_text_section" and piece.json["type"] in ("rich_text_section", "rich_text_list"):
        gap = "\n\n" if piece.json["type"] == "rich_text_section" else "\n"
        spaced = {**last, "elements": [*last["elements"], {"type": "text", "text": gap}]}
        return [*elements[:-1], spaced, piece.json]
    return [*elements, piece.json]


def _shape(element: Json) -> tuple[str, int]:
    return element["style"], element.get("indent", 0)
