"""Typed words: what starts a lesson, what is a question for the assistant, what counts as an answer."""

from __future__ import annotations

import pytest

from bot.literacy.lessons import LANGUAGES, catalogue
from bot.literacy.phrases import Request, option, phrases, request, word

ALL = catalogue()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("teach me", Request("list", "en")),
        ("Lessons", Request("list", "en")),
        ("What should I learn?", Request("advise", "en")),
        ("two-minute lesson on bias", Request("lesson", "en", "swap-test")),
        ("Two-Minute Lesson: deepfakes!", Request("lesson", "en", "care")),
        ("teach me about FERPA", Request("lesson", "en", "student-data")),
        ("lesson 7", Request("lesson", "en", "help-or-crutch")),
        ("give me a lesson on AI detectors", Request("lesson", "en", "honest-work")),
        ("delete my lessons", Request("delete_all", "en")),
        ("Lección 3", Request("lesson", "es", "student-data")),
        ("lecciones", Request("list", "es")),
        ("¿Qué debo aprender?", Request("advise", "es")),
        ("Enséñame sobre el sesgo", Request("lesson", "es", "swap-test")),
        ("borrar mis lecciones", Request("delete_all", "es")),
    ],
)
def test_words_that_start_a_lesson(text: str, wanted: Request) -> None:
    assert request(text, ALL) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What is FERPA?",
        "lesson plans with AI",
        "lesson plan on bias",
        "Can teachers use AI to write a lesson on fractions?",
        "teach me about AI bias in hiring",
        "how do I teach students about bias?",
        "lesson 13",
        "next",
        "stop",
        "2",
        "resume writing with AI",
        "what did the lawsuit teach us",
        "what should i learn from the OCR letter",
        "x" * 5000,
    ],
)
def test_questions_are_left_to_the_assistant(text: str) -> None:
    assert request(text, ALL) is None


def test_every_lesson_is_found_by_number_title_and_each_of_its_names_in_both_languages() -> None:
    for language, opening in (("en", "lesson on"), ("es", "lección sobre")):
        for lesson in ALL.lessons:
            words = lesson.words(language)
            for said in (str(lesson.number), words.title, *words.names):
                found = request(f"{opening} {said}", ALL)
                assert found is not None, said
                assert found.lesson == lesson.id, said


def test_no_word_means_two_commands() -> None:
    for language in LANGUAGES:
        seen: dict[str, str] = {}
        for name, said in phrases(language).words.model_dump().items():
            for typed in said:
                assert seen.setdefault(typed, name) == name, typed


@pytest.mark.parametrize(
    ("text", "command"), [("Next!", "next"), ("SIGUIENTE", "next"), ("más", "next"), ("Stop.", "stop"), ("alto", "stop")]
)
def test_command_words_in_any_case_with_or_without_accents(text: str, command: str) -> None:
    found = word(text)
    assert found is not None
    assert found[0] == command


OPTIONS = ("Use it, a source is a good sign", "Ask the AI if it is sure", "Open it and see if it says that")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2", 2),
        ("b", 2),
        (" C) ", 3),
        ("ask the ai if it is sure", 2),
        ("Ask the AI if it's sure", 2),
        ("open it and see if it says tht", 3),
        ("open it", 3),
        ("4", None),
        ("0", None),
        ("what does open mean here?", None),
        ("", None),
        ("it", None),
    ],
)
def test_an_option_by_number_letter_or_words(text: str, wanted: int | None) -> None:
    assert option(text, OPTIONS) == wanted


def test_true_and_false_by_word() -> None:
    assert option("false", ("True", "True for grade 9 and up", "False")) == 3
    assert option("true", ("True", "True for grade 9 and up", "False")) == 1
