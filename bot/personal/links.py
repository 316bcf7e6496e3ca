"""Conditions on tables made from the map: whose row it is. Called by the other parts of this room."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Table, false, or_, select

from bot.personal.kept import Link
from bot.store import conversation_tables, data_tables, handoff_tables, literacy_tables, outbox_tables, readiness_tables
from bot.store.tables import metadata

ROOMS = (conversation_tables, data_tables, handoff_tables, literacy_tables, outbox_tables, readiness_tables)
"""The modules that define tables, so that every table is known here."""


def table_of(name: str) -> Table:
    """A table by its name."""
    return metadata.tables[name]


def every_table() -> list[Table]:
    """Every table there is."""
    return list(metadata.sorted_tables)


def leads_to(table: Table, link: Link, names: Iterable[str]) -> ColumnElement[bool]:
    """Rows of ``table`` that lead to one of ``names``; never unknown, also where a column is empty."""
    column = table.c[link.column]
    if not link.table:
        return column.is_not(None) & column.in_(list(names))
    other = table_of(link.table)
    theirs = select(other.c[link.key]).where(other.c[link.then].in_(list(names)), other.c[link.key].is_not(None))
    return column.is_not(None) & column.in_(theirs)


def any_leads_to(table: Table, links: Iterable[Link], names: Iterable[str]) -> ColumnElement[bool]:
    """Rows that lead to one of ``names`` by one of ``links``."""
    wanted = list(names)
    return or_(false(), *(leads_to(table, link, wanted) for link in links))
