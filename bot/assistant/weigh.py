"""Reads a question, searches every shelf for it, and weighs whether what each holds answers. Used by the assistant and
by the evaluation; nothing here writes words."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from bot.assistant.cross_encoder import cross_encoder
from bot.assistant.decide import THRESHOLD, deciders
from bot.assistant.search import Found, search
from bot.assistant.signals import Rarity, has_written_keys, neighbours, signals
from bot.assistant.understand import Understood, Vocabulary, understand
from bot.knowledge.embedding import Embedder, Vectors
from bot.knowledge.shelf import Shelf
from bot.messages import Utterance

MOST_QUOTED = 3
FOLLOW_ON, SAME_PASSAGE = 0.86, 0.72
"""How near in score, relative to the best, a further statement must be to be quoted beside it."""

TOO_NEAR = 0.9
"""Cosine from which two statements are taken to say the same, so that only the better is quoted."""

READ, READ_WRITTEN, READ_FOREIGN, READ_WEIGHT = 8, 2, 4, 0.1
"""How many statements are read closely: without written questions, with them, with them in another language than the text; and
what a log-odd is worth in their score."""

QUOTED_FROM = -1.0
"""Log-odds from which a further statement that was read closely is quoted beside the best."""

SAME_QUESTION = 0.95
"""Cosine from which a question is a known one. Of 1,360 held questions none that is answerable is so near a near miss."""

EARLIER_CHARS = 400


@dataclass(frozen=True)
class Weighed:
    """What one shelf holds for a question, and how likely it is to answer (0.5: an answer begins)."""

    shelf: Shelf
    found: list[Found]
    signals: dict[str, float]
    probability: float

    @property
    def answers(self) -> bool:
        """Whether this shelf answers."""
        return bool(self.found) and self.probability >= THRESHOLD

    @property
    def is_local(self) -> bool:
        """Whether the best statement is an organization's own policy."""
        return bool(self.found) and self.found[0].shelved.version.front.level == "local"


@dataclass(frozen=True)
class Considered:
    """One reading of a question, weighed on every shelf; the asker's own organization first."""

    question: Understood
    weighed: tuple[Weighed, ...]

    @property
    def leading(self) -> Weighed | None:
        """The shelf that decides: the organization's own where it answers, else the likeliest."""
        with_text = [w for w in self.weighed if w.found]
        own = next((w for w in with_text if w.answers and w.is_local), None)
        return own or max(with_text, key=lambda w: w.probability, default=None)

    @property
    def answers(self) -> bool:
        """Whether any shelf answers."""
        return any(w.answers for w in self.weighed)

    @property
    def probability(self) -> float:
        """The greatest of the shelves' probabilities."""
        return max((w.probability for w in self.weighed), default=0.0)

    @property
    def found(self) -> list[Found]:
        """Everything found, the deciding shelf's best first, the rest by score."""
        leading = self.leading
        if leading is None:
            return []
        rest = sorted((f for w in self.weighed for f in w.found), key=lambda f: -f.score)
        return [leading.found[0], *(f for f in rest if f is not leading.found[0])]

    @property
    def signals(self) -> dict[str, float]:
        """The deciding shelf's signals."""
        return self.leading.signals if self.leading else {}


_beside = ThreadPoolExecutor(4, thread_name_prefix="weighing")
"""Compares known questions beside the search, outside the interpreter's lock; where none is free, the search does it itself."""


