"""Return questions: asked for, outside quiet hours, at most two a week, once, and cut by one word."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import ConfigurationError
from bot.literacy import records
from bot.literacy.conversation import Lessons
from bot.literacy.course import DONE, Focus, Learner, Return, Run
from bot.literacy.lessons import RETURN_DAYS, catalogue
from bot.literacy.nudges import Nudge, Nudges
from bot.literacy.reminders import Rules, due, rules
from bot.store import Database
from tests.literacy.conftest import START, Clock, Talk, opened

ALL = catalogue()
NEW_YORK = ZoneInfo("America/New_York")
RULES = Rules(NEW_YORK, time(17), time(8))


def _learner(*finished: tuple[str, datetime], since: datetime | None = START, **changes: object) -> Learner:
    runs = tuple(Run(lesson, 1, "x", DONE, (1, 1), at, at, at) for lesson, at in finished)
    return replace(Learner("p", reminders_since=since, runs=runs), **changes)  # type: ignore[arg-type]


def test_nothing_is_sent_to_who_did_not_ask() -> None:
    learner = _learner(("care", START), since=None)
    assert due(START + timedelta(days=5), learner, ALL, RULES) is None


def test_one_question_comes_back_after_two_seven_and_twenty_one_days() -> None:
    learner = _learner(("care", START))
    got = []
    for hours in range(0, 24 * 40):
        now = START + timedelta(hours=hours)
        found = due(now, learner, ALL, RULES)
        if found is not None:
            got.append((found[1], (now - START).days))
            sent = Return(found[0], found[1], "x", now, now, 1)
            learner = replace(learner, returns=(*learner.returns, sent))
    assert got == [(2, 2), (7, 7), (21, 21)]


def test_asking_late_counts_the_days_from_then() -> None:
    learner = _learner(("care", START - timedelta(days=100)))
    assert due(START + timedelta(days=1), learner, ALL, RULES) is None
    assert due(START + timedelta(days=2), learner, ALL, RULES) == ("care", 2)


@pytest.mark.parametrize(("hour", "quiet"), [(7, True), (8, False), (12, False), (16, False), (17, True), (23, True), (0, True)])
def test_quiet_hours_are_the_organizations_local_time_in_summer_and_winter(hour: int, quiet: bool) -> None:
    for month in (1, 7):
        local = datetime(2027, month, 12, hour, 0, tzinfo=NEW_YORK)
        assert RULES.quiet(local.astimezone(UTC)) is quiet
        assert (due(local.astimezone(UTC), _learner(("what-ai-is", START)), ALL, RULES) is None) is quiet


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    noon = Rules(ZoneInfo("UTC"), time(12), time(13))
    assert noon.quiet(datetime(2027, 1, 1, 12, 30, tzinfo=UTC))
    assert not noon.quiet(datetime(2027, 1, 1, 13, 0, tzinfo=UTC))
    never = Rules(ZoneInfo("UTC"), time(0), time(0))
    assert not any(never.quiet(datetime(2027, 1, 1, hour, tzinfo=UTC)) for hour in range(24))


@pytest.mark.parametrize(("hours", "zone"), [("17-8", "UTC"), ("25:00-08:00", "UTC"), ("17:00-08:00", "Mars/Base"), ("", "UTC")])
def test_settings_that_make_no_sense_are_refused(hours: str, zone: str) -> None:
    with pytest.raises(ConfigurationError, match="SIGNPOST_"):
        rules(hours, zone, 2, 90)
    assert rules("17:00-08:00", "America/Chicago", 7, 90).a_week == 2, "the limit cannot be raised"


def test_other_nudges_share_the_weekly_limit() -> None:
    learner = _learner(("care", START))
    now = START + timedelta(days=8)
    assert due(now, learner, ALL, RULES) is not None
    others = (now - timedelta(days=1), now - timedelta(days=3))
    assert due(now, learner, ALL, RULES, others) is None


def test_nothing_comes_in_the_middle_of_a_lesson() -> None:
    now = START + timedelta(days=8)
    learner = _learner(("care", START), focus=Focus("lesson", "hand-over", at=now - timedelta(minutes=5)))
    assert due(now, learner, ALL, RULES) is None


def test_three_questions_without_an_answer_end_it_until_the_person_comes_back() -> None:
    finished = tuple((lesson.id, START) for lesson in ALL.lessons)
    learner = _learner(*finished)
    for day in range(60):
        now = START + timedelta(days=day)
        found = due(now, learner, ALL, RULES)
        if found is not None:
            learner = replace(learner, returns=(*learner.returns, Return(*found, "x", now)))
    assert len(learner.returns) == 3
    back = replace(learner.runs[0], moved_at=START + timedelta(days=60))
    learner = replace(learner, runs=(back, *learner.runs[1:]))
    assert due(START + timedelta(days=61), learner, ALL, RULES) is not None


def test_a_lesson_held_back_sends_no_questions() -> None:
    learner = _learner(("care", datetime(2028, 1, 3, 15, tzinfo=UTC)), since=datetime(2028, 1, 3, 15, tzinfo=UTC))
    assert due(datetime(2028, 1, 10, 15, tzinfo=UTC), learner, ALL, RULES) is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([x.id for x in ALL.lessons]), st.integers(0, 200)), max_size=12, unique_by=lambda p: p[0]),
    st.integers(0, 100),
    st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_in_any_month_the_cap_the_hours_and_the_order_hold(
    finished: list[tuple[str, int]], since: int, answers: list[bool]
) -> None:
    learner = _learner(*((lesson, START + timedelta(hours=h)) for lesson, h in finished), since=START + timedelta(hours=since))
    for step in range(0, 24 * 45, 3):
        now = START + timedelta(hours=step)
        found = due(now, learner, ALL, RULES)
        if found is None:
            continue
        assert not RULES.quiet(now)
        assert sum(now - sent.sent_at < timedelta(days=7) for sent in learner.returns) < 2
        assert all((sent.lesson, sent.day) != found for sent in learner.returns)
        assert all(sent.day < found[1] for sent in learner.returns if sent.lesson == found[0])
        choice = 1 if answers[len(learner.returns) % 40] else None
        learner = replace(learner, returns=(*learner.returns, Return(*found, "x", now, now if choice else None, choice)))


# -- with the database, as several processes see it ---------------------------------------------------------------------


def _nudges(database: Database) -> Nudges:
    return Nudges(ALL, database, RULES)


def test_a_simulated_month_of_five_people_and_three_processes(
    make_lessons: Callable[..., Lessons], database: Database, clock: Clock
) -> None:
    lessons = make_lessons()
    people = [Talk(lessons, person=f"slack:T1:U{n}") for n in range(5)]
    for n, person in enumerate(people):
        for number in range(1, 3 + n):
            person.finish(number)
        if n:
            person.say("remind me")
    processes = [_nudges(database) for _ in range(3)]
    sent: list[tuple[datetime, Nudge]] = []
    for _ in range(8 * 31):
        clock.forward(hours=3)
        for process in processes:
            for nudge in process.outgoing(clock.now):
                sent.append((clock.now, nudge))
                if nudge.person != "slack:T1:U2":
                    assert people[int(nudge.person[-1])].say("2").markdown
        if clock.now - START > timedelta(days=10) and people[4].lessons.stop(people[4].person):
            stopped_at = clock.now
    assert sent
    assert max(Counter((n.person, n.lesson, n.day) for _, n in sent).values()) == 1, "sent once"
    assert all(nudge.person != "slack:T1:U0" for _, nudge in sent), "only to who asked"
    assert not any(RULES.quiet(at) for at, _ in sent)
    assert all(at <= stopped_at for at, nudge in sent if nudge.person == "slack:T1:U4"), "stop cuts all"
    for person in people:
        times = [at for at, nudge in sent if nudge.person == person.person]
        for at in times:
            assert sum(timedelta(0) <= at - other < timedelta(days=7) for other in times) <= 2
    assert sum(nudge.person == "slack:T1:U2" for _, nudge in sent) == 3, "no answer three times: rest"


def test_processes_racing_for_one_question_send_it_once(
    make_lessons: Callable[..., Lessons], database: Database, clock: Clock, tmp_path: Path
) -> None:
    talk = Talk(make_lessons())
    talk.finish(1)
    talk.say("remind me")
    now = clock.now + timedelta(days=3)
    others = [opened(tmp_path / "signpost.db") for _ in range(4)]
    barrier = threading.Barrier(4)
    got: list[Nudge] = []

    def race(other: Database) -> None:
        barrier.wait()
        got.extend(_nudges(other).outgoing(now))

    threads = [threading.Thread(target=race, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    assert len(got) == 1
    assert "day 2" in got[0].reply.markdown


def test_a_return_question_is_answered_by_number_by_words_and_by_button(talk: Talk, database: Database, clock: Clock) -> None:
    talk.finish(1)
    talk.say("remind me")
    for day, answer in zip(RETURN_DAYS, ("2", "a tool that drafts a letter", "button"), strict=True):
        clock.now = START + timedelta(days=day, hours=1)
        (nudge,) = _nudges(database).outgoing(clock.now)
        assert nudge.day == day
        if answer == "button":
            reply = talk.choose("3", nudge.reply)
            assert reply.markdown.startswith("The answer is 1: It guessed from patterns.")
            again = talk.choose("1", nudge.reply)
            assert "Your first answer stays." in again.markdown
        else:
            assert talk.say(answer).markdown.startswith("Right.")
    with database.reading() as connection:
        learner = records.load(connection, talk.person)
    assert learner is not None
    assert [sent.choice for sent in learner.returns] == [2, 2, 3]


def test_stop_between_claim_and_sending_is_honoured(talk: Talk, database: Database, clock: Clock) -> None:
    talk.finish(1)
    talk.say("remind me")
    clock.forward(days=3)
    nudges = _nudges(database)
    (nudge,) = nudges.outgoing(clock.now)
    assert nudges.wanted(nudge)
    talk.say("stop")
    assert not nudges.wanted(nudge)
    clock.forward(days=30)
    assert nudges.outgoing(clock.now) == []


def test_a_return_question_says_how_to_end_them_and_stop_under_it_works(talk: Talk, database: Database, clock: Clock) -> None:
    talk.finish(1)
    talk.say("remind me")
    clock.forward(days=3)
    (nudge,) = _nudges(database).outgoing(clock.now)
    assert "*Stop* ends these questions" in nudge.reply.markdown
    assert "no more questions" in talk.choose("Stop", nudge.reply).markdown


def test_erasing_a_person_ends_their_questions(talk: Talk, database: Database, clock: Clock) -> None:
    talk.finish(1)
    talk.say("remind me")
    assert talk.lessons.erase(talk.person)
    assert not talk.lessons.erase(talk.person)
    clock.forward(days=3)
    assert _nudges(database).outgoing(clock.now) == []


def test_a_question_already_noted_as_sent_cannot_be_noted_again(talk: Talk, database: Database) -> None:
    sent = Return("care", 2, "x", START)
    with database.writing() as connection:
        assert records.claim(connection, talk.person, sent)
        assert not records.claim(connection, talk.person, sent)
        assert records.claim(connection, talk.person, replace(sent, day=7)), "the transaction goes on"
