"""Messages that are due: invitations, at most two reminders a round, and the one follow-up question a person asked for.

Each is claimed and queued in one transaction, so it is sent once, whatever process takes it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import Connection, delete, select, update

from bot.messages import Reply
from bot.readiness.cards import Cards
from bot.readiness.instrument import FormName, Instrument
from bot.readiness.record import by_id, day
from bot.readiness.rounds import Rounds
from bot.store import Database, outbox
from bot.store.readiness_tables import checks, due, groups, invited, rounds

FOLLOW_UP_DAYS = 30
FOLLOW_UP_KEPT_DAYS = 14
"""How long a follow-up question waits for a way to its person."""

KIND = "readiness"
"""What these messages are called in the outbox; their subject there is the round or check."""

Kind = Literal["invite", "reminder", "follow_up"]


@dataclass(frozen=True)
class Nudge:
    """A message to send to a person now, in private. ``key`` is its own name, and it is of no use after ``until``."""

    person: str
    kind: Kind
    reply: Reply
    key: str
    subject: str
    organization: str | None
    until: date


Queue = Callable[[Connection, Nudge], None]
"""Queues a message for sending, in the transaction that claims it."""

Room = Callable[[Connection, str], bool]
"""Whether a person may be written to now, as far as the weekly limit goes."""


def ask_later(connection: Connection, check_id: str, item: str, person: str, today: date) -> date:
    """Owe one follow-up question; asking twice changes nothing. Returns its day."""
    on = today + timedelta(days=FOLLOW_UP_DAYS)
    here = (due.c.kind == "follow_up", due.c.subject == check_id, due.c.period == item, due.c.person == person)
    known = connection.execute(select(due.c.due_on).where(*here)).scalar()
    if known is not None:
        return date.fromisoformat(known)
    row = {"kind": "follow_up", "subject": check_id, "period": item, "person": person, "due_on": on.isoformat()}
    connection.execute(due.insert().values(**row))
    return on


def ask_no_more(connection: Connection, person: str, now: datetime) -> int:
    """Drop every follow-up question owed to a person, also one on its way; returns how many."""
    mine = (due.c.kind == "follow_up", due.c.person == person)
    waiting = 0
    for row in connection.execute(select(due.c.subject).where(*mine).distinct()).all():
        waiting += outbox.withdraw(connection, person, KIND, now.timestamp(), row.subject)
    return waiting + connection.execute(delete(due).where(*mine, due.c.done_at.is_(None))).rowcount


class Nudges:
    """Hands out what is due."""

    def __init__(self, database: Database, instrument: Instrument, book: Rounds, quiet: Callable[[datetime], bool]) -> None:
        """``quiet`` says whether a moment lies in the quiet hours, in which nothing is handed out."""
        self._database = database
        self._instrument = instrument
        self._book = book
        self._quiet = quiet

    def take(
        self,
        now: datetime,
        queue: Queue = lambda _connection, _nudge: None,
        room: Room = lambda _connection, _person: True,
    ) -> list[Nudge]:
        """Everything due now, claimed in one transaction. Those who answered or left, and closed rounds, are passed over; for
        whom there is no ``room`` this week, it stays due."""
        if self._quiet(now):
            return []
        today = self._book.today(now)
        handed: list[Nudge] = []
        with self._database.writing() as connection:
            kinds = ("invite", "reminder", "follow_up")
            query = select(due).where(due.c.kind.in_(kinds), due.c.done_at.is_(None), due.c.due_on <= today.isoformat())
            seen: set[tuple[str, str]] = set()
            for row in connection.execute(query.order_by(due.c.due_on, due.c.period)).all():
                nudge = self._nudge(connection, row, today)
                wanted = nudge is not None and (row.subject, row.person) not in seen
                if wanted and not room(connection, row.person):
                    continue
                here = [getattr(due.c, name) == getattr(row, name) for name in ("kind", "subject", "period", "person")]
                connection.execute(update(due).where(*here).values(done_at=today.isoformat()))
                if nudge is not None and wanted:
                    seen.add((row.subject, row.person))
                    queue(connection, nudge)
                    handed.append(nudge)
        return handed

    def _nudge(self, connection: Connection, row: Any, today: date) -> Nudge | None:
        return self._follow_up(connection, row, today) if row.kind == "follow_up" else self._round(connection, row, today)

    def _follow_up(self, connection: Connection, row: Any, today: date) -> Nudge | None:
        check = by_id(connection, row.subject, row.person)
        if check is None or check.result is None or not check.result["answers"].get(row.period):
            return None
        cards = Cards(self._instrument, check.language)
        move = cards.texts.items[row.period].moves[check.result["answers"][row.period]]
        choices = [cards.choice(label, f"move:{check.id}:{row.period}:{what}") for label, what in _FOLLOW_CHOICES]
        until = today + timedelta(days=FOLLOW_UP_KEPT_DAYS)
        return _named(row, cards.reply("follow_ask", *choices, do=move.do), check.organization, until)

    def _round(self, connection: Connection, row: Any, today: date) -> Nudge | None:
        here = (rounds.c.id == row.subject, rounds.c.closes_on >= today.isoformat(), rounds.c.published_at.is_(None))
        joined = rounds.join(groups, groups.c.id == rounds.c.group_id)
        asked = (invited.c.round_id == row.subject, invited.c.person == row.person)
        columns = (groups.c.name, groups.c.organization, groups.c.language, groups.c.min_group, rounds.c.form, rounds.c.closes_on)
        found = connection.execute(select(*columns).select_from(joined).where(*here)).first()
        if found is None or connection.execute(select(invited.c.person).where(*asked)).first() is None:
            return None
        mine = (checks.c.round_id == row.subject, checks.c.person == row.person, checks.c.state == "finished")
        if connection.execute(select(checks.c.id).where(*mine)).first() is not None:
            return None
        cards = Cards(self._instrument, found.language)
        form, until = cast(FormName, found.form), date.fromisoformat(found.closes_on)
        values = {"group": found.name, "form": cards.texts.forms[form].lower(), "closes": day(until, found.language)}
        choices = (cards.choice("begin", f"begin:{form}"), cards.choice("leave", f"leave:{row.subject}"))
        if row.kind == "reminder":
            reply = cards.reply("reminder", *choices, **values)
        else:
            minutes = self._instrument.rules.forms[form].minutes
            reply = cards.reply("invite", *choices, minutes=minutes, min_group=found.min_group, **values)
        return _named(row, reply, found.organization, until)


def _named(row: Any, reply: Reply, organization: str | None, until: date) -> Nudge:
    owner = hashlib.sha256(row.person.encode()).hexdigest()[:24]
    key = f"{KIND}:{row.kind}:{row.subject}:{row.period}:{owner}"
    return Nudge(row.person, cast(Kind, row.kind), reply, key, row.subject, organization, until)


_FOLLOW_CHOICES = (("done", "done"), ("still", "still"), ("not_for_us", "drop"))
