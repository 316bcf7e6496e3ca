"""Splits a document's blocks into passages and statements, each with its exact place in the document's text.

A passage is what a reader is shown around a quote: a section, or a part of a long one. A statement is what an answer
quotes: a sentence, a list item or a table row. Both are pure functions of the blocks; ids depend on content and
heading only, so an edit changes the ids of what it touched and nothing else.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

from bot.knowledge.blocks import Block, Span, compose
from bot.knowledge.sentences import sentences

PASSAGE_CHARS = 1100
"""Longest passage, in characters: about the embedder's 256 word pieces."""

STATEMENT_CHARS = 600
"""A longer sentence is cut at white space, so that a quote stays readable."""


@dataclass(frozen=True)
class Passage:
    """A span of a version's text under one heading path. ``section`` is the nearest heading's anchor or slug."""

    id: str
    ordinal: int
    section: str
    heading_path: tuple[str, ...]
    page: int | None
    start: int
    end: int
    text_hash: str


@dataclass(frozen=True)
class Statement:
    """A quotable span inside a passage, with the numbers of the facts it carries."""

    passage: int
    start: int
    end: int
    kind: str
    facts: tuple[int, ...]


_Item = tuple[int, int, str, tuple[int, ...], int | None]


def digest(text: str) -> str:
    """SHA-256 of the text's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def slug(text: str) -> str:
    """An anchor for a heading: lower-case words joined by hyphens, at most 60 characters."""
    words = re.sub(r"[^\w]+", "-", text.lower()).strip("-_")
    return words[:60].rstrip("-") or "section"


def _long_pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut an over-long sentence at white space into pieces of at most STATEMENT_CHARS."""
    pieces: list[tuple[int, int]] = []
    while end - start > STATEMENT_CHARS:
        cut = max(
            text.rfind(" ", start + STATEMENT_CHARS // 2, start + STATEMENT_CHARS),
            text.rfind("\n", start + STATEMENT_CHARS // 2, start + STATEMENT_CHARS),
        )
        if cut < 0:
            cut = start + STATEMENT_CHARS
        pieces.append((start, cut))
        start = cut + 1 if text[cut : cut + 1].isspace() else cut
    if end > start:
        pieces.append((start, end))
    return pieces


def _facts_in(block: Block, start: int, end: int, first: bool) -> tuple[int, ...]:
    """Facts whose marker stands after the words in ``start..end``: markers sit at or right after a sentence's end."""
    found = [fact for offset, fact in block.facts if (start < offset <= end) or (first and offset == start)]
    return tuple(dict.fromkeys(found))


def _block_statements(span: Span) -> list[tuple[int, int, tuple[int, ...]]]:
    block = span.block
    if block.kind in ("row", "code"):
        facts = tuple(dict.fromkeys(fact for _, fact in block.facts))
        return [(span.start + a, span.start + b, facts) for a, b in _long_pieces(block.text, 0, len(block.text))]
    found: list[tuple[int, int, tuple[int, ...]]] = []
    for index, (a, b) in enumerate(sentences(block.text)):
        facts = _facts_in(block, a, b, index == 0)
        found.extend((span.start + c, span.start + d, facts) for c, d in _long_pieces(block.text, a, b))
    return found


def split(document: str, title: str, blocks: tuple[Block, ...]) -> tuple[str, tuple[Passage, ...], tuple[Statement, ...]]:
    """Compose the canonical text and cut it into passages and statements.

    :returns: ``(text, passages, statements)``; statements refer to passages by position.
    """
    text, spans = compose(blocks)
    groups: list[tuple[tuple[str, ...], str, list[_Item]]] = []
    path: list[tuple[int, str]] = []
    section = slug(title)
    fresh = True
    for span in spans:
        block = span.block
        if block.kind == "heading":
            path = [(level, name) for level, name in path if level < block.level]
            path.append((block.level, block.text))
            section = block.anchor or slug(block.text)
            fresh = True
            continue
        items: list[_Item] = [(a, b, block.kind, facts, block.page) for a, b, facts in _block_statements(span)]
        if not items:
            continue
        names = tuple(name for _, name in path)
        current = groups[-1][2] if groups else []
        if fresh or not current or items[-1][1] - current[0][0] > PASSAGE_CHARS:
            groups.append((names, section, []))
            fresh = False
        for item in items:
            current = groups[-1][2]
            if current and item[1] - current[0][0] > PASSAGE_CHARS:
                groups.append((names, section, []))
            groups[-1][2].append(item)
    passages: list[Passage] = []
    statements: list[Statement] = []
    seen: Counter[str] = Counter()
    for ordinal, (names, anchor, items) in enumerate(groups):
        start, end = items[0][0], items[-1][1]
        body = text[start:end]
        key = digest("\n".join((*names, body)))[:16]
        seen[key] += 1
        suffix = f"-{seen[key]}" if seen[key] > 1 else ""
        passages.append(Passage(f"{document}#{key}{suffix}", ordinal, anchor, names, items[0][4], start, end, digest(body)))
        statements.extend(Statement(ordinal, a, b, kind, facts) for a, b, kind, facts, _ in items)
    return text, tuple(passages), tuple(statements)
