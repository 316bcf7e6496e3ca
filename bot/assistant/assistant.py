"""The assistant: one question in, one reply and its receipt out. Called by ``bot.turn`` for every door."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
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

PLAINLY, PLAINLY_OWN = 0.9, 0.7
"""Probability from which a message is the shared library's, or an organization's own documents', whatever else it was taken
for. Of 140 messages out of scope none reaches the first, and four the second where a page speaks of lunch, buses, the gym."""

TIED = 0.03
"""Two states' documents this close in score are equally good readings of a question that names no state."""


@dataclass
class _Underway:
    """One message being answered: what its parts share, and what the model has cost. ``until`` bounds all of its calls."""

    message: Message
    shelves: list[Shelf]
    vectors: Mapping[str, Vectors]
    until: float | None
    timings: dict[str, float] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    model: str | None = None

    def note(self, model: str | None, ms: float, tokens: dict[str, int]) -> None:
        """Add a call: the model that took part (None when its reply was of no use), milliseconds, tokens."""
        self.model = model or self.model
        self.timings["model"] = self.timings.get("model", 0.0) + ms
        for name, count in tokens.items():
            self.tokens[name] = self.tokens.get(name, 0) + count


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
        shelves = self.shelves([BASE] + ([message.organization] if message.organization else []))
        until = self._pointer.deadline() if self._pointer is not None else None
        underway = _Underway(message, shelves, vectors or {}, until)
        underway.timings["load"] = (time.perf_counter() - started) * 1000
        replies: list[tuple[str, Reply]] = []
        notes: list[Considered] = []
        for part in parts_of(within(message.text, MAX_QUESTION_CHARS)):
            considered, reply = self._answer_part(part, underway)
            notes.append(considered)
            replies.append((part, reply))
        reply = replies[0][1] if len(replies) == 1 else compose.together(replies, replies[0][1].language)
        underway.timings["total"] = (time.perf_counter() - started) * 1000
        first = notes[0]
        receipt = Receipt(
            answer_id=secrets.token_hex(8),
            generation={shelf.library: shelf.generation for shelf in shelves},
            model=underway.model,
            prompt_version=prompts.version(),
            timings_ms={name: round(value, 3) for name, value in underway.timings.items()},
            signals={name: round(value, 5) for name, value in {**first.signals, "probability": first.probability}.items()},
            considered=tuple((f.shelved.id, round(f.score, 4)) for f in first.found[:8]),
            reasons=tuple(f"{name} {push:+.2f}" for name, push in deciders().of(first.signals).leading(first.signals)),
            tokens=underway.tokens,
        )
        return Answered(reply, receipt)

    def plainly_covers(self, message: Message, vectors: Mapping[str, Vectors] | None = None) -> bool:
        """Whether a library answers a message without much doubt; nothing is composed and no model is asked. ``vectors`` as for
        :meth:`answer`."""
        text, home = within(message.text, MAX_QUESTION_CHARS), self._settings.jurisdiction
        wanted = {BASE: PLAINLY} | ({message.organization: PLAINLY_OWN} if message.organization else {})
        return any(
            self._weigher.consider(text, message.history, [shelf], home=home, vectors=vectors).probability >= least
            for library, least in wanted.items()
            for shelf in self.shelves([library])
        )

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
        self, text: str, history: tuple[Utterance, ...], shelves: list[Shelf], ignoring: Collection[str] = (), home: str = ""
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

    def _answer_part(self, text: str, underway: _Underway) -> tuple[Considered, Reply]:
        message, home = underway.message, self._settings.jurisdiction
        considered = self._weigher.consider(
            text, message.history, underway.shelves, timings=underway.timings, home=home, vectors=underway.vectors
        )
        language = message.language or considered.question.language
        today, grace, contact = self._clock().date(), self._settings.grace_days, self._settings.contact
        picked = [f.shelved for f in choose(considered)] if considered.answers else []
        chosen = [s for s in picked if not compose.withheld(s, today, grace)]
        offered = self._offered(considered)
        pointed: list[Shelved] | None = None
        if self._pointer is not None and offered:
            pointed = self._point(self._pointer, considered, offered, underway)
            if pointed is not None:
                chosen = agree(chosen, pointed, considered.probability)
            picked, chosen, offered = (self._in_force(some, underway) for some in (picked, chosen, offered))
        if chosen:
            if pointed is None and (states := tied_states(considered, home)):
                return considered, compose.clarify(states, language)
            told = (prompts.messages(language).model_note,) if pointed is not None else ()
            return considered, self._quoted(chosen, language, told, underway)
        if picked and pointed is None:
            return considered, compose.held_back(picked[0], language, contact)
        near = [
            f.shelved
            for f in considered.found[:1]
            if (f.cosine >= NEAR_COSINE or f.key_cosine >= NEAR_KEY_COSINE) and f.shelved in offered
        ]
        return considered, compose.not_covered(near, language, today, contact)

    def _point(
        self, pointer: Pointer, considered: Considered, offered: list[Shelved], underway: _Underway
    ) -> list[Shelved] | None:
        """What the model points at; None when it was of no use."""
        pointed = pointer.point(considered.question.text, underway.message.history, offered, underway.until)
        underway.note(pointed.model if pointed.usable else None, pointed.ms, pointed.tokens if pointed.usable else {})
        return pointed.chosen if pointed.usable else None

    def _quoted(self, chosen: list[Shelved], language: str, told: tuple[str, ...], underway: _Underway) -> Reply:
        """The answer that quotes ``chosen``, restated below where that is wanted and passes."""
        today = self._clock().date()
        reply = compose.answered(chosen, language, today, told)
        if self._restater is None:
            return reply
        restated = self._restater.restate([c.quote for c in reply.citations], language, underway.until)
        underway.note(restated.model, restated.ms, restated.tokens)
        still = self._in_force(chosen, underway)
        if len(still) < len(chosen):
            # What was restated is no longer all in force: the quotes that are stand without a restatement.
            return (
                compose.answered(still, language, today, told)
                if still
                else compose.not_covered([], language, today, self._settings.contact)
            )
        return compose.with_restatement(reply, restated.text) if restated.text else reply

    def _in_force(self, statements: list[Shelved], underway: _Underway) -> list[Shelved]:
        """Those still published: a document may have been retired while the model was thinking."""
        now = self.shelves([shelf.library for shelf in underway.shelves])
        if now == underway.shelves:
            return statements
        versions = {version for shelf in now for version in shelf.versions}
        return [statement for statement in statements if statement.version.id in versions]


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
