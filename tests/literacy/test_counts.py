"""What managers may see: bands from five people on, once a month, never undone by asking again or erasing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from bot.literacy import records
from bot.literacy.counts import Count, band, finished
from bot.literacy.lessons import catalogue
from bot.store import Database
from bot.store.literacy_tables import learners, lesson_runs

ALL = catalogue()
OCTOBER, DECEMBER = datetime(2026, 10, 9, tzinfo=UTC), datetime(2026, 12, 3, 9, tzinfo=UTC)


def _people(database: Database, count: int, lesson: str, at: datetime = OCTOBER, organization: str = "pinecrest") -> None:
    with database.writing() as connection:
        for n in range(count):
            person, stamp = f"{organization}:{lesson}:{n}", at.isoformat()
            connection.execute(
                insert(learners).values(
                    person=person, organization=organization, language="en", open="", focus={}, moved_at=stamp
                )
            )
            connection.execute(
                insert(lesson_runs).values(
                    person=person,
                    lesson=lesson,
                    number=1,
                    content="x",
                    step=5,
                    answers=[1, 1],
                    started_at=stamp,
                    moved_at=stamp,
                    finished_at=stamp,
                )
            )


def _counts(database: Database, now: datetime = DECEMBER, minimum: int = 5) -> dict[str, Count]:
    with database.writing() as connection:
        return {count.lesson: count for count in finished(connection, "pinecrest", ALL, now, minimum)}


@pytest.mark.parametrize("people", range(0, 60))
def test_fewer_than_five_are_never_told_from_none_and_more_only_in_bands(people: int) -> None:
    shown = band(people)
    assert (shown is None) == (people < 5)
    if shown is not None:
        assert shown[0] <= people
        assert shown[1] is None or people <= shown[1]
        assert shown in ((5, 9), (10, 19), (20, 49), (50, None))


def test_the_minimum_can_be_raised_and_not_lowered() -> None:
    assert band(4, minimum=1) is None
    assert band(9, minimum=10) is None
    assert band(12, minimum=12) == (12, 19)


def test_counts_come_only_from_finished_lessons_of_that_organization_before_this_month(database: Database) -> None:
    _people(database, 7, "care")
    _people(database, 4, "ask-well")
    _people(database, 9, "swap-test", at=datetime(2026, 12, 1, 8, tzinfo=UTC))
    _people(database, 9, "hand-over", organization="oak")
    counts = _counts(database)
    assert counts["care"] == Count("care", 5, 9)
    for lesson in ("ask-well", "swap-test", "hand-over", "what-ai-is"):
        assert counts[lesson] == Count(lesson, None, None)
    assert len(counts) == 12


def test_a_months_figures_are_kept_whoever_comes_goes_or_asks(database: Database) -> None:
    _people(database, 5, "care")
    before = _counts(database)
    with database.writing() as connection:
        records.erase(connection, "pinecrest:care:0")
    assert _counts(database) == before
    _people(database, 30, "ask-well")
    assert _counts(database) == before, "nothing moves within a month"
    assert _counts(database, minimum=20)["care"] == Count("care", None, None)
    january = _counts(database, datetime(2027, 1, 2, tzinfo=UTC))
    assert january["care"] == Count("care", None, None)
    assert january["ask-well"] == Count("ask-well", 20, 49)