class Weigher:
    """Holds what is learned from the shelves in force: their vocabulary and how telling their words are."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._learned: dict[tuple[tuple[str, int], ...], tuple[Vocabulary, Rarity]] = {}

    def learned(self, shelves: list[Shelf]) -> tuple[Vocabulary, Rarity]:
        """Vocabulary and rarity of the shelves; kept for the last few combinations."""
        key = tuple((shelf.library, shelf.generation) for shelf in shelves)
        if key not in self._learned:
            texts = [text for shelf in shelves for text in shelf.texts]
            asked = [q.text for shelf in shelves for q in shelf.questions]
            while len(self._learned) >= 8:
                self._learned.pop(next(iter(self._learned)))
            self._learned[key] = (Vocabulary([*texts, *asked]), Rarity([*texts, *asked]))
        return self._learned[key]

    def consider(
        self,
        text: str,
        history: tuple[Utterance, ...],
        shelves: list[Shelf],
        *,
        timings: dict[str, float] | None = None,
        home: str = "",
        ignoring: Collection[str] = (),
        vectors: Mapping[str, Vectors] | None = None,
    ) -> Considered:
        """Understand, search and weigh one question; a follow-up is read alone and with the turn before.

        ``home`` is the asker's state or country. ``ignoring`` leaves out known questions that read exactly so. ``vectors``
        are of texts embedded already.
        """
        timings = timings if timings is not None else {}
        vocabulary, rarity = self.learned(shelves)
        started = time.perf_counter()
        readings = [understand(text, history, vocabulary)]
        if readings[0].leans:
            readings.append(understand(_after(history, readings[0].text), (), vocabulary))
        started = _lap(timings, "understand", started)
        asked = [self._vector(reading.expanded, vectors or {}) for reading in readings]
        started = _lap(timings, "embed", started)
        considered = [
            Considered(
                reading,
                tuple(
                    self._weigh(reading, vector, shelf, rarity, home, ignoring, vectors or {}) for shelf in _own_first(shelves)
                ),
            )
            for reading, vector in zip(readings, asked, strict=True)
        ]
        _lap(timings, "search", started)
        return considered[0] if len(considered) == 1 else better_reading(*considered)

    def _vector(self, text: str, known: Mapping[str, Vectors]) -> Vectors:
        if text in known:
            return known[text]
        vector: Vectors = self._embedder.encode([text])[0]
        return vector

    def _weigh(
        self,
        question: Understood,
        vector: Vectors,
        shelf: Shelf,
        rarity: Rarity,
        home: str,
        ignoring: Collection[str],
        known: Mapping[str, Vectors],
    ) -> Weighed:
        ahead = _beside.submit(shelf.cosines, vector)
        found = search(question, vector, shelf, home=home, ignoring=ignoring)
        ahead.cancel()
        if not found:
            return Weighed(shelf, [], {}, 0.0)
        found = read_closely(question, found, written=has_written_keys(found[0], shelf, ignoring))
        values = signals(question, vector, found, shelf, rarity, ignoring)
        probability = 0.0 if known_near_miss(values) else deciders().of(values).probability(values)
        if probability >= THRESHOLD and question.expanded != question.asked:
            # as it was typed it may be a known near miss, which the library's words added to it had hidden
            typed = neighbours(self._vector(question.asked, known), shelf, ignoring)
            probability = 0.0 if known_near_miss(typed) else probability
        return Weighed(shelf, found, values, probability)


def known_near_miss(values: Mapping[str, float]) -> bool:
    """Whether a question is one that a person wrote down as not answered, nearly word for word, and is less like any that is."""
    return values.get("near_miss", 0.0) >= SAME_QUESTION and values.get("nearer", 0.0) < 0.0


def read_closely(question: Understood, found: list[Found], *, written: bool) -> list[Found]:
    """What was found, the first few read by the cross-encoder and put in a better order by it. Statements with written
    questions are found well by themselves: of them few are read, a few more where the question is in another language."""
    count = READ if not written else READ_WRITTEN if question.language == "en" else READ_FOREIGN
    logits = cross_encoder().logits(question.text, found[:count], with_keys=written)
    read = [replace(f, read=float(logit)) for f, logit in zip(found[:count], logits, strict=True)]
    best, *others = sorted(read, key=lambda f: -(f.score + READ_WEIGHT * (f.read or 0.0)))
    if written:  # whether others are quoted beside it is told well enough by their scores
        others = [replace(f, read=None) for f in others]
    return [best, *others, *found[count:]]


def better_reading(alone: Considered, joined: Considered) -> Considered:
    """Of a follow-up read alone and read with the turn before, the one more likely to be answered."""
    return alone if alone.probability >= joined.probability + 0.05 else joined


def choose(considered: Considered) -> list[Found]:
    """What an answer quotes: at most three statements, the organization's own first, none saying what another says."""
    leading = considered.leading
    if leading is None:
        return []
    others = [w for w in considered.weighed if w is not leading and w.answers]
    chosen = _near_best(leading.found, MOST_QUOTED - bool(others))
    for weighed in others:
        chosen += [f for f in weighed.found[:1] if len(chosen) < MOST_QUOTED]
    return chosen


def _near_best(found: list[Found], most: int) -> list[Found]:
    best = found[0]
    chosen = [best]
    for item in found[1:8]:
        if len(chosen) == most:
            break
        if item.read is not None and item.read < QUOTED_FROM:
            continue
        near = SAME_PASSAGE if item.shelved.passage.id == best.shelved.passage.id else FOLLOW_ON
        if item.score >= near * best.score and all(float(item.vector @ c.vector) < TOO_NEAR for c in chosen):
            chosen.append(item)
    return chosen


def _own_first(shelves: list[Shelf]) -> list[Shelf]:
    """The base library is named first by callers; an organization's own shelf goes before it."""
    return list(reversed(shelves))


def _after(history: tuple[Utterance, ...], text: str) -> str:
    asked = [line.text for line in history if line.role == "user"]
    return f"{within(asked[-1], EARLIER_CHARS)} {text}" if asked else text


def within(text: str, limit: int) -> str:
    """A text of at most about ``limit`` characters; people ask at the start or the end, so both are kept."""
    return text if len(text) <= limit else f"{text[: limit // 2]} {text[-limit // 2 :]}"


def _lap(timings: dict[str, float], name: str, started: float) -> float:
    now = time.perf_counter()
    timings[name] = timings.get(name, 0.0) + (now - started) * 1000
    return now
