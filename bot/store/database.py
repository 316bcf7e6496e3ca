"""Opening the database: engine, pragmas, migrations, transactions. Called by ``bot.app`` only."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, ProgrammingError

from bot.errors import ConfigurationError
from bot.store import sealing

HEAD = "0007"
"""The newest migration; a test compares it with the migrations folder."""

BUSY_MS, FLUSH_BUSY_MS = 15_000, 100
"""How long a statement waits for others, and how long emptying the log does."""

FLUSH_WAITS = (0.0, 0.05, 0.2, 1.0)
"""Seconds before each try to empty the write-ahead log while others read it."""

WRITE_LOCK = 0x51676E70
"""Key of the PostgreSQL advisory lock that serialises publication and audit rows."""


class Database:
    """One engine. ``reading()`` gives a connection, ``writing()`` a serialised write transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reads; sees one snapshot per statement."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction, one at a time across every process on this database."""
        with self.engine.connect() as connection:
            if self.is_sqlite:
                connection.execute(text("BEGIN IMMEDIATE"))
            else:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITE_LOCK})
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def try_writing(self) -> None:
        """Write nothing, in earnest: raises what a write would raise, as where the database became read-only."""
        with self.writing() as connection:
            connection.execute(text("UPDATE inbox SET owner = owner WHERE id = -1"))

    @property
    def ring(self) -> sealing.KeyRing | None:
        """The keys that seal people's words, where any are set."""
        return sealing.ring_of(self.engine.dialect)

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a server or memory."""
        name = self.engine.url.database if self.is_sqlite else None
        return Path(name) if name and name != ":memory:" else None

    def flush_log(self) -> bool:
        """Empty SQLite's write-ahead log, so that bytes deleted in the file are in no file; False while somebody holds it.

        Deleted bytes of the file itself are overwritten at once (``secure_delete``). A server keeps its own log.
        """
        if not self.is_sqlite:
            return True
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # While it waits for readers it keeps writers out: better to give up soon and come again.
            connection.exec_driver_sql(f"PRAGMA busy_timeout={FLUSH_BUSY_MS}")
            try:
                for wait in FLUSH_WAITS:
                    time.sleep(wait)
                    if connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0] == 0:
                        return True
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_MS}")
        return False

    def compact(self) -> None:
        """Return freed pages to the file system so that deleted bytes are gone from every file."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                connection.execute(text("VACUUM FULL"))

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _pragmas(connection, _record):  # type: ignore[no-untyped-def]
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _version(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except (OperationalError, ProgrammingError):
        return None


def open_database(url: str, keys: tuple[str, ...] = ()) -> Database:
    """Open ``url`` and bring its schema up to date. SQLite files are created for the owner only.

    ``keys`` seal people's words: the first seals, each opens. Raises ConfigurationError when they are not the ones that this
    database was sealed with.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        folder = Path(parsed.database).parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Only a new file is opened by hand: closing a second descriptor of a live SQLite file would drop its locks.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(parsed.database, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    engine = create_engine(url, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    sealing.use(engine, sealing.KeyRing(keys) if keys else None)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    if _version(engine) != HEAD:
        from bot.store.migrate import upgrade

        upgrade(engine)
    database = Database(engine)
    _check_keys(database)
    return database


def insert_new(connection: Connection, table: Any, rows: list[dict[str, Any]], returning: list[Any] | None = None) -> list[Any]:
    """Insert the rows whose unique keys are new; the others are left alone. Returns what was asked of the new ones."""
    statement: Any
    if connection.dialect.name == "sqlite":
        statement = sqlite.insert(table).on_conflict_do_nothing()
    else:
        from sqlalchemy.dialects import postgresql  # half of this module's start, and SQLite's users need none of it

        statement = postgresql.insert(table).on_conflict_do_nothing()
    if returning is None:
        connection.execute(statement, rows)
        return []
    return list(connection.execute(statement.returning(*returning), rows))


def _check_keys(database: Database) -> None:
    """The keys given must open what this database was sealed with; a new first key is noted."""
    from bot.store.data_tables import seal_keys

    ring = database.ring
    with database.reading() as connection:
        proofs = {row.name: row.proof for row in connection.execute(seal_keys.select())}
    if ring is None:
        if proofs:
            raise ConfigurationError(f"SIGNPOST_DATA_KEY is not set, but this database holds words sealed with {_named(proofs)}")
        return
    missing = [name for name in proofs if name not in ring.names]
    if missing:
        raise ConfigurationError(
            f"SIGNPOST_DATA_KEY lacks {_named(missing)}, which this database's words were sealed with. "
            "Name the old key after the new one, set apart by a comma, then run: signpost data rekey"
        )
    for proof in proofs.values():
        ring.open(proof)
    if ring.first.name not in proofs:
        with database.writing() as connection:
            row = {"name": ring.first.name, "proof": ring.close("signpost"), "at": time.time()}
            insert_new(connection, seal_keys, [row])


def _named(names: Iterable[str]) -> str:
    return "the key " + ", ".join(f"'{name}'" for name in sorted(names))
