"""Forgetting a person: delete, overwrite, search, say what was found. Called by the turn and by ``signpost data``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, update

from bot.handoff import cases
from bot.literacy import records as lessons
from bot.personal import holds
from bot.personal.holds import Hold, InForce
from bot.personal.links import any_leads_to, table_of
from bot.personal.map import KEPT
from bot.personal.search import files, in_files, in_tables, stands
from bot.readiness import record as readiness
from bot.store import Database
from bot.store.conversation_tables import feedback, inbox, utterances
from bot.store.forgotten import ENDED, NOBODY, forget
from bot.store.incidents import incident

_log = logging.getLogger("signpost.data")

LEAST_CHARS = 12
"""A shorter text proves nothing: "yes" stands everywhere."""

MOST_TEXTS = 200
"""Of one person's texts, the newest are looked for in the bytes."""

PROBE_CHARS, PROBES = 28, 3
"""A long text may be cut by the end of a page of the file, so pieces of it are looked for."""

LEAST_PIECES, MOST_BYTES = 20, 6_000_000_000
"""How many pieces are looked for at least, and bytes compared at most beyond that (a second or two for each billion)."""


@dataclass(frozen=True)
class Forgotten:
    """What became of a wish to be forgotten.

    ``deleted``: rows, by table. ``stays``: rows that go on naming the person, by table, for the reasons of the map. ``held``:
    the hold that forbade it; then nothing was deleted. ``left``: where something was found that should be gone, as
    ``table.column`` or a file's name; empty is the proof, else ``incident`` is in the log. ``counted``: whether published
    totals include them, unnamed.
    """

    deleted: dict[str, int] = field(default_factory=dict)
    stays: dict[str, int] = field(default_factory=dict)
    held: Hold | None = None
    left: tuple[str, ...] = ()
    incident: str = ""
    counted: bool = False

    @property
    def total(self) -> int:
        """Rows deleted in all."""
        return sum(self.deleted.values())


def forget_person(
    database: Database,
    folder: Path,
    person: str,
    now: float,
    organization: str | None = None,
    also: tuple[Callable[[str], object], ...] = (),
) -> Forgotten:
    """Delete everything of a person, overwrite it on the disk, and search for what is left.

    A message of theirs that is under way (the one that asks, say) is blanked when it ends. ``folder`` is the data directory,
    whose bytes are searched; a server's own files are not in it. ``now`` is in seconds since 1970. ``also`` is called first
    with the person, when no hold forbids it.
    """
    with database.writing() as connection:
        held = InForce.now(connection).on(person, organizations(connection, person, organization))
        if held is not None:
            holds.wish(connection, person, now)
            return Forgotten(held=held)
        texts = _texts(connection, person)
        counted = _counted(connection, person)
    for forgetter in also:
        forgetter(person)
    with database.writing() as connection:
        deleted = _delete(connection, person)
        texts = ([] if _waits(connection, person) else [person]) + texts
    _overwrite(database)
    stays, left = _look(database, person)
    left += _look_in_files(database, folder, texts)
    name = ""
    if left:
        name = incident(_log, None, "forget")
        _log.error("incident %s: something of a forgotten person was found in %s", name, ", ".join(left))
    return Forgotten({table: n for table, n in deleted.items() if n}, stays, None, tuple(left), name, counted)


def to_delete(database: Database, person: str) -> dict[str, int]:
    """What forgetting a person would delete or blank: rows, by table. Nothing changes."""
    with database.reading() as connection:
        tables = [(table_of(kept.table), kept) for kept in KEPT.values() if kept.forget != "stays" and kept.table != "answers"]
        found = {table.name: _rows(connection, table, any_leads_to(table, kept.person, [person])) for table, kept in tables}
    return {name: count for name, count in found.items() if count}


def organizations(connection: Connection, person: str, organization: str | None) -> set[str]:
    """Every organization that a person's rows name, and the one given."""
    found = {organization} if organization else set()
    for kept in KEPT.values():
        table = table_of(kept.table)
        if kept.forget == "stays" or kept.organization is None:
            continue
        mine = any_leads_to(table, kept.person, [person])
        link = kept.organization
        if link.table:
            other = table_of(link.table)
            here = select(table.c[link.column]).where(mine)
            query = select(other.c[link.then]).where(other.c[link.key].in_(here))
        else:
            query = select(table.c[link.column]).where(mine)
        found |= {name for name in connection.execute(query.distinct()).scalars() if name}
    return found


