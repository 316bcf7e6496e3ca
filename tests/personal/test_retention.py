"""Everything goes when its days are over, unless a hold keeps it; once a day, whichever process comes first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.errors import FormatError, NotFound
from bot.hours import quiet_hours
from bot.jobs import jobs
from bot.literacy.nudges import build
from bot.personal import holds
from bot.personal.forgetting import forget_person
from bot.personal.retention import Purged, purge
from bot.personal.search import in_files, in_tables
from bot.readiness.instrument import instrument
from bot.readiness.nudges import Nudges
from bot.readiness.rounds import Rounds
from bot.schedule import Job, Schedule
from bot.store import Database
from tests.conftest import settings_for
from tests.personal.conftest import ANN, BEN, DAY, NOW, everything, put, said

START = datetime.fromtimestamp(NOW, UTC)


def after(store: Database, folder: Path, days: float, **more: object) -> Purged:
    return purge(store, settings_for(folder), START + timedelta(days=days), **more)  # type: ignore[arg-type]


def test_each_kind_goes_when_its_own_days_are_over(store: Database, tmp_path: Path) -> None:
    everything(store, ANN)
    assert after(store, tmp_path, 0.5).deleted == {}
    assert after(store, tmp_path, 29).deleted == {"readiness_offers": 1}
    assert after(store, tmp_path, 31).deleted == {"utterances": 4, "inbox": 2, "engagements": 1}
    assert after(store, tmp_path, 37).deleted == {}
    assert after(store, tmp_path, 39).deleted == {"outbox": 1}
    assert after(store, tmp_path, 179).deleted == {}
    assert after(store, tmp_path, 181).deleted == {"handoff_lines": 1, "handoffs": 1}
    assert after(store, tmp_path, 364).deleted == {}
    late = after(store, tmp_path, 366).deleted
    assert late == {"feedback": 2, "answers": 2, "readiness_checks": 1, "learners": 1}
    with store.reading() as connection:
        left = set(in_tables(connection, ANN, whole=True))
    assert left == {
        "audit.actor",
        "channel_settings.changed_by",
        "conversation_references.person",
        "conversation_references.reference",
        "helper_names.person",
        "preferences.person",
        "readiness_due.person",
        "readiness_groups.created_by",
        "readiness_invited.person",
        "readiness_members.person",
        "readiness_respondents.key",
        "readiness_shares.shared_by",
        "time_zones.person",
    }


def test_the_days_are_settings(store: Database, tmp_path: Path) -> None:
    everything(store, ANN)
    short = settings_for(tmp_path, keep_days=3, keep_incident_days=9, keep_feedback_days=5, keep_handoff_days=7)
    counts = [purge(store, short, START + timedelta(days=days)).deleted for days in (4, 6, 8, 10)]
    assert counts[0] == {"utterances": 4, "inbox": 1, "engagements": 1, "readiness_offers": 1}
    assert counts[1:] == [{"feedback": 2}, {"handoff_lines": 1, "handoffs": 1}, {"inbox": 1}]


def test_purged_words_leave_the_files(store: Database, tmp_path: Path) -> None:
    said(store, 1, ANN, "may the robot grade the essays of my class")
    after(store, tmp_path, 400)
    assert in_files(store, tmp_path, ["robot grade the essays"]) == {}


def test_a_dry_run_counts_the_same_and_changes_nothing(store: Database, tmp_path: Path) -> None:
    everything(store, ANN)
    counted = after(store, tmp_path, 31, dry_run=True)
    assert counted == after(store, tmp_path, 31, dry_run=True)
    assert after(store, tmp_path, 31) == counted


def test_one_persons_old_rows_and_a_number_of_days(store: Database, tmp_path: Path) -> None:
    said(store, 1, ANN, "an old question of mine", NOW - 10 * DAY)
    said(store, 2, ANN, "a new question of mine", NOW)
    said(store, 3, BEN, "an old question of Ben", NOW - 10 * DAY)
    purged = after(store, tmp_path, 0, older_than=5, person=ANN)
    assert purged.deleted == {"utterances": 2, "inbox": 1, "feedback": 1}
    with store.reading() as connection:
        assert in_tables(connection, "an old question of Ben")


@pytest.mark.parametrize(("kind", "subject"), [("person", ANN), ("organization", "pinecrest"), ("everything", "")])
def test_a_hold_keeps_what_it_names_until_it_ends(store: Database, tmp_path: Path, kind: str, subject: str) -> None:
    said(store, 1, ANN, "a question of mine")
    said(store, 2, BEN, "a question of Ben", organization="oak")
    with store.writing() as connection:
        hold = holds.add(connection, kind, subject, "a records request", "Rae", NOW)
    purged = after(store, tmp_path, 31)
    both = kind == "everything"
    assert purged.held == {"utterances": 4 if both else 2, "inbox": 2 if both else 1}
    assert purged.deleted == ({} if both else {"utterances": 2, "inbox": 1})
    with store.writing() as connection:
        holds.release(connection, hold.number, "Rae", "answered", NOW + DAY)
    assert after(store, tmp_path, 31).deleted == purged.held


def test_who_asked_during_a_hold_is_forgotten_when_it_ends(store: Database, tmp_path: Path) -> None:
    everything(store, ANN)
    with store.writing() as connection:
        hold = holds.add(connection, "organization", "pinecrest", "a lawsuit", "Rae", NOW)
    held = forget_person(store, tmp_path, ANN, NOW).held
    assert held is not None
    assert held.number == hold.number
    assert after(store, tmp_path, 0.5).forgotten == 0
    with store.writing() as connection:
        holds.release(connection, hold.number, "Rae", "settled", NOW + 1)
    assert after(store, tmp_path, 0.5).forgotten == 1
    with store.reading() as connection:
        assert in_tables(connection, ANN, whole=True) == {"audit.actor": 1}
        assert holds.wishes(connection) == []


def test_a_hold_needs_a_reason_an_author_and_a_name(store: Database) -> None:
    with store.writing() as connection:
        for bad in (("person", "", "r", "a"), ("person", "p", " ", "a"), ("person", "p", "r", ""), ("all", "", "r", "a"),
                    ("everything", "p", "r", "a")):  # fmt: skip
            with pytest.raises(FormatError):
                holds.add(connection, *bad, NOW)
        with pytest.raises(NotFound):
            holds.release(connection, 7, "a", "r", NOW)
        hold = holds.add(connection, "person", "p", "r", "a", NOW)
        with pytest.raises(FormatError):
            holds.release(connection, hold.number, "a", "", NOW)
        holds.release(connection, hold.number, "a", "r", NOW)
        with pytest.raises(NotFound):
            holds.release(connection, hold.number, "a", "r", NOW)
        assert holds.listed(connection) == []
        assert len(holds.listed(connection, ended=True)) == 1


# -- once a day ----------------------------------------------------------------------------------------------------------


def test_the_server_does_it_once_a_day_however_many_processes_there_are(store: Database, tmp_path: Path) -> None:
    settings, content = settings_for(tmp_path), instrument()
    book = Rounds(store, content, 5, ZoneInfo("America/New_York"))
    clock = [START + timedelta(days=31)]
    schedules = []
    ran: list[datetime] = []
    for _ in range(3):
        known = jobs(
            settings, store, build(settings, store), Nudges(store, content, book, quiet_hours("17:00-08:00", "UTC").quiet), book
        )
        work = next(job for job in known if job.name == "purge")

        def counted(now: datetime, work: Job = work) -> object:
            ran.append(now)
            return work.work(now)

        schedules.append(Schedule(store, [replace(work, work=counted)], lambda: clock[0]))

    async def look() -> None:
        await asyncio.gather(*(schedule.look() for schedule in schedules))
        for schedule in schedules:
            await schedule.settle()

    said(store, 1, ANN, "a question of mine")
    for hours in (0, 1, 2, 30):
        clock[0] = START + timedelta(days=31, hours=hours)
        asyncio.run(look())
    assert ran == [START + timedelta(days=31), START + timedelta(days=31, hours=30)]
    with store.reading() as connection:
        assert in_tables(connection, ANN, whole=True).keys() == {"feedback.person"}


def test_what_a_wiped_message_leaves_goes_after_a_day(store: Database, tmp_path: Path) -> None:
    said(store, 1, ANN, "a question of mine")
    forget_person(store, tmp_path, ANN, NOW)
    assert after(store, tmp_path, 0.5).deleted == {}
    assert after(store, tmp_path, 1.5).deleted == {"inbox": 1}


def test_a_counted_check_that_goes_leaves_the_published_totals(store: Database, tmp_path: Path) -> None:
    everything(store, ANN)
    put(store, "readiness_rounds", id="r2", group_id="k1", period="2028", form="pulse", split="role_group", min_group=5,
        wording_version="1", opens_on="2027-01-01", closes_on="2027-01-09", result={"all": 7})  # fmt: skip
    after(store, tmp_path, 366)
    with store.reading() as connection:
        from bot.store.readiness_tables import respondents, rounds

        assert connection.execute(rounds.select().where(rounds.c.id == "r2")).one().result == {"all": 7}
        assert connection.execute(respondents.select()).one().check_id is None
