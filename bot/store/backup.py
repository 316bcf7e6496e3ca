"""A consistent copy of the database while it is in use. Called by ``signpost backup``.

SQLite's own backup interface copies one state of the database, also from the write-ahead log; copying the files by hand does
not. Source: sqlite.org/backup.html.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from bot.errors import ConfigurationError, NotAllowed, NotFound, UnreadableFile

WAIT_SECONDS = 15.0
"""How long a writer may keep the copy from beginning."""


def back_up(url: str, target: Path, now: datetime) -> Path:
    """Copy the SQLite database at ``url`` to ``target``, or to a file named by ``now`` where that is a folder. The copy is one
    file for its owner only, checked, and appears under its name only once it is whole. It is not migrated.

    Raises ConfigurationError for another database, NotFound when there is none yet, NotAllowed when the file exists,
    UnreadableFile when the copy does not pass SQLite's check.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise ConfigurationError("the database is not a SQLite file; copy it with its own tools, as with pg_dump")
    source = Path(parsed.database)
    if not source.exists():
        raise NotFound("there is no database yet")
    if target.is_dir():
        target = target / f"signpost-{now:%Y%m%d-%H%M%S}.db"
    if target.exists():
        raise NotAllowed(f"{target} exists; a backup does not write over another file")
    if not target.parent.is_dir():
        raise NotFound(f"there is no folder {target.parent}")
    part = target.with_name(target.name + ".part")
    try:
        _copy(source, part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _copy(source: Path, part: Path) -> None:
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(source, timeout=WAIT_SECONDS)) as live, closing(sqlite3.connect(part)) as copy:
        # All pages in one step: a reader of a write-ahead log holds no writer up, and sees one state.
        live.backup(copy, pages=-1)
        # One file that stands alone; opening it as the database brings the log back.
        copy.execute("PRAGMA journal_mode=DELETE")
        if copy.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise UnreadableFile("the copy does not pass SQLite's check; the database may be damaged")
