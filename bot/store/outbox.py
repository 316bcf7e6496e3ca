"""What we say unasked, as rows: put in by whoever has something to say, withdrawn at a word, taken out by ``bot.outbox``.

Functions of an open transaction, so that a message is queued together with what it is about, or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from bot.errors import FormatError
from bot.messages import Answered, Receipt, Reply
from bot.store.conversation_tables import inbox
from bot.store.database import insert_new
from bot.store.outbox_tables import outbox, time_zones
from bot.store.packed import pack_answered

DAY = 86_400.0
KEEP_SECONDS = 7 * DAY
"""How long a message waits for a way to its person when nothing else is said."""

COUNTED = ("waiting", "handed", "shown")
"""States of messages that were, or will be, seen."""


@dataclass(frozen=True)
class To:
    """Whom or where. A ``person`` alone is written to in private; ``conversation`` is the inbox's key of a known thread or
    chat; ``reference`` is what the platform's door needs to speak there (a row's ``reply_to``), where it is known."""

    platform: str
    person: str = ""
    conversation: str = ""
    reference: dict[str, str] = field(default_factory=dict)

    @classmethod
    def to_person(cls, person: str) -> To:
        """A person by their id, on the platform that the id names."""
        return cls(person.partition(":")[0], person)

    @classmethod
    def to_channel(cls, name: str) -> To:
        """A channel by its name: 'slack:T0123:C0456', 'teams:TENANT:CONVERSATION'. Raises FormatError."""
        platform, _, rest = name.partition(":")
        team, _, channel = rest.partition(":")
        if not channel or platform not in ("slack", "teams") or (platform == "slack" and channel[0] not in "CG"):
            raise FormatError("a channel is written slack:T0123:C0456 or teams:TENANT:CONVERSATION", where=name)
        reference = {"team": team, "channel": channel, "kind": "channel"} if platform == "slack" else {}
        return cls(platform, conversation=name, reference=reference)


@dataclass(frozen=True)
class Sent:
    """How a message stands. ``state`` is waiting, working, sent, shown, withdrawn, expired or failed; ``platform_id`` the
    platform's id of it once it was posted."""

    state: str
    platform_id: str


def put(
    connection: Connection,
    key: str,
    to: To,
    reply: Reply,
    *,
    kind: str,
    now: float,
    not_before: float | None = None,
    expires: float | None = None,
    subject: str = "",
    organization: str | None = None,
    at_once: bool = False,
) -> bool:
    """Queue a message; False when one of this ``key`` (at most 240 characters) was queued before. ``kind`` and ``subject``
    name it for :func:`withdraw`. ``now``, ``not_before`` and ``expires`` are seconds since 1970; ``at_once`` is for answers
    that a person waits for: no quiet hours."""
    answer_id = hashlib.sha256(key.encode()).hexdigest()[:16]
    row = {
        "key": key,
        "kind": kind,
        "subject": subject,
        "platform": to.platform,
        "person": to.person,
        "organization": organization,
        "conversation": to.conversation,
        "reference": to.reference,
        "reply": pack_answered(Answered(reply, Receipt(answer_id, {}, None, "outbox", {}))),
        "at_once": at_once,
        "created_at": now,
        "not_before": now if not_before is None else not_before,
        "expires": now + KEEP_SECONDS if expires is None else expires,
        "state": "waiting",
        "attempts": 0,
    }
    return bool(insert_new(connection, outbox, [row], [outbox.c.id]))


def withdraw(connection: Connection, person: str, kind: str, now: float, subject: str = "") -> int:
    """Drop what waits for a person (of this kind, about this subject where one is named) before it goes out; returns how
    many."""
    where = (outbox.c.person == person) & (outbox.c.kind == kind) & (outbox.c.state == "waiting")
    if subject:
        where &= outbox.c.subject == subject
    return connection.execute(update(outbox).where(where).values(state="withdrawn", reply="", ended_at=now)).rowcount


def cancel(connection: Connection, key: str, now: float) -> bool:
    """Drop one message before it goes out; False when it is out, or unknown."""
    where = (outbox.c.key == key) & (outbox.c.state == "waiting")
    return connection.execute(update(outbox).where(where).values(state="withdrawn", reply="", ended_at=now)).rowcount == 1


