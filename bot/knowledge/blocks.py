"""What every reader produces: a file's visible text as blocks in reading order, and what a reviewer must look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["heading", "paragraph", "item", "row", "code", "note"]

FindingKind = Literal[
    "hidden_text",
    "instruction",
    "comment",
    "tracked_change",
    "encoded",
    "link",
    "markup",
    "form_value",
    "no_heading",
    "encoding",
]
NOTES = frozenset({"tracked_change", "form_value", "no_heading", "encoding"})
"""Kinds that tell a reviewer something and hold nothing back."""
UNSEEN_CHARS = 2_000
"""Characters of one unseen part that a reader hands on, for the scan to read."""


@dataclass(frozen=True)
class Block:
    """One heading, paragraph, list item, table row, code block or slide note.

    ``text`` is plain text without markup; a table row reads ``Header: cell | Header: cell``. ``level`` is a heading's
    depth (1 to 6) or a list item's (0 outermost). ``page`` counts from 1 and is None where the format has none.
    ``facts`` maps character offsets in ``text`` to the numbers of the sources that carry the words before them.
    """

    kind: BlockKind
    text: str
    level: int = 0
    page: int | None = None
    anchor: str = ""
    facts: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something a reviewer must look at before approving: what kind, where (``page 3``, ``slide 2``), an excerpt."""

    kind: FindingKind
    where: str
    excerpt: str

    @property
    def holds(self) -> bool:
        """Whether the document waits until a reviewer has acknowledged this."""
        return self.kind not in NOTES


@dataclass(frozen=True)
class Extract:
    """A file's text. ``properties`` holds what the file says of itself: title, author, subject, keywords, language.

    Straight from a reader, ``findings`` are the parts that readers of the file do not see (comments, hidden text, markup),
    up to UNSEEN_CHARS of each; the scan of intake judges them and puts its findings in their place."""

    media_type: str
    blocks: tuple[Block, ...]
    findings: tuple[Finding, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """A block with its place in the composed text: ``text[start:end] == block.text``."""

    block: Block
    start: int
    end: int


def compose(blocks: tuple[Block, ...]) -> tuple[str, tuple[Span, ...]]:
    """Join blocks into one canonical text, an empty line between them, and say where each stands."""
    parts: list[str] = []
    spans: list[Span] = []
    offset = 0
    for block in blocks:
        spans.append(Span(block, offset, offset + len(block.text)))
        parts.append(block.text)
        offset += len(block.text) + 2
    return "\n\n".join(parts), tuple(spans)
