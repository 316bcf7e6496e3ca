"""What the server does by itself: return questions of the lessons, reminders and rounds of the readiness check, the day's purge.

Built by ``bot.app`` into the schedule. Every job may run again for the same time: what is due is claimed and queued in one
transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection

from bot.literacy import nudges as lessons
from bot.literacy.nudges import Nudges as LessonNudges
from bot.personal.retention import purge
from bot.readiness import nudges as readiness
from bot.readiness.nudges import Nudges as ReadinessNudges
from bot.readiness.rounds import Rounds
from bot.schedule import Job
from bot.settings import Settings
from bot.store import Database, outbox
from bot.store.outbox import To

WEEK = timedelta(days=7)

LESSON_DAYS = 3
"""How long a return question waits for a way to its person; after that the next one comes in its place."""


def jobs(settings: Settings, database: Database, questions: LessonNudges, reminders: ReadinessNudges, book: Rounds) -> list[Job]:
    """Every job with its period in seconds."""
    limit = Limit(database, settings.nudges_a_week)

    def nudge(now: datetime) -> None:
        # One job for both, so that they never count the week at the same time. What closes comes first.
        try:
            reminders.take(now, queue_readiness(now), limit.room(now))
        finally:
            questions.outgoing(now, limit.others, queue_lesson(now))

    purging = Job("purge", 86_400, lambda now: purge(database, settings, now))
    return [Job("rounds", 300, book.tick), Job("nudges", 300, nudge), purging]


class Limit:
    """At most so many nudges a week for one person, over lessons and readiness together."""

    def __init__(self, database: Database, a_week: int) -> None:
        self._database = database
        self._a_week = a_week

    def others(self, person: str) -> tuple[datetime, ...]:
        """When a person was reminded of anything but lessons; these know their own."""
        with self._database.reading() as connection:
            found = outbox.times(connection, person, (readiness.KIND,), 0.0)
        return tuple(datetime.fromtimestamp(at, UTC) for at in found)

    def room(self, now: datetime) -> Callable[[Connection, str], bool]:
        """Whether a person may be written to once more in the week before ``now``."""
        since = (now - WEEK).timestamp()

        def free(connection: Connection, person: str) -> bool:
            return len(outbox.times(connection, person, (lessons.KIND, readiness.KIND), since)) < self._a_week

        return free


def queue_lesson(now: datetime) -> Callable[[Connection, lessons.Nudge], None]:
    """Queues return questions."""
    at, expires = now.timestamp(), (now + timedelta(days=LESSON_DAYS)).timestamp()

    def queue(connection: Connection, nudge: lessons.Nudge) -> None:
        owner = hashlib.sha256(nudge.person.encode()).hexdigest()[:24]
        # The time, because someone who erased their lessons and began anew is asked anew.
        key = f"{lessons.KIND}:{nudge.lesson}:{nudge.day}:{owner}:{at:.0f}"
        outbox.put(
            connection,
            key,
            To.to_person(nudge.person),
            nudge.reply,
            kind=lessons.KIND,
            subject=nudge.lesson,
            organization=nudge.organization,
            now=at,
            expires=expires,
        )

    return queue


def queue_readiness(now: datetime) -> Callable[[Connection, readiness.Nudge], None]:
    """Queues invitations, reminders and follow-up questions."""
    at = now.timestamp()

    def queue(connection: Connection, nudge: readiness.Nudge) -> None:
        end = datetime.combine(nudge.until + timedelta(days=1), time(), UTC).timestamp()
        outbox.put(
            connection,
            nudge.key,
            To.to_person(nudge.person),
            nudge.reply,
            kind=readiness.KIND,
            subject=nudge.subject,
            organization=nudge.organization,
            now=at,
            expires=end,
        )

    return queue
