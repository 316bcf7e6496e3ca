"""A reply as Markdown in sentences, for Slack's streaming calls. Pure; called by ``send``.

The stream carries standard Markdown (docs.slack.dev/reference/methods/chat.startStream), so the words are escaped for it,
and ``& < >`` as entities, which keeps mention tokens inert whichever way they are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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
from bot.adapters.slack.limits import escape
from bot.knowledge.sentences import sentences

STEP = 400
"""Characters appended to a stream at once, at least."""

_SPECIAL = re.compile(r"([\\`*_\[\]~|#])")
_BULLET = re.compile(r"^(\s*)([-+=])", re.MULTILINE)
_NUMBER = re.compile(r"^(\s*\d+)([.)])", re.MULTILINE)


def marked(text: str) -> str:
    """Text as Markdown that shows exactly these characters."""
    return escape(_NUMBER.sub(r"\1\\\2", _BULLET.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", text))))


def inline(children: Iterable[Inline]) -> str:
    """Inline parts as Markdown."""
    out = []
    for part in children:
        match part:
            case Text(text):
                out.append(marked(text))
            case Cite(n):
                out.append(f"\\[{n}\\]")
            case Break():
                out.append("\n")
            case CodeSpan(text):
                fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
                out.append(f"{fence} {text} {fence}" if "`" in text else f"`{text}`")
            case Strong(inner):
                out.append(f"**{inline(inner)}**")
            case Emphasis(inner):
                out.append(f"_{inline(inner)}_")
            case Strike(inner):
                out.append(f"~~{inline(inner)}~~")
            case Link(url, inner):
                out.append(f"[{marked(plain(inner))}]({url.replace('(', '%28').replace(')', '%29')})")
    return "".join(out)


def steps(blocks: Iterable[Block]) -> tuple[str, ...]:
    """The whole in steps to append one after the other, each ending after a sentence or a block; joined they are the text."""
    out: list[str] = []
    for block in blocks:
        made = list(_steps(block))
        if made and out:
            out[-1] += "\n\n"
        out += made
    return tuple(out)


def _steps(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(children):
            yield from _sentences(inline(children))
        case Heading(level, children):
            yield f"{'#' * level} {inline(children)}"
        case Rule():
            return
        case Code(code, language):
            fence = "`" * max(3, max((len(run) for run in re.findall("`+", code)), default=0) + 1)
            yield f"{fence}{language}\n{code}\n{fence}"
        case Quote(children):
            yield "\n".join(f"> {line}".rstrip() for line in "".join(steps(children)).split("\n"))
        case Items(start, items):
            lines = []
            for number, item in enumerate(items):
                mark = f"{start + number}. " if start is not None else "- "
                lines.append(mark + "".join(steps(item)).replace("\n", "\n" + " " * len(mark)))
            yield from (line + "\n" for line in lines[:-1])
            yield from lines[-1:]
        case Table(rows):
            cells = [[inline(cell).replace("\n", " ") for cell in row] for row in rows]
            rule = "|" + " --- |" * len(cells[0])
            yield "\n".join(["| " + " | ".join(cells[0]) + " |", rule, *("| " + " | ".join(row) + " |" for row in cells[1:])])


def _sentences(text: str) -> Iterator[str]:
    """Markdown of a paragraph cut after sentences; marks, and anything still open, stay with what stands before."""
    begin = 0
    for _, end in sentences(text):
        rest = re.match(r"(\s*\\\[\d{1,3}\\\])*\s*", text[end:])
        end += rest.end() if rest else 0
        if end > begin and _balanced(text[begin:end]):
            yield text[begin:end]
            begin = end
    if begin < len(text):
        yield text[begin:]


def _balanced(text: str) -> bool:
    bare = re.sub(r"\\.", "", text)
    return (
        bare.count("**") % 2 == 0
        and bare.count("_") % 2 == 0
        and bare.count("~~") % 2 == 0
        and bare.count("`") % 2 == 0
        and bare.count("[") == bare.count("](")
    )


def gathered(steps: tuple[str, ...]) -> list[str]:
    """Sentences gathered into steps worth a call of their own."""
    out: list[str] = []
    for step in steps:
        if out and len(out[-1]) < STEP:
            out[-1] += step
        else:
            out.append(step)
    return out


def weighed(markdown: str) -> int:
    """Characters of Markdown as Slack counts them at worst."""
    return len(markdown) + sum(1 for character in markdown if ord(character) > 0xFFFF)
