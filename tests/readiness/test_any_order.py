"""Any order of presses and typed lines, old cards, two devices, restarts, pauses: no answer is lost or changed unasked."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import create_engine, select
from sqlalchemy.pool import StaticPool

from bot.messages import Action, Message, Person, Place, Reply
from bot.readiness import record
from bot.readiness.cards import parse
from bot.readiness.conversation import Readiness
from bot.readiness.instrument import instrument
from bot.store import Database
from bot.store.database import _prepare_sqlite
from bot.store.readiness_tables import READINESS, checks
from bot.store.tables import metadata
from tests.readiness.conftest import Clock

PERSON = Person("slack:T1:U1")
CONTENT = instrument()


@dataclass(frozen=True)
class Card:
    """A button that somebody saw, and how many answers had been accepted when it was drawn."""

    value: str
    drawn: int
    check: int


class AnyOrder(RuleBasedStateMachine):
    """The model: what each question's answer should be, by the promise alone."""

    def __init__(self) -> None:
        super().__init__()
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        _prepare_sqlite(engine)
        metadata.create_all(engine, tables=list(READINESS))
        self.database = Database(engine)
        self.clock = Clock()
        self.seen: list[Card] = []
        self.answers: dict[str, int | None] = {}
        self.given: dict[str, int] = {}
        self.accepted = 0
        self.check = 0
        self.open = False
        self.last: Reply | None = None
        self.idle_hours = 0
        self.restart()

    # -- helpers -----------------------------------------------------------------------------------------------------

    def take(self, text: str = "", value: str | None = None, late: bool = False) -> Reply | None:
        self.clock.pass_(seconds=3)
        at = self.clock.now if not late else self.shown_at.replace(microsecond=0) - (self.clock.now - self.shown_at)
        action = Action(value) if value else None
        place = Place("slack", "T1", "D1")
        reply = self.skill.take(Message(text, person=PERSON, place=place, at=at, action=action))
        if reply is not None:
            self.last = reply
            if not late:
                self.shown_at = self.clock.now
            if reply.fixed == "readiness.result":
                self.open = False
            if reply.fixed == "readiness.question":
                self.idle_hours = 0
            for choice in reply.choices:
                if parse(choice.value):
                    self.seen.append(Card(choice.value, self.accepted, self.check))
        return reply

    def should_answer(self, item: str, level: int | None, drawn: int) -> None:
        """What an answer given on a card drawn then must do."""
        if item in self.answers and (self.answers[item] == level or self.given[item] > drawn):
            return
        self.accepted += 1
        self.answers[item], self.given[item] = level, self.accepted

    # -- what can happen ---------------------------------------------------------------------------------------------

    @initialize(form=st.sampled_from(["Quick pulse", "Mini check"]))
    def begin(self, form: str) -> None:
        self.shown_at = self.clock.now
        self.start(form)

    def start(self, form: str) -> None:
        reply = self.take("check")
        assert reply is not None
        if any(c.label == "Start over" for c in reply.choices):
            reply = self.take(value=next(c.value for c in reply.choices if c.label == "Start over"))
            assert reply is not None
        self.answers, self.given, self.open = {}, {}, True
        self.check += 1
        reply = self.take(value=next(c.value for c in reply.choices if c.label == form))
        if reply is not None and any(c.label == "Start fresh" for c in reply.choices):
            self.take(value=next(c.value for c in reply.choices if c.label == "Start fresh"))

    @rule(form=st.sampled_from(["Quick pulse", "Mini check"]))
    @precondition(lambda self: not self.open)
    def begin_again(self, form: str) -> None:
        self.start(form)

    @rule(place=st.integers(0, 400), new=st.booleans())
    def press_any_card_ever_seen(self, place: int, new: bool) -> None:
        cards = self.seen[-9:] if new else self.seen
        card = cards[place % len(cards)]
        press = parse(card.value)
        assert press is not None
        if self.open and card.check == self.check and press.what in ("1", "2", "3", "4", "ns"):
            self.should_answer(press.item, None if press.what == "ns" else int(press.what), card.drawn)
        self.take(value=card.value)

    @rule(level=st.integers(1, 4))
    @precondition(lambda self: self.open and self.last is not None and self.last.fixed == "readiness.question")
    def type_an_answer(self, level: int) -> None:
        assert self.last is not None
        press = parse(self.last.choices[0].value)
        assert press is not None
        self.should_answer(press.item, level, self.accepted)
        self.take(str(level))

    @rule(level=st.integers(1, 4))
    @precondition(lambda self: self.open and self.last is not None and self.last.fixed == "readiness.question")
    def type_an_answer_to_what_is_no_longer_shown(self, level: int) -> None:
        self.take(str(level), late=True)

    @rule(
        word=st.sampled_from(
            ["back", "skip", "pause", "stop", "resume", "show", "check", "what is a plan?", "hello", "77", "yes", "no"]
        )
    )
    def type_a_word(self, word: str) -> None:
        if word == "yes" and self.last is not None and self.last.fixed in ("readiness.conflict", "readiness.delete_ask"):
            return
        self.take(word)

    @rule(sure=st.booleans())
    def delete(self, sure: bool) -> None:
        reply = self.take("delete my answers")
        if reply is not None and reply.fixed == "readiness.delete_ask":
            self.take("yes" if sure else "no")
            if sure:
                self.answers, self.given, self.open = {}, {}, False

    @rule()
    @precondition(lambda self: self.last is not None and self.last.fixed == "readiness.conflict")
    def confirm_a_change(self) -> None:
        assert self.last is not None
        press = parse(self.last.choices[0].value)
        assert press is not None
        self.should_answer(press.item, None if press.what == "ns" else int(press.what), self.accepted)
        self.take("yes")

    @rule()
    def restart(self) -> None:
        self.skill = Readiness(self.database, self.clock, content=CONTENT)

    @rule(hours=st.sampled_from([1, 30, 100]))
    def time_passes(self, hours: int) -> None:
        # Expiry after fourteen days is proved elsewhere.
        self.idle_hours += hours
        if self.idle_hours > 300:
            return
        self.clock.pass_(hours=hours)
        # After a day a typed number shows the question again instead of counting; the card itself still works.
        if hours > 24:
            self.last = None

    @rule()
    def the_assistant_answers_in_between(self) -> None:
        self.skill.aside(Message("x", person=PERSON, place=Place("slack", "T1", "D1")))
        self.last = None

    # -- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def every_answer_is_kept_and_none_is_changed_unasked(self) -> None:
        with self.database.reading() as connection:
            row = connection.execute(select(checks.c.id).order_by(checks.c.started_at.desc(), checks.c.id)).first()
            if row is None:
                assert not self.answers
                return
            found = record.by_id(connection, row.id, PERSON.id)
            assert found is not None
            kept = record.answers_of(connection, CONTENT, found)
        if self.check:
            assert kept == self.answers


@pytest.mark.timeout(600)
class TestAnyOrder(AnyOrder.TestCase):  # type: ignore[name-defined]
    """The machine, as pytest runs it."""

    settings = settings(max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
