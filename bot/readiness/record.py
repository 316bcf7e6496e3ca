"""Keeps checks in SQL: one row a check, one row an event, appended and never changed. Called by the conversation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, or_, select, update

from bot.readiness.instrument import Answers, FormName, Instrument
from bot.readiness.state import Event, Kind, Progress, fold, form_items, wordings
from bot.store.readiness_tables import checks, due, events, invited, members, moves, offers, respondents

OPEN = ("running", "paused", "stopped")

OFFER_LASTS = timedelta(days=1)
"""For how long the last reply's choices can be typed."""


@dataclass(frozen=True)
class Check:
    """One check of one person, without its answers."""

    id: str
    person: str
    organization: str | None
    form: FormName
    language: str
    state: str
    wording_version: str
    started_at: datetime
    touched_at: datetime
    finished_at: datetime | None
    round_id: str | None
    kept_out: bool
    result: dict[str, Any] | None


def stamp(at: datetime) -> str:
    """A moment as kept: UTC, ISO 8601 with microseconds, so that text order is time order."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """The reverse of :func:`stamp`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _check(row: Any) -> Check:
    return Check(
        row.id,
        row.person,
        row.organization,
        row.form,
        row.language,
        row.state,
        row.wording_version,
        moment(row.started_at),
        moment(row.touched_at),
        moment(row.finished_at) if row.finished_at else None,
        row.round_id,
        row.kept_out,
        row.result,
    )


def by_id(connection: Connection, check_id: str, person: str) -> Check | None:
    """A check, only when it belongs to ``person``."""
    row = connection.execute(select(checks).where(checks.c.id == check_id, checks.c.person == person)).first()
    return _check(row) if row else None


def open_check(connection: Connection, person: str) -> Check | None:
    """The person's unfinished check, however old; there is at most one."""
    query = select(checks).where(checks.c.person == person, checks.c.state.in_(OPEN)).order_by(checks.c.started_at.desc())
    row = connection.execute(query).first()
    return _check(row) if row else None


def finished(connection: Connection, person: str, form: FormName | None = None) -> list[Check]:
    """The person's finished checks, newest first."""
    query = select(checks).where(checks.c.person == person, checks.c.state == "finished")
    if form is not None:
        query = query.where(checks.c.form == form)
    return [_check(row) for row in connection.execute(query.order_by(checks.c.finished_at.desc()))]


def start(
    connection: Connection,
    person: str,
    organization: str | None,
    form: FormName,
    language: str,
    wording_version: str,
    now: datetime,
    *,
    round_id: str | None = None,
    kept_out: bool = False,
) -> Check:
    """A new check; one that was still open is closed."""
    connection.execute(update(checks).where(checks.c.person == person, checks.c.state.in_(OPEN)).values(state="closed"))
    check_id = secrets.token_hex(8)
    values = {
        "id": check_id,
        "person": person,
        "organization": organization,
        "form": form,
        "language": language,
        "state": "running",
        "wording_version": wording_version,
        "started_at": stamp(now),
        "touched_at": stamp(now),
        "round_id": round_id,
        "kept_out": kept_out,
    }
    connection.execute(checks.insert().values(**values))
    row = connection.execute(select(checks).where(checks.c.id == check_id)).one()
    return _check(row)


def read_events(connection: Connection, check_id: str) -> list[Event]:
    """Every event of a check in order."""
    query = select(events).where(events.c.check_id == check_id).order_by(events.c.revision)
    return [Event(row.revision, row.kind, row.item, row.level, row.wording, row.at) for row in connection.execute(query)]


def progress(connection: Connection, instrument: Instrument, check: Check) -> Progress:
    """The check as it stands."""
    return fold(form_items(instrument, check.form), read_events(connection, check.id), wordings(instrument))


def append(connection: Connection, check_id: str, kind: Kind, item: str, level: int | None, wording: str, now: datetime) -> None:
    """Add an event after the newest one. The caller holds the write transaction."""
    newest = connection.execute(select(func.max(events.c.revision)).where(events.c.check_id == check_id)).scalar() or 0
    row = {"check_id": check_id, "revision": newest + 1, "kind": kind, "item": item, "level": level, "wording": wording}
    connection.execute(events.insert().values(**row, at=stamp(now)))
    connection.execute(update(checks).where(checks.c.id == check_id).values(touched_at=stamp(now), state="running"))


def set_state(connection: Connection, check_id: str, state: str, now: datetime, **more: object) -> None:
    """Move a check to another state."""
    connection.execute(update(checks).where(checks.c.id == check_id).values(state=state, touched_at=stamp(now), **more))


