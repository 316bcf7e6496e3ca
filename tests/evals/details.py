"""Messages of staff in which what must be hidden is marked: ``tests/evals/policy/details.txt``, one a line.

``[[kind:words]]`` are to be hidden, ``{{words}}`` look like a detail and stay. They teach the tagger what is told of one child
in free words (``fit_tagger``), and the classifier what is to be answered however much is told beside it (``fit_policy``). A
fifth was set apart before anyone read it: ``told_held.jsonl``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "policy" / "details.txt"
KINDS = {
    "name": "student name",
    "id": "student id",
    "grade": "grade detail",
    "health": "health detail",
    "discipline": "discipline detail",
    "family": "family detail",
}
OTHER = "personal detail"
CLASSES = (*KINDS.values(), OTHER)
_MARK = re.compile(r"\[\[([a-z]+):(.*?)\]\]|\{\{(.*?)\}\}")


@dataclass(frozen=True)
class Marked:
    """A message, the stretches to hide (start, end, class or -1 where unknown), and words that must stay."""

    text: str
    hide: tuple[tuple[int, int, int], ...]
    keep: tuple[str, ...] = ()


def messages() -> list[Marked]:
    """Every message of the file."""
    return [marked(line) for line in FILE.read_text(encoding="utf-8").splitlines() if line.strip()]


def found_in(text: str, gone: Sequence[str], keep: Sequence[str] = ()) -> Marked:
    """A message whose details are given as words: everywhere they stand as whole words."""
    hide = [
        (*match.span(), -1)
        for detail in gone
        for match in re.finditer(rf"(?<![^\W\d_]){re.escape(detail)}(?![^\W\d_])|{re.escape(detail)}(?=\W|$)", text)
    ]
    return Marked(text, tuple(hide), tuple(keep))


def listed(name: str) -> list[Marked]:
    """The messages of a file of the same folder whose details are given as words: ``NAME.jsonl``."""
    rows = map(json.loads, FILE.with_name(f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
    return [found_in(row["text"], row.get("details") or (), row.get("keep") or ()) for row in rows]


def marked(line: str) -> Marked:
    """A line with its marks read."""
    text, last = "", 0
    hide, keep = [], []
    for match in _MARK.finditer(line):
        text += line[last : match.start()]
        kind, words, stays = match.groups()
        if stays is None:
            hide.append((len(text), len(text) + len(words), CLASSES.index(KINDS.get(kind, OTHER))))
        else:
            keep.append(stays)
        text += words or stays
        last = match.end()
    return Marked(text + line[last:], tuple(hide), tuple(keep))
