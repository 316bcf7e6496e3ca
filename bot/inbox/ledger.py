"""The inbox's rows: claiming, leasing, ending. Functions of an open transaction; who commits them is ``journal``.

A row goes received -> working -> answered -> sent, or ends as failed (kept for an operator) or ignored. Every step after the
claim is fenced: it names the number its worker was given, and changes nothing once another worker has been given the row.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, Update, bindparam, func, or_, select, update

from bot.inbox.work import Accepted, Received
from bot.messages import Message
from bot.store.conversation_tables import inbox
from bot.store.conversations import OUTGOING, say
from bot.store.database import insert_new
from bot.store.forgotten import pseudonym, scrub
from bot.store.packed import pack_message

APART = " " * 4_096
"""Stands before the words of a waiting message (JSON allows it), so that SQLite keeps them on pages of their own, which are
overwritten when the row is emptied. Words on the table's own pages are copied when a page is split, and ``secure_delete`` does
not reach the copy. At most 4,061 bytes of a row stay on the table's page of 4,096."""

TWIN_SECONDS = 10.0
"""Within this, an act with the same twin is a resend."""

WINDOW_SECONDS = 60.0
"""The window of the rate limits, which count messages a minute."""

OPEN = ("received", "working", "answered")
"""States of rows that still need an end."""

MAX_IDENTITY, MAX_CONVERSATION = 500, 400

_IS_OPEN = or_(*(inbox.c.state == state for state in OPEN))


def _to_begin() -> Select[Any]:
    before = inbox.alias()
    still_open = or_(*(before.c.state == state for state in OPEN))
    earlier = select(before.c.id).where(before.c.conversation == inbox.c.conversation, before.c.id < inbox.c.id, still_open)
    return select(inbox, earlier.exists().label("must_wait")).where(inbox.c.id == bindparam("row"))


_TO_BEGIN = _to_begin()
"""A row, and whether an earlier one of its conversation is still open."""


@dataclass(frozen=True)
class Limits:
    """Messages a minute, 0 for none."""

    person: int = 0
    organization: int = 0


@dataclass(frozen=True)
class Lease:
    """Who holds a row, from when, for how many seconds."""

    owner: str
    now: float
    seconds: float


@dataclass(frozen=True)
class Begun:
    """A row given to a worker. ``limited``: 0 no, 1 say so politely, 2 in silence."""

    row: Any
    fence: int
    attempt: int
    limited: int


@dataclass(frozen=True)
class Outgoing:
    """A message we say unasked. ``key`` is its own name; ``message`` and ``answered`` are packed; ``state`` is answered (to be
    sent) or sent (where showing it is sending it)."""

    key: str
    platform: str
    conversation: str
    person: str
    message: str
    reply_to: dict[str, str]
    answered: str
    answer: str
    state: str


def speak(connection: Connection, said: Outgoing, now: float) -> int:
    """A row without an incoming act: its reply is there, a worker only sends it. Returns the row, the same for a key."""
    ended = said.state == "sent"
    row = {
        "identity": f"{OUTGOING}{said.key}"[:MAX_IDENTITY],
        "twin": "",
        "platform": said.platform,
        "conversation": said.conversation[:MAX_CONVERSATION],
        "person": said.person,
        "organization": "",  # what we say counts against nobody's limit
        "message": "" if ended else said.message,
        "reply_to": said.reply_to,
        "state": said.state,
        "attempts": 0,
        "fence": 0,
        "owner": "",
        "lease_until": 0.0,
        "received_at": now,
        "ended_at": now if ended else None,
        "send_started": False,
        "answered": said.answered,
        "answer": said.answer,
        "limited": 0,
    }
    new = insert_new(connection, inbox, [row], [inbox.c.id])
    if new:
        return int(new[0].id)
    return int(connection.execute(select(inbox.c.id).where(inbox.c.identity == row["identity"])).scalar_one())


def owner_name(token: str) -> str:
    """This process, so that a later one on the same machine can tell whether it still lives: host, pid, start, token."""
    return f"{platform.node()[:60]}:{os.getpid()}:{_started(os.getpid())}:{token}"


def owner_is_gone(owner: str) -> bool:
    """Whether the process named is certainly dead. A process of another machine is not judged."""
    if not owner:
        return True
    host, pid, started, _ = owner.split(":")
    if host != platform.node()[:60]:
        return False
    now = _started(int(pid))
    if started and now:
        return started != now
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return bool(started)  # it had a start time and has none now: it is a zombie, which works on nothing


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, start = text.rpartition(")")[2].split()[0], text.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return "" if state in "ZX" else start


