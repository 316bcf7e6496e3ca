"""Messages that are due: invitations, at most two reminders a round, and the one follow-up question a person asked for.

Each is claimed before it is handed out, so it is never sent twice, whatever process sends it."""

from __future__ import annotations

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
from bot.store import Database
from bot.store.readiness_tables import checks, due, groups, invited, rounds

FOLLOW_UP_DAYS = 30

Kind = Literal["invite", "reminder", "follow_up"]


@dataclass(frozen=True)
class Nudge:
    """A message to send to a person now, in private."""

    person: str
    kind: Kind
    reply: Reply


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


def ask_no_more(connection: Connection, person: str) -> int:
    """Drop every follow-up question owed to a person; returns how many."""
    mine = (due.c.kind == "follow_up", due.c.person == person, due.c.done_at.is_(None))
    return connection.execute(delete(due).where(*mine)).rowcount


class Nudges:
    """Hands out what is due."""

    def __init__(self, database: Database, instrument: Instrument, book: Rounds, quiet: Callable[[datetime], bool]) -> None:
        """``quiet`` says whether a moment lies in the quiet hours, in which nothing is handed out."""
        self._database = database
        self._instrument = instrument
        self._book = book
        self._quiet = quiet

    def take(self, now: datetime) -> list[Nudge]:
        """Everything due now, claimed in one transaction. Those who answered or left, and closed rounds, are passed over."""
        if self._quiet(now):
            return []
        today = self._book.today(now)
        handed: list[Nudge] = []
        with self._database.writing() as connection:
            kinds = ("invite", "reminder", "follow_up")
            query = select(due).where(due.c.kind.in_(kinds), due.c.done_at.is_(None), due.c.due_on <= today.isoformat())
            seen: set[tuple[str, str]] = set()
            for row in connection.execute(query.order_by(due.c.due_on, due.c.period)).all():
                here = [getattr(due.c, name) == getattr(row, name) for name in ("kind", "subject", "period", "person")]
                connection.execute(update(due).where(*here).values(done_at=today.isoformat()))
                reply = self._follow_up(connection, row) if row.kind == "follow_up" else self._round(connection, row, today)
                if reply is not None and (row.subject, row.person) not in seen:
                    seen.add((row.subject, row.person))
                    handed.append(Nudge(row.person, cast(Kind, row.kind), reply))
        return handed

    def _follow_up(self, connection: Connection, row: Any) -> Reply | None:
        check = by_id(connection, row.subject, row.person)
        if check is None or check.result is None or not check.result["answers"].get(row.period):
            return None
        cards = Cards(self._instrument, check.language)
        move = cards.texts.items[row.period].moves[check.result["answers"][row.period]]
        choices = [cards.choice(label, f"move:{check.id}:{row.period}:{what}") for label, what in _FOLLOW_CHOICES]
        return cards.reply("follow_ask", *choices, do=move.do)

    def _round(self, connection: Connection, row: Any, today: date) -> Reply | None:
        here = (rounds.c.id == row.subject, rounds.c.closes_on >= today.isoformat(), rounds.c.published_at.is_(None))
        joined = rounds.join(groups, groups.c.id == rounds.c.group_id)
        asked = (invited.c.round_id == row.subject, invited.c.person == row.person)
        columns = (groups.c.name, groups.c.language, groups.c.min_group, rounds.c.form, rounds.c.closes_on)
        found = connection.execute(select(*columns).select_from(joined).where(*here)).first()
        if found is None or connection.execute(select(invited.c.person).where(*asked)).first() is None:
            return None
        mine = (checks.c.round_id == row.subject, checks.c.person == row.person, checks.c.state == "finished")
        if connection.execute(select(checks.c.id).where(*mine)).first() is not None:
            return None
        cards = Cards(self._instrument, found.language)
        form = cast(FormName, found.form)
        values = {"group": found.name, "form": cards.texts.forms[form].lower()}
        values["closes"] = day(date.fromisoformat(found.closes_on), found.language)
        choices = (cards.choice("begin", f"begin:{form}"), cards.choice("leave", f"leave:{row.subject}"))
        if row.kind == "reminder":
            return cards.reply("reminder", *choices, **values)
        minutes = self._instrument.rules.forms[form].minutes
        return cards.reply("invite", *choices, minutes=minutes, min_group=found.min_group, **values)


_FOLLOW_CHOICES = (("done", "done"), ("still", "still"), ("not_for_us", "drop"))
