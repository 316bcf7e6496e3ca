"""The words and buttons of the check and of the lessons reach them, whatever the guardrails' classifier takes them for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.app import App
from bot.guardrails.policy import rules
from bot.literacy import phrases
from bot.messages import Action, Handling, Message, Outcome, Person, Place, Reply
from bot.readiness.instrument import LEVELS, instrument
from bot.store.outbox_tables import outbox
from bot.turn.stages import Screened

STARTS = sorted(
    {phrase for said in instrument().sayings.values() for key in ("check", "pulse", "full") for phrase in said.understand[key]}
)


def typed(text: str, name: str, action: str = "") -> Message:
    return Message(
        text, person=Person(f"web:{name}"), place=Place("web", "local", name), action=Action(action) if action else None
    )


def everything_is_a_crisis(message: Message) -> Screened:
    """The worst that a classifier can do."""
    reply = Reply(Outcome.ROUTED, Handling.CRISIS, "Stop. Call.", "en", fixed="crisis.self_harm", rule="crisis.self_harm")
    return Screened("", "", reply, rule="crisis.self_harm", alarm="crisis.self_harm")


@pytest.fixture
def alarmed(data_dir: Path, make_app: Callable[..., App]) -> App:
    """An app whose screen takes all for a crisis, and that tells someone of each."""
    app = make_app(data_dir, crisis_notify="slack:T1:U1")
    app.turn._screen = everything_is_a_crisis
    return app


def told(app: App) -> int:
    with app.database.reading() as connection:
        return len(connection.execute(select(outbox.c.id)).all())


def test_every_way_to_ask_for_a_check_is_a_check_to_the_real_guardrails(shared_app: App) -> None:
    for text in STARTS:
        reply = shared_app.turn.take(typed(text, "starts")).reply
        assert (reply.fixed or "").startswith("readiness."), f"{text!r}: {reply.rule or reply.markdown[:80]}"


def test_every_word_for_the_lessons_reaches_them(shared_app: App) -> None:
    for language in phrases.LANGUAGES:
        for asked in ("list", "advise"):
            for text in getattr(phrases.phrases(language).words, asked):
                reply = shared_app.turn.take(typed(text, "lessons")).reply
                assert (reply.fixed or "").startswith("lesson"), f"{text!r}: {reply.rule or reply.markdown[:80]}"


def test_no_verdict_stands_before_an_own_word_and_nobody_is_alarmed(alarmed: App) -> None:
    assert alarmed.turn.take(typed("quick pulse", "a")).reply.fixed == "readiness.intro"
    assert alarmed.turn.take(typed("begin", "a", "check:begin:pulse@en")).reply.fixed == "readiness.question"
    item = instrument().rules.forms["pulse"].items[0]
    own = instrument().texts["en"].items[item].levels[LEVELS[1]]
    assert "Question 2 of 6" in alarmed.turn.take(typed(own, "a")).reply.markdown
    assert "Question 3 of 6" in alarmed.turn.take(typed("not sure", "a")).reply.markdown
    assert alarmed.turn.take(typed("stop", "a")).reply.fixed == "readiness.stopped"
    assert alarmed.turn.take(typed("lessons", "b")).reply.fixed == "lesson.list"
    assert told(alarmed) == 0


@pytest.mark.parametrize(
    "text", ["quick pulse, he has no pulse", "check on her, she took pills", "stop hitting me", "3 boys hurt her"]
)
def test_a_message_that_only_holds_such_a_word_is_screened_as_any_other(alarmed: App, text: str) -> None:
    alarmed.turn.take(typed("quick pulse", "a"))
    alarmed.turn.take(typed("begin", "a", "check:begin:pulse@en"))
    assert alarmed.turn.take(typed(text, "a")).reply.rule == "crisis.self_harm"
    assert told(alarmed) == 1


def test_where_others_read_along_a_bare_word_is_not_the_checks(alarmed: App) -> None:
    there = replace(typed("skip", "a"), place=Place("slack", "T1", "C1", kind="channel"))
    assert alarmed.turn.take(there).reply.rule == "crisis.self_harm"


@pytest.mark.parametrize(
    "text", ["grade", "grades", "k", "skip", "dunno", "idk", "?", "hmm", "help me", "go on", "maybe", "hola"]
)
def test_a_word_that_asks_for_nothing_is_neither_refused_nor_taken_for_a_crisis(shared_app: App, text: str) -> None:
    reply = shared_app.turn.take(typed(text, "words")).reply
    assert reply.markdown.strip()
    named = rules().get(reply.rule or "")
    assert named is None or named.handling in (Handling.SMALLTALK, Handling.OUT_OF_SCOPE), reply.rule
