"""How many people finished each lesson, for managers: bands only, from five people on, counted once a month and kept.

No total and no split is given, so nothing can be subtracted; a month's figures are written down when first asked for and
never recomputed, so erasing a person or asking twice tells nothing about one person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select

from bot.literacy.lessons import Catalogue
from bot.store.literacy_tables import learners, lesson_counts, lesson_runs

MINIMUM = 5
BANDS: tuple[tuple[int, int | None], ...] = ((5, 9), (10, 19), (20, 49), (50, None))
"""Counts are given as one of these."""


@dataclass(frozen=True)
class Count:
    """Between ``least`` and ``most`` people finished the lesson (None: or more); None in all for fewer than the minimum."""

    lesson: str
    least: int | None
    most: int | None


def band(count: int, minimum: int = MINIMUM) -> tuple[int, int | None] | None:
    """The band a count falls into, or None below the minimum, which can be raised and never lowered."""
    minimum = max(minimum, MINIMUM)
    if count < minimum:
        return None
    least, most = next((low, high) for low, high in BANDS if high is None or count <= high)
    return max(least, minimum), most


def finished(
    connection: Connection, organization: str, catalogue: Catalogue, now: datetime, minimum: int = MINIMUM
) -> tuple[Count, ...]:
    """Lessons finished before this month began, one count a lesson. Runs inside a write transaction."""
    now = now.astimezone(UTC)
    month = f"{now:%Y-%m}"
    where = (lesson_counts.c.organization == organization) & (lesson_counts.c.month == month)
    kept = {row.lesson: row for row in connection.execute(select(lesson_counts).where(where))}
    if not kept:
        begin = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0).isoformat(timespec="seconds")
        rows = connection.execute(
            select(lesson_runs.c.lesson, func.count())
            .join(learners, learners.c.person == lesson_runs.c.person)
            .where(learners.c.organization == organization, lesson_runs.c.finished_at < begin)
            .group_by(lesson_runs.c.lesson)
        )
        people = {row[0]: int(row[1]) for row in rows}
        for lesson in catalogue.lessons:
            least, most = band(people.get(lesson.id, 0), minimum) or (0, 0)
            values = {"organization": organization, "month": month, "lesson": lesson.id, "least": least, "most": most}
            connection.execute(insert(lesson_counts).values(**values))
        kept = {row.lesson: row for row in connection.execute(select(lesson_counts).where(where))}
    return tuple(_count(lesson.id, kept.get(lesson.id), minimum) for lesson in catalogue.lessons)


def _count(lesson: str, row: object, minimum: int) -> Count:
    least, most = getattr(row, "least", 0), getattr(row, "most", 0)
    if least < max(minimum, MINIMUM):
        return Count(lesson, None, None)
    return Count(lesson, least, most)
