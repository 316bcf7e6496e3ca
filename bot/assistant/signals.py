"""Turns a question and what was found for it into numbers that tell an answer from a near miss.

Pure. Each signal has a name, used in the fitted weights and in ``signpost why``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from bot import prompts
from bot.assistant.pair_model import pair_model
from bot.assistant.search import Found
from bot.assistant.stemming import stem
from bot.assistant.understand import Name, Understood, names_in, numbers_in, stop_words, unaccented
from bot.knowledge.embedding import Vectors
from bot.knowledge.lexical_index import words
from bot.knowledge.shelf import Shelf

NEIGHBOURS = 20
"""Known questions, answered and near misses together, that vote on a question."""

WRITTEN = 3
"""From so many known questions on, a statement counts as one that people wrote questions for; headings alone suggest two."""

_CAPITAL = re.compile(r"(?<=[a-z,;:] )[A-Z][A-Za-z]+")
"""A capitalised word inside a sentence."""


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
    return {stem(w) for w in words(unaccented(text)) if w not in stop}


@dataclass(frozen=True)
class _Read:
    """What the signals need of a text of the library."""

    stems: frozenset[str]
    names: tuple[Name, ...]
    numbers: frozenset[str]


@lru_cache(maxsize=20_000)
def _read(text: str) -> _Read:
    """Of published text only, so that nothing a person typed stays in memory."""
    return _Read(frozenset(stems(text)), names_in(text), frozenset(numbers_in(text)))


@lru_cache(maxsize=20_000)
def _asks_of(text: str) -> frozenset[str]:
    """The kinds of thing that a published question asks for."""
    return frozenset(asks_in(text))


def asks_in(text: str) -> set[str]:
    """The kinds of thing a question asks for."""
    return {kind for kind, pattern in _patterns("asks").items() if pattern.search(text)}


class Rarity:
    """How telling a word is in this library: inverse document frequency over statements and questions, by stem."""

    def __init__(self, texts: Iterable[str]) -> None:
        counts: dict[str, int] = {}
        total = 0
        for text in texts:
            total += 1
            for one in stems(text):
                counts[one] = counts.get(one, 0) + 1
        self._counts = counts
        self._total = max(total, 1)

    def __call__(self, one: str) -> float:
        return math.log((self._total + 1) / (self._counts.get(one, 0) + 0.5))


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


def _share(wanted: Collection[str], present: Collection[str], rarity: Rarity) -> float:
    total = sum(rarity(one) for one in wanted)
    return sum(rarity(one) for one in wanted if one in present) / total if total else 1.0


def neighbours(vector: Vectors, shelf: Shelf, ignoring: Collection[str] = ()) -> dict[str, float]:
    """How the nearest known questions vote: those the shelf answers against those it is known not to answer."""
    answered, missed = shelf.cosines(vector)
    if ignoring:
        answered = answered[[question.text not in ignoring for question in shelf.questions]]
        missed = missed[[text not in ignoring for text in shelf.near_misses]]
    if not len(answered) or not len(missed):
        return {}
    top_answered, top_missed = _top(answered), _top(missed)
    values = {
        "near_miss": float(top_missed[0]),
        "near_misses": float(top_missed[:3].mean()),
        "near_keys": float(top_answered[:3].mean()),
        "nearer": float(top_answered[0] - top_missed[0]),
    }
    both = np.concatenate([top_answered, top_missed])
    order = np.argsort(-both)[:NEIGHBOURS]
    for sharpness in (10, 20, 40):
        votes = np.exp(sharpness * (both[order] - both[order[0]]))
        values[f"vote_{sharpness}"] = float(votes[order < len(top_answered)].sum() / votes.sum())
    return values


def _top(cosines: Vectors) -> Vectors:
    count = min(NEIGHBOURS, len(cosines))
    result: Vectors = np.sort(np.partition(cosines, len(cosines) - count)[-count:])[::-1]
    return result


def has_written_keys(found: Found, shelf: Shelf, ignoring: Collection[str] = ()) -> bool:
    """Whether people wrote questions for a statement, ``ignoring`` not counted; headings alone suggest one or two."""
    return len(_known(found, shelf, ignoring)) >= WRITTEN


def _known(found: Found, shelf: Shelf, ignoring: Collection[str]) -> list[str]:
    return [text for n in shelf.questions_of.get(found.shelved.row, ()) if (text := shelf.questions[n].text) not in ignoring]


def signals(
    question: Understood,
    vector: Vectors,
    found: Sequence[Found],
    shelf: Shelf,
    rarity: Rarity,
    ignoring: Collection[str] = (),
) -> dict[str, float]:
    """The signals of the best statement found on ``shelf``; ``vector`` is the question's."""
    best = found[0]
    known = _known(best, shelf, ignoring)
    values = {
        "key_cosine": best.key_cosine,
        "cosine": best.cosine,
        "score": best.score,
        "key_words": best.key_words,
        "words": best.words,
        "length": math.log1p(len(words(question.text))),
        "spanish": float(question.language == "es"),
        "has_keys": float(best.key is not None),
        "written_keys": float(len(known) >= WRITTEN),
        "pair": pair_model().logit(vector, best.vector, best.key_vector),
        **_held(question, best, known, rarity),
        **_asked(question, best),
        **_ahead(found),
        **neighbours(vector, shelf, ignoring),
    }
    return values if best.read is None else {**values, "cross": best.read}


