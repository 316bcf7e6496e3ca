"""What people read: short, plain, complete by typing, and honest about dates and drafts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.literacy import cards
from bot.literacy.course import DONE, Learner, Run, Shown
from bot.literacy.lessons import LANGUAGES, RETURN_DAYS, Lesson, catalogue
from bot.literacy.phrases import phrases
from bot.messages import Reply
from tests.literacy.reading import ease_es, grade_en, minutes, words

ALL = catalogue().lessons
NOW = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
TODAY = NOW.date()
SECONDS_A_QUESTION = 12
"""Time to choose an answer, in the stated two minutes."""


def _run(lesson: Lesson, step: int) -> Run:
    answers = {4: (1,), DONE: (1, 2)}.get(step, ())
    return Run(lesson.id, 1, lesson.content, step, answers, NOW, NOW, NOW if step == DONE else None)


def _cards(lesson: Lesson, setting: cards.Setting) -> Iterator[Reply]:
    for step in range(3):
        yield cards.page(lesson, _run(lesson, step), setting)
    yield cards.question(lesson, _run(lesson, 3), setting, (setting.phrases.privacy,))
    for option in (1, 2, 3):
        yield cards.question(lesson, _run(lesson, 4), setting, cards.feedback(lesson, (0, option), setting))
    for option in (1, 2, 3):
        run = _run(lesson, DONE)
        learner = Learner("p", runs=(run,))
        yield cards.done(lesson, run, learner, catalogue(), setting, cards.feedback(lesson, (1, option), setting))
    for day in RETURN_DAYS:
        yield cards.return_question(lesson, day, setting)
        for option in (1, 2, 3):
            yield cards.return_feedback(lesson, Shown("return", lesson.id, day=day, option=option), setting)


def _setting(language: str, **changes: object) -> cards.Setting:
    setting = cards.Setting(language, TODAY, contact="AI lead, ext. 12")
    return replace(setting, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.id)
def test_every_message_is_under_eighty_words(lesson: Lesson, language: str) -> None:
    for reply in _cards(lesson, _setting(language)):
        assert len(words(reply.markdown)) < 80, (reply.fixed, len(words(reply.markdown)), reply.markdown)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.id)
def test_a_lesson_takes_about_two_minutes(lesson: Lesson, language: str) -> None:
    replies = list(_cards(lesson, _setting(language)))
    read = [*replies[:4], replies[4], replies[7]]
    spent = sum(minutes(reply.markdown) for reply in read) + 2 * SECONDS_A_QUESTION / 60
    assert 1.5 <= spent <= 2.5, spent


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.id)
def test_english_reads_at_grade_eight_or_below(lesson: Lesson) -> None:
    text = lesson.en
    for message in text.messages:
        assert grade_en(message) <= 8.0, (grade_en(message), message)
    for question in text.quiz:
        for option in question.options:
            assert grade_en(f"{question.ask} {option.say}. {option.then}") <= 8.0, (question.ask, option.say)
    for asked in text.returns:
        assert grade_en(f"{asked.ask} {'. '.join(asked.options)}. {asked.because}") <= 8.0, asked.ask


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.id)
def test_spanish_reads_at_normal_difficulty_or_easier(lesson: Lesson) -> None:
    for message in lesson.es.messages:
        assert ease_es(message) >= 60, (ease_es(message), message)


def test_the_frame_reads_at_grade_eight_or_below() -> None:
    for key, text in phrases("en").model_dump().items():
        if isinstance(text, str) and len(words(text)) >= 8 and not key.startswith(("list", "heading", "return_wrong")):
            assert grade_en(text) <= 8.0, (key, grade_en(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_and_the_frames_own_messages_are_short_and_say_how_to_go_on(language: str) -> None:
    learner = Learner("p", runs=tuple(_run(lesson, DONE) for lesson in ALL[:6]))
    setting = _setting(language, role="leader")
    listed = cards.listing(learner, catalogue(), setting, is_new=True)
    assert len(words(listed.markdown)) < 120
    assert [choice.label for choice in listed.choices] == [str(n) for n in range(1, 13)]
    for lesson in ALL:
        assert f"{lesson.number}. {lesson.words(language).title}" in listed.markdown
    assert "2, 5, 7, 10, 12" in listed.markdown
    assert phrases(language).privacy in listed.markdown
    for which in ("later", "stopped", "nothing_open", "delete_ask", "reminders_on", "reminders_later"):
        reply = cards.plain(which, setting)  # type: ignore[arg-type]
        assert "*" in reply.markdown
        assert len(words(reply.markdown)) < 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_a_button_does_is_written_out_for_typing(language: str) -> None:
    p = phrases(language)
    for lesson in ALL:
        for reply in _cards(lesson, _setting(language)):
            for choice in reply.choices:
                if choice.label.isdigit():
                    assert choice.describes in reply.markdown
                elif choice.label in (p.buttons.next, p.buttons.stop, p.buttons.later):
                    typed = choice.label.lower()
                    assert typed in reply.markdown.lower() or p.answer_how in reply.markdown
                assert len(choice.label) <= 75
                assert len(choice.value) <= 200


def test_screen_readers_hear_the_option_behind_a_number() -> None:
    reply = cards.question(ALL[0], _run(ALL[0], 3), _setting("en"))
    assert reply.choices[1].describes == "2. It copies a stored page"


def test_every_reply_is_a_named_fixed_text_shown_to_the_person_alone() -> None:
    for lesson in ALL:
        for reply in _cards(lesson, _setting("en")):
            assert reply.private
            assert reply.fixed is not None
            assert reply.fixed.startswith(f"lesson.{lesson.id}.")


def test_a_lesson_past_review_says_so_and_past_grace_is_held_with_its_sources() -> None:
    lesson = ALL[0]
    late = _setting("en", today=lesson.review_by + timedelta(days=1))
    reply = cards.page(lesson, _run(lesson, 0), late)
    assert "due for review on 2027-05-23" in reply.markdown
    assert reply.notices
    assert not cards.page(lesson, _run(lesson, 0), _setting("en")).notices
    held = cards.held(lesson, late)
    assert "2027-05-23" in held.markdown
    assert "NIST" in held.markdown
    assert "https://www.dol.gov/node/185325" in held.markdown
    listed = cards.listing(Learner("p"), catalogue(), _setting("en", today=date(2028, 1, 1)), is_new=False)
    assert listed.markdown.count("(held back for review)") == 12


def test_spanish_says_that_it_is_a_draft_until_it_is_approved() -> None:
    lesson = ALL[1]
    assert "borrador sin revisar" in cards.page(lesson, _run(lesson, 0), _setting("es")).markdown
    approved = _setting("es", approved=frozenset({(lesson.id, "es")}))
    assert "borrador" not in cards.page(lesson, _run(lesson, 0), approved).markdown


def test_local_rules_and_the_waiting_reader_are_named_where_they_matter() -> None:
    care = catalogue().get("care")
    assert care is not None
    first = cards.page(care, _run(care, 0), _setting("en"))
    assert "student services" in first.markdown
    assert "ext. 12" in cards.page(care, _run(care, 2), _setting("en")).markdown
    assert "ext. 12" not in cards.page(ALL[0], _run(ALL[0], 2), _setting("en")).markdown
    approved = _setting("en", approved=frozenset({("care", "en")}))
    assert "student services" not in cards.page(care, _run(care, 0), approved).markdown


def test_the_crisis_line_is_the_organizations_own() -> None:
    care = catalogue().get("care")
    assert care is not None
    assert "988" in cards.page(care, _run(care, 1), _setting("en")).markdown
    other = cards.page(care, _run(care, 1), _setting("en", crisis_line="Call 0800 1234.")).markdown
    assert "0800 1234" in other
    assert "988" not in other


def test_after_two_lessons_in_a_week_no_third_is_pushed() -> None:
    runs = tuple(_run(lesson, DONE) for lesson in ALL[:2])
    reply = cards.done(ALL[1], runs[1], Learner("p", runs=runs), catalogue(), _setting("en"), ())
    assert "two this week" in reply.markdown
    assert not any(choice.value.startswith("learn:start") for choice in reply.choices)
    once = cards.done(ALL[0], runs[0], Learner("p", runs=runs[:1]), catalogue(), _setting("en"), ())
    assert any(choice.value == "learn:start:check-answers" for choice in once.choices)


def test_nothing_promises_better_teaching_or_results() -> None:
    for language in LANGUAGES:
        frame = " ".join(str(v) for v in phrases(language).model_dump(exclude={"praise"}).values()).lower()
        for word in ("student results", "better teach", "improve teaching", "streak", "points", "mejorar la enseñanza"):
            assert word not in frame
