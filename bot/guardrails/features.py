"""What the classifier sees of a message: its embedding, counts of concepts and their pairs, rule patterns, and hashed words
and letter groups. Pure functions; the fitting script and the screening share them, so what was fitted is what runs."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from functools import cache
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from bot.guardrails.policy import compiled, concepts, rules
from bot.guardrails.views import folded

HASHED = 4_096
EMBEDDED = 384
FOLDED = 192
NEARNESS = (0.35, 0.7, 1.5)
"""How much concepts, words and the embedding count when two messages are compared."""
_WORD = re.compile(r"\[[a-z ]+\]|[a-z0-9]+|[\u0600-\u06ff]+|[\u4e00-\u9fff]|[?!]")

Vector = NDArray[np.float32]
Read = Callable[[str], tuple[Vector, Vector]]
"""A text to what the shipped embedder makes of it: its unit vector, shape (EMBEDDED,), and the states that the close reader goes
on from, shape (pieces, EMBEDDED)."""


@cache
def _concepts() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, compiled(pattern)) for name, pattern in sorted(concepts().whole().items()))


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    found = []
    for rule in rules().values():
        for kind, items in (("certain", rule.certain), ("likely", rule.likely)):
            found.append((f"{kind}:{rule.id}", compiled("|".join(f"(?:{item})" for item in items) or r"(?!)", re.MULTILINE)))
    return tuple(found)


@cache
def names() -> tuple[str, ...]:
    """The names of the counted features, in order; kept with the weights and checked when they load."""
    single = [name for name, _ in _concepts()]
    pairs = [f"{a}*{b}" for a, b in combinations(single, 2)]
    return (*single, *pairs, *(name for name, _ in _patterns()), "short", "long", "question", "foreign")


@cache
def _pairs() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first and the second concept of every pair, in the order of their names."""
    first, second = np.triu_indices(len(_concepts()), 1)
    return first, second


def marks(fold: str) -> dict[str, bool]:
    """Which rules' patterns stand in a folded text: 'certain:RULE' and 'likely:RULE'."""
    return {name: pattern.search(fold) is not None for name, pattern in _patterns()}


def counted(fold: str, marked: dict[str, bool] | None = None) -> Vector:
    """Concepts, pairs of concepts, patterns and shape of a folded text, each 0 or 1; shape (len(names()),)."""
    hits = np.array([pattern.search(fold) is not None for _, pattern in _concepts()], dtype=np.float32)
    first, second = _pairs()
    patterns = list((marked or marks(fold)).values())
    words = _WORD.findall(fold)
    shape = [len(words) <= 5, len(words) >= 40, "?" in fold, bool(re.search(r"[\u0600-\u06ff\u4e00-\u9fff]", fold))]
    return np.concatenate([hits, hits[first] * hits[second], np.array(patterns + shape, dtype=np.float32)])


def hashed(fold: str) -> Vector:
    """Words, pairs of words and groups of 3 to 5 letters, hashed into HASHED bins, unit length."""
    vector = np.zeros(HASHED, dtype=np.float32)
    words = _WORD.findall(fold)[:400]
    terms = words + [f"{a} {b}" for a, b in pairwise(words)]
    for word in words:
        if not word.startswith("["):
            padded = f"<{word}>"
            terms += ["#" + padded[i : i + n] for n in (3, 4, 5) for i in range(len(padded) - n + 1)]
    for term in terms:
        vector[zlib.crc32(term.encode()) % HASHED] += 0.4 if term[0] == "#" else 1.0
    vector = np.sqrt(vector)
    return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-9))


def lexical(text: str, marked: dict[str, bool] | None = None) -> Vector:
    """Counted and hashed features of a redacted text; ``marked`` spares reading the patterns again."""
    fold = folded(text)
    return np.concatenate([counted(fold, marked), hashed(fold)])


def compared(lexical_row: Vector, embedding: Vector | None) -> Vector:
    """The short form in which messages are compared: single concepts, patterns and shape, words folded into FOLDED bins, and
    the embedding (zeros without one); shape (singles + FOLDED + EMBEDDED,)."""
    many = len(names())
    concepts_only = len(_concepts())
    pairs = concepts_only * (concepts_only - 1) // 2
    single = np.concatenate([lexical_row[:concepts_only], lexical_row[concepts_only + pairs : many]])
    rows = -(-HASHED // FOLDED)
    padded = np.zeros(rows * FOLDED, dtype=np.float32)
    padded[:HASHED] = lexical_row[many:]
    signs = np.where(np.arange(rows) % 2 == 0, 1.0, -1.0).astype(np.float32)
    words = (padded.reshape(rows, FOLDED) * signs[:, None]).sum(axis=0)
    vector = np.zeros(EMBEDDED, dtype=np.float32) if embedding is None else embedding
    a, b, c = NEARNESS
    return np.concatenate([single * np.float32(a), words * np.float32(b), vector.astype(np.float32) * np.float32(c)])
