"""Reads Markdown into blocks, keeping headings, lists and tables, and the numbers of the sources behind each sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.knowledge.blocks import UNSEEN_CHARS, Block, Extract, Finding

_MARK = re.compile(r"\[\^(\d+)\]")
_ANCHOR = re.compile(r"\s*\{#([A-Za-z0-9._-]+)\}\s*$")
_COVERS = re.compile(r"<(\w+)\b[^>]*(?:\shidden\b|\bstyle\s*=|\baria-hidden\b|\bclass\s*=|\bcolor\s*=)[^>]*(?<!/)>", re.I)
"""A tag that may hide what it holds: its words are shown to the reviewer instead of being taken in."""
_VISIBLE_TAG = re.compile(r"</?(?:b|i|u|em|strong|sub|sup|br|span|p|div|small|kbd|mark|abbr)\b[^>]*>", re.I)


def table_row(headers: Sequence[str], cells: Sequence[str]) -> str:
    """A table row as one readable line, each cell named by its column: ``Tool: Chat | Grades: 6-12``."""
    named = []
    for index, cell in enumerate(cells):
        header = headers[index] if index < len(headers) else ""
        if cell.strip():
            named.append(f"{header.strip()}: {cell.strip()}" if header.strip() else cell.strip())
    return " | ".join(named)


def _plain(token: Token) -> tuple[str, tuple[tuple[int, int], ...], list[str]]:
    parts: list[str] = []
    hidden: list[str] = []
    covered = ""  # the tag of a hidden element that is still open
    for child in token.children or ():
        if child.type == "html_inline" and covered:
            covered = "" if child.content.lower().startswith(f"</{covered}") else covered
        elif covered:
            hidden[-1] += child.content
        elif child.type == "html_inline" and _COVERS.match(child.content):
            covered = _COVERS.match(child.content).group(1).lower()  # type: ignore[union-attr]
            hidden.append(f"{child.content} ")
        elif child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type == "image":
            parts.append(child.content)
        elif child.type == "html_inline" and not _VISIBLE_TAG.fullmatch(child.content):
            hidden.append(child.content)
    raw = re.sub(r"[ \t\u00a0]+", " ", "".join(parts)).strip()
    marks: list[tuple[int, int]] = []
    text = ""
    last = 0
    for match in _MARK.finditer(raw):
        text += raw[last : match.start()]
        marks.append((len(text.rstrip()), int(match.group(1))))
        last = match.end()
    text += raw[last:]
    return text.rstrip(), tuple(marks), hidden


def _unseen_html(raw: str, line: int) -> list[Finding]:
    """The parts of raw HTML in Markdown, none of which is taken in: comments, hidden text, other markup."""
    comments = re.findall(r"<!--(.*?)(?:-->|$)", raw, re.S)
    rest = re.sub(r"<!--.*?(?:-->|$)", " ", raw, flags=re.S)
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", rest)).strip()
    found = [Finding("comment", f"comment, line {line}", text.strip()[:UNSEEN_CHARS]) for text in comments if text.strip()]
    if words:
        kind = "hidden_text" if _COVERS.search(rest) and re.search(_CONCEALED, rest, re.I) else "markup"
        found.append(Finding(kind, f"HTML, line {line}", words[:UNSEEN_CHARS]))  # type: ignore[arg-type]
    for name, value in re.findall(r"\b(alt|title|src|href|aria-label|content|value)\s*=\s*[\"']([^\"']+)", rest, re.I):
        found.append(
            Finding("link" if name.lower() in ("src", "href") else "markup", f"{name} in HTML, line {line}", value[:UNSEEN_CHARS])
        )
    return found


_CONCEALED = (
    r"display\s*:\s*none|visibility|opacity|font-size\s*:\s*[0-2](?:\D|$)|\bhidden\b|position\s*:|text-indent|clip|color|"
    r"height\s*:\s*0|width\s*:\s*0|sr-only"
)


def _links(token: Token, line: int) -> list[Finding]:
    found: list[Finding] = []
    for child in token.children or ():
        if child.type == "link_open":
            found.append(Finding("link", f"link, line {line}", str(child.attrGet("href") or "")[:UNSEEN_CHARS]))
        elif child.type == "image":
            found.append(Finding("link", f"image, line {line}", str(child.attrGet("src") or "")[:UNSEEN_CHARS]))
        if child.type in ("link_open", "image") and child.attrGet("title"):
            found.append(Finding("markup", f"link title, line {line}", str(child.attrGet("title"))[:UNSEEN_CHARS]))
    return found


def read_markdown(raw: str) -> Extract:
    """Blocks of a Markdown text. HTML comments and raw HTML are left out and reported as findings."""
    env: dict[str, Any] = {}
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(raw, env)
    reading = _Reading()
    for name, item in env.get("references", {}).items():
        said = f"{name.lower()} {item.get('href', '')} {item.get('title', '')}"
        reading.findings.append(Finding("comment", f"link definition '{name}'", said[:UNSEEN_CHARS]))
    for token in tokens:
        reading.take(token)
    return Extract("text/markdown", tuple(reading.blocks), tuple(reading.findings))


class _Reading:
    """Where in a text the reader stands, and what it has found."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.findings: list[Finding] = []
        self._depth = -1
        self._inside: Literal["", "heading", "cell"] = ""
        self._level = 0
        self._in_head = False
        self._headers: list[str] = []
        self._cells: list[str] = []
        self._facts: list[int] = []

    def take(self, token: Token) -> None:
        """The next token."""
        line = token.map[0] + 1 if token.map else 0
        if token.type in ("bullet_list_open", "ordered_list_open"):
            self._depth += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self._depth -= 1
        elif token.type == "heading_open":
            self._inside, self._level = "heading", int(token.tag[1])
        elif token.type == "heading_close":
            self._inside = ""
        elif token.type in ("fence", "code_block"):
            if token.content.strip():
                self.blocks.append(Block("code", token.content.rstrip("\n")))
        elif token.type == "html_block":
            self.findings += _unseen_html(token.content, line)
        elif token.type == "inline":
            self._inline(token, line)
        else:
            self._table(token.type)

    def _table(self, what: str) -> None:
        if what == "thead_open":
            self._in_head, self._headers = True, []
        elif what == "thead_close":
            self._in_head, self._headers = False, self._cells
        elif what == "tr_open":
            self._cells, self._facts = [], []
        elif what in ("td_open", "th_open"):
            self._inside = "cell"
        elif what in ("td_close", "th_close"):
            self._inside = ""
        elif what == "tr_close" and not self._in_head:
            row = table_row(self._headers, self._cells)
            if row:
                self.blocks.append(Block("row", row, facts=tuple((len(row), fact) for fact in self._facts)))

    def _inline(self, token: Token, line: int) -> None:
        text, facts, hidden = _plain(token)
        for piece in hidden:
            self.findings += _unseen_html(piece, line)
        self.findings += _links(token, line)
        if self._inside == "cell":
            self._cells.append(text)
            self._facts += [fact for _, fact in facts]
        elif self._inside == "heading":
            anchor = _ANCHOR.search(text)
            named = anchor.group(1) if anchor else ""
            self.blocks.append(Block("heading", _ANCHOR.sub("", text), level=self._level, anchor=named))
        elif text:
            kind: Literal["item", "paragraph"] = "item" if self._depth >= 0 else "paragraph"
            self.blocks.append(Block(kind, text, level=max(self._depth, 0), facts=facts))
