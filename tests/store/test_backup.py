"""A copy taken while others write is one whole state, and starts a new data directory."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.commands import cli
from bot.errors import ConfigurationError, NotAllowed, NotFound
from bot.inbox import ledger
from bot.inbox.ledger import Lease
from bot.store import open_database
from bot.store.backup import back_up
from bot.store.conversation_tables import inbox
from tests.doubles.inbox import act

NOW = datetime(2026, 11, 26, 7, 8, 9, tzinfo=UTC)


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'signpost.db'}"


def pairs(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT sum(conversation = 'test:left'), sum(conversation = 'test:right') FROM inbox"
        ).fetchone()
    return int(rows[0] or 0), int(rows[1] or 0)


def test_copies_taken_under_writes_hold_every_transaction_whole(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    stop, written = threading.Event(), 0

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            with database.writing() as connection:  # two rows a transaction: a torn copy would have one
                acts = [act(f"{side}{written}", "words " * 200, side) for side in ("left", "right")]
                ledger.claim(connection, acts, Lease("x", 1.0, 1.0))
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = []
        for n in range(8):
            before = written
            left, right = pairs(back_up(url(tmp_path), tmp_path / f"copy{n}.db", NOW))
            assert left == right >= before
            counts.append(left)
    finally:
        stop.set()
        writer.join(20)
        database.close()
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]  # it was written to meanwhile


def test_a_copy_is_one_private_file_that_starts_a_new_data_directory(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    with database.writing() as connection:
        ledger.claim(connection, [act("m1")], Lease("x", 1.0, 1.0))
    (tmp_path / "backups").mkdir()
    made = back_up(url(tmp_path), tmp_path / "backups", NOW)
    database.close()
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["signpost-20261126-070809.db"]
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    (tmp_path / "new").mkdir()
    made.rename(tmp_path / "new" / "signpost.db")
    restored = open_database(url(tmp_path / "new"))
    with restored.reading() as connection:
        assert connection.execute(inbox.select()).one().identity == "test:m1"
    restored.close()


def test_it_writes_over_nothing_and_needs_a_sqlite_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        back_up(url(tmp_path), tmp_path / "copy.db", NOW)
    open_database(url(tmp_path)).close()
    (tmp_path / "copy.db").write_text("mine", encoding="utf-8")
    with pytest.raises(NotAllowed):
        back_up(url(tmp_path), tmp_path / "copy.db", NOW)
    assert (tmp_path / "copy.db").read_text(encoding="utf-8") == "mine"
    with pytest.raises(NotFound):
        back_up(url(tmp_path), tmp_path / "nowhere" / "copy.db", NOW)
    with pytest.raises(ConfigurationError, match="pg_dump"):
        back_up("postgresql+psycopg://signpost@127.0.0.1/signpost", tmp_path / "other.db", NOW)


def test_the_command_says_where_the_copy_is_and_does_not_migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNPOST_DATA_DIR", str(tmp_path))
    with closing(sqlite3.connect(tmp_path / "signpost.db")) as old:  # of a version before ours
        old.execute("CREATE TABLE alembic_version (version_num)")
        old.execute("INSERT INTO alembic_version VALUES ('0001')")
        old.commit()
    done = CliRunner().invoke(cli, ["backup", str(tmp_path / "copy.db")])
    assert done.exit_code == 0
    assert str(tmp_path / "copy.db") in done.stdout
    for path in (tmp_path / "signpost.db", tmp_path / "copy.db"):
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    again = CliRunner().invoke(cli, ["backup", str(tmp_path / "copy.db")])
    assert again.exit_code == 2
