"""A reply's Markdown as a small immutable tree, so that each platform renders from structure and never from text.

Called by the Slack and Teams renderers. Raw HTML stays text, images become their alternative text, and only links with a
scheme of :data:`SCHEMES` stay links: what is not in the tree cannot reach a platform.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

SCHEMES = ("http", "https", "mailto", "tel")
"""Schemes of links that are kept; the words of other links stay, the address goes."""


@dataclass(frozen=True)
class Text:
    """Exactly these characters."""

    text: str


@dataclass(frozen=True)
class Cite:
    """A citation mark ``[n]`` of this reply."""

    n: int


@dataclass(frozen=True)
class Break:
    """A new line inside a paragraph."""


@dataclass(frozen=True)
class CodeSpan:
    """Code inside a line."""

    text: str


@dataclass(frozen=True)
class Strong:
    """Bold words."""

    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Emphasis:
    """Italic words."""

    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Strike:
    """Words struck through."""

    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Link:
    """A link; ``url`` is percent-encoded, its scheme one of :data:`SCHEMES`."""

    url: str
    children: tuple[Inline, ...]


Inline = Text | Cite | Break | CodeSpan | Strong | Emphasis | Strike | Link


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Quote:
    """A block quote."""

    children: tuple[Block, ...]


@dataclass(frozen=True)
class Items:
    """A list; ``start`` is the first number of an ordered one, None for bullets."""

    start: int | None
    items: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True)
class Code:
    """A block of code."""

    text: str
    language: str = ""


@dataclass(frozen=True)
class Table:
    """A table; ``rows[0]`` is the header and every row has as many cells."""

    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


@dataclass(frozen=True)
class Rule:
    """A horizontal line."""


Block = Paragraph | Heading | Quote | Items | Code | Table | Rule

_MARK = re.compile(r"\[(\d{1,3})\]")
# Overrides of text direction can make a link look like another one; other controls have no place in a message.
_UNSHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u202d\u202e\ud800-\udfff]")


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # Without text_join an escaped "[" stays a token of its own, so a quoted "[1]" is never taken for a citation.
    return parser.disable(["text_join", "reference", "html_block", "html_inline"])


def clean(text: str) -> str:
    """``text`` without characters that cannot be shown."""
    return _UNSHOWN.sub("", text)


def parse(markdown: str, cited: Collection[int] = ()) -> tuple[Block, ...]:
    """The tree of ``markdown``. ``cited`` are the numbers whose ``[n]`` is a citation mark; others stay text."""
    tokens = _parser().parse(clean(markdown))
    return _Reader(tokens, frozenset(cited)).blocks(None)


class _Reader:
    """Walks the flat list of tokens once."""

    def __init__(self, tokens: list[Token], cited: frozenset[int]) -> None:
        self._tokens = iter(tokens)
        self._cited = cited

    def blocks(self, until: str | None) -> tuple[Block, ...]:
        """The blocks up to the closing token ``until``."""
        found: list[Block] = []
        for token in self._tokens:
            if token.type == until:
                break
            block = self._block(token)
            if block is not None:
                found.append(block)
        return tuple(found)

    def _block(self, token: Token) -> Block | None:
        match token.type:
            case "paragraph_open":
                return Paragraph(self._line("paragraph_close"))
            case "heading_open":
                return Heading(int(token.tag[1]), self._line("heading_close"))
            case "blockquote_open":
                return Quote(self.blocks("blockquote_close"))
            case "bullet_list_open":
                return Items(None, self._items("bullet_list_close"))
            case "ordered_list_open":
                return Items(int(token.attrs.get("start", 1)), self._items("ordered_list_close"))
            case "fence" | "code_block":
                return Code(token.content.rstrip("\n"), token.info.strip().split(" ")[0])
            case "table_open":
                return self._table()
            case "hr":
                return Rule()
        return None

    def _line(self, until: str) -> tuple[Inline, ...]:
        children: tuple[Inline, ...] = ()
        for token in self._tokens:
            if token.type == until:
                break
            children = inlines(token.children or [], self._cited)
        return children

    def _items(self, until: str) -> tuple[tuple[Block, ...], ...]:
        items = []
        for token in self._tokens:
            if token.type == until:
                break
            items.append(self.blocks("list_item_close"))
        return tuple(items)

    def _table(self) -> Table:
        rows: list[list[tuple[Inline, ...]]] = []
        for token in self._tokens:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                rows[-1].append(self._line(token.type.replace("open", "close")))
        return Table(tuple(tuple(row) for row in rows))


_SPANS: dict[str, type[Strong] | type[Emphasis] | type[Strike]] = {
    "strong_open": Strong,
    "em_open": Emphasis,
    "s_open": Strike,
}


def inlines(tokens: list[Token], cited: frozenset[int]) -> tuple[Inline, ...]:
    """The inline tree of one line's tokens."""
    return tuple(_joined(_inline(iter(tokens), None, cited)))


