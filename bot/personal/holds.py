"""Holds: what must not be deleted for now, by whose order and why; and the wishes that wait for a hold to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Table, insert, or_, select, true, update

from bot.errors import FormatError, NotFound
from bot.personal.links import any_leads_to, leads_to
from bot.personal.map import KEPT
from bot.store.data_tables import deletion_wishes, holds
from bot.store.database import insert_new

Kind = Literal["person", "organization", "everything"]
KINDS: tuple[Kind, ...] = ("person", "organization", "everything")


@dataclass(frozen=True)
class Hold:
    """One hold. Times are seconds since 1970; ``released_at`` is None while it is in force."""

    number: int
    kind: Kind
    subject: str
    reason: str
    author: str
    at: float
    released_by: str | None = None
    released_at: float | None = None
    released_why: str | None = None


def add(connection: Connection, kind: str, subject: str, reason: str, author: str, now: float) -> Hold:
    """Put a hold on a person, an organization or everything. Raises FormatError when something is missing."""
    known = next((name for name in KINDS if name == kind), None)
    if known is None:
        raise FormatError(f"a hold is on one of {', '.join(KINDS)}", where="hold")
    if bool(subject.strip()) == (known == "everything"):
        raise FormatError("name the person or organization; a hold on everything names none", where="hold")
    if not reason.strip() or not author.strip():
        raise FormatError("a hold needs a reason and an author", where="hold")
    values = {"kind": known, "subject": subject.strip(), "reason": reason.strip(), "author": author.strip(), "at": now}
    number = connection.execute(insert(holds).values(**values).returning(holds.c.number)).scalar_one()
    return read(connection, int(number))


def release(connection: Connection, number: int, author: str, why: str, now: float) -> Hold:
    """End a hold. Raises NotFound when it is unknown or has ended, FormatError without an author and a reason."""
    if not why.strip() or not author.strip():
        raise FormatError("the end of a hold needs a reason and an author", where="hold")
    values = {"released_by": author.strip(), "released_at": now, "released_why": why.strip()}
    where = (holds.c.number == number) & holds.c.released_at.is_(None)
    if connection.execute(update(holds).where(where).values(**values)).rowcount != 1:
        raise NotFound(f"no hold in force has the number {number}")
    return read(connection, number)


def read(connection: Connection, number: int) -> Hold:
    """One hold. Raises NotFound."""
    row = connection.execute(select(holds).where(holds.c.number == number)).first()
    if row is None:
        raise NotFound(f"no hold has the number {number}")
    return _hold(row)


def listed(connection: Connection, *, ended: bool = False) -> list[Hold]:
    """Holds in force, oldest first; with ``ended`` also the others."""
    query = select(holds).order_by(holds.c.number)
    if not ended:
        query = query.where(holds.c.released_at.is_(None))
    return [_hold(row) for row in connection.execute(query)]


def _hold(row: Any) -> Hold:
    return Hold(**row._mapping)


@dataclass(frozen=True)
class InForce:
    """The holds in force at one moment, as conditions."""

    holds: tuple[Hold, ...]

    @classmethod
    def now(cls, connection: Connection) -> InForce:
        """Read them."""
        return cls(tuple(listed(connection)))

    def _subjects(self, kind: Kind) -> list[str]:
        return [hold.subject for hold in self.holds if hold.kind == kind]

    def keeps(self, table: Table) -> ColumnElement[bool] | None:
        """Rows of a table that must stay; None for none of them."""
        if any(hold.kind == "everything" for hold in self.holds):
            return true()
        kept = KEPT.get(table.name)
        persons, organizations = self._subjects("person"), self._subjects("organization")
        if kept is None or not (persons or organizations):
            return None
        by_person = any_leads_to(table, kept.person, persons)
        if kept.organization is None or not organizations:
            return by_person
        return or_(by_person, leads_to(table, kept.organization, organizations))

    def on(self, person: str, organizations: set[str]) -> Hold | None:
        """The hold that forbids deleting a person of these organizations, or None."""
        for hold in self.holds:
            names = {"person": {person}, "organization": organizations, "everything": {hold.subject}}[hold.kind]
            if hold.subject in names:
                return hold
        return None


# -- wishes --------------------------------------------------------------------------------------------------------------


def wish(connection: Connection, person: str, now: float) -> None:
    """Remember that a person wants to be forgotten as soon as no hold forbids it."""
    insert_new(connection, deletion_wishes, [{"person": person, "at": now}])


def wishes(connection: Connection) -> list[str]:
    """Who waits."""
    return list(connection.execute(select(deletion_wishes.c.person).order_by(deletion_wishes.c.at)).scalars())