def sent(connection: Connection, key: str) -> Sent | None:
    """How the message of a key stands; None when none was queued."""
    joined = outbox.outerjoin(inbox, inbox.c.id == outbox.c.inbox_row)
    columns = (outbox.c.state, inbox.c.state.label("below"), inbox.c.platform_id)
    row = connection.execute(select(*columns).select_from(joined).where(outbox.c.key == key)).first()
    if row is None:
        return None
    if row.state != "handed":
        return Sent(row.state, "")
    below = row.below or "sent"  # the row below was purged long after it had ended
    return Sent(below if below in ("sent", "failed") else "working", row.platform_id or "")


def times(connection: Connection, person: str, kinds: Sequence[str], since: float) -> list[float]:
    """When messages of these kinds reached, or will reach, a person, after ``since``."""
    where = (outbox.c.person == person) & outbox.c.kind.in_(tuple(kinds)) & outbox.c.state.in_(COUNTED)
    at = func.coalesce(outbox.c.ended_at, outbox.c.not_before)
    return sorted(connection.execute(select(at).where(where, at > since)).scalars())


def due(connection: Connection, platforms: Sequence[str], now: float, most: int = 200) -> list[Any]:
    """Waiting rows of these platforms whose time has come, oldest first."""
    where = (outbox.c.state == "waiting") & outbox.c.platform.in_(tuple(platforms)) & (outbox.c.not_before <= now)
    return list(connection.execute(select(outbox).where(where).order_by(outbox.c.not_before, outbox.c.id).limit(most)))


def due_for(connection: Connection, person: str, platform: str, now: float) -> list[Any]:
    """What waits for a person who has come to look, oldest first; what is past its time is left out."""
    where = (outbox.c.state == "waiting") & (outbox.c.person == person) & (outbox.c.platform == platform)
    timely = (outbox.c.not_before <= now) & (outbox.c.expires > now)
    return list(connection.execute(select(outbox).where(where, timely).order_by(outbox.c.not_before, outbox.c.id)))


def move(connection: Connection, row_id: int, **values: Any) -> bool:
    """Change a row that still waits; False when it does not."""
    where = (outbox.c.id == row_id) & (outbox.c.state == "waiting")
    return connection.execute(update(outbox).where(where).values(**values)).rowcount == 1


def link(connection: Connection, row_id: int, inbox_row: int) -> None:
    """Name the inbox row that carries a message handed over."""
    connection.execute(update(outbox).where(outbox.c.id == row_id).values(inbox_row=inbox_row))


def late(connection: Connection, now: float) -> bool:
    """Whether anything waits past its time."""
    where = (outbox.c.state == "waiting") & (outbox.c.expires <= now)
    return connection.execute(select(outbox.c.id).where(where).limit(1)).first() is not None


def expire(connection: Connection, now: float) -> int:
    """End what waited past its time; returns how many."""
    where = (outbox.c.state == "waiting") & (outbox.c.expires <= now)
    return connection.execute(update(outbox).where(where).values(state="expired", reply="", ended_at=now)).rowcount


def listed(connection: Connection, *, limit: int = 200) -> list[dict[str, Any]]:
    """Rows for an operator, newest first, without a word of what is said or to whom."""
    names = ("id", "kind", "platform", "state", "attempts", "reason", "incident", "created_at", "not_before", "ended_at")
    columns = [outbox.c[name] for name in names] + [inbox.c.state.label("below")]
    joined = outbox.outerjoin(inbox, inbox.c.id == outbox.c.inbox_row)
    query = select(*columns, outbox.c.inbox_row).select_from(joined).order_by(outbox.c.id.desc()).limit(limit)
    return [dict(row._mapping) for row in connection.execute(query)]


def zone_of(connection: Connection, person: str) -> str | None:
    """The time zone a person's own client named, or None."""
    return connection.execute(select(time_zones.c.zone).where(time_zones.c.person == person)).scalar()


def keep_zone(connection: Connection, person: str, zone: str, now: float) -> None:
    """Remember the time zone that a person's client named."""
    values = {"zone": zone[:64], "updated_at": now}
    where = time_zones.c.person == person
    if not connection.execute(update(time_zones).where(where).values(**values)).rowcount:
        connection.execute(insert(time_zones).values(person=person, **values))
