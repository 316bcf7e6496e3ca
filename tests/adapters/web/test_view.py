"""Replies as the page shows them: what the buttons say is not said twice, what shares a row, what a fixed text is called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.adapters.web import view
from bot.messages import Choice, Handling, Outcome, Picture, Reply
from bot.readiness.cards import Cards
from bot.readiness.instrument import LEVELS, instrument
from bot.readiness.state import Event, fold, form_items, wordings
from bot.turn.turn import receipted

LIST = "**How far?**\n\n1. Not at all\n2. A little, here and there\n3. Not sure"


def shown(reply: Reply) -> view.Shown:
    return view.reply(receipted(reply), 1, reply.language)


def asking(*choices: Choice, markdown: str = LIST, fixed: str | None = "readiness.question") -> Reply:
    return Reply(Outcome.CLARIFY, Handling.ANSWER, markdown, "en", choices=choices, fixed=fixed)


def test_a_list_that_the_buttons_say_in_full_is_not_shown_twice_and_a_shortened_button_gets_its_whole_line() -> None:
    page = shown(
        asking(
            Choice("1", "a:1", "1. Not at all"),
            Choice("2", "a:2", "2. A little, here…"),
            Choice("?", "a:3", "Not sure"),
            Choice("Back", "b"),
        )
    )
    assert [(b.label, b.value, b.short) for b in page.choices] == [
        ("1. Not at all", "a:1", False),
        ("2. A little, here and there", "a:2", False),
        ("3. Not sure", "a:3", False),
        ("Back", "b", True),
    ]
    assert len(page.parts) == 1
    assert "How far?" in page.parts[0]


@pytest.mark.parametrize(
    "choices",
    [
        (Choice("1", "a:1", "1. Not at all"), Choice("2", "a:2", "2. A little, here…")),
        (Choice("1", "a:1", "1. Not at all"), Choice("2", "a:2", "2. Much"), Choice("3", "a:3", "Not sure")),
        (Choice("1", "a:1"), Choice("2", "a:2"), Choice("3", "a:3")),
        (),
    ],
)
def test_a_list_of_which_a_line_has_no_button_stays(choices: tuple[Choice, ...]) -> None:
    page = shown(asking(*choices))
    assert "A little, here and there" in page.parts[-1]
    assert [b.label for b in page.choices] == [c.describes or c.label for c in choices]


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_question_of_the_check_is_shown_with_each_level_once_and_whole(language: str) -> None:
    content = instrument()
    cards, items = Cards(content, language), form_items(content, "full")
    events: list[Event] = []
    for number, item in enumerate(items, 1):
        page = shown(cards.question("x", fold(items, events, wordings(content))))
        labels = [button.label for button in page.choices]
        words = content.texts[language].items[item]
        assert labels[:4] == [f"{level}. {words.levels[level]}" for level in LEVELS]
        assert not any(words.levels[level] in part for part in page.parts for level in LEVELS)
        assert page.title == ""
        events.append(Event(number, "answer", item, 2, words.wording, ""))


def test_only_a_question_of_the_assistant_is_called_a_question_back() -> None:
    assert shown(asking(fixed=None)).title != ""
    assert shown(asking()).title == ""


def test_a_picture_has_its_words_for_who_does_not_see_it() -> None:
    reply = replace(asking(), picture=Picture(b"png", "Level 3 of 4"))
    page = shown(reply)
    assert (page.picture, page.picture_says) == ("/pictures/1", "Level 3 of 4")
