"""A reply's tree as the Markdown that Teams shows in messages, and cutting it into parts. Pure; called by ``render``.

Teams shows bold, italic, strike-through, links, lists, quotes and code in a message's text, but no headings and no tables
(learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages): those become bold lines and lists.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import assert_never

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
)

_SPECIAL = re.compile(r"([\\`*_\[\]#|~])")
_LINE_START = re.compile(r"^([ \t]*)([-+=]|\d{1,9}(?=[.)]))(?=[.)\s]|[-+=]|$)")
_SENTENCE = re.compile(r"[.!?…:;][\"'”’)\]]*\s+|\n+|\s+")


def escape(text: str) -> str:
    """Text that shows as exactly these characters. ``<`` and ``&`` become entities, so that no tag and no mention is left."""
    return _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def at_line_start(line: str) -> str:
    """A line that is not taken for a list or an underline, whatever it begins with."""

    def inert(match: re.Match[str]) -> str:
        mark = match[2]
        return match[1] + (f"{mark}\\" if mark.isdigit() else f"\\{mark}")

    return _LINE_START.sub(inert, line)


def line(children: Iterable[Inline]) -> str:
    """Inline parts as one paragraph's Markdown."""
    raw = "".join(_inline(child) for child in children)
    return "  \n".join(at_line_start(part.strip(" \t")) for part in raw.split("\n")).strip()


def _inline(part: Inline) -> str:
    match part:
        case Text(text):
            return escape(re.sub(r"\s+", " ", text))
        case Cite(n):
            return f"[{n}]"
        case Break():
            return "\n"
        case CodeSpan(text):
            return code_span(text)
        case Strong(children):
            return _wrapped("**", children)
        case Emphasis(children):
            return _wrapped("*", children)
        case Strike(children):
            return _wrapped("~~", children)
        case Link(url, children):
            words = "".join(_inline(child) for child in children).replace("\n", " ").strip()
            return f"[{words}]({address(url)})"
        case _:
            assert_never(part)


def _wrapped(mark: str, children: Iterable[Inline]) -> str:
    """Marks stand against the words, else they are shown as such; an empty span is nothing."""
    inner = "".join(_inline(child) for child in children).replace("\n", " ")
    words = inner.strip()
    if not words:
        return inner
    before, after = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
    return f"{before}{mark}{words}{mark}{after}"


def address(url: str) -> str:
    """A link's address that ends where it should: what could end it early is percent-encoded, entities stay letters."""
    encoded = re.sub(r"[()<>\s\"'\\`|]", lambda match: f"%{ord(match[0]):02X}", url)
    return re.sub(r"&(?=#?\w+;)", "&amp;", encoded)


def code_span(text: str) -> str:
    """Code inside a line, fenced by more backticks than it holds."""
    text = re.sub(r"\s+", " ", text)
    if not text.strip():
        return text
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if text.startswith("`") or text.endswith("`") else f"{fence}{text}{fence}"


def write(blocks: Iterable[Block]) -> str:
    """The Markdown of a tree."""
    return "\n\n".join(part for part in (_block(block) for block in blocks) if part)


def _block(block: Block) -> str:
    match block:
        case Paragraph(children):
            return line(children)
        case Heading(_, children):
            return line((Strong(children),))
        case Quote(children):
            return "\n".join(f"> {row}".rstrip() for row in write(children).split("\n")) if write(children) else ""
        case Items(start, items):
            return "\n".join(_items(start, items))
        case Code(text):
            fence = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
            return f"{fence}\n{text}\n{fence}"
        case Table():
            return _block(listed(block))
        case Rule():
            return ""
        case _:
            assert_never(block)


def _items(start: int | None, items: Sequence[tuple[Block, ...]]) -> Iterator[str]:
    for number, item in enumerate(items, start if start is not None else 0):
        mark = "- " if start is None else f"{number}. "
        rows = write(item).split("\n")
        indent = " " * len(mark)
        yield mark + "\n".join([rows[0], *(f"{indent}{row}".rstrip() for row in rows[1:])])


def listed(table: Table) -> Items:
    """A table as a list, one row an item, each cell after its column's name: read in order by every client."""
    head, *rows = table.rows
    if not rows:
        return Items(None, tuple((Paragraph(cell),) for cell in head))
    items = []
    for row in rows:
        children: list[Inline] = []
        for name, cell in zip(head, row, strict=True):
            if children:
                children.append(Text("; "))
            children += [Strong(name), Text(": ")] if name else []
            children += cell
        items.append((Paragraph(tuple(children)),))
    return Items(None, tuple(items))


Weigh = Callable[[str], int]
"""What a text weighs. Weights of pieces are added up, so it must not weigh a whole more than its pieces."""


def parts(blocks: Sequence[Block], most: int, weigh: Weigh) -> list[tuple[Block, ...]]:
    """The tree cut into runs of blocks whose Markdown each weighs ``most`` or less, at paragraphs, else at sentences.

    A link is never cut: its words may be shared out, each piece keeping the address. What cannot be cut (one link with an
    address longer than ``most``) stands alone and is over."""
    done: list[tuple[Block, ...]] = []
    held: list[Block] = []
    weight, between = 0, weigh("\n\n")
    for block in blocks:
        for piece in _pieces(block, most, weigh):
            more = weigh(_block(piece)) + between
            if held and weight + more > most:
                done.append(tuple(held))
                held, weight = [], 0
            held.append(piece)
            weight += more
    return [*done, tuple(held)] if held or not done else done


