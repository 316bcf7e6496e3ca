"""The assistant: one question in, one reply and its receipt out. Called by ``bot.turn`` for every door."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from bot import prompts
from bot.assistant import compose
from bot.assistant.decide import THRESHOLD, deciders
from bot.assistant.pointing import Pointer, labelled, request
from bot.assistant.understand import parts_of
from bot.assistant.weigh import Considered, Weigher, choose, within
from bot.knowledge.embedding import Embedder, Vectors
from bot.knowledge.library import BASE
from bot.knowledge.shelf import Shelf, Shelved, Shelves
from bot.messages import Answered, Message, Receipt, Reply, Utterance
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.assistant.restating import Restater

MAX_QUESTION_CHARS = 2_000

OFFERED = 12
"""Statements a chat model may point at."""

NEAR_COSINE, NEAR_KEY_COSINE = 0.45, 0.55
"""From these similarities on, the nearest statement is worth showing under "not covered"."""

TIED = 0.03
"""Two states' documents this close in score are equally good readings of a question that names no state."""


class Assistant:
    """Answers from published statements only."""

    def __init__(
        self,
        shelves: Shelves,
        embedder: Embedder,
        settings: Settings,
        clock: Callable[[], datetime],
        pointer: Pointer | None = None,
        restater: Restater | None = None,
    ) -> None:
        """``pointer`` and ``restater`` ask a chat model; without them the library speaks alone."""
        self._shelves = shelves
        self._weigher = Weigher(embedder)
        self._settings = settings
        self._clock = clock
        self._pointer = pointer
        self._restater = restater
        self._addresses: tuple[tuple[tuple[str, int], ...], tuple[str, ...]] = ((), ())

    def answer(self, message: Message, vectors: Mapping[str, Vectors] | None = None) -> Answered:
        """Answer a message. Never raises for what a user typed; the reply says what happened. ``vectors`` are of texts that
        were embedded in this turn already."""
        started = time.perf_counter()
        timings: dict[str, float] = {}
        shelves = self.shelves([BASE] + ([message.organization] if message.organization else []))
        timings["load"] = (time.perf_counter() - started) * 1000
        replies: list[tuple[str, Reply]] = []
        notes: list[Considered] = []
        tokens: dict[str, int] = {}
        model: str | None = None
        for part in parts_of(within(message.text, MAX_QUESTION_CHARS)):
            considered, reply, used = self._answer_part(part, message, shelves, timings, vectors or {})
            notes.append(considered)
            replies.append((part, reply))
            if used is not None:
                model = used[0]
                for name, count in used[1].items():
                    tokens[name] = tokens.get(name, 0) + count
        reply = replies[0][1] if len(replies) == 1 else compose.together(replies, replies[0][1].language)
        timings["total"] = (time.perf_counter() - started) * 1000
        first = notes[0]
        receipt = Receipt(
            answer_id=secrets.token_hex(8),
            generation={shelf.library: shelf.generation for shelf in shelves},
            model=model,
            prompt_version=prompts.version(),
            timings_ms={name: round(value, 3) for name, value in timings.items()},
            signals={**first.signals, "probability": first.probability},
            considered=tuple((f.shelved.id, round(f.score, 4)) for f in first.found[:8]),
            reasons=tuple(f"{name} {push:+.2f}" for name, push in deciders().of(first.signals).leading(first.signals)),
            tokens=tokens,
        )
        return Answered(reply, receipt)

    def shelves(self, libraries: list[str]) -> list[Shelf]:
        """The libraries named, at their current generations."""
        return self._shelves.current(libraries)

    def addresses(self) -> tuple[str, ...]:
        """Every web address a reply may carry: those of the documents in force and of their sources."""
        shelves = self._shelves.all()
        key = tuple((shelf.library, shelf.generation) for shelf in shelves)
        if self._addresses[0] != key:
            fronts = {s.version.id: s.version.front for shelf in shelves for s in shelf.statements}.values()
            found = {url for front in fronts for url in (front.url, *(source.url for source in front.sources.values())) if url}
            self._addresses = (key, tuple(sorted(found)))
        return self._addresses[1]

    def consider(
        self, text: str, history: tuple[Utterance, ...], shelves: list[Shelf], ignoring: str = "", home: str = ""
    ) -> Considered:
        """Search and weigh one question without answering it."""
        return self._weigher.consider(text, history, shelves, home=home, ignoring=ignoring)

    def requests(self, message: Message) -> list[str]:
        """What a chat model is sent for a message, or would be if one were configured. Nothing is sent."""
        shelves = self.shelves([BASE] + ([message.organization] if message.organization else []))
        texts: list[str] = []
        for part in parts_of(within(message.text, MAX_QUESTION_CHARS)):
            considered = self.consider(part, message.history, shelves, home=self._settings.jurisdiction)
            texts += request(considered.question.text, message.history, labelled(self._offered(considered)))
        return texts

    def _offered(self, considered: Considered) -> list[Shelved]:
        today, grace = self._clock().date(), self._settings.grace_days
        return [f.shelved for f in considered.found if not compose.withheld(f.shelved, today, grace)][:OFFERED]

    def _answer_part(
        self, text: str, message: Message, shelves: list[Shelf], timings: dict[str, float], vectors: Mapping[str, Vectors]
    ) -> tuple[Considered, Reply, tuple[str, dict[str, int]] | None]:
        home = self._settings.jurisdiction
        considered = self._weigher.consider(text, message.history, shelves, timings=timings, home=home, vectors=vectors)
        language = message.language or considered.question.language
        today, grace, contact = self._clock().date(), self._settings.grace_days, self._settings.contact
        picked = [f.shelved for f in choose(considered)] if considered.answers else []
        chosen = [s for s in picked if not compose.withheld(s, today, grace)]
        offered = self._offered(considered)
        used: tuple[str, dict[str, int]] | None = None
        if self._pointer is not None and offered:
            pointed = self._pointer.point(considered.question.text, message.history, offered)
            timings["model"] = timings.get("model", 0.0) + pointed.ms
            if pointed.usable:
                used = (pointed.model, pointed.tokens)
                chosen = agree(chosen, pointed.chosen, considered.probability)
        if chosen:
            if used is None and (states := tied_states(considered, home)):
                return considered, compose.clarify(states, language), used
            told = (prompts.messages(language).model_note,) if used is not None else ()
            reply = compose.answered(chosen, language, today, told)
            if self._restater is None:
                return considered, reply, used
            restated = self._restater.restate([c.quote for c in reply.citations], language)
            timings["model"] = timings.get("model", 0.0) + restated.ms
            counted = used[1] if used is not None else {}
            used = (restated.model, {k: counted.get(k, 0) + restated.tokens.get(k, 0) for k in {*counted, *restated.tokens}})
            return considered, compose.with_restatement(reply, restated.text) if restated.text else reply, used
        if picked and used is None:
            return considered, compose.held_back(picked[0], language, contact), used
        near = [
            f.shelved
            for f in considered.found[:1]
            if (f.cosine >= NEAR_COSINE or f.key_cosine >= NEAR_KEY_COSINE) and f.shelved in offered
        ]
        return considered, compose.not_covered(near, language, today, contact), used


def agree(local: list[Shelved], pointed: list[Shelved], probability: float) -> list[Shelved]:
    """Weigh the model's choice against the local signals; where they contradict each other strongly, local stands."""
    if pointed:
        return pointed if probability >= THRESHOLD * 0.4 else local
    return [] if probability < 1 - (1 - THRESHOLD) * 0.15 else local


def tied_states(considered: Considered, home: str) -> list[tuple[str, str]]:
    """Where two states' documents answer equally well and the question names no place: each as (label, question)."""
    leading = considered.leading
    if leading is None or home or any(name.kind in ("states", "places") for name in considered.question.names):
        return []
    best = leading.found[0]
    tied = [f.shelved.version.front for f in leading.found[:6] if f.score >= best.score - TIED]
    states = list(dict.fromkeys(front.jurisdiction for front in tied))
    if len(states) < 2 or any(front.level != "state" for front in tied) or "US states" in states:
        return []
    return [(state, f"{considered.question.asked.rstrip(' ?')} ({state})?") for state in states[:3]]
