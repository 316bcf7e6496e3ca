"""Lessons in conversation: by typing alone, by buttons, on two devices, in private only, and out of the way otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from bot.literacy import records
from bot.literacy.conversation import Lessons
from bot.messages import Citation, Handling, Message, Outcome, Person, Place, Reply
from bot.store import Database
from bot.store.literacy_tables import learners, lesson_returns, lesson_runs
from tests.literacy.conftest import Clock, Talk


def test_a_whole_lesson_by_typing_alone(talk: Talk) -> None:
    listed = talk.say("teach me")
    assert "2. Check before you trust" in listed.markdown
    assert "no names and no answers" in listed.markdown
    first = talk.say("2")
    assert "(1 of 3)" in first.markdown
    assert "(2 of 3)" in talk.say("next").markdown
    assert "(3 of 3)" in talk.say("ok next").markdown
    assert "question 1 of 2" in talk.say("continue").markdown
    second = talk.say("open it and see if it says that")
    assert second.markdown.startswith("Right.")
    assert "question 2 of 2" in second.markdown
    end = talk.say("a")
    assert end.markdown.startswith("No.")
    assert "2 of 2 answered" in end.markdown
    assert "remind me" in end.markdown
    assert "2, 7 and 21 days" in talk.say("remind me").markdown


def test_who_can_see_what_is_said_before_the_first_question_and_not_again(talk: Talk) -> None:
    talk.say("lesson 2")
    talk.say("next")
    talk.say("next")
    assert "Managers see no names" in talk.say("next").markdown
    assert "Managers" not in talk.say("1").markdown
    talk.say("1")
    talk.say("lesson 4")
    talk.say("next")
    talk.say("next")
    assert "Managers" not in talk.say("next").markdown


def test_a_whole_lesson_by_buttons(talk: Talk) -> None:
    talk.say("lessons")
    talk.choose("3")
    for label in ("Next", "Next", "Back", "Next", "Next", "3", "1"):
        talk.choose(label)
    assert "2 of 2 answered" in talk.shown[-1].markdown
    assert "(finished)" in talk.choose("All lessons").markdown


def test_a_lesson_in_spanish(talk: Talk) -> None:
    assert "Lecciones de dos minutos" in talk.say("lecciones").markdown
    assert "borrador sin revisar" in talk.say("6").markdown
    for text in ("siguiente", "más", "siguiente"):
        reply = talk.say(text)
    assert "pregunta 1 de 2" in reply.markdown
    assert talk.say("el sesgo suele verse solo como patrón").markdown.startswith("Así es.")
    assert "2 de 2 respondidas" in talk.say("1").markdown
    assert all(reply.language == "es" for reply in talk.shown)


def test_start_by_topic_and_by_asking_what_to_learn(talk: Talk, make_lessons: Callable[..., Lessons]) -> None:
    assert "swap test" in talk.say("two-minute lesson on bias").markdown
    leader = Talk(make_lessons(), person="slack:T1:U2", role="leader")
    assert "Check before you trust" in leader.say("what should I learn?").markdown
    assert "(1 of 3)" in leader.say("start").markdown
    teacher = Talk(make_lessons(), person="slack:T1:U3")
    assert "What AI is" in teacher.say("what should I learn?").markdown
    assert "What AI is" in teacher.say("1").markdown


def test_numbers_and_labels_mean_the_buttons_of_the_last_card(talk: Talk) -> None:
    talk.say("lesson 1")
    assert talk.ignored("1"), "on a page with sources a number opens a source"
    assert "(2 of 3)" in talk.say("next").markdown
    assert "(1 of 3)" in talk.say("Back").markdown
    assert "Type *resume*" in talk.say("Later").markdown
    end = talk.finish(2)
    at = [choice.label for choice in end.choices].index("All lessons") + 1
    assert "Two-minute lessons" in talk.say(str(at)).markdown


def test_questions_in_the_middle_are_left_to_the_assistant_and_the_lesson_waits(talk: Talk, clock: Clock) -> None:
    talk.say("lesson 1")
    for text in ("next", "next", "next"):
        talk.say(text)
    for question in ("What does FERPA say about names?", "why?", "is a chatbot a search engine", "who made this"):
        assert talk.ignored(question)
    reminder = talk.lessons.aside(talk.message("why?"))
    assert reminder is not None
    assert "resume" in reminder.markdown
    assert "What AI is" in reminder.markdown
    assert "question 1 of 2" in talk.say("resume").markdown
    talk.say("later")
    assert talk.lessons.aside(talk.message("why?")) is None


def test_no_lesson_means_no_aside_and_bare_words_are_not_ours(talk: Talk) -> None:
    for text in ("next", "1", "stop", "resume", "delete", "later", "keep", "hello", "What is FERPA?"):
        assert talk.ignored(text), text
    assert talk.lessons.aside(talk.message("hello")) is None


def test_after_half_a_day_bare_numbers_are_not_ours_but_resume_is(talk: Talk, clock: Clock) -> None:
    talk.say("lesson 1")
    clock.forward(hours=13)
    assert talk.ignored("2")
    assert talk.ignored("next")
    assert talk.lessons.aside(talk.message("x")) is None
    assert "(1 of 3)" in talk.say("resume").markdown
    assert "(2 of 3)" in talk.say("next").markdown


def test_only_in_private_and_elsewhere_only_a_pointer(make_lessons: Callable[..., Lessons], database: Database) -> None:
    channel = Talk(make_lessons(), kind="channel")
    reply = channel.say("two-minute lesson on bias")
    assert "direct message" in reply.markdown
    assert "lesson 6" in reply.markdown
    assert reply.private
    assert not reply.choices
    assert "direct message" in channel.press("learn:start:care").markdown
    assert "mensaje directo" in channel.say("lecciones").markdown
    for text in ("next", "2", "What is FERPA?", "stop"):
        assert channel.ignored(text)
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(learners)).scalar() == 0


def test_without_a_person_nothing_is_taken(talk: Talk) -> None:
    assert talk.lessons.take(Message("lessons")) is None
    assert talk.lessons.aside(Message("x")) is None


def test_two_devices_at_once(talk: Talk, make_lessons: Callable[..., Lessons]) -> None:
    phone, laptop = talk, Talk(make_lessons())
    start = phone.say("lesson 2")
    laptop.say("resume")
    phone.choose("Next", start)
    same = laptop.choose("Next", start)
    assert "(2 of 3)" in same.markdown
    phone.say("next")
    quiz = laptop.say("next")
    phone.choose("3", quiz)
    kept = laptop.choose("1", quiz)
    assert "Your first answer stays." in kept.markdown
    assert "question 2 of 2" in kept.markdown


def test_an_old_card_from_last_week_shows_where_the_lesson_stands(talk: Talk, clock: Clock) -> None:
    start = talk.say("lesson 2")
    talk.say("next")
    talk.say("next")
    clock.forward(days=9)
    assert "(3 of 3)" in talk.choose("Next", start).markdown


@pytest.mark.parametrize(
    "value",
    [
        "learn:go:gone:1:1.x:next",
        "learn:go:care:99:1.x:next",
        "learn:nonsense",
        "learn:start:gone",
        "learn:go:care:1",
        "learn:a:b:c:d:e:f",
    ],
)
def test_a_button_that_means_nothing_any_more_leads_to_the_list(talk: Talk, value: str) -> None:
    assert "Two-minute lessons" in talk.press(value).markdown


def test_buttons_of_others_are_not_ours(talk: Talk) -> None:
    talk.say("lessons")
    assert talk.lessons.take(talk.message("2", "check:answer:2")) is None


def test_a_value_typed_as_text_is_a_button_but_a_sentence_is_not(talk: Talk) -> None:
    assert "What AI is" in talk.say("learn:start:what-ai-is").markdown
    assert talk.ignored("learn: how does copyright work")


def test_stop_cuts_everything_at_once_and_says_so(talk: Talk, database: Database) -> None:
    talk.finish(1)
    talk.say("remind me")
    talk.say("lesson 2")
    assert "no questions" in talk.say("stop").markdown
    with database.reading() as connection:
        learner = records.load(connection, talk.person)
    assert learner is not None
    assert learner.reminders_since is None
    assert talk.ignored("stop"), "nothing is left to stop"
    assert "(1 of 3)" in talk.say("resume").markdown


def test_stop_works_days_later_and_from_elsewhere(talk: Talk, clock: Clock) -> None:
    talk.finish(1)
    talk.say("remind me")
    clock.forward(days=40)
    assert "no more questions" in talk.say("Stop.").markdown
    talk.say("lessons")
    talk.finish(2)
    talk.say("remind me")
    assert talk.lessons.stop(talk.person)
    assert not talk.lessons.stop(talk.person)
    assert not talk.lessons.stop("slack:T1:nobody")


def test_delete_asks_once_and_then_nothing_is_left(talk: Talk, database: Database) -> None:
    talk.finish(1)
    talk.say("lesson 2")
    talk.say("delete my lessons")
    assert "Nothing was removed" in talk.say("keep").markdown
    talk.say("delete my lessons")
    assert "Nothing about your lessons is kept" in talk.say("delete").markdown
    with database.reading() as connection:
        for table in (learners, lesson_runs, lesson_returns):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 0
    assert "(finished)" not in talk.say("lessons").markdown


def test_delete_is_one_button_away_too_and_never_by_one_press(talk: Talk) -> None:
    talk.say("lesson 1")
    asked = talk.say("delete")
    assert "Type *delete* to confirm" in asked.markdown
    assert "Nothing about your lessons" in talk.choose("Delete", asked).markdown
    assert "Two-minute lessons" in talk.say("lessons").markdown
    old = talk.choose("Delete", asked)
    assert "Nothing about your lessons" in old.markdown


def test_resume_without_anything_open(talk: Talk) -> None:
    talk.say("lessons")
    assert "No lesson is open" in talk.press("learn:resume").markdown


def test_a_restart_loses_nothing(talk: Talk, make_lessons: Callable[..., Lessons]) -> None:
    talk.say("lesson 4")
    talk.say("next")
    after = Talk(make_lessons())
    assert "(2 of 3)" in after.say("resume").markdown


def test_a_lesson_held_back_gives_its_sources_and_no_words(talk: Talk, clock: Clock) -> None:
    clock.forward(days=400)
    reply = talk.say("lesson 1")
    assert "held back until someone checks it" in reply.markdown
    assert "NIST" in reply.markdown
    assert "family of tools" not in reply.markdown


def test_a_lesson_that_comes_to_be_held_back_midway_stops_there(talk: Talk, clock: Clock) -> None:
    start = talk.say("lesson 1")
    clock.forward(days=400)
    assert "held back" in talk.choose("Next", start).markdown
    assert "held back" in talk.say("resume").markdown


def test_what_is_kept_about_a_person(talk: Talk, database: Database) -> None:
    """No text a person typed is stored, only steps, option numbers and times."""
    talk.finish(1)
    with database.reading() as connection:
        rows = [*connection.execute(select(learners)), *connection.execute(select(lesson_runs))]
    stored = " ".join(str(value) for row in rows for value in row)
    assert "next" not in stored
    assert set(learners.c.keys()) == {"person", "organization", "language", "open", "reminders_since", "focus", "moved_at"}


def _citation(document: str, section: str) -> Citation:
    return Citation(1, document, f"{document}@1", section, "p", "t", "pub", "", "", "", "", "national", "q", 0, 1)


def _answer(*places: tuple[str, str], **changes: object) -> Reply:
    reply = Reply(Outcome.ANSWERED, Handling.ANSWER, "An answer. [1]", "en", tuple(_citation(*place) for place in places))
    return replace(reply, **changes)  # type: ignore[arg-type]


def test_an_answer_gets_a_lesson_that_fits_its_citations(talk: Talk) -> None:
    message = Message("anything at all", person=Person("slack:T1:U1"), place=Place("slack", "T1", "C1", kind="channel"))
    with_lesson = talk.lessons.with_suggestion(_answer(("research-ai-detectors", "false-alarms")), message)
    assert with_lesson.markdown.endswith("Two-minute lesson: Honest work without guessing. Type *lesson 8*.")
    assert with_lesson.choices[0].value == "learn:start:honest-work"
    talk.press(with_lesson.choices[0].value)
    assert "Honest work" in talk.shown[-1].markdown


def test_no_lesson_is_suggested_where_none_fits_or_it_was_taken_or_the_answer_is_no_answer(talk: Talk) -> None:
    message = talk.message("x")
    plain = _answer(("cipa", "who"))
    assert talk.lessons.with_suggestion(plain, message) == plain
    fits = ("research-ai-detectors", "false-alarms")
    refused = _answer(fits, outcome=Outcome.REFUSED)
    assert talk.lessons.with_suggestion(refused, message) == refused
    talk.finish(8)
    assert talk.lessons.with_suggestion(_answer(fits), message) == _answer(fits)


def test_whatever_is_typed_or_pressed_is_left_alone_or_answered_in_words_and_nothing_is_lost(talk: Talk) -> None:
    talk.finish(1)
    finished = talk.say("lessons").markdown
    for text in (
        "",
        " ",
        "\x00",
        "🙂",
        "lesson " + "9" * 400,
        "learn:",
        "LEARN:START:X",
        "-1",
        "١",
        "²",
        "\n1\n",
        "7" * 9000,
        "learn:go:care:²:1:²",
    ):
        for reply in (talk.lessons.take(talk.message(text)), talk.lessons.take(talk.message("", text))):
            assert reply is None or (reply.markdown.strip() and "{" not in reply.markdown), text
    assert talk.say("lessons").markdown == finished
    assert talk.finish(2).fixed == "lesson.check-answers.done"
