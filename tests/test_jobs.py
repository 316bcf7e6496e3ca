"""What the server does by itself, over the real lessons and check: nudges few, in time, once; rounds opened and published."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot.app import App
from bot.hours import quiet_hours
from bot.jobs import jobs
from bot.literacy.conversation import Lessons
from bot.literacy.conversation import build as build_lessons
from bot.literacy.nudges import build as build_nudges
from bot.messages import Action, Message, Person, Place, Reply
from bot.outbox import Outbox
from bot.readiness.conversation import Readiness
from bot.readiness.instrument import instrument
from bot.readiness.nudges import Nudges
from bot.readiness.rounds import Member, Rounds
from bot.schedule import Schedule
from bot.settings import Settings
from bot.store import Database, outbox
from bot.store.outbox_tables import outbox as table
from bot.store.readiness_tables import rounds
from tests.conftest import settings_for
from tests.doubles.inbox import open_store

ANN = "web:ann"
MONDAY = datetime(2026, 11, 23, 15, tzinfo=UTC)
"""Ten in the morning in New York."""


@dataclass
class House:
    """Everything the jobs touch, over one database and one clock."""

    settings: Settings
    database: Database
    now: datetime = MONDAY

    def clock(self) -> datetime:
        return self.now

    @property
    def lessons(self) -> Lessons:
        return build_lessons(self.settings, self.database, self.clock)

    @property
    def check(self) -> Readiness:
        return Readiness(self.database, self.clock)

    @property
    def book(self) -> Rounds:
        return Rounds(self.database, instrument(), zone=ZoneInfo("America/New_York"))

    def schedule(self) -> Schedule:
        hours = quiet_hours(self.settings.quiet_hours, self.settings.time_zone)
        reminders = Nudges(self.database, instrument(), self.book, hours.quiet)
        known = jobs(self.settings, self.database, build_nudges(self.settings, self.database), reminders, self.book)
        return Schedule(self.database, known, self.clock)

    def look(self, processes: int = 1) -> None:
        async def all_of_it() -> None:
            many = [self.schedule() for _ in range(processes)]
            await asyncio.gather(*(one.look() for one in many))
            await asyncio.gather(*(one.settle() for one in many))

        asyncio.run(all_of_it())

    def says(self, text: str, person: str = ANN) -> Reply:
        message = Message(text, person=Person(person), place=Place("web"), at=self.now)
        reply = self.check.take(message) or self.lessons.take(message)
        assert reply is not None, text
        return reply

    def presses(self, reply: Reply, label: str, person: str = ANN) -> Reply:
        value = next(choice.value for choice in reply.choices if choice.label == label)
        pressed = Message(value, person=Person(person), place=Place("web"), action=Action(value), at=self.now)
        made = self.check.take(pressed) or self.lessons.take(pressed)
        assert made is not None
        return made

    def finishes_lesson(self, number: int, person: str = ANN) -> None:
        self.says(f"lesson {number}", person)
        for text in ("next", "next", "next", "1", "2"):
            self.says(text, person)

    def queued(self, person: str = ANN) -> list[tuple[str, str, str]]:
        with self.database.reading() as connection:
            rows = connection.execute(select(table).where(table.c.person == person).order_by(table.c.id)).all()
        return [(row.kind, row.state, row.subject) for row in rows]

    def shown(self, person: str = ANN) -> list[Reply]:
        from bot.inbox import Inbox
        from tests.doubles.inbox import Thinker

        inbox = Inbox(self.database, Thinker(), self.settings, self.clock)
        return Outbox(self.database, inbox, self.settings, self.clock).shown(person, "web", f"{person}:talk")

    def week(self, days: int = 30) -> list[tuple[datetime, str]]:
        """Live some days, looking every other hour; what was shown to Ann, and when."""
        seen = []
        for _ in range(days * 12):
            self.now += timedelta(hours=2)
            self.look()
            seen += [(self.now, str(reply.fixed)) for reply in self.shown()]
        return seen


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    database = open_store(tmp_path)
    yield House(settings_for(tmp_path), database)
    database.close()


def group(house: House, people: int = 6, **more: object) -> str:
    members = [Member(ANN, "cabinet", "district"), *(Member(f"web:p{n}", "cabinet", "district") for n in range(people - 1))]
    made = house.book.create("Cabinet", members, by="web:boss", now=house.now, form="pulse", **more)  # type: ignore[arg-type]
    return made.id


def test_return_questions_and_round_reminders_together_are_at_most_two_a_week_and_by_day(house: House) -> None:
    for number in (1, 2, 3):
        house.finishes_lesson(number)
    house.says("remind me")
    house.now += timedelta(days=1)
    round_id = house.book.open(group(house), house.now)
    seen = house.week()
    local = [at.astimezone(ZoneInfo("America/New_York")) for at, _ in seen]
    assert all(8 <= at.hour < 17 for at in local)
    for n, (at, _) in enumerate(seen):
        assert sum(at - timedelta(days=7) < other <= at for other, _ in seen) <= 2, n
    kinds = [kind for _, kind in seen]
    assert kinds.count("readiness.invite") == 1
    assert kinds.count("readiness.reminder") >= 1
    assert sum(kind.startswith("lesson") for kind in kinds) >= 3
    assert round_id


def test_six_processes_send_each_nudge_once(house: House) -> None:
    house.book.open(group(house), house.now)
    for _ in range(3):
        house.look(processes=6)
        house.now += timedelta(seconds=300)
    assert house.queued() == [("readiness", "waiting", house.queued()[0][2])]
    assert len(house.shown()) == 1


def test_a_stop_word_takes_back_a_question_that_is_on_its_way(house: House) -> None:
    house.finishes_lesson(1)
    house.says("remind me")
    house.now += timedelta(days=2)
    house.look()
    assert house.queued() == [("lesson", "waiting", house.queued()[0][2])]
    house.says("stop")
    assert house.shown() == []
    assert house.queued()[0][1] == "withdrawn"


def test_leaving_a_round_or_answering_it_takes_back_its_reminder(house: House) -> None:
    house.book.open(group(house), house.now)
    house.look()
    (invitation,) = house.shown()
    (other,) = house.shown("web:p0")
    house.now += timedelta(days=7)
    house.look()
    assert [state for _, state, _ in house.queued()] == ["handed", "waiting"]
    house.presses(invitation, "Leave this round")
    assert [state for _, state, _ in house.queued()] == ["handed", "withdrawn"]
    house.presses(house.presses(other, "Begin", "web:p0"), "Begin", "web:p0")
    for _ in range(6):
        house.says("3", "web:p0")
    assert [state for _, state, _ in house.queued("web:p0")] == ["handed", "withdrawn"]


def test_scheduled_pulses_open_once_a_month_and_publish_once_after_they_close(house: House) -> None:
    house.now = datetime(2026, 12, 1, 15, tzinfo=UTC)
    group_id = group(house, every="monthly")
    for _ in range(62):
        house.look(processes=3)
        house.now += timedelta(days=1)
    with house.database.reading() as connection:
        found = connection.execute(select(rounds).where(rounds.c.group_id == group_id).order_by(rounds.c.opens_on)).all()
    assert [(row.period, row.published_at is not None) for row in found] == [("2026-12", True), ("2027-01", True)]


def test_no_nudges_at_all_where_the_organization_wants_none(tmp_path: Path) -> None:
    database = open_store(tmp_path)
    house = House(settings_for(tmp_path, nudges_a_week=0), database)
    house.finishes_lesson(1)
    house.says("remind me")
    house.book.open(group(house), house.now)
    assert house.week(days=8) == []
    database.close()


def test_a_broken_reminder_does_not_hold_up_the_lessons(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(Nudges, "take", broken)
    house.finishes_lesson(1)
    house.says("remind me")
    house.now += timedelta(days=2)
    house.look()
    assert [kind for kind, _, _ in house.queued()] == ["lesson"]


def test_the_app_builds_the_schedule_and_its_jobs_run(tmp_path: Path) -> None:
    app = App(settings_for(tmp_path))

    async def once() -> None:
        await app.schedule.look()
        await app.schedule.settle()

    asyncio.run(once())
    with app.database.reading() as connection:
        from bot.schedule import listed

        done = {(row["job"], row["state"]) for row in listed(connection)}
        assert done == {("rounds", "done"), ("nudges", "done"), ("purge", "done")}
    app.close()


def test_a_question_that_is_shown_can_be_answered_with_its_number(house: House) -> None:
    house.finishes_lesson(1)
    house.says("remind me")
    house.now += timedelta(days=2)
    house.look()
    (question,) = house.shown()
    assert question.choices
    assert house.says("1").fixed == "lesson.what-ai-is.return-2.feedback"
    with house.database.reading() as connection:
        assert outbox.times(connection, ANN, ("lesson",), 0.0)
