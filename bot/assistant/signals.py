"""Turns a question and what was found for it into numbers that tell an answer from a near miss.

Pure. Each signal has a name, used in the fitted weights and in ``signpost why``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from functools import cache

import snowballstemmer

from bot import prompts
from bot.assistant.search import Found
from bot.assistant.understand import Name, Understood, names_in, numbers_in, stop_words, unaccented
from bot.knowledge.lexical_index import words
from bot.knowledge.shelf import Shelved

PAIRED = 3
"""Statements put before the pair model."""

_STEMMER = snowballstemmer.stemmer("english")


@cache
def _patterns(which: str) -> dict[str, re.Pattern[str]]:
    """What kind of thing a question asks for (``asks``), or whether a statement holds one (``holds``)."""
    data = prompts.asks()
    return {
        kind: re.compile(pattern, re.IGNORECASE if (which, kind) != ("holds", "who") else 0)
        for kind, pattern in getattr(data, which).items()
    }


def stems(text: str) -> set[str]:
    """Stems of the content words of a text, without accents."""
    stop = stop_words()
    return set(_STEMMER.stemWords([w for w in words(unaccented(text)) if w not in stop]))


class Rarity:
    """How telling a word is in this library: inverse document frequency over statements and questions, by stem."""

    def __init__(self, texts: Iterable[str]) -> None:
        counts: dict[str, int] = {}
        total = 0
        for text in texts:
            total += 1
            for stem in stems(text):
                counts[stem] = counts.get(stem, 0) + 1
        self._counts = counts
        self._total = max(total, 1)

    def __call__(self, stem: str) -> float:
        return math.log((self._total + 1) / (self._counts.get(stem, 0) + 0.5))


def evidence_text(found: Found) -> str:
    """All the words a statement can be asked for by: itself, its headings, its document's names."""
    front = found.shelved.version.front
    return " ".join(
        (
            found.shelved.text,
            *found.shelved.passage.heading_path,
            front.title,
            front.publisher,
            front.jurisdiction,
            *front.also_called,
        )
    )


def _share(wanted: set[str], present: set[str], rarity: Rarity) -> float:
    total = sum(rarity(stem) for stem in wanted)
    return sum(rarity(stem) for stem in wanted & present) / total if total else 1.0


def statement_side(shelved: Shelved) -> str:
    """How a statement is shown to the pair model: what its document is called, its heading, its words."""
    front = shelved.version.front
    path = shelved.passage.heading_path
    name = front.also_called[0] if front.also_called else front.title
    return f"{name}. {path[-1] if path else ''}: {shelved.text}"


def pairs(question: Understood, found: Sequence[Found]) -> list[tuple[str, str]]:
    """What the pair model is asked: each of the first statements, then each of their closest questions."""
    first = found[:PAIRED]
    return [(question.text, statement_side(f.shelved)) for f in first] + [
        (question.text, f.key.text if f.key else f.shelved.text) for f in first
    ]


def signals(
    question: Understood,
    found: Sequence[Found],
    rarity: Rarity,
    key_texts: Sequence[str],
    logits: Sequence[float],
) -> dict[str, float]:
    """The signals of the best statement. ``key_texts`` are all questions it is known to answer; ``logits`` are the pair
    model's, in the order of :func:`pairs`."""
    best = found[0]
    half = len(logits) // 2
    evidence = evidence_text(best)
    asked = stems(question.text)
    in_text = stems(evidence)
    in_keys = set().union(*(stems(text) for text in key_texts)) if key_texts else set()
    key = stems(best.key.text) if best.key else set()
    missing = asked - in_text - in_keys
    other = next((f for f in found[1:] if f.shelved.version.document != best.shelved.version.document), None)
    next_passage = next((f for f in found[1:] if f.shelved.passage.id != best.shelved.passage.id), None)
    have = set(names_in(evidence)) | set(names_in(" . ".join(key_texts)))
    strangers = [name for name in question.names if name not in have and not _same_country(name.usual, have)]
    numbers = set(question.numbers) - set(numbers_in(evidence)) - set(numbers_in(" ".join(key_texts)))
    asks = {kind for kind, pattern in _patterns("asks").items() if pattern.search(question.text)}
    key_asks = {kind for kind, pattern in _patterns("asks").items() if best.key and pattern.search(best.key.text)}
    holds = _patterns("holds")
    lacking = [kind for kind in asks & holds.keys() if not holds[kind].search(best.shelved.text)]
    values: dict[str, float] = {
        "key_cosine": best.key_cosine,
        "cosine": best.cosine,
        "score": best.score,
        "key_words": best.key_words,
        "words": best.words,
        "margin_document": best.score - (other.score if other else 0.0),
        "margin_passage": best.score - (next_passage.score if next_passage else 0.0),
        "coverage_text": _share(asked, in_text, rarity),
        "coverage_all": _share(asked, in_text | in_keys, rarity),
        "coverage_key": _share(asked, key, rarity),
        "key_covered": _share(key, asked, rarity),
        "rarest_missing": max((rarity(stem) for stem in missing), default=0.0),
        "missing_terms": float(len(missing)),
        "strange_names": float(len(strangers)),
        "strange_state": float(any(name.kind in ("states", "places") for name in strangers)),
        "shared_names": float(len([n for n in question.names if n in have])),
        "strange_numbers": float(len(numbers)),
        "asks_same": len(asks & key_asks) / max(len(asks | key_asks), 1),
        "lacking": float(len(lacking)),
        "length": math.log1p(len(words(question.text))),
        "spanish": float(question.language == "es"),
        "has_keys": float(best.key is not None),
    }
    if logits:
        values["pair_statement"] = float(logits[0])
        values["pair_statement_best"] = float(max(logits[:half]))
        values["pair_key"] = float(logits[half])
        values["pair_key_best"] = float(max(logits[half:]))
        values["pair_both"] = float(max(a + b for a, b in zip(logits[:half], logits[half:], strict=True)))
    for kind in _patterns("asks"):
        values[f"asks_{kind}"] = float(kind in asks)
        values[f"only_asks_{kind}"] = float(kind in asks and kind not in key_asks)
    return values


def _same_country(usual: str, have: set[Name]) -> bool:
    return usual == "United States" and not any(getattr(n, "kind", "") == "places" for n in have)


__all__ = ["PAIRED", "Rarity", "evidence_text", "pairs", "signals", "statement_side", "stems"]