def _held(question: Understood, best: Found, known: Sequence[str], rarity: Rarity) -> dict[str, float]:
    """How much of what a question names, the best statement and its ``known`` questions hold: words, names, numbers."""
    evidence, read_keys = _read(evidence_text(best)), [_read(text) for text in known]
    asked, in_keys = stems(question.text), frozenset().union(*(k.stems for k in read_keys))
    key = _read(best.key.text) if best.key else _read("")
    missing = asked - evidence.stems - in_keys
    have = set(evidence.names).union(*(k.names for k in read_keys))
    strangers = [name for name in question.names if name not in have and not _same_country(name.usual, have)]
    capitals = {stem(unaccented(word)) for word in _CAPITAL.findall(question.text)} - evidence.stems - in_keys
    numbers = set(question.numbers) - evidence.numbers.union(*(k.numbers for k in read_keys))
    return {
        "coverage_text": _share(asked, evidence.stems, rarity),
        "coverage_all": _share(asked, evidence.stems | in_keys, rarity),
        "coverage_key": _share(asked, key.stems, rarity),
        "key_covered": _share(key.stems, asked, rarity),
        "rarest_missing": max((rarity(one) for one in missing), default=0.0),
        "missing_terms": float(len(missing)),
        "strange_names": float(len(strangers)),
        "strange_state": float(any(name.kind in ("states", "places") for name in strangers)),
        "shared_names": float(len([n for n in question.names if n in have])),
        "strange_capitals": float(len(capitals)),
        "strange_numbers": float(len(numbers)),
    }


def _asked(question: Understood, best: Found) -> dict[str, float]:
    """The kinds of thing that a question asks for, beside those of the closest known question and those the statement holds."""
    asks = asks_in(question.text)
    key_asks = _asks_of(best.key.text) if best.key else frozenset[str]()
    holds = _patterns("holds")
    values = {
        "asks_same": len(asks & key_asks) / max(len(asks | key_asks), 1),
        "lacking": float(len([kind for kind in asks & holds.keys() if not holds[kind].search(best.shelved.text)])),
    }
    for kind in _patterns("asks"):
        values[f"asks_{kind}"] = float(kind in asks)
        values[f"only_asks_{kind}"] = float(kind in asks and kind not in key_asks)
    return values


def _ahead(found: Sequence[Found]) -> dict[str, float]:
    """How far the best statement is ahead of the best of another document, and of another passage."""
    best = found[0]
    other = next((f for f in found[1:] if f.shelved.version.document != best.shelved.version.document), None)
    beside = next((f for f in found[1:] if f.shelved.passage.id != best.shelved.passage.id), None)
    margins = {"margin_document": other, "margin_passage": beside}
    return {name: best.score - second.score for name, second in margins.items() if second is not None}


def _same_country(usual: str, have: set[Name]) -> bool:
    return usual == "United States" and not any(n.kind == "places" for n in have)