def answers_of(connection: Connection, instrument: Instrument, check: Check) -> Answers:
    """The answers in force, in the form's order: frozen ones of a finished check, else those of its events."""
    if check.result is not None:
        kept: Answers = check.result["answers"]
        return kept
    found = progress(connection, instrument, check).answers
    return {item: found[item] for item in form_items(instrument, check.form) if item in found}


def carried(connection: Connection, instrument: Instrument, person: str, now: datetime) -> tuple[Check, dict[str, Event]] | None:
    """A recent pulse whose answers may be kept in a full check, with the event of each answer that gave a level."""
    for pulse in finished(connection, person, "pulse"):
        if pulse.finished_at is None or now - pulse.finished_at > timedelta(days=instrument.rules.carry_over_days):
            return None
        current = wordings(instrument)
        kept = {e.item: e for e in read_events(connection, pulse.id) if e.kind == "answer" and e.wording in current[e.item]}
        levels = {item: event for item, event in kept.items() if event.level is not None}
        if levels:
            return pulse, levels
    return None


def counted(connection: Connection, check_id: str) -> bool:
    """Whether the check stands in a published round, so that it can no longer change."""
    return connection.execute(select(respondents.c.key).where(respondents.c.check_id == check_id)).first() is not None


# -- offers: what the last reply's buttons were, so that typing their label or number works ------------------------------


@dataclass(frozen=True)
class Offered:
    """The choices of the last reply, (label, value) each, what kind of reply it was, and when it was said."""

    choices: tuple[tuple[str, str], ...]
    kind: Literal["question", "list", "plain"]
    at: datetime


def offer(connection: Connection, person: str, offered: Offered | None) -> None:
    """Remember the choices of a reply; None forgets them."""
    connection.execute(delete(offers).where(offers.c.person == person))
    if offered is not None and offered.choices:
        pairs = [list(choice) for choice in offered.choices]
        connection.execute(offers.insert().values(person=person, choices=pairs, kind=offered.kind, at=stamp(offered.at)))


def offered(connection: Connection, person: str, now: datetime) -> Offered | None:
    """The choices of the last reply; none after a day."""
    row = connection.execute(select(offers).where(offers.c.person == person)).first()
    if row is None or now - moment(row.at) > OFFER_LASTS:
        return None
    return Offered(tuple((label, value) for label, value in row.choices), row.kind, moment(row.at))


# -- erasing -------------------------------------------------------------------------------------------------------------


def erase(connection: Connection, person: str, *, memberships: bool = False) -> int:
    """Remove the person's checks, answers, moves, offers and reminders; returns how many checks there were.

    Published group results stay as they are: frozen totals in which nobody is named. The list of who was counted keeps
    an anonymous row in place of the person, so that later rounds cannot be compared with it person by person.

    :param memberships: also leave every group and open round (a person leaving the product, not only a check).
    """
    mine = [row.id for row in connection.execute(select(checks.c.id).where(checks.c.person == person))]
    for table in (events, moves):
        connection.execute(delete(table).where(table.c.check_id.in_(mine)))
    connection.execute(delete(checks).where(checks.c.id.in_(mine)))
    connection.execute(delete(offers).where(offers.c.person == person))
    connection.execute(delete(due).where(or_(due.c.person == person, due.c.subject.in_(mine))))
    for row in connection.execute(select(respondents.c.round_id).where(respondents.c.key == person)).all():
        here = (respondents.c.round_id == row.round_id) & (respondents.c.key == person)
        connection.execute(update(respondents).where(here).values(key=f"gone:{secrets.token_hex(8)}", check_id=None))
    if memberships:
        for table in (members, invited):
            connection.execute(delete(table).where(table.c.person == person))
    return len(mine)


def sweep(connection: Connection, now: datetime, keep_days: int) -> int:
    """Remove checks untouched for ``keep_days`` days; returns how many."""
    before = stamp(now - timedelta(days=keep_days))
    return remove(connection, list(connection.execute(select(checks.c.id).where(checks.c.touched_at < before)).scalars()))


def remove(connection: Connection, old: list[str]) -> int:
    """Remove checks by their ids; returns how many. Published totals stay as they are."""
    for table in (events, moves):
        connection.execute(delete(table).where(table.c.check_id.in_(old)))
    count = connection.execute(delete(checks).where(checks.c.id.in_(old))).rowcount
    connection.execute(update(respondents).where(respondents.c.check_id.in_(old)).values(check_id=None))
    return count


def day(value: datetime | date, language: str) -> str:
    """A date in words: 25 November 2026, 25 de noviembre de 2026."""
    names = _MONTHS[language]
    joined = " de " if language == "es" else " "
    return joined.join((str(value.day), names[value.month - 1], str(value.year)))


_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
}
