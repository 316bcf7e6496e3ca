"""How much a sentence of a document commands an assistant: a small fitted reader beside the patterns of ``addressing``, for
wordings that no pattern foresees.

It reads twice: the words first, for every sentence; then, for the few that those leave in doubt, words and embedding together,
and the close ``reader``. Without an embedder the words decide alone and must say more. Weights:
``knowledge/guardrails/documents.npz``, made by ``python -m tests.evals.fit_documents``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bot
from bot.guardrails import features
from bot.guardrails.policy import documents
from bot.guardrails.reader import reader
from bot.guardrails.views import clean, folded

Vectors = NDArray[np.float32]
GROUPS = (
    "alone", "to_machine", "told", "asked", "user", "claim", "address", "output", "added", "attack", "example", "quoted",
    "prompt", "question", "bad", "shown", "opening",
)  # fmt: skip
"""Patterns of ``prompts/policy/documents.yaml`` that are signs, alone and in pairs."""
SCALES = (0.5, 4.0, 2.0)
"""How much patterns, words and the embedding count."""
DOUBTED = -4.5
"""Log odds of the words from which a sentence is read with its embedding."""
CLOSE = 0.6
"""How much the close reader's log odds count beside those of words and embedding."""
HELD, HELD_BY_WORDS = 1.3, 2.0
"""Log odds from which a sentence is taken for a command: by all that was read, by the words alone."""


@dataclass(frozen=True)
class Weights:
    """Log odds by sign: ``words`` (signs,) and ``both`` (signs + EMBEDDED,), with their biases."""

    words: Vectors
    words_bias: float
    both: Vectors
    both_bias: float


def path() -> Path:
    """Where the fitted weights are kept."""
    return Path(bot.__file__).parent.parent / "knowledge" / "guardrails" / "documents.npz"


@cache
def weights() -> Weights:
    """The shipped weights."""
    with np.load(path()) as stored:
        return Weights(
            stored["words"].astype(np.float32),
            float(stored["words_bias"]),
            stored["both"].astype(np.float32),
            float(stored["both_bias"]),
        )


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    data = documents()
    return tuple(re.compile("|".join(f"(?:{item})" for item in data.whole(name)), re.MULTILINE) for name in GROUPS)


def signs(sentence: str) -> Vectors:
    """Patterns, pairs of patterns and hashed words of a sentence, scaled; shape (signs,)."""
    fold = folded(clean(sentence))
    hits = [pattern.search(fold) is not None for pattern in _patterns()]
    pairs = np.array([a and b for a, b in combinations_with_replacement(hits, 2)], dtype=np.float32)
    return np.concatenate([pairs * np.float32(SCALES[0]), features.hashed(fold) * np.float32(SCALES[1])])


def commands(sentences: Sequence[str], read: features.Read | None) -> list[bool]:
    """Whether each sentence commands an assistant. Pure but for ``read``, which gets the few that the words leave in doubt."""
    if not sentences:
        return []
    known = weights()
    rows = np.array([signs(sentence) for sentence in sentences])
    by_words = rows @ known.words + known.words_bias
    if read is None:
        return [bool(odds >= HELD_BY_WORDS) for odds in by_words]
    found = [False] * len(sentences)
    for i in np.flatnonzero(by_words >= DOUBTED).tolist():
        vector, states = read(sentences[i])
        both = float(np.concatenate([rows[i], vector * np.float32(SCALES[2])]) @ known.both) + known.both_bias
        found[i] = together(both, reader().read(states)[1]) >= HELD
    return found


def together(both: float, close: float) -> float:
    """The log odds of words with embedding, and of the close reader, as one."""
    return (both + CLOSE * close) / (1.0 + CLOSE)
