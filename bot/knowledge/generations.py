"""Generations: which versions are in force in a library, counted up by one at every change. Inside a caller's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, func, select, update

from bot.store.tables import generation_versions, generations, libraries, versions


def current(connection: Connection, library: str) -> int:
    """The number of the generation in force, 0 before the first."""
    value = connection.execute(select(libraries.c.generation).where(libraries.c.id == library)).scalar()
    return int(value or 0)


def exists(connection: Connection, library: str, number: int) -> bool:
    """Whether there was such a generation."""
    here = (generations.c.library == library, generations.c.number == number)
    return connection.execute(select(generations.c.number).where(*here)).first() is not None


def members(connection: Connection, library: str, number: int | None = None) -> list[str]:
    """The ids of a generation's versions, sorted; of the one in force where no number is given."""
    wanted = current(connection, library) if number is None else number
    query = (
        select(generation_versions.c.version)
        .where(generation_versions.c.library == library, generation_versions.c.generation == wanted)
        .order_by(generation_versions.c.version)
    )
    return list(connection.execute(query).scalars())


def others(names: Iterable[str], document: str) -> list[str]:
    """The versions that are not of a document."""
    return [name for name in names if name.rsplit("@", 1)[0] != document]


def begin(connection: Connection, library: str, names: Iterable[str], reason: str, at: str) -> int:
    """Put exactly these versions in force, as a new generation. Returns its number."""
    chosen = sorted(names)
    newest = connection.execute(select(func.max(generations.c.number)).where(generations.c.library == library)).scalar()
    number = 1 + (newest or 0)
    connection.execute(
        generations.insert().values(
            library=library, number=number, created_at=at, reason=reason[:500], corpus_hash=corpus_hash(connection, chosen)
        )
    )
    if chosen:
        rows = [{"library": library, "generation": number, "version": name} for name in chosen]
        connection.execute(generation_versions.insert(), rows)
    connection.execute(update(libraries).where(libraries.c.id == library).values(generation=number))
    return number


def corpus_hash(connection: Connection, members: list[str]) -> str:
    """SHA-256 over the members' ids and content hashes: equal for equal corpora."""
    rows = connection.execute(select(versions.c.id, versions.c.content_hash).where(versions.c.id.in_(members))).all()
    return hashlib.sha256("\n".join(sorted(f"{row.id} {row.content_hash}" for row in rows)).encode()).hexdigest()