def _inline(tokens: Iterator[Token], until: str | None, cited: frozenset[int]) -> Iterator[Inline]:
    for token in tokens:
        if token.type == until:
            return
        if token.type in _SPANS:
            yield _SPANS[token.type](tuple(_joined(_inline(tokens, token.type.replace("open", "close"), cited))))
        elif token.type == "link_open":
            # A mark inside a link's words is words: one place leads to one address.
            children = tuple(_joined(_inline(tokens, "link_close", frozenset())))
            url = str(token.attrs.get("href", ""))
            if url.partition(":")[0].lower() in SCHEMES and plain(children).strip():
                yield Link(url, children)
            else:
                yield from children
        elif token.type == "text":
            yield from _marked(token.content, cited)
        elif token.type == "softbreak":
            yield Text(" ")
        elif token.type == "hardbreak":
            yield Break()
        elif token.type == "code_inline":
            yield CodeSpan(token.content)
        elif token.type == "image":
            yield from inlines(token.children or [], frozenset())
        else:
            yield Text(token.content)


def _marked(text: str, cited: frozenset[int]) -> Iterator[Inline]:
    position = 0
    for mark in _MARK.finditer(text):
        if int(mark[1]) in cited:
            yield Text(text[position : mark.start()])
            yield Cite(int(mark[1]))
            position = mark.end()
    yield Text(text[position:])


def _joined(parts: Iterable[Inline]) -> Iterator[Inline]:
    """Neighbouring texts made one, empty ones left out."""
    held = ""
    for part in parts:
        if isinstance(part, Text):
            held += part.text
            continue
        if held:
            yield Text(held)
            held = ""
        yield part
    if held:
        yield Text(held)


def plain(children: Iterable[Inline]) -> str:
    """Inline parts as the words a reader sees; a link whose words are not its address shows both."""
    out = []
    for part in children:
        match part:
            case Text(text) | CodeSpan(text):
                out.append(text)
            case Cite(n):
                out.append(f"[{n}]")
            case Break():
                out.append("\n")
            case Link(url, inner):
                words = plain(inner)
                out.append(url if names_itself(url, words) else f"{words} ({url})")
            case Strong(inner) | Emphasis(inner) | Strike(inner):
                out.append(plain(inner))
    return "".join(out)


def names_itself(url: str, words: str) -> bool:
    """Whether a link's words are its own address, so that showing both would say it twice."""
    return words.strip() in (url, url.removeprefix("mailto:")) or _bare(words) == _bare(url)


def _bare(address: str) -> str:
    return re.sub(r"%[0-9A-Fa-f]{2}|[^0-9A-Za-z]", "", address)


def text(blocks: Iterable[Block], indent: str = "") -> str:
    """The whole tree as plain text: what a screen reader or a notification says."""
    return "\n\n".join(part for part in (_text(block, indent) for block in blocks) if part.strip())


def _text(block: Block, indent: str) -> str:
    match block:
        case Paragraph(children) | Heading(_, children):
            return indent + plain(children).replace("\n", f"\n{indent}")
        case Quote(children):
            return text(children, indent + "  ")
        case Items(start, items):
            marks = [f"{start + i}. " if start is not None else "- " for i in range(len(items))]
            return "\n".join(indent + mark + text(item, indent + "  ").strip() for mark, item in zip(marks, items, strict=True))
        case Code(code):
            return "\n".join(indent + line for line in code.split("\n"))
        case Table(rows):
            return "\n".join(indent + " | ".join(plain(cell) for cell in row) for row in rows)
        case Rule():
            return ""


def links(blocks: Iterable[Block]) -> tuple[str, ...]:
    """Every address that a reader can follow, in reading order."""
    return tuple(part.url for part in _walk(blocks) if isinstance(part, Link))


def marks(blocks: Iterable[Block]) -> tuple[int, ...]:
    """The numbers of every citation mark, in reading order."""
    return tuple(part.n for part in _walk(blocks) if isinstance(part, Cite))


def _walk(blocks: Iterable[Block]) -> Iterator[Inline]:
    for block in blocks:
        match block:
            case Paragraph(children) | Heading(_, children):
                yield from _walk_inline(children)
            case Quote(inner):
                yield from _walk(inner)
            case Items(_, items):
                for item in items:
                    yield from _walk(item)
            case Table(rows):
                for row in rows:
                    for cell in row:
                        yield from _walk_inline(cell)


def _walk_inline(children: Iterable[Inline]) -> Iterator[Inline]:
    for part in children:
        yield part
        if isinstance(part, (Strong, Emphasis, Strike, Link)):
            yield from _walk_inline(part.children)
