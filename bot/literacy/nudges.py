"""Return questions on their way out. A background job calls ``outgoing``, which queues them; a stop word withdraws them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from bot.literacy import cards, records
from bot.literacy.course import Focus, Learner, Return
from bot.literacy.lessons import Catalogue, catalogue
from bot.literacy.reminders import Rules, due, rules
from bot.messages import Reply
from bot.settings import Settings
from bot.store import Database

KIND = "lesson"
"""What these messages are called in the outbox."""


@dataclass(frozen=True)
class Nudge:
    """One return question for one person, already noted as sent."""

    person: str
    organization: str | None
    lesson: str
    day: int
    reply: Reply


def build(settings: Settings, database: Database) -> Nudges:
    """The questions on their way out, as the settings say. Raises ConfigurationError for hours or a zone that make no sense."""
    said = rules(settings.quiet_hours, settings.time_zone, settings.nudges_a_week, settings.grace_days)
    return Nudges(catalogue(), database, said)


Queue = Callable[[Connection, Nudge], None]
"""Queues a question for sending, in the transaction that notes it as sent."""


class Nudges:
    """Each question goes out once: the note that it was sent and its place in the outbox are one transaction."""

    def __init__(self, catalogue: Catalogue, database: Database, rules: Rules) -> None:
        self._catalogue = catalogue
        self._database = database
        self._rules = rules

    def outgoing(
        self,
        now: datetime,
        others: Callable[[str], tuple[datetime, ...]] = lambda _person: (),
        queue: Queue = lambda _connection, _nudge: None,
    ) -> list[Nudge]:
        """The questions to send now. ``others`` gives the times of a person's other nudges, which share the weekly limit."""
        now = now.astimezone(UTC).replace(microsecond=0)
        if self._rules.a_week == 0 or self._rules.quiet(now):
            return []
        with self._database.reading() as connection:
            people = records.reminded(connection)
        found = (self._claim(person, now, others(person), queue) for person in people)
        return [nudge for nudge in found if nudge is not None]

    def _claim(self, person: str, now: datetime, others: tuple[datetime, ...], queue: Queue) -> Nudge | None:
        with self._database.reading() as connection:
            learner = records.load(connection, person)
        if learner is None or due(now, learner, self._catalogue, self._rules, others) is None:
            return None
        with self._database.writing() as connection:
            # Decided again where only one process writes at a time: the limit and the stop word hold across processes.
            learner = records.load(connection, person)
            found = due(now, learner, self._catalogue, self._rules, others) if learner is not None else None
            if learner is None or found is None:
                return None
            nudge = self._note(connection, learner, found, now)
            if nudge is not None:
                queue(connection, nudge)
            return nudge

    def _note(self, connection: Connection, learner: Learner, found: tuple[str, int], now: datetime) -> Nudge | None:
        lesson = self._catalogue.get(found[0])
        if lesson is None:
            return None
        sent = Return(lesson.id, found[1], lesson.content, now)
        if not records.claim(connection, learner.person, sent):
            return None
        after = replace(learner, focus=Focus("return", lesson.id, sent.day, now))
        records.save(connection, after, learner, now)
        setting = cards.Setting(learner.language or "en", now.date(), self._rules.grace_days)
        reply = cards.return_question(lesson, sent.day, setting)
        return Nudge(learner.person, learner.organization, lesson.id, sent.day, reply)

    def wanted(self, nudge: Nudge) -> bool:
        """Whether the person still wants questions: a stop word that came since is honoured."""
        with self._database.reading() as connection:
            learner = records.load(connection, nudge.person)
        return learner is not None and learner.reminders_since is not None
