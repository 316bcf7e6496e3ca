"""Where a text stands: in which columns of which tables, and in the bytes of which files. Counts only, never the text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sqlalchemy import JSON, Column, ColumnElement, Connection, String, Table, Text, cast, func, or_, select, type_coerce
from sqlalchemy.types import TypeDecorator

from bot.personal.byte_search import found_in
from bot.personal.links import every_table
from bot.store import Database
from bot.store.forgotten import NOBODY
from bot.store.sealing import Sealed, ring_of

BATCH = 1_000
"""Rows opened at a time."""

Spare = Callable[[Table], ColumnElement[bool] | None]
"""Rows of a table that are left out of a search, or None for none."""


def variants(text: str) -> tuple[str, ...]:
    """A text as it may stand in a column: plain, or within JSON in either of its ways of writing."""
    forms = (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    return tuple(dict.fromkeys(forms))


def in_tables(
    connection: Connection, text: str, spare: Spare = lambda _table: None, *, whole: bool = False, open_all: bool = True
) -> dict[str, int]:
    """Rows that hold ``text``, by ``table.column``; columns without one are left out. Sealed words are opened and read.

    ``whole`` counts a name only where it does not go on, so that U1 is not found in U12. Without ``open_all`` sealed words are
    opened only in rows that belong to nobody: opening everybody's takes a second for each ten thousand.
    """
    return dict(_places(connection, text, spare, whole=whole, open_all=open_all))


def stands(connection: Connection, text: str) -> bool:
    """Whether any table holds ``text``."""
    return next(_places(connection, text, lambda _table: None, whole=False, open_all=True), None) is not None


def _places(connection: Connection, text: str, spare: Spare, *, whole: bool, open_all: bool) -> Iterator[tuple[str, int]]:
    forms = variants(text)
    ends = r"(?![\w-])" if whole else ""
    wanted = re.compile("|".join(rf"{re.escape(form)}{ends}" for form in forms))
    for table in every_table():
        left_out = spare(table)
        for column in table.columns:
            values = _holding(connection, column, forms, left_out, open_all=open_all)
            count = sum(wanted.search(value) is not None for value in values)
            if count:
                yield f"{table.name}.{column.name}", count


def _holding(
    connection: Connection,
    column: Column[object],
    forms: tuple[str, ...],
    left_out: ColumnElement[bool] | None,
    *,
    open_all: bool,
) -> Iterator[str]:
    """The values of a column that may hold one of the forms: all of a sealed one, else those that the database finds."""
    readable = _readable(column)
    if readable is None:
        return
    if isinstance(column.type, Sealed) and ring_of(connection.dialect) is not None:
        query = select(column).where(column.is_not(None))
        if not open_all and "person" in column.table.c:
            query = query.where(column.table.c["person"].in_(("", NOBODY)))
    else:
        place = func.instr if connection.dialect.name == "sqlite" else func.strpos
        query = select(readable).where(or_(*(place(readable, form) > 0 for form in forms)))
    if left_out is not None:
        query = query.where(~left_out)
    for value in connection.execute(query.execution_options(yield_per=BATCH)).scalars():
        yield str(value)


def _readable(column: Column[object]) -> ColumnElement[str] | None:
    """A column as text for the database to search, or None for numbers and vectors."""
    kind = column.type
    if isinstance(kind, TypeDecorator):
        return type_coerce(column, Text())
    if isinstance(kind, JSON):
        return cast(column, Text)
    return type_coerce(column, Text()) if isinstance(kind, String) else None


def files(database: Database, folder: Path) -> list[Path]:
    """Every file of the data directory, and the database's own wherever it is."""
    found = {path.resolve() for path in folder.rglob("*") if path.is_file()} if folder.is_dir() else set()
    if database.file is not None:
        own = database.file.resolve()
        found |= {path for path in (own, Path(f"{own}-wal"), Path(f"{own}-shm"), Path(f"{own}-journal")) if path.is_file()}
    return sorted(found)


def in_files(database: Database, folder: Path, texts: Iterable[str]) -> dict[str, list[str]]:
    """Texts that stand in the bytes of files, each with the files' names; texts that do not are left out.

    Raises OSError or TimeoutError when the files could not be searched.
    """
    needles = [(text, form.encode()) for text in texts for form in variants(text)]
    if not needles:
        return {}
    hits = found_in(files(database, folder), [needle for _, needle in needles])
    found: dict[str, list[str]] = {}
    for path, numbers in hits.items():
        for text in dict.fromkeys(needles[number][0] for number in numbers):
            found.setdefault(text, []).append(Path(path).name)
    return found