def _pieces(block: Block, most: int, weigh: Weigh) -> list[Block]:
    if weigh(_block(block)) <= most:
        return [block]
    # Marks and indents of what holds a piece weigh too.
    inner = max(most - 64, most // 2, 1)
    match block:
        case Paragraph(children):
            return [Paragraph(piece) for piece in _runs(children, most, weigh)]
        case Heading(level, children):
            return [Heading(level, piece) for piece in _runs(children, inner, weigh)]
        case Quote(children):
            return [Quote(run) for run in parts(children, _for_rows(children, inner), weigh)]
        case Items(start, items):
            pieces: list[Block] = []
            for number, item in enumerate(items):
                for n, run in enumerate(parts(item, _for_rows(item, inner), weigh)):
                    # The rest of a long item goes on below it without a second mark.
                    pieces += [Items(None if start is None else start + number, (run,))] if n == 0 else run
            return pieces
        case Code(text, language):
            return [Code(piece, language) for piece in _code(text, inner, weigh)]
        case Table():
            return _pieces(listed(block), most, weigh)
        case Rule():
            return []
        case _:
            assert_never(block)


def _for_rows(blocks: Sequence[Block], most: int) -> int:
    """What is left of ``most`` for the inner Markdown when every row of it gets a mark in front."""
    written = write(blocks)
    rows = written.count("\n") + 1
    return max(most * len(written) // (len(written) + 6 * rows), most // 4, 1) if written else most


def _code(text: str, most: int, weigh: Weigh) -> Iterator[str]:
    fences, end = weigh(_block(Code(""))) + text.count("`"), weigh("\n")
    room = max(most - fences, 1)
    held: list[str] = []
    weight = 0
    for row in text.split("\n"):
        while row and weigh(row) > room:
            if held:
                yield "\n".join(held)
                held, weight = [], 0
            cut = _fit(row, room, weigh)
            yield row[:cut]
            row = row[cut:]
        more = weigh(row) + end
        if held and weight + more > room:
            yield "\n".join(held)
            held, weight = [], 0
        held.append(row)
        weight += more
    if held:
        yield "\n".join(held)


def _runs(children: Sequence[Inline], most: int, weigh: Weigh) -> list[tuple[Inline, ...]]:
    """Inline parts in runs that each weigh ``most`` or less."""
    runs: list[tuple[Inline, ...]] = []
    held: list[Inline] = []
    weight = 0
    rest = deque(children)
    while rest:
        part = rest.popleft()
        more = _weight(part, most, weigh)
        if weight + more <= most:
            held.append(part)
            weight += more
            continue
        room = most - weight
        # A little room is left empty rather than filled with the first words of the next sentence.
        first, later = _cut(part, room if room > most // 3 or not held else 0, most, weigh)
        if first is not None:
            held.append(first)
        if held:
            runs.append(tuple(held))
            held, weight = [], 0
        if later is not None:
            rest.appendleft(later)
    return [*runs, tuple(held)] if held else runs


def _weight(part: Inline, most: int, weigh: Weigh) -> int:
    """A break becomes two spaces and a line end, and what follows it may need an escape."""
    if isinstance(part, Text) and len(part.text) > most:
        return len(part.text)
    return weigh("  \n\\\\") if isinstance(part, Break) else weigh(_inline(part))


def _cut(part: Inline, room: int, most: int, weigh: Weigh) -> tuple[Inline | None, Inline | None]:
    """The piece of ``part`` that weighs ``room`` or less, and the rest."""
    if room <= 0:
        return None, part
    match part:
        case Text(text) | CodeSpan(text):
            cut = _fit(text, room, lambda piece: weigh(_inline(type(part)(piece))))
            return (type(part)(text[:cut]) if cut else None), (type(part)(text[cut:]) if cut < len(text) else None)
        case Strong(children) | Emphasis(children) | Strike(children):
            runs = _runs(children, max(room - 8, 1), weigh) or [()]
            rest = tuple(child for run in runs[1:] for child in run)
            return type(part)(runs[0]), (type(part)(rest) if rest else None)
        case Link(url, children):
            free = room - weigh(f"[]({address(url)})")
            if free < 8:
                return (None, part) if room < most else (part, None)
            runs = _runs(children, free, weigh) or [()]
            rest = tuple(child for run in runs[1:] for child in run)
            return Link(url, runs[0]), (Link(url, rest) if rest else None)
        case Cite() | Break():
            return (None, part) if room < most else (part, None)
        case _:
            assert_never(part)


def _fit(text: str, most: int, weigh: Weigh) -> int:
    """How much of ``text`` weighs ``most`` or less: up to a sentence's end, else a word's, else a character's; at least one."""
    # Nothing weighs less than nothing: more characters than ``most`` never fit.
    low, high = 0, min(len(text), most)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if weigh(text[:middle]) <= most else (low, middle - 1)
    if low >= len(text):
        return len(text)
    low = max(low, 1)
    ends = [match.end() for match in _SENTENCE.finditer(text[:low])]
    sentences = [match.end() for match in re.finditer(r"[.!?…][\"'”’)\]]*\s+", text[:low])]
    for found in (sentences, ends):
        if found and found[-1] > low // 3:
            return found[-1]
    return _whole(text, low)


def _whole(text: str, cut: int) -> int:
    """``cut`` moved back so that a joined emoji, an accent or a direction mark stays with its letter."""
    back = cut
    while (
        back > 1 and cut - back < 32 and (text[back] in "\u200d\ufe0e\ufe0f" or text[back - 1] == "\u200d" or _mark(text[back]))
    ):
        back -= 1
    return back if back > 1 else cut


def _mark(character: str) -> bool:
    return "\u0300" <= character <= "\u036f" or "\U0001f3fb" <= character <= "\U0001f3ff"
