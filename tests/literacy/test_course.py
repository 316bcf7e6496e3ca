"""The course as pure state, explored with events in any order from two devices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.literacy.course import (
    DONE,
    STEPS,
    Answer,
    AnswerReturn,
    Event,
    Later,
    Learner,
    Look,
    Remind,
    Return,
    Start,
    Step,
    Stop,
    move,
)
from bot.literacy.lessons import Catalogue, Lesson, catalogue

ALL = catalogue()
NOW = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
IDS = [lesson.id for lesson in ALL.lessons[:3]]


def _through(learner: Learner, lesson: Lesson, until: int = DONE) -> Learner:
    learner, _ = move(learner, Start(lesson.id), ALL, NOW)
    while (run := learner.run(lesson.id)) is not None and run.step < until:
        event: Event = Step(lesson.id, run.step, run.revision)
        if run.step >= 3:
            event = Answer(lesson.id, run.step, run.revision, 2)
        learner, _ = move(learner, event, ALL, NOW)
    return learner


def test_a_lesson_goes_through_three_messages_and_two_questions_to_its_end() -> None:
    lesson = ALL.lessons[0]
    learner = _through(Learner("p"), lesson)
    run = learner.run(lesson.id)
    assert run is not None
    assert (STEPS[run.step], run.answers, run.finished_at) == ("done", (2, 2), NOW)
    assert learner.open == ""
    assert learner.finished == {lesson.id}


def test_a_button_pressed_twice_moves_once_and_answers_once() -> None:
    lesson = ALL.lessons[0]
    learner, _ = move(Learner("p"), Start(lesson.id), ALL, NOW)
    press = Step(lesson.id, 0, learner.runs[0].revision)
    once, _ = move(learner, press, ALL, NOW)
    twice, shown = move(once, press, ALL, NOW)
    assert once.runs == twice.runs
    assert shown.step == 1
    learner = _through(Learner("p"), lesson, until=3)
    first = Answer(lesson.id, 3, learner.runs[0].revision, 1)
    learner, _ = move(learner, first, ALL, NOW)
    for other, note in ((first, ""), (Answer(lesson.id, 3, learner.runs[0].revision, 3), "kept")):
        after, shown = move(learner, other, ALL, NOW)
        assert after.runs[0].answers == (1,)
        assert (shown.step, shown.note, shown.answered) == (4, note, None)


def test_a_card_of_an_earlier_time_through_changes_nothing() -> None:
    lesson = ALL.lessons[0]
    learner = _through(Learner("p"), lesson)
    old = learner.runs[0].revision
    learner, _ = move(learner, Start(lesson.id), ALL, NOW)
    assert learner.runs[0].number == 2
    for stale in (Step(lesson.id, 0, old), Answer(lesson.id, 3, old, 1)):
        after, _ = move(learner, stale, ALL, NOW)
        assert after.runs == learner.runs
    assert learner.finished == {lesson.id}, "taking a lesson again does not unfinish it"


def _edited(lesson: Lesson) -> Catalogue:
    quiz = lesson.en.quiz
    option = quiz[0].options[0].model_copy(update={"say": "Something else"})
    first = quiz[0].model_copy(update={"options": (option, *quiz[0].options[1:])})
    changed = lesson.model_copy(update={"en": lesson.en.model_copy(update={"quiz": (first, quiz[1])})})
    changed.__dict__.pop("content", None)
    return Catalogue(tuple(changed if one.id == lesson.id else one for one in ALL.lessons))


def test_an_answer_to_a_question_that_was_edited_meanwhile_is_not_recorded_to_the_new_one() -> None:
    lesson = ALL.lessons[0]
    learner = _through(Learner("p"), lesson, until=4)
    press = Answer(lesson.id, 4, learner.runs[0].revision, 1)
    after, shown = move(learner, press, _edited(lesson), NOW)
    assert (shown.step, shown.note) == (3, "updated")
    assert after.runs[0].answers == ()
    assert after.runs[0].content != lesson.content


def test_a_lesson_taken_out_of_the_files_leads_to_the_list() -> None:
    lesson = ALL.lessons[0]
    learner = _through(Learner("p"), lesson, until=2)
    gone = Catalogue(ALL.lessons[1:])
    for event in (Start(lesson.id), Step(lesson.id, 2, learner.runs[0].revision), Answer(lesson.id, 3, "1.x", 1)):
        after, shown = move(learner, event, gone, NOW)
        assert shown.what == "list"
        assert after.runs == learner.runs


def test_a_return_question_is_answered_once() -> None:
    lesson = ALL.lessons[0]
    learner = Learner("p", returns=(Return(lesson.id, 2, lesson.content, NOW),))
    learner, shown = move(learner, AnswerReturn(lesson.id, 2, lesson.content, 3), ALL, NOW)
    assert (shown.what, shown.option, shown.note) == ("return", 3, "")
    again, shown = move(learner, AnswerReturn(lesson.id, 2, lesson.content, 1), ALL, NOW)
    assert again.returns == learner.returns
    assert (shown.option, shown.note) == (3, "kept")


def test_a_return_question_never_sent_cannot_be_answered() -> None:
    after, shown = move(Learner("p"), AnswerReturn(IDS[0], 2, "x", 1), ALL, NOW)
    assert shown.what == "list"
    assert after.returns == ()


def test_stop_ends_reminders_and_keeps_the_place() -> None:
    lesson = ALL.lessons[0]
    learner = _through(Learner("p"), lesson, until=2)
    learner, _ = move(learner, Remind(), ALL, NOW)
    learner, shown = move(learner, Stop(), ALL, NOW)
    assert learner.reminders_since is None
    assert shown.what == "stopped"
    learner, shown = move(learner, Start(learner.open), ALL, NOW)
    assert shown.step == 2


# -- any order of events --------------------------------------------------------------------------------------------------

_revisions = st.one_of(st.just("current"), st.sampled_from(["1.bad", "2.bad", "old"]))
_events = st.one_of(
    st.builds(Start, st.sampled_from([*IDS, "gone"])),
    st.builds(Step, st.sampled_from([*IDS, "gone"]), st.integers(-1, 7), _revisions, st.booleans()),
    st.builds(Answer, st.sampled_from([*IDS, "gone"]), st.integers(-1, 7), _revisions, st.integers(0, 5)),
    st.builds(AnswerReturn, st.sampled_from(IDS), st.sampled_from([2, 7, 21, 3]), _revisions, st.integers(0, 4)),
    st.just(Later()),
    st.just(Stop()),
    st.just(Remind()),
    st.builds(Look, st.sampled_from(["list", "advice", "delete", ""])),
)


def _real(event: Event, learner: Learner) -> Event:
    """Events carry the revision that was on a card; "current" is a card made just now."""
    if isinstance(event, (Step, Answer)):
        run = learner.run(event.lesson)
        if event.revision == "current" and run is not None:
            kind = {"lesson": event.lesson, "step": run.step if event.step % 2 else event.step, "revision": run.revision}
            return Step(**kind, back=event.back) if isinstance(event, Step) else Answer(**kind, option=event.option)
    return event


@settings(max_examples=300, deadline=None)
@given(st.lists(_events, max_size=40), st.integers(0, 3))
def test_in_any_order_of_events_no_answer_is_lost_or_changed(events: list[Event], seed: int) -> None:
    learner = Learner("p", returns=(Return(IDS[seed % 3], 2, ALL.lessons[seed % 3].content, NOW),))
    given_answers: dict[tuple[str, int], tuple[int, ...]] = {}
    for n, raw in enumerate(events):
        before = learner
        learner, shown = move(before, _real(raw, before), ALL, NOW + timedelta(minutes=n))
        for run in learner.runs:
            key = (run.lesson, run.number)
            assert run.answers[: len(given_answers.get(key, ()))] == given_answers.get(key, ())
            given_answers[key] = run.answers
            assert 0 <= run.step <= DONE
            assert len(run.answers) == max(run.step - 3, 0)
            assert all(1 <= a <= 3 for a in run.answers)
            assert (run.step < DONE) or run.finished_at is not None
        assert before.finished <= learner.finished
        assert {run.lesson for run in before.runs} <= {run.lesson for run in learner.runs}
        assert learner.open in {"", *(run.lesson for run in learner.runs if run.step < DONE)}
        if isinstance(raw, Stop):
            assert learner.reminders_since is None
        if learner.reminders_since is not None and before.reminders_since is None:
            assert isinstance(raw, Remind)
        for sent in before.returns:
            now_sent = learner.returned(sent.lesson, sent.day)
            assert now_sent is not None
            assert sent.choice is None or now_sent.choice == sent.choice
        if shown.what == "step":
            run_now = learner.run(shown.lesson)
            assert run_now is not None
            assert run_now.step == shown.step


@settings(max_examples=150, deadline=None)
@given(st.lists(_events, max_size=25))
def test_the_same_event_twice_is_the_same_as_once(events: list[Event]) -> None:
    """A double press: the second copy of a button's event changes no run and no return question."""
    learner = Learner("p")
    for raw in events:
        event = _real(raw, learner)
        once, _ = move(learner, event, ALL, NOW)
        learner, _ = move(once, event, ALL, NOW)
        assert [(r.lesson, r.number, r.step, r.answers) for r in learner.runs] == [
            (r.lesson, r.number, r.step, r.answers) for r in once.runs
        ]
        assert learner.returns == once.returns


@pytest.mark.parametrize("language", ["en", "es"])
def test_content_is_the_same_in_every_language_of_a_lesson(language: str) -> None:
    assert len({lesson.content for lesson in ALL.lessons}) == 12, language
