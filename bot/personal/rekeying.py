"""Sealed words written anew: under the first key of ``SIGNPOST_DATA_KEY``, or opened for good. For ``signpost data rekey``."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Connection, Table, Text, and_, delete, select, type_coerce, update

from bot.errors import ConfigurationError
from bot.personal.links import every_table
from bot.store import Database
from bot.store.data_tables import seal_keys
from bot.store.sealing import KeyRing, Sealed, sealed

BATCH = 500
"""Rows rewritten in one transaction, so that the server goes on meanwhile."""


def sealed_columns() -> Iterator[tuple[Table, Column[str]]]:
    """Every column that holds people's words."""
    for table in every_table():
        for column in table.columns:
            if isinstance(column.type, Sealed):
                yield table, column


def rekey(database: Database, *, plain: bool = False) -> dict[str, int]:
    """Rewrite what is not yet under the first key; with ``plain`` open everything instead. Returns texts rewritten, by column.

    Older keys are not needed afterwards. Old bytes are overwritten. Raises ConfigurationError without a key, or when a text
    was sealed with a key that is not there.
    """
    ring = database.ring
    if ring is None:
        raise ConfigurationError("SIGNPOST_DATA_KEY is not set")
    count = {}
    for table, column in sealed_columns():
        done = _rewrite(database, table, column, ring, plain=plain)
        if done:
            count[f"{table.name}.{column.name}"] = done
    with database.writing() as connection:
        old = delete(seal_keys) if plain else delete(seal_keys).where(seal_keys.c.name != ring.first.name)
        connection.execute(old)
    database.compact()
    return count


def _rewrite(database: Database, table: Table, column: Column[str], ring: KeyRing, *, plain: bool) -> int:
    keys = list(table.primary_key.columns)
    with database.reading() as connection:
        query = select(*keys, type_coerce(column, Text()).label("stored")).where(column.is_not(None))
        old = [
            tuple(row)
            for row in connection.execute(query.execution_options(yield_per=BATCH))
            if (sealed(row.stored) if plain else not ring.is_current(row.stored))
        ]
    count = 0
    for start in range(0, len(old), BATCH):
        with database.writing() as connection:
            for *key, stored in old[start : start + BATCH]:
                here = and_(*(part == value for part, value in zip(keys, key, strict=True)))
                count += _replace(connection, table, column, here, stored, ring, plain=plain)
    return count


def _replace(
    connection: Connection, table: Table, column: Column[str], here: object, stored: str, ring: KeyRing, *, plain: bool
) -> int:
    """Rewrite one text, unless it was changed since it was read."""
    raw = type_coerce(column, Text())
    text = ring.open(stored)
    values = {column.name: type_coerce(text if plain else ring.close(text), Text())}
    return connection.execute(update(table).where(here, raw == stored).values(values)).rowcount  # type: ignore[arg-type]
