"""A move's question is asked once, until the library or the day is another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.messages import Citation, Message
from bot.readiness import guidance
from bot.readiness.conversation import Readiness
from bot.readiness.guidance import Remembered
from tests.doubles.clock import Clock
from tests.readiness.conftest import Visitor, quote


class Library:
    """Counts what it is asked; its state and what it finds can be changed."""

    def __init__(self) -> None:
        self.asked: list[Message] = []
        self.state = 1
        self.found: tuple[Citation, ...] = (quote(),)

    def find(self, question: Message) -> tuple[Citation, ...]:
        self.asked.append(question)
        return self.found


QUESTION = Message("What should a policy say?", organization="north", language="en")


def test_the_same_question_is_looked_up_once_until_the_library_changes() -> None:
    library = Library()
    find = Remembered(library.find, lambda _: library.state)
    assert find(QUESTION) == find(QUESTION) == library.found
    assert len(library.asked) == 1
    library.state, library.found = 2, (quote(2),)
    assert find(QUESTION) == (quote(2),)
    assert len(library.asked) == 2


def test_another_organization_or_role_is_asked_for_itself() -> None:
    library = Library()
    find = Remembered(library.find, lambda _: library.state)
    for question in (QUESTION, replace(QUESTION, organization="south"), replace(QUESTION, role="leader")):
        find(question)
    assert len(library.asked) == 3


def test_what_was_not_found_is_asked_again() -> None:
    library = Library()
    library.found = ()
    find = Remembered(library.find, lambda _: library.state)
    assert find(QUESTION) == ()
    library.found = (quote(),)
    assert find(QUESTION) == (quote(),)


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    library = Library()
    find = Remembered(library.find, lambda _: library.state)
    for n in range(guidance.MOST + 1):
        find(replace(QUESTION, text=str(n)))
    asked = len(library.asked)
    find(replace(QUESTION, text=str(guidance.MOST)))
    assert len(library.asked) == asked
    find(replace(QUESTION, text="0"))
    assert len(library.asked) == asked + 1


def test_moves_looked_up_ahead_are_not_looked_up_by_a_result(make_skill: Callable[..., Readiness], clock: Clock) -> None:
    library = Library()
    skill = make_skill(find=Remembered(library.find, lambda _: library.state))
    skill.look_up_ahead(None)
    assert len(library.asked) == len({question.text for question in library.asked}) > 6
    ahead = len(library.asked)
    taking = Visitor(skill, clock)
    taking.begins("Quick pulse")
    assert taking.answers("3", "2", "3", "1", "3", "2").citations == library.found
    assert taking.presses("Another idea").citations == library.found
    assert len(library.asked) == ahead
