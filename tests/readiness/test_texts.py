"""The texts: short enough for the stated time, plain enough for grade 8, and never claiming what they must not."""

from __future__ import annotations

import random
import re
from datetime import date

import pytest

from bot.readiness.cards import Cards
from bot.readiness.instrument import LEVELS, instrument
from bot.readiness.result import Words, result_of
from bot.readiness.state import Event, fold, form_items, wordings
from tests.readiness.reading import DECIDE_SECONDS, grade, seconds, words

CONTENT = instrument()


def questions(form: str, language: str = "en") -> list[str]:
    """Every question message of a form, as it is sent when answers are pressed."""
    cards, items = Cards(CONTENT, language), form_items(CONTENT, form)  # type: ignore[arg-type]
    texts, sent = CONTENT.texts[language].items, []
    events: list[Event] = []
    for number, item in enumerate(items, 1):
        sent.append(cards.question("x", fold(items, events, wordings(CONTENT))).markdown)
        events.append(Event(number, "answer", item, 2, texts[item].wording, ""))
    return sent


@pytest.mark.parametrize("form", ["pulse", "full"])
def test_every_message_of_a_form_is_read_and_answered_within_the_stated_minutes(form: str) -> None:
    stated = 60 * CONTENT.rules.forms[form].minutes  # type: ignore[index]
    sent = questions(form)
    assert len(sent) == len(CONTENT.rules.forms[form].items)  # type: ignore[index]
    assert sum(seconds(text) + DECIDE_SECONDS for text in sent) <= stated


def test_the_introduction_takes_less_than_half_a_minute() -> None:
    for language in ("en", "es"):
        cards = Cards(CONTENT, language)
        for form in (None, "pulse", "full"):
            intro = cards.intro(form, 5, None, draft=False).markdown  # type: ignore[arg-type]
            assert seconds(intro) < 30
            assert len(words(intro)) < 105


def test_no_question_takes_longer_than_twenty_seconds_to_read() -> None:
    assert max(seconds(text) for text in questions("full")) < 20
    assert max(seconds(text) for text in questions("full", "es")) < 24


def fixed_texts() -> list[tuple[str, str]]:
    """Every English text longer than a few words, with its name."""
    texts, found = CONTENT.texts["en"], []
    for key, text in CONTENT.sayings["en"].say.items():
        if not key.startswith("deeper"):  # names of other people's tools
            found.append((key, re.sub(r"\{\w+\}", "it", text)))
    for name, item in texts.items.items():
        found.append((name, "\n".join([item.ask, *(item.levels[level] for level in LEVELS)])))
    return found


def test_fixed_texts_are_at_grade_eight_or_below() -> None:
    hard = [(round(grade(text), 1), name) for name, text in fixed_texts() if len(words(text)) >= 12 and grade(text) > 8]
    assert hard == []


def test_the_instrument_as_a_whole_reads_at_grade_eight_or_below() -> None:
    moves = [m for item in CONTENT.texts["en"].items.values() for m in item.moves.values()]
    assert grade("\n".join(text for _, text in fixed_texts())) <= 6.5
    assert grade("\n".join(f"{m.do}\n{m.done_when}." for m in moves)) <= 8


def all_texts(language: str) -> str:
    """Everything anybody can be shown, in one string."""
    found: list[str] = [*CONTENT.sayings[language].say.values(), *CONTENT.sayings[language].label.values()]
    texts = CONTENT.texts[language]
    found += texts.forms.values()
    found += texts.levels.values()
    found += texts.dimensions.values()
    found += [f"{s.name} {s.means}" for s in texts.stages.values()]
    for balance in texts.balance.values():
        found += balance.model_dump().values()
    for item in texts.items.values():
        found += [item.ask, item.who_knows, item.topic, *item.levels.values()]
        found += [part for move in item.moves.values() for part in move.model_dump().values()]
    return "\n".join(found)


@pytest.mark.parametrize("language", ["en", "es"])
def test_nothing_that_is_never_said_is_said(language: str) -> None:
    said = all_texts(language).casefold()
    for phrase in CONTENT.rules.never_say[language]:
        assert re.search(rf"\b{re.escape(phrase.casefold())}\b", said) is None, phrase


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_result_claims_what_is_never_said_or_shows_a_decimal(language: str) -> None:
    chance = random.Random(7)
    for _ in range(300):
        form = chance.choice(["pulse", "full"])
        answers = {item: chance.choice([1, 2, 3, 4, 4, None]) for item in form_items(CONTENT, form)}  # type: ignore[arg-type]
        result = result_of(CONTENT, language, form, answers, date(2026, 11, 25))
        move = result.score.next[1] if result.score.next else None
        text = Words(CONTENT, language, result).all(move=move, citations=(), contact="", retake_days=60, change=None)
        assert re.search(r"\d\.\d", text) is None
        for phrase in CONTENT.rules.never_say[language]:
            assert re.search(rf"\b{re.escape(phrase.casefold())}\b", text.casefold()) is None
        assert text.count("{") == 0


def test_no_text_cheers_or_uses_an_exclamation_mark() -> None:
    for language in ("en", "es"):
        assert "!" not in all_texts(language)


def test_the_sixty_moves_are_all_different_in_both_languages() -> None:
    for texts in CONTENT.texts.values():
        moves = [move.do for item in texts.items.values() for move in item.moves.values()]
        assert len(moves) == len(set(moves)) == 60


def test_both_languages_number_the_same_levels_and_differ_in_words() -> None:
    for name, item in CONTENT.texts["en"].items.items():
        other = CONTENT.texts["es"].items[name]
        assert item.ask != other.ask
        assert all(item.levels[level] != other.levels[level] for level in LEVELS)
