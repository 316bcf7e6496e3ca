"""A store that refuses on demand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from bot.store import Database


@contextmanager
def read_only(database: Database) -> Iterator[None]:
    """While it holds, no connection may write."""

    def begin(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    def end(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only=OFF")

    event.listen(database.engine, "checkout", begin)
    event.listen(database.engine, "checkin", end)
    try:
        yield
    finally:
        event.remove(database.engine, "checkout", begin)
