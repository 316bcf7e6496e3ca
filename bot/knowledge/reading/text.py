"""Reads plain text: paragraphs by empty lines, underlined or capital headings, bulleted and numbered items."""

from __future__ import annotations

import re

from bot.errors import UnreadableFile
from bot.knowledge.blocks import Block, Extract, Finding

BULLET = re.compile(r"^\s*(?:[-*•▪◦‣·–●○■]|\(cid:\d+\)|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+(?=\S)", re.IGNORECASE)
"""What stands before an item of a list; a bullet without a name in its font reads as its number there."""


def decode(content: bytes) -> tuple[str, tuple[Finding, ...]]:
    """Text of the bytes, by mark, UTF-8, or best guess (then a finding). Raises UnreadableFile."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            try:
                return _clean(content.decode(encoding)), ()
            except UnicodeDecodeError:
                raise UnreadableFile("the file's text encoding is broken", code="damaged") from None
    try:
        return _clean(content.decode("utf-8")), ()
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(content).best()
        if best is None:
            raise UnreadableFile("the file's text encoding was not recognised", code="damaged") from None
        # The families of single-byte European encodings are told apart by guesswork; the Western one is by far the commonest.
        western = best.encoding.startswith(("cp125", "iso8859", "latin", "mac"))
        encoding = "cp1252" if western else best.encoding
        text = content.decode(encoding, errors="replace")
        return _clean(text), (Finding("encoding", "whole file", f"read as {encoding}; check accents"),)


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def _is_heading(line: str) -> bool:
    letters = [c for c in line if c.isalpha()]
    return len(letters) >= 3 and len(line) <= 80 and all(c.isupper() for c in letters) and not line.endswith(".")


def read_text(raw: str) -> Extract:
    """Blocks of a plain text."""
    blocks: list[Block] = []
    page = 1
    paged = "\f" in raw
    for sheet in raw.split("\f"):
        for chunk in re.split(r"\n\s*\n", sheet):
            lines = [line for line in chunk.split("\n") if line.strip()]
            blocks.extend(_chunk(lines, page if paged else None))
        page += 1
    return Extract("text/plain", tuple(blocks))


def _chunk(lines: list[str], page: int | None) -> list[Block]:
    blocks: list[Block] = []
    pending: list[str] = []
    kind = "paragraph"

    def flush() -> None:
        nonlocal kind
        if pending:
            blocks.append(Block(kind, " ".join(pending), page=page))  # type: ignore[arg-type]
            pending.clear()
        kind = "paragraph"

    for index, line in enumerate(lines):
        stripped = line.strip()
        following = lines[index + 1].strip() if index + 1 < len(lines) else ""
        if re.fullmatch(r"[=\-~_*]{3,}", stripped):
            continue
        if re.fullmatch(r"(={3,}|-{3,})", following) and len(stripped) <= 120:
            flush()
            blocks.append(Block("heading", stripped, level=1 if following[0] == "=" else 2, page=page))
        elif _is_heading(stripped) and not pending:
            blocks.append(Block("heading", stripped, level=2, page=page))
        elif BULLET.match(line):
            flush()
            kind = "item"
            pending.append(BULLET.sub("", line).strip())
        else:
            pending.append(stripped)
    flush()
    return blocks
