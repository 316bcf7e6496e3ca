"""The tagger: finds what is told of one child in free words ("keyed a teacher's car", "sleeps at her cousin's"), which no list
holds, and doubts what the lists hid. Layers of a small language model go on from the states the embedder gives away half-way,
mark the pieces to hide, and say of each placeholder whether what stands around it speaks of a child.

Called by ``screening`` with a text in which patterns and the name recogniser hid theirs. Weights:
``knowledge/guardrails/tagger.onnx`` (int8), made by ``python -m tests.evals.fit_tagger`` for the shipped embedder."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bot.guardrails.details import Found
from bot.guardrails.privacy import placeholders
from bot.knowledge.embedding import MAX_TOKENS, load_tokenizer, open_described

_WINDOW = re.compile(r".{1,600}(?!\S)|.{1,600}", re.DOTALL)
_WINDOW_DENSE = re.compile(r".{1,220}(?:(?!\S)|(?<=[\u3002\uff0c\uff1b\uff1f\uff01]))|.{1,220}", re.DOTALL)
"""What is read at once, to the end of a word or a clause: the embedder takes 256 pieces, and a letter of a script that its
vocabulary knows little of is a piece."""

DOUBTED = frozenset(
    ("student name", "family name", "grade detail", "health detail", "discipline detail", "family detail", "personal detail")
)
"""Kinds of placeholders that may stand for no detail at all. What has a shape (numbers, addresses, dates) is never doubted."""

NUMBERED = frozenset(("student id", "government id", "case number", "date of birth"))
"""Where one of these stands a child is spoken of, and nothing is doubted."""

LATIN = "\u024f"
"""The last Latin letter. Beside a letter of another script, which the embedder does not read, nothing is doubted: it reminded the
tagger of nobody."""

_DENSE = re.compile("[\u0590-\u06ff\u3040-\u30ff\u4e00-\u9fff]{3}")
_WORD = re.compile("[\u3040-\u30ff\u4e00-\u9fff]|[^\\W\u3040-\u30ff\u4e00-\u9fff]+(?:['’-][^\\W\u3040-\u30ff\u4e00-\u9fff]+)*")
_ENDS = re.compile(r"[\[\]\n;!?\u3002\uff1b\uff1f]|\.\s")


class Tagger:
    """Safe to call from several threads. Raises ConfigurationError when the shipped file is unusable."""

    def __init__(self) -> None:
        about, self._session = open_described("guardrails", "tagger")
        self.classes = tuple(str(name) for name in about["classes"])
        self.thresholds = {str(name): float(value) for name, value in about["thresholds"].items()}
        self._tokenizer = load_tokenizer(MAX_TOKENS)

    def pieces(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """``states`` of a text's pieces, shape (pieces, 384), to the log odds that each is of a detail, those of each class, and
        those that a placeholder stands for none, shape (pieces, 1 + classes + 1)."""
        feed = {"states": states[None].astype(np.float32, copy=False)}
        result: NDArray[np.float32] = self._session.run(["pieces"], feed)[0][0]
        return result

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Where each piece stands in a text; the marks at both ends are empty."""
        found: list[tuple[int, int]] = self._tokenizer.encode(text).offsets
        return found


_loading = threading.Lock()


@cache
def _loaded() -> Tagger:
    return Tagger()


def tagger() -> Tagger:
    """The one tagger of this process, loaded when first asked for."""
    with _loading:
        return _loaded()


def windows(text: str) -> list[tuple[int, str]]:
    """A text in the parts that are read at once, each with its place."""
    part = _WINDOW_DENSE if _DENSE.search(text) else _WINDOW
    return [(match.start(), match.group()) for match in part.finditer(text)]


Pieces = list[tuple[int, str, NDArray[np.float32], list[tuple[int, int]]]]
"""Of each window of a text: its place, its words, what the model says of its pieces, where they stand."""


def pieces(text: str, states: Sequence[NDArray[np.float32]]) -> Pieces:
    """What the tagger says of a text in which details of a shape and names are hidden. ``states`` are those of each of its
    :func:`windows`, shape (pieces, 384)."""
    one = tagger()
    return [
        (begin, window, one.pieces(read), one.offsets(window))
        for (begin, window), read in zip(windows(text), states, strict=True)
    ]


def told(read: Pieces, person: bool) -> list[Found]:
    """What is told of a child, as (start, end, kind). ``person`` says whether the text names someone, which needs less to be
    believed."""
    one = tagger()
    limit = one.thresholds["person" if person else "nobody"]
    found: list[Found] = []
    for begin, window, out, offsets in read:
        for start, end, number in stretches(window, out[:, :-1], offsets, limit, limit - one.thresholds["goes on"]):
            found.append((begin + start, begin + end, one.classes[number]))
    return found


def staying(text: str, read: Pieces, places: Sequence[tuple[int, int]]) -> set[int]:
    """Which of the placeholders at ``places`` stand for what is no detail of a child, by what is said around them: a colleague, a
    character of a novel, a tool, a trouble in general."""
    return shown(text, read, places, tagger().thresholds["stays"])


def shown(text: str, read: Pieces, places: Sequence[tuple[int, int]], limit: float) -> set[int]:
    """The placeholders that may be doubted and whose log odds reach ``limit``."""
    kinds = [text[start + 1 : end - 1] for start, end in places]
    if not NUMBERED.isdisjoint(kinds) or any(letter > LATIN and letter.isalpha() for letter in text):
        return set()
    return {number for number, one in enumerate(believed(read, places)) if kinds[number] in DOUBTED and one >= limit}


def believed(read: Pieces, places: Sequence[tuple[int, int]]) -> list[float]:
    """Mean log odds of the pieces of each placeholder that it stands for no detail; minus infinity where no window holds it."""
    found = []
    for start, end in places:
        said = [
            float(row[-1])
            for begin, window, out, offsets in read
            if begin <= start and end <= begin + len(window)
            for (a, b), row in zip(offsets, out, strict=True)
            if a < b and start < begin + b and begin + a < end
        ]
        found.append(sum(said) / len(said) if said else -np.inf)
    return found


def stretches(
    text: str, out: NDArray[np.float32], offsets: list[tuple[int, int]], limit: float, least: float
) -> list[tuple[int, int, int]]:
    """Runs of words, as (start, end, number of the class), none of which has lower log odds than ``least`` and one of which
    reaches ``limit``. No run goes over the end of a sentence or over a placeholder."""
    words = _words(text)
    odds, classes = np.full(len(words), -np.inf), np.zeros((len(words), out.shape[1] - 1))
    at = 0
    for (start, end), row in zip(offsets, out, strict=True):
        while at < len(words) and words[at][1] <= start:
            at += 1
        if start < end and at < len(words) and words[at][0] < end:
            odds[at] = max(odds[at], row[0])
            classes[at] += row[1:]
    found: list[tuple[int, int, int]] = []
    begin = 0
    for number in range(len(words)):
        if odds[number] < least:
            begin = number + 1
        elif number + 1 == len(words) or odds[number + 1] < least or _ENDS.search(text, words[number][1], words[number + 1][0]):
            if odds[begin : number + 1].max() >= limit:
                kind = int(classes[begin : number + 1].sum(axis=0).argmax())
                found.append((words[begin][0], words[number][1], kind))
            begin = number + 1
    return found


def _words(text: str) -> list[tuple[int, int]]:
    """Where the words stand, those of placeholders left out; a character each where no spaces are written."""
    hidden = [match.span() for match in placeholders().finditer(text)]
    return [match.span() for match in _WORD.finditer(text) if not any(start <= match.start() < end for start, end in hidden)]
