"""Deleted bytes leave every file: they are overwritten in place, and the log beside the file is emptied when nobody reads it."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from bot.store import Database
from bot.store.conversation_tables import utterances
from tests.personal.conftest import ANN, said, store

__all__ = ["store"]

WORDS = "may the robot grade the essays of my class"


def bytes_of(folder: Path) -> bytes:
    # Read in this process only where nothing is written afterwards: see docs/architecture.md on descriptors.
    return b"".join(path.read_bytes() for path in folder.glob("inbox.db*"))


def test_the_log_is_emptied_once_nobody_reads_it_and_soon_given_up_before(store: Database, tmp_path: Path) -> None:
    said(store, 1, ANN, WORDS)
    reader = sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM utterances").fetchone() == (2,)
    with store.writing() as connection:
        connection.execute(utterances.delete())
    started = time.monotonic()
    assert not store.flush_log()
    assert time.monotonic() - started < 10
    reader.execute("COMMIT")
    reader.close()
    assert store.flush_log()
    with store.writing() as connection:  # the connection that gave up waits as long as any again
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 15_000
    store.close()
    assert f"re: {WORDS}".encode() in bytes_of(tmp_path), "the reply in the inbox still says it"
    assert bytes_of(tmp_path).count(WORDS.encode()) == 2, "the reply and the rating; the lines are overwritten"
