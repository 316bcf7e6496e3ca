"""Finds the statements that may answer a question: dense and lexical lists over statements and question keys, fused.

The fusion adds scores rather than ranks: the best key's cosine, the statement's own cosine, and both BM25 scores scaled
to the best of their list. The weights were measured (``docs/evaluation.md``); rank fusion of the same lists does worse.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.assistant.understand import Understood
from bot.knowledge.embedding import Vectors
from bot.knowledge.shelf import Shelf, Shelved, ShelvedKey

KEY_COSINE, STATEMENT_COSINE, KEY_WORDS, STATEMENT_WORDS = 1.0, 0.3, 0.3, 0.1
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

SAMPLE_PENALTY = 0.0


@dataclass(frozen=True)
class Found:
    """A statement with the parts of its score. ``key`` is the closest question it answers, if it has any."""

    shelved: Shelved
    key: ShelvedKey | None
    score: float
    key_cosine: float
    cosine: float
    key_words: float
    words: float
    vector: Vectors = field(repr=False, compare=False)
    key_vector: Vectors | None = field(default=None, repr=False, compare=False)


def search(question: Understood, vector: Vectors, shelves: list[Shelf], count: int = 24) -> list[Found]:
    """The ``count`` best statements over all shelves, best first. ``vector`` is the question's, of unit length."""
    found: list[Found] = []
    for shelf in shelves:
        found.extend(_search_one(question, vector, shelf))
    found.sort(key=lambda item: (-item.score, item.shelved.id))
    return _without_twins(found)[:count]


def _search_one(question: Understood, vector: Vectors, shelf: Shelf) -> list[Found]:
    if not shelf.statements:
        return []
    language = question.language
    near_rows, near_keys = shelf.nearest(vector, DENSE_COUNT)
    key_hits = dict(shelf.question_words.best(question.terms, LEXICAL_COUNT))
    row_hits = dict(shelf.statement_words.best(question.terms, LEXICAL_COUNT))
    rows = dict.fromkeys(near_rows)
    rows.update(dict.fromkeys(row_hits))
    for number in (*near_keys, *key_hits):
        rows.update(dict.fromkeys(shelf.questions[number].rows))
    candidates = list(rows)
    best_key = max(key_hits.values(), default=0.0)
    best_row = max(row_hits.values(), default=0.0)
    cosines = shelf.statement_vectors[candidates] @ vector
    numbers = list(dict.fromkeys(n for row in candidates for n in shelf.questions_of.get(row, ())))
    key_cosines = dict(zip(numbers, (shelf.question_vectors[numbers] @ vector).tolist(), strict=True)) if numbers else {}
    found: list[Found] = []
    for row, cosine in zip(candidates, cosines.tolist(), strict=True):
        mine = [n for n in shelf.questions_of.get(row, ()) if shelf.questions[n].language == language]
        best = max(mine, key=lambda n: key_cosines[n], default=None)
        key_cosine = key_cosines[best] if best is not None else 0.8 * cosine
        key_words = max((key_hits.get(n, 0.0) for n in mine), default=0.0) / best_key if best_key else 0.0
        in_words = row_hits.get(row, 0.0) / best_row if best_row else 0.0
        own = cosine if language == "en" else 0.0
        score = (
            KEY_COSINE * key_cosine
            + STATEMENT_COSINE * own
            + KEY_WORDS * key_words
            + STATEMENT_WORDS * in_words
            + LEVEL_PRIOR[shelf.statements[row].version.front.level]
        )
        found.append(
            Found(
                shelf.statements[row],
                shelf.questions[best] if best is not None else None,
                score,
                key_cosine,
                cosine,
                key_words,
                in_words,
                shelf.statement_vectors[row],
                shelf.question_vectors[best] if best is not None else None,
            )
        )
    return found


def _without_twins(found: list[Found]) -> list[Found]:
    """Drop statements that say word for word what a better one says."""
    kept: list[Found] = []
    seen: set[str] = set()
    for item in found:
        words = " ".join(item.shelved.text.lower().split())
        if words not in seen:
            seen.add(words)
            kept.append(item)
    return kept