def _texts(connection: Connection, person: str) -> list[str]:
    """What the person said, as it was kept, newest first."""
    found: list[str] = []
    handoffs = table_of("handoffs")
    for column, owner, order in (
        (utterances.c.text, (utterances.c.person == person) & (utterances.c.role == "user"), utterances.c.number),
        (feedback.c.comment, feedback.c.person == person, feedback.c.number),
        (handoffs.c.question, handoffs.c.person == person, handoffs.c.created_at),
    ):
        found += connection.execute(select(column).where(owner).order_by(order.desc()).limit(MOST_TEXTS)).scalars()
    return [text for text in dict.fromkeys(found) if len(text) >= LEAST_CHARS][:MOST_TEXTS]


def _counted(connection: Connection, person: str) -> bool:
    table = table_of("readiness_respondents")
    return connection.execute(select(table.c.key).where(table.c.key == person)).first() is not None


def _delete(connection: Connection, person: str) -> dict[str, int]:
    """Delete everything: rooms that own a table in their own way, the rest as the map says. Returns rows, by table."""
    names = ("readiness_checks", "learners", "lesson_runs", "handoffs")
    count = {name: _rows(connection, table_of(name), table_of(name).c.person == person) for name in names}
    readiness.erase(connection, person, memberships=True)
    lessons.erase(connection, person)
    cases.forget(connection, person)
    for kept in KEPT.values():
        table = table_of(kept.table)
        if kept.forget == "delete":
            count[kept.table] = connection.execute(delete(table).where(any_leads_to(table, kept.person, [person]))).rowcount
        elif kept.forget == "unname":
            for link in kept.person:
                connection.execute(update(table).where(table.c[link.column] == person).values({link.column: NOBODY}))
    return count | forget(connection, person)


def _rows(connection: Connection, table: Table, where: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(where)).scalar() or 0)


def _overwrite(database: Database) -> None:
    """Deleted bytes are overwritten in the file at once; the log beside it is emptied here."""
    try:
        database.flush_log()
    except Exception as error:
        incident(_log, error, "flush")


def _waits(connection: Connection, person: str) -> bool:
    """Whether a message of theirs is under way: until it ends, its row names them."""
    return connection.execute(select(inbox.c.id).where(inbox.c.person == person, inbox.c.forget)).first() is not None


def _under_way(table: Table) -> ColumnElement[bool] | None:
    """Messages under way: they are blanked when they end."""
    return inbox.c.forget & inbox.c.state.not_in(ENDED) if table is inbox else None


def _look(database: Database, person: str) -> tuple[dict[str, int], list[str]]:
    """Where the tables still name a person: where they may, with counts, and where they may not."""
    stays: dict[str, int] = {}
    left: list[str] = []
    with database.reading() as connection:
        for place, count in in_tables(connection, person, _under_way, whole=True, open_all=False).items():
            name = place.partition(".")[0]
            if name in KEPT and KEPT[name].forget == "stays":
                stays[name] = stays.get(name, 0) + count
            else:
                left.append(place)
    return stays, left


def _look_in_files(database: Database, folder: Path, texts: list[str]) -> list[str]:
    """Files in whose bytes something the person said still stands, unless somebody else or a document says it too."""
    if not database.is_sqlite:
        return []
    try:
        found = _unexplained(database, folder, texts)
        if found:
            database.compact()
            found = _unexplained(database, folder, texts)
    except Exception as error:
        return [f"incident {incident(_log, error, 'proof')}"]
    return sorted({name for names in found.values() for name in names})


def _unexplained(database: Database, folder: Path, texts: list[str]) -> dict[str, list[str]]:
    size = sum(path.stat().st_size for path in files(database, folder))
    found = in_files(database, folder, pieces(texts, max(LEAST_PIECES, MOST_BYTES // max(size, 1))))
    with database.reading() as connection:
        return {piece: names for piece, names in found.items() if not stands(connection, piece)}


def pieces(texts: list[str], most: int) -> list[str]:
    """At most so many pieces of all texts: the beginnings first, of the first texts first."""
    rounds = zip_longest(*(probes(text) for text in texts))
    return [piece for round_ in rounds for piece in round_ if piece is not None][:most]


def probes(text: str) -> list[str]:
    """Pieces of a text to look for in bytes: its beginning, middle and end."""
    last = max(len(text) - PROBE_CHARS, 0)
    starts = {round(last * n / (PROBES - 1)) for n in range(PROBES)}
    return [text[start : start + PROBE_CHARS] for start in sorted(starts)]