def claim(connection: Connection, arrivals: list[Received], lease: Lease) -> list[Accepted]:
    """Insert or find the row of each arrival, all in one statement each way."""
    known = _forgotten(connection, arrivals) | _resent(connection, arrivals, lease.now)
    first_of: dict[str, str] = {}
    fresh: dict[str, Received] = {}
    meant = []
    for received in arrivals:
        name = received.identity[:MAX_IDENTITY]
        if received.twin and name not in known:
            # A resend that arrives together with the first of its kind: neither has a row yet.
            name = first_of.setdefault(received.twin, name)
        meant.append(name)
        if name not in known:
            fresh.setdefault(name, received)
    new: dict[str, int] = {}
    if fresh:
        rows = [_row(received, lease) for received in fresh.values()]
        new = {row.identity: row.id for row in insert_new(connection, inbox, rows, [inbox.c.id, inbox.c.identity])}
    missing = [name for name in fresh if name not in new]
    if missing:
        known |= _rows_of(connection, missing)
    accepted = []
    for name in meant:
        # The first arrival of a new row is the new one, whoever else came with it.
        accepted.append(Accepted(new[name], fresh.pop(name, None) is not None) if name in new else Accepted(known[name], False))
    return accepted


def _rows_of(connection: Connection, names: list[str]) -> dict[str, int]:
    found = connection.execute(select(inbox.c.id, inbox.c.identity).where(inbox.c.identity.in_(names)))
    return {row.identity: row.id for row in found}


def _resent(connection: Connection, arrivals: list[Received], now: float) -> dict[str, int]:
    """Rows of arrivals (by identity) that platforms resend under new ids: their own, or the one claimed a moment ago that
    each is a twin of."""
    twins = {received.identity[:MAX_IDENTITY]: received.twin[:MAX_IDENTITY] for received in arrivals if received.twin}
    if not twins:
        return {}
    recent = inbox.c.twin.in_(set(twins.values())) & (inbox.c.received_at > now - TWIN_SECONDS)
    query = select(inbox.c.twin, inbox.c.id).where(recent).order_by(inbox.c.id.desc())
    earlier: dict[str, int] = {row.twin: row.id for row in connection.execute(query)}
    known = {name: earlier[twin] for name, twin in twins.items() if twin in earlier}
    return known | _rows_of(connection, list(twins))


def _forgotten(connection: Connection, arrivals: list[Received]) -> dict[str, int]:
    """Arrivals (by identity) that resend an act of somebody who was forgotten meanwhile."""
    hashed = {pseudonym(received.identity[:MAX_IDENTITY]): received.identity for received in arrivals}
    query = select(inbox.c.id, inbox.c.identity).where(inbox.c.identity.in_(hashed))
    return {hashed[row.identity]: row.id for row in connection.execute(query)}


def _row(received: Received, lease: Lease) -> dict[str, Any]:
    message = received.message
    return {
        "identity": received.identity[:MAX_IDENTITY],
        "twin": received.twin[:MAX_IDENTITY],
        "platform": received.platform,
        "conversation": received.conversation[:MAX_CONVERSATION],
        "person": message.person.id if message.person else "",
        "organization": message.organization or "",
        "message": "" if received.from_bot else APART + pack_message(message),
        "reply_to": received.reply_to,
        "state": "ignored" if received.from_bot else "received",
        "reason": "bot" if received.from_bot else None,
        "attempts": 0,
        "fence": 0,
        "owner": lease.owner,
        "lease_until": lease.now + lease.seconds,
        "received_at": lease.now,
        "send_started": False,
        "limited": 0,
    }


def begin(connection: Connection, row_id: int, lease: Lease, limits: Limits) -> Begun | bool | None:
    """Give a row to its worker: None when it needs none (ended, or another's), False when an earlier one of the same
    conversation is still open and it must wait."""
    row = connection.execute(_TO_BEGIN, {"row": row_id}).first()
    if row is None or row.state not in OPEN:
        return None
    if row.owner != lease.owner and row.lease_until > lease.now and not owner_is_gone(row.owner):
        return None
    if row.must_wait:
        _change(connection, row_id, row.fence, owner=lease.owner, lease_until=_until(lease))
        return False
    asked = not row.identity.startswith(OUTGOING)
    limited = _limited(connection, row, limits) if asked and row.attempts == 0 else int(row.limited)
    given = _change(
        connection,
        row_id,
        row.fence,
        state="answered" if row.answered else "working",
        attempts=row.attempts + 1,
        fence=row.fence + 1,
        owner=lease.owner,
        lease_until=_until(lease),
        limited=limited,
    )
    if not given:  # another worker was given it since we read it
        return None
    return Begun(row, row.fence + 1, row.attempts + 1, limited)


def _until(lease: Lease) -> float:
    return lease.now + lease.seconds


def _limited(connection: Connection, row: Any, limits: Limits) -> int:
    """Whether the act goes over a limit; 1 the first time in a window, 2 after that."""
    for column, value, limit in (
        (inbox.c.person, row.person, limits.person),
        (inbox.c.organization, row.organization, limits.organization),
    ):
        if not limit or not value:
            continue
        window = (column == value) & (inbox.c.received_at > row.received_at - WINDOW_SECONDS) & (inbox.c.id < row.id)
        window &= inbox.c.identity.not_like(f"{OUTGOING}%")
        counts = select(
            func.count().filter(inbox.c.limited == 0, inbox.c.state != "ignored"),
            func.count().filter(inbox.c.limited == 1, inbox.c.person == row.person),
        ).where(window)
        served, told = connection.execute(counts).one()
        if served >= limit:
            return 2 if told else 1
    return 0


