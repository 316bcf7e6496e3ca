"""Finds the statements that may answer a question: dense and lexical lists over statements and question keys, fused.

The fusion adds scores rather than ranks: the best key's cosine, the statement's own cosine, and both BM25 scores scaled
to the best of their list. The weights were measured (``docs/evaluation.md``); rank fusion of the same lists does worse.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from bot.assistant.understand import Understood
from bot.knowledge.embedding import Vectors
from bot.knowledge.shelf import Shelf, Shelved, ShelvedKey

KEY_COSINE, STATEMENT_COSINE, KEY_WORDS, STATEMENT_WORDS = 1.0, 0.3, 0.3, 0.1
KEYLESS = 0.8
"""What a statement's own cosine is worth in place of a key's, where it has no key."""

DENSE_COUNT, LEXICAL_COUNT = 60, 50

LEVEL_PRIOR = {
    "local": 0.06,
    "state": 0.01,
    "national": 0.01,
    "international": 0.0,
    "framework": 0.0,
    "research": 0.0,
    "about": 0.0,
}
"""Added to a score so that, among near-equals, the document nearer to the asker comes first."""

HOME_PRIOR = 0.05
"""Added to a document of the asker's own state or country."""


@dataclass(frozen=True)
class Found:
    """A statement with the parts of its score. ``key`` is the closest question it answers, if it has any; ``read`` is what the
    cross-encoder said of it (log-odds), where it was asked."""

    shelved: Shelved
    key: ShelvedKey | None
    score: float
    key_cosine: float
    cosine: float
    key_words: float
    words: float
    vector: Vectors = field(repr=False, compare=False)
    key_vector: Vectors | None = field(default=None, repr=False, compare=False)
    read: float | None = None


def search(
    question: Understood, vector: Vectors, shelf: Shelf, *, home: str = "", ignoring: Collection[str] = (), count: int = 24
) -> list[Found]:
    """The ``count`` best statements of a shelf, best first. ``vector`` is the question's, of unit length; ``home`` the
    asker's jurisdiction; keys that read exactly as one of ``ignoring`` are left out, so that a known question can be
    weighed as if it were new."""
    if not shelf.statements:
        return []
    language = question.language
    near_rows, near_keys = shelf.nearest(vector, DENSE_COUNT)
    key_hits = dict(shelf.question_words.best(question.terms, LEXICAL_COUNT))
    row_hits = dict(shelf.statement_words.best(question.terms, LEXICAL_COUNT))
    if ignoring:
        near_keys = [n for n in near_keys if shelf.questions[n].text not in ignoring]
        key_hits = {n: score for n, score in key_hits.items() if shelf.questions[n].text not in ignoring}
    rows = dict.fromkeys(near_rows)
    rows.update(dict.fromkeys(row_hits))
    for number in (*near_keys, *key_hits):
        rows.update(dict.fromkeys(shelf.questions[number].rows))
    candidates = list(rows)
    best_key = max(key_hits.values(), default=0.0) or 1.0
    best_row = max(row_hits.values(), default=0.0) or 1.0
    cosines = (shelf.statement_vectors[candidates] @ vector).tolist()
    asked_of = {row: shelf.keys_of(row, language) for row in candidates}
    if ignoring:
        asked_of = {row: [n for n in mine if shelf.questions[n].text not in ignoring] for row, mine in asked_of.items()}
    numbers = list(dict.fromkeys(n for mine in asked_of.values() for n in mine))
    key_cosines = dict(zip(numbers, shelf.cosines(vector)[0][numbers].tolist(), strict=True))
    scored: list[tuple[float, str, int, int | None, float, float, float, float]] = []
    for row, cosine in zip(candidates, cosines, strict=True):
        mine = asked_of[row]
        best = max(mine, key=key_cosines.__getitem__, default=None)
        in_words = row_hits.get(row, 0.0) / best_row
        key_cosine = key_cosines[best] if best is not None else KEYLESS * cosine
        key_words = max((key_hits.get(n, 0.0) for n in mine), default=0.0) / best_key if mine else in_words
        front = shelf.statements[row].version.front
        score = (
            KEY_COSINE * key_cosine
            + STATEMENT_COSINE * (cosine if language == "en" else 0.0)
            + KEY_WORDS * key_words
            + STATEMENT_WORDS * in_words
            + LEVEL_PRIOR[front.level]
            + (HOME_PRIOR if home and front.jurisdiction == home else 0.0)
        )
        scored.append((-score, shelf.statements[row].id, row, best, key_cosine, cosine, key_words, in_words))
    scored.sort()
    return _without_twins(shelf, scored, count)


def _without_twins(
    shelf: Shelf, scored: list[tuple[float, str, int, int | None, float, float, float, float]], count: int
) -> list[Found]:
    """The best of the list, without statements that say word for word what a better one says."""
    kept: list[Found] = []
    seen: set[str] = set()
    for minus, _, row, best, key_cosine, cosine, key_words, in_words in scored:
        shelved = shelf.statements[row]
        words = " ".join(shelved.text.lower().split())
        if words in seen:
            continue
        seen.add(words)
        kept.append(
            Found(
                shelved,
                shelf.questions[best] if best is not None else None,
                -minus,
                key_cosine,
                cosine,
                key_words,
                in_words,
                shelf.statement_vectors[row],
                shelf.question_vectors[best] if best is not None else None,
            )
        )
        if len(kept) == count:
            break
    return kept
