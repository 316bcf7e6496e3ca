"""Conversations we may speak in without being asked: kept when the app is installed or spoken to, dropped when it is removed."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select, update

from bot.adapters.teams.connector import Reference
from bot.errors import NotFound
from bot.store import Database
from bot.store.conversation_tables import conversation_references as table
from bot.store.database import insert_new

PLATFORM = "teams"


def keep(database: Database, conversation: str, reference: Reference, person: str, at: float) -> bool:
    """Keep or refresh where a conversation is; True when it is a new one. ``at`` is seconds since 1970."""
    named = (table.c.platform == PLATFORM) & (table.c.conversation == conversation)
    row = {"person": person, "kind": reference.kind, "reference": reference.stored(), "updated_at": at}
    with database.writing() as connection:
        new = insert_new(connection, table, [{"platform": PLATFORM, "conversation": conversation, **row}], [table.c.conversation])
        if not new:
            connection.execute(update(table).where(named).values(**row))
        return bool(new)


def drop(database: Database, conversation: str) -> None:
    """The app was removed from a conversation."""
    with database.writing() as connection:
        connection.execute(delete(table).where(table.c.platform == PLATFORM, table.c.conversation == conversation))


def find(database: Database, conversation: str) -> Reference:
    """Where a conversation is. Raises NotFound where the app is not, or no longer."""
    query = select(table.c.reference).where(table.c.platform == PLATFORM, table.c.conversation == conversation)
    with database.reading() as connection:
        stored = connection.execute(query).scalar()
    if stored is None:
        raise NotFound("the app is not installed in that conversation")
    return Reference.of(stored)


def personal(database: Database, person: str) -> Reference:
    """The one-to-one chat with a person, where there is one. Raises NotFound."""
    return _newest(database, person, table.c.kind == "personal")


def anywhere(database: Database, person: str) -> Reference:
    """The last conversation of any kind in which a person spoke with us. Raises NotFound."""
    return _newest(database, person, table.c.kind != "personal")


def _newest(database: Database, person: str, kind: ColumnElement[bool]) -> Reference:
    mine = (table.c.platform == PLATFORM) & (table.c.person == person) & kind
    with database.reading() as connection:
        stored = connection.execute(select(table.c.reference).where(mine).order_by(table.c.updated_at.desc())).scalar()
    if stored is None:
        raise NotFound("there is no chat with that person")
    return Reference.of(stored)
