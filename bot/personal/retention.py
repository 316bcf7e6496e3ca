"""What is deleted when its days are over, unless a hold keeps it. Called by a daily job and by ``signpost data purge``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select

from bot.personal import holds
from bot.personal.forgetting import forget_person
from bot.personal.holds import InForce
from bot.personal.links import any_leads_to, table_of
from bot.personal.map import KEPT
from bot.readiness import record as readiness
from bot.settings import Settings
from bot.store import Database
from bot.store.conversation_tables import engagements, feedback, inbox, utterances
from bot.store.literacy_tables import learners, lesson_returns, lesson_runs
from bot.store.outbox_tables import outbox
from bot.store.readiness_tables import checks, offers
from bot.store.tables import answers, citations

DAY = 86_400.0
PIECE = 500
"""Rows named in one statement."""

OUTBOX_DAYS = 8
"""Days that a message of ours is kept beyond the others: reminders of a week are counted there."""


@dataclass(frozen=True)
class Purged:
    """Rows deleted (or that would be), and rows past their days that a hold keeps, by table; people forgotten as they wished."""

    deleted: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    forgotten: int = 0


@dataclass(frozen=True)
class Rule:
    """Rows of one table whose days are over. ``remove`` deletes them by their keys, together with what hangs on them."""

    table: Table
    over: ColumnElement[bool]
    remove: Callable[[Connection, ColumnElement[bool]], int]


def purge(
    database: Database,
    settings: Settings,
    now: datetime,
    *,
    older_than: int | None = None,
    person: str | None = None,
    dry_run: bool = False,
) -> Purged:
    """Delete what is older than its days, or than ``older_than`` days whatever it is; only ``person``'s where one is named.

    Wishes to be forgotten whose hold has ended are carried out too. With ``dry_run`` nothing changes and the counts are of
    what would go.
    """
    forgotten = 0
    if not dry_run and person is None:
        forgotten = _grant(database, settings.data_dir, now.timestamp())
    deleted: dict[str, int] = {}
    held: dict[str, int] = {}
    with database.writing() as connection:
        in_force = InForce.now(connection)
        for rule in _rules(settings, now, older_than):
            over, keeps = rule.over, in_force.keeps(rule.table)
            if person is not None:
                over &= _whose(rule.table, person)
            if keeps is not None:
                _add(held, rule.table, _count(connection, rule.table, over & keeps))
                over &= ~keeps
            gone = _count(connection, rule.table, over) if dry_run else rule.remove(connection, over)
            _add(deleted, rule.table, gone)
    if deleted and not dry_run:
        database.flush_log()
    return Purged(deleted, held, forgotten)


def _grant(database: Database, folder: Path, now: float) -> int:
    """Forget those whose wish waited for a hold that has ended. A wish that a hold still forbids goes on waiting."""
    with database.reading() as connection:
        waiting = holds.wishes(connection)
    return sum(forget_person(database, folder, person, now).held is None for person in waiting)


def _add(counts: dict[str, int], table: Table, count: int) -> None:
    if count:
        counts[table.name] = counts.get(table.name, 0) + count


def _count(connection: Connection, table: Table, where: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(where)).scalar() or 0)


def _whose(table: Table, person: str) -> ColumnElement[bool]:
    return any_leads_to(table, KEPT[table.name].person, [person])


# -- the rules -----------------------------------------------------------------------------------------------------------


def _rules(settings: Settings, now: datetime, older_than: int | None) -> list[Rule]:
    """Every rule, in an order in which nothing is deleted that a later rule needs to know whose rows are whose."""

    def before(days: int) -> datetime:
        return now - timedelta(days=days if older_than is None else older_than)

    def seconds(days: int) -> float:
        return before(days).timestamp()

    talk, incidents = seconds(settings.keep_days), seconds(settings.keep_incident_days)
    lessons = before(settings.keep_lesson_days).astimezone(UTC).isoformat(timespec="seconds")
    reasons = before(settings.keep_answer_days).astimezone(UTC).isoformat(timespec="seconds")
    handoffs = table_of("handoffs")
    lines, over = table_of("handoff_lines"), handoffs.c.touched_at < seconds(settings.keep_handoff_days)
    ended = inbox.c.state.in_(("sent", "ignored")) & (inbox.c.received_at < talk)
    failed = (inbox.c.state == "failed") & (inbox.c.received_at < incidents)
    blanked = inbox.c.forget & (inbox.c.ended_at < now.timestamp() - DAY)
    went = (outbox.c.state != "waiting") & (outbox.c.ended_at < talk - OUTBOX_DAYS * DAY)
    rules = [
        Rule(engagements, engagements.c.last_at < talk, _plainly(engagements)),
        Rule(utterances, utterances.c.at < talk, _plainly(utterances)),
        Rule(feedback, feedback.c.at < seconds(settings.keep_feedback_days), _plainly(feedback)),
        Rule(lines, lines.c.handoff.in_(select(handoffs.c.id).where(over)), _plainly(lines)),
        Rule(handoffs, over, _plainly(handoffs)),
        Rule(outbox, went, _plainly(outbox)),
        Rule(answers, answers.c.at < reasons, _answers),
        Rule(inbox, or_(ended, failed, blanked), _plainly(inbox)),
        Rule(checks, checks.c.touched_at < readiness.stamp(before(settings.readiness_keep_days)), _checks),
        Rule(offers, offers.c.at < readiness.stamp(now - readiness.OFFER_LASTS), _plainly(offers)),
        Rule(learners, learners.c.moved_at < lessons, _learners),
    ]
    return rules


def _plainly(table: Table) -> Callable[[Connection, ColumnElement[bool]], int]:
    def remove(connection: Connection, where: ColumnElement[bool]) -> int:
        return connection.execute(delete(table).where(where)).rowcount

    return remove


def _answers(connection: Connection, where: ColumnElement[bool]) -> int:
    old = select(answers.c.id).where(where)
    connection.execute(delete(citations).where(citations.c.answer.in_(old)))
    return connection.execute(delete(answers).where(where)).rowcount


def _checks(connection: Connection, where: ColumnElement[bool]) -> int:
    old = list(connection.execute(select(checks.c.id).where(where)).scalars())
    return sum(readiness.remove(connection, old[start : start + PIECE]) for start in range(0, len(old), PIECE))


def _learners(connection: Connection, where: ColumnElement[bool]) -> int:
    old = select(learners.c.person).where(where)
    for table in (lesson_returns, lesson_runs):
        connection.execute(delete(table).where(table.c.person.in_(old)))
    return connection.execute(delete(learners).where(where)).rowcount
