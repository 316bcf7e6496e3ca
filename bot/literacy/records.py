"""Keeping and erasing a person's lessons. Rows are private to the person; nothing here is shown to anyone else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.literacy.course import Focus, Learner, Return, Run
from bot.store.literacy_tables import learners, lesson_returns, lesson_runs


def _stamp(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at is not None else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _sure(text: str) -> datetime:
    return datetime.fromisoformat(text)


def load(connection: Connection, person: str) -> Learner | None:
    """Everything kept about a person's lessons, or None when nothing is."""
    row = connection.execute(select(learners).where(learners.c.person == person)).first()
    if row is None:
        return None
    runs = connection.execute(select(lesson_runs).where(lesson_runs.c.person == person).order_by(lesson_runs.c.lesson))
    returns = connection.execute(
        select(lesson_returns).where(lesson_returns.c.person == person).order_by(lesson_returns.c.lesson, lesson_returns.c.day)
    )
    return Learner(
        person=person,
        organization=row.organization,
        language=row.language,
        open=row.open,
        reminders_since=_time(row.reminders_since),
        focus=Focus(row.focus["what"], row.focus["lesson"], row.focus["day"], _time(row.focus["at"])),
        runs=tuple(_run(r) for r in runs),
        returns=tuple(_return(r) for r in returns),
    )


def _run(row: Any) -> Run:
    return Run(
        row.lesson,
        row.number,
        row.content,
        row.step,
        tuple(row.answers),
        _sure(row.started_at),
        _sure(row.moved_at),
        _time(row.finished_at),
    )


def _return(row: Any) -> Return:
    return Return(row.lesson, row.day, row.content, _sure(row.sent_at), _time(row.answered_at), row.choice)


def save(connection: Connection, learner: Learner, before: Learner | None, now: datetime) -> None:
    """Write what changed since ``before``, inside the caller's write transaction."""
    if learner == before:
        return
    focus = learner.focus
    values: dict[str, Any] = {
        "organization": learner.organization,
        "language": learner.language,
        "open": learner.open,
        "reminders_since": _stamp(learner.reminders_since),
        "focus": {"what": focus.what, "lesson": focus.lesson, "day": focus.day, "at": _stamp(focus.at)},
        "moved_at": _stamp(now),
    }
    if before is None:
        connection.execute(insert(learners).values(person=learner.person, **values))
    else:
        connection.execute(update(learners).where(learners.c.person == learner.person).values(**values))
    old_runs = before.runs if before else ()
    for run in learner.runs:
        if run not in old_runs:
            _save_run(connection, learner.person, run, is_new=all(run.lesson != old.lesson for old in old_runs))
    for sent in learner.returns:
        if before is None or sent not in before.returns:
            connection.execute(
                update(lesson_returns)
                .where(
                    lesson_returns.c.person == learner.person,
                    lesson_returns.c.lesson == sent.lesson,
                    lesson_returns.c.day == sent.day,
                )
                .values(answered_at=_stamp(sent.answered_at), choice=sent.choice)
            )


def _save_run(connection: Connection, person: str, run: Run, *, is_new: bool) -> None:
    values: dict[str, Any] = {
        "number": run.number,
        "content": run.content,
        "step": run.step,
        "answers": list(run.answers),
        "started_at": _stamp(run.started_at),
        "moved_at": _stamp(run.moved_at),
        "finished_at": _stamp(run.finished_at),
    }
    if is_new:
        connection.execute(insert(lesson_runs).values(person=person, lesson=run.lesson, **values))
    else:
        where = (lesson_runs.c.person == person) & (lesson_runs.c.lesson == run.lesson)
        connection.execute(update(lesson_runs).where(where).values(**values))


def claim(connection: Connection, person: str, sent: Return) -> bool:
    """Note that a return question goes out now; False when another process already has it."""
    try:
        with connection.begin_nested():
            connection.execute(
                insert(lesson_returns).values(
                    person=person, lesson=sent.lesson, day=sent.day, content=sent.content, sent_at=_stamp(sent.sent_at)
                )
            )
    except IntegrityError:
        return False
    return True


def reminded(connection: Connection) -> list[str]:
    """Everyone who asked for return questions."""
    return list(connection.execute(select(learners.c.person).where(learners.c.reminders_since.is_not(None))).scalars())


def erase(connection: Connection, person: str) -> bool:
    """Remove everything about a person's lessons; whether there was anything. Published counts stay as they were."""
    removed = 0
    for table in (lesson_returns, lesson_runs, learners):
        removed += connection.execute(delete(table).where(table.c.person == person)).rowcount
    return removed > 0