def keep_answer(connection: Connection, row: Any, fence: int, values: dict[str, Any], said: list[tuple[str, str]]) -> bool:
    """Store the computed reply, the redacted message and the lines of the exchange; the send begins with this commit."""
    if not _change(connection, row.id, fence, state="answered", send_started=True, **values):
        return False
    if connection.execute(select(inbox.c.forget).where(inbox.c.id == row.id)).scalar():
        return True
    say(connection, row.conversation, row.person, row.received_at, row.id, said, values["answer"])
    return True


def mark(connection: Connection, row_id: int, fence: int, **values: Any) -> bool:
    """Change a row that is still ours; False when it is not."""
    return _change(connection, row_id, fence, **values)


def end(connection: Connection, row_id: int, fence: int, now: float, state: str, **values: Any) -> bool:
    """End a row: what was said is blanked in it, its identity and its reply stay."""
    if state != "failed":
        values["message"] = ""
    return _change(connection, row_id, fence, state=state, ended_at=now, lease_until=0.0, **values)


def _change(connection: Connection, row_id: int, at_fence: int, /, **values: Any) -> bool:
    """Change an open row while it has the fence ``at_fence``; False when it has not."""
    given = {f"new_{name}": value for name, value in values.items()}
    return connection.execute(_changing(tuple(values)), {"row": row_id, "at_fence": at_fence, **given}).rowcount == 1


@cache
def _changing(names: tuple[str, ...]) -> Update:
    """The statement that sets these columns. Made once: it is executed several times for each message, and making one takes
    longer than executing it."""
    where = (inbox.c.id == bindparam("row")) & (inbox.c.fence == bindparam("at_fence")) & _IS_OPEN
    return update(inbox).where(where).values({name: bindparam(f"new_{name}") for name in names})


def wiped(connection: Connection, row_id: int) -> bool:
    """Blank an ended row whose person asked to be forgotten while it was under way; False for any other."""
    return scrub(connection, (inbox.c.id == row_id) & inbox.c.forget & inbox.c.state.not_in(OPEN)) == 1


def renew(connection: Connection, lease: Lease, rows: list[int]) -> None:
    """Keep this process's rows its own."""
    for begin_at in range(0, len(rows), 500):
        chunk = rows[begin_at : begin_at + 500]
        where = inbox.c.id.in_(chunk) & (inbox.c.owner == lease.owner) & inbox.c.state.in_(OPEN)
        connection.execute(update(inbox).where(where).values(lease_until=_until(lease)))


def let_go(connection: Connection, owner: str) -> None:
    """Leave this process's open rows to whoever comes next."""
    where = (inbox.c.owner == owner) & inbox.c.state.in_(OPEN)
    connection.execute(update(inbox).where(where).values(owner="", lease_until=0.0))


def unfinished(connection: Connection, now: float, platforms: tuple[str, ...], owner: str) -> list[tuple[int, str]]:
    """Open rows of these platforms that nobody else holds: (row, conversation), oldest first."""
    query = select(inbox.c.id, inbox.c.conversation, inbox.c.owner, inbox.c.lease_until)
    query = query.where(inbox.c.state.in_(OPEN), inbox.c.platform.in_(platforms)).order_by(inbox.c.id)
    gone: dict[str, bool] = {owner: True}
    found = []
    for row in connection.execute(query):
        if row.lease_until > now and row.owner not in gone:
            gone[row.owner] = owner_is_gone(row.owner)
        if row.lease_until <= now or gone[row.owner]:
            found.append((row.id, row.conversation))
    return found


def listed(connection: Connection, *, failed: bool, limit: int = 200) -> list[dict[str, Any]]:
    """Rows for an operator, newest first, without a word of what was said."""
    columns = [inbox.c[name] for name in ("id", "platform", "state", "attempts", "incident", "reason", "received_at", "ended_at")]
    query = select(*columns).order_by(inbox.c.id.desc()).limit(limit)
    if failed:
        query = query.where(inbox.c.state == "failed")
    return [dict(row._mapping) for row in connection.execute(query)]


def retry(connection: Connection, row_id: int) -> bool:
    """Open a failed row again from its first attempt; False when there is nothing left to answer."""
    where = (inbox.c.id == row_id) & (inbox.c.state == "failed") & or_(inbox.c.message != "", inbox.c.answered.is_not(None))
    values = {
        "state": "received",
        "attempts": 0,
        "owner": "",
        "lease_until": 0.0,
        "ended_at": None,
        "reason": None,
        "incident": None,
        "send_started": False,  # what was sent is the apology; the answer comes besides
    }
    return connection.execute(update(inbox).where(where).values(**values)).rowcount == 1


def counts(connection: Connection) -> dict[str, int]:
    """Rows by state."""
    return {row[0]: int(row[1]) for row in connection.execute(select(inbox.c.state, func.count()).group_by(inbox.c.state))}


def redacted(message: Message, kept: str) -> str:
    """The message as it is stored once screening ran: only the text that may be kept."""
    return pack_message(replace(message, text=kept, history=()))
