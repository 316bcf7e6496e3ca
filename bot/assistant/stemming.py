"""Stems of words, for the signals. The stems of the shipped library's words are data, so that no start computes them."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from bot.knowledge.shipped import data_file


@cache
def _stemmer() -> Any:
    import snowballstemmer  # thirty languages' tables; a question in the library's own words needs none

    return snowballstemmer.stemmer("english")


@cache
def _made_ahead() -> dict[str, str]:
    """Written by ``python -m tests.evals.ship_vectors``; a word that is missing is stemmed as any other."""
    path = data_file("decision", "stems.txt")
    if not path.exists():
        return {}
    parts = path.read_text(encoding="utf-8").split()
    return dict(zip(parts[::2], parts[1::2], strict=True))


@lru_cache(maxsize=50_000)
def computed(word: str) -> str:
    """The stem by Snowball's English stemmer."""
    return str(_stemmer().stemWord(word))


def stem(word: str) -> str:
    """The stem of a lower-case word."""
    return _made_ahead().get(word) or computed(word)
