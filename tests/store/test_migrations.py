"""A database of an earlier version becomes one of this version, with what it holds."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from sqlalchemy import inspect

import bot.store.migrate
from bot.store import open_database
from bot.store.conversations import history
from bot.store.database import HEAD
from tests.personal.conftest import ANN, said

TALK = f"slack:T01:D{ANN[-3:]}"


def test_the_newest_migration_is_the_one_that_the_start_looks_for() -> None:
    folder = Path(bot.store.migrate.__file__).parent / "migrations" / "versions"
    assert max(re.match(r"\d+", path.name)[0] for path in folder.glob("0*.py")) == HEAD  # type: ignore[index]


def test_a_database_from_before_gets_marks_and_tables_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "signpost.db"
    database = open_database(f"sqlite:///{path}")
    said(database, 1, ANN, "a question from before")
    now = set(inspect(database.engine).get_table_names())
    database.close()
    with sqlite3.connect(path) as plain:
        plain.execute("ALTER TABLE inbox DROP COLUMN forget")
        for table in ("holds", "deletion_wishes", "seal_keys", "outbox", "time_zones", "job_runs"):
            plain.execute(f"DROP TABLE {table}")
        plain.execute("UPDATE alembic_version SET version_num = '0004'")
    plain.close()
    database = open_database(f"sqlite:///{path}")
    assert set(inspect(database.engine).get_table_names()) == now
    assert history(database, TALK)[0].text == "a question from before"
    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT forget FROM inbox").fetchall() == [(0,)]
    database.close()
