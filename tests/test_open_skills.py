"""A running check and an open lesson side by side, over the real skills: each typed line goes to the one that spoke last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.literacy.conversation import Lessons
from bot.literacy.conversation import build as build_lessons
from bot.messages import Action, Message, Person, Place, Reply
from bot.readiness.conversation import Readiness
from bot.store import Database
from bot.turn.open_skills import OpenSkills
from tests.conftest import settings_for
from tests.doubles.inbox import open_store

ANN = Person("slack:T1:U1")


class Talk:
    def __init__(self, database: Database, folder: Path) -> None:
        self.now = datetime(2026, 11, 25, 15, tzinfo=UTC)
        self.check = Readiness(database, lambda: self.now)
        self.lessons: Lessons = build_lessons(settings_for(folder), database, lambda: self.now)
        self.skill = OpenSkills(self.check, self.lessons, reminding=(self.lessons,))

    def tries(self, text: str, action: str | None = None) -> Reply | None:
        self.now += timedelta(seconds=20)
        said = Message(text, person=ANN, place=Place("slack", "T1", "D1"), at=self.now, action=Action(action) if action else None)
        return self.skill.take(said)

    def says(self, text: str) -> Reply:
        reply = self.tries(text)
        assert reply is not None, text
        return reply

    def presses(self, reply: Reply, label: str) -> Reply:
        value = next(choice.value for choice in reply.choices if choice.label == label)
        made = self.tries(value, value)
        assert made is not None
        return made

    def begins(self) -> Reply:
        return self.presses(self.says("quick pulse"), "Begin")


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    database = open_store(tmp_path)
    yield Talk(database, tmp_path)
    database.close()


def test_a_number_answers_whichever_of_check_and_lesson_spoke_last(talk: Talk) -> None:
    first = talk.begins()
    assert "Question 1 of 6" in first.markdown
    assert "Question 2 of 6" in talk.says("2").markdown
    for text in ("lesson 1", "next", "next", "next"):
        assert str(talk.says(text).fixed).startswith("lesson.")
    assert "quiz" in str(talk.says("1").fixed) or "done" in str(talk.says("1").fixed)
    shown = talk.says("show")
    assert "Question 2 of 6" in shown.markdown
    assert "Question 3 of 6" in talk.says("4").markdown
    assert "Question 4 of 6" in talk.says("not sure").markdown


def test_a_lesson_begun_in_the_middle_of_a_check_changes_nothing_of_it(talk: Talk) -> None:
    talk.begins()
    for text in ("1", "2", "lesson 2", "next", "back", "next"):
        talk.says(text)
    assert "Question 3 of 6" in talk.says("show").markdown


def test_stop_said_to_the_check_ends_the_lessons_questions_too(talk: Talk) -> None:
    for text in ("lesson 1", "next", "next", "next", "1", "2", "remind me"):
        talk.says(text)
    talk.begins()
    assert talk.says("stop").fixed == "readiness.stopped"
    assert not talk.lessons.stop(ANN.id)  # nothing is left to stop


def test_the_reminder_beside_an_answer_is_of_what_spoke_last(talk: Talk) -> None:
    talk.begins()
    talk.says("lesson 1")
    question = Message("What may staff paste into an AI tool?", person=ANN, place=Place("slack", "T1", "D1"), at=talk.now)
    aside = talk.skill.aside(question)
    assert aside is not None
    assert aside.fixed == "lesson.aside"
    talk.says("show")
    again = talk.skill.aside(question)
    assert again is not None
    assert again.fixed == "readiness.aside"


def test_a_page_of_ones_own_offers_to_begin_then_to_go_on_then_the_result(talk: Talk) -> None:
    def offered(language: str = "en") -> dict[str, str]:
        return {c.label: c.value for c in (*talk.check.home(ANN.id, language), *talk.lessons.home(ANN.id, language))}

    assert list(offered()) == ["Readiness check", "Two-minute lesson: What AI is", "All lessons"]
    talk.begins()
    talk.says("2")
    talk.says("lesson 1")
    both = offered()
    assert list(both)[:2] == ["Go on with the check, question 2 of 6", "Delete my answers"]
    assert "Go on with the lesson: What AI is" in both
    assert "Delete my lesson answers" in both
    assert "Question 2 of 6" in talk.tries("", both["Go on with the check, question 2 of 6"]).markdown  # type: ignore[union-attr]
    lesson = talk.tries("", both["Go on with the lesson: What AI is"])
    assert lesson is not None
    assert "What AI is" in lesson.markdown
    talk.says("show")
    for _ in range(5):
        talk.says("3")
    after = offered()
    result = talk.tries("", after["My last result"])
    assert result is not None
    assert result.fixed == "readiness.result"
    assert result.picture is not None
    assert talk.says("my result").fixed == "readiness.result"
    assert talk.tries("", after["Delete my answers"]).fixed == "readiness.delete_ask"  # type: ignore[union-attr]
    assert "Mi último resultado" in offered("es")
    assert all(len(label) <= 75 for label in (*offered(), *offered("es")))


def test_nobody_elses_words_are_taken_and_nobody_without_a_name(talk: Talk) -> None:
    assert talk.tries("What may staff paste into an AI tool?") is None
    said = talk.tries("my result")  # nobody else's words: it says how to get one
    assert said is not None
    assert said.fixed == "readiness.no_check"
    assert talk.skill.take(Message("quick pulse")) is None
