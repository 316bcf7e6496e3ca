"""The assistant: one question in, one inspected reply and its receipt out. Called by ``bot.turn`` for every door."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot import prompts
from bot.assistant import compose
from bot.assistant.decide import decider
from bot.assistant.pair_model import PairModel
from bot.assistant.pointing import Pointer
from bot.assistant.search import Found, search
from bot.assistant.signals import Rarity, pairs, signals
from bot.assistant.understand import Understood, Vocabulary, parts_of, understand
from bot.knowledge.embedding import Embedder, Vectors
from bot.knowledge.library import BASE
from bot.knowledge.shelf import Shelf, Shelved, Shelves
from bot.messages import Answered, Message, Outcome, Receipt, Reply, Utterance
from bot.settings import Settings

MAX_QUESTION_CHARS = 2_000
"""A longer message is cut for search; people ask at the start or the end, so both are kept."""

FOLLOW_ON, SAME_PASSAGE = 0.86, 0.72
"""How near in score, relative to the best, a further statement must be to be quoted beside it."""


@dataclass(frozen=True)
class Considered:
    """One reading of a question with what was found and how likely it is to be answered."""

    question: Understood
    found: list[Found]
    signals: dict[str, float]
    probability: float


@dataclass(frozen=True)
class _Words:
    """What is learned from the shelves in force: vocabulary and rarity."""

    key: tuple[tuple[str, int], ...]
    vocabulary: Vocabulary
    rarity: Rarity


class Assistant:
    """Answers from published statements only."""

    def __init__(
        self,
        shelves: Shelves,
        embedder: Embedder,
        settings: Settings,
        clock: Callable[[], datetime],
        pointer: Pointer | None = None,
    ) -> None:
        self._shelves = shelves
        self._embedder = embedder
        self._settings = settings
        self._clock = clock
        self._pointer = pointer
        self._pair_model = PairModel(settings.threads)
        self._words: _Words | None = None

    def answer(self, message: Message) -> Answered:
        """Answer a message. Never raises for what a user typed; the reply says what happened."""
        started = time.perf_counter()
        timings: dict[str, float] = {}
        libraries = [BASE] + ([message.organization] if message.organization else [])
        shelves = self._shelves.current(libraries)
        timings["load"] = _ms(started)
        text = _within(message.text)
        replies: list[tuple[str, Reply]] = []
        notes: list[Considered] = []
        tokens: dict[str, int] = {}
        model: str | None = None
        for part in parts_of(text):
            considered, reply, used = self._answer_part(part, message, shelves, timings)
            notes.append(considered)
            replies.append((part, reply))
            if used is not None:
                model = used[0]
                for name, count in used[1].items():
                    tokens[name] = tokens.get(name, 0) + count
        reply = replies[0][1] if len(replies) == 1 else compose.together(replies, replies[0][1].language)
        timings["total"] = _ms(started)
        receipt = Receipt(
            answer_id=secrets.token_hex(8),
            generation={shelf.library: shelf.generation for shelf in shelves},
            model=model,
            prompt_version=prompts.version(),
            timings_ms={name: round(value, 3) for name, value in timings.items()},
            signals={**notes[0].signals, "probability": notes[0].probability},
            considered=tuple((f.shelved.id, round(f.score, 4)) for f in notes[0].found[:8]),
            reasons=tuple(f"{name} {push:+.2f}" for name, push in decider().leading(notes[0].signals)),
            tokens=tokens,
        )
        return Answered(reply, receipt)

    def shelves(self, libraries: list[str]) -> list[Shelf]:
        """The libraries named, at their current generations."""
        return self._shelves.current(libraries)

    # -- one question ------------------------------------------------------------------------------------------------

    def _answer_part(
        self, text: str, message: Message, shelves: list[Shelf], timings: dict[str, float]
    ) -> tuple[Considered, Reply, tuple[str, dict[str, int]] | None]:
        considered = self.consider(text, message.history, shelves, timings)
        language = considered.question.language
        today = self._clock().date()
        shown = [f for f in considered.found if not compose.withheld(f.shelved, today, self._settings.grace_days)]
        threshold = decider().threshold
        chosen = [f.shelved for f in choose(shown)] if considered.probability >= threshold else []
        used: tuple[str, dict[str, int]] | None = None
        if self._pointer is not None and shown:
            pointed = self._pointer.point(considered.question.text, message.history, [f.shelved for f in shown[:12]])
            timings["model"] = timings.get("model", 0.0) + pointed.ms
            used = (pointed.model, pointed.tokens) if pointed.usable else None
            if pointed.usable:
                chosen = agree(chosen, pointed.chosen, considered.probability, threshold)
        contact = self._settings.contact
        if chosen:
            best = considered.found[0].shelved
            if best not in chosen and compose.withheld(best, today, self._settings.grace_days):
                return considered, compose.held_back(best, language, contact), used
            return considered, compose.answered(chosen, language, today), used
        if considered.probability >= threshold and considered.found:
            return considered, compose.held_back(considered.found[0].shelved, language, contact), used
        near = [f.shelved for f in shown[:1] if f.cosine >= 0.45 or f.key_cosine >= 0.55]
        return considered, compose.not_covered(near, language, today, contact), used

    def consider(
        self,
        text: str,
        history: tuple[Utterance, ...],
        shelves: list[Shelf],
        timings: dict[str, float] | None = None,
    ) -> Considered:
        """Understand, search and weigh one question; a follow-up is read alone and with the turn before."""
        timings = timings if timings is not None else {}
        learned = self._learned(shelves)
        started = time.perf_counter()
        alone = understand(text, history, learned.vocabulary)
        readings = [alone]
        if alone.leans:
            joined = _with_history(alone.text, history)
            readings.append(understand(joined, (), learned.vocabulary))
        timings["understand"] = timings.get("understand", 0.0) + _ms(started)
        started = time.perf_counter()
        vectors = self._embedder.encode([reading.expanded for reading in readings])
        timings["embed"] = timings.get("embed", 0.0) + _ms(started)
        started = time.perf_counter()
        weighed = [
            self._weigh(reading, vector, shelves, learned.rarity) for reading, vector in zip(readings, vectors, strict=True)
        ]
        timings["search"] = timings.get("search", 0.0) + _ms(started)
        if len(weighed) == 1:
            return weighed[0]
        return best_reading(weighed[0], weighed[1])

    def _weigh(self, question: Understood, vector: Vectors, shelves: list[Shelf], rarity: Rarity) -> Considered:
        found = search(question, vector, shelves)
        if not found:
            return Considered(question, [], {}, 0.0)
        logits = self._pair_model.logits(pairs(question, found)).tolist() if decider().reads_pairs else []
        values = signals(question, found, rarity, known_questions(found[0], shelves), logits)
        return Considered(question, found, values, decider().probability(values))

    def _learned(self, shelves: list[Shelf]) -> _Words:
        key = tuple((shelf.library, shelf.generation) for shelf in shelves)
        if self._words is None or self._words.key != key:
            texts = [text for shelf in shelves for text in shelf.texts]
            asked = [q.text for shelf in shelves for q in shelf.questions]
            self._words = _Words(key, Vocabulary([*texts, *asked]), Rarity([*texts, *asked]))
        return self._words


def known_questions(found: Found, shelves: list[Shelf]) -> list[str]:
    """All the questions that the statement found is known to answer."""
    for shelf in shelves:
        row = found.shelved.row
        if row < len(shelf.statements) and shelf.statements[row] is found.shelved:
            return [shelf.questions[n].text for n in shelf.questions_of.get(row, ())]
    return []


def choose(found: list[Found]) -> list[Found]:
    """The best statement and up to two more that stand close to it in score."""
    if not found:
        return []
    best = found[0]
    chosen = [best]
    for item in found[1:8]:
        if len(chosen) == 3:
            break
        near = SAME_PASSAGE if item.shelved.passage.id == best.shelved.passage.id else FOLLOW_ON
        if item.score >= near * best.score:
            chosen.append(item)
    return chosen


def best_reading(alone: Considered, joined: Considered) -> Considered:
    """Of a follow-up read alone and read with the turn before, the one more likely to be answered."""
    return alone if alone.probability >= joined.probability + 0.05 else joined


def agree(local: list[Shelved], pointed: list[Shelved], probability: float, threshold: float) -> list[Shelved]:
    """Weigh the model's choice against the local signals; where they contradict each other strongly, local stands."""
    if pointed:
        return pointed if probability >= threshold * 0.4 else local
    return [] if probability < 1 - (1 - threshold) * 0.15 else local


def _with_history(text: str, history: tuple[Utterance, ...]) -> str:
    asked = [line.text for line in history if line.role == "user"]
    return f"{_within(asked[-1], 400)} {text}" if asked else text


def _within(text: str, limit: int = MAX_QUESTION_CHARS) -> str:
    return text if len(text) <= limit else f"{text[: limit // 2]} {text[-limit // 2 :]}"


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000


__all__ = ["Assistant", "Considered", "Outcome", "agree", "best_reading", "choose", "known_questions"]
