"""How conversations are forgotten: what goes, what is blanked, and how a resend of a forgotten message is still known.

Called by ``bot.personal`` when somebody asks, and by the inbox when a message that was under way then comes to its end.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update

from bot.store.conversation_tables import conversation_references, engagements, inbox

ENDED = ("sent", "failed", "ignored")
"""States of rows that need no more work."""

NOBODY = "gone"
"""In place of a person in what must stay, such as a channel's address."""

SHOWN_FROM_ROWS = ("web",)
"""Platforms whose pages show a reply from its row: there the reply that says what was deleted stays a day, under a hash."""


def pseudonym(name: str) -> str:
    """What stands for a name, so that who holds it can be recognised and nobody else can read it."""
    return f"gone:{hashlib.sha256(name.encode()).hexdigest()[:40]}"


def forget(connection: Connection, person: str) -> dict[str, int]:
    """Delete the acts of a person and where they are reached, inside the caller's transaction. Returns rows, by table.

    Messages that are under way are marked; the inbox blanks them when they end.
    """
    spoken = select(inbox.c.conversation).where(inbox.c.person == person)
    others = select(inbox.c.conversation).where(inbox.c.person != person, inbox.c.person != "")
    alone = engagements.c.conversation.in_(spoken) & engagements.c.conversation.not_in(others)
    count = {"engagements": connection.execute(delete(engagements).where(alone)).rowcount}
    mine = conversation_references.c.person == person
    personal = mine & (conversation_references.c.kind == "personal")
    count["conversation_references"] = connection.execute(delete(conversation_references).where(personal)).rowcount
    for row in connection.execute(select(conversation_references).where(mine)).all():
        here = (conversation_references.c.platform == row.platform) & (conversation_references.c.conversation == row.conversation)
        place = {name: value for name, value in row.reference.items() if not name.startswith("user")}
        connection.execute(update(conversation_references).where(here).values(person=NOBODY, reference=place))
    connection.execute(update(inbox).where(inbox.c.person == person, inbox.c.state.not_in(ENDED)).values(forget=True))
    count["inbox"] = scrub(connection, (inbox.c.person == person) & inbox.c.state.in_(ENDED))
    return count


def scrub(connection: Connection, where: ColumnElement[bool]) -> int:
    """Blank rows of the inbox: who, where, what was said and answered. Returns how many.

    A hash of its identity stays, so that a platform's resend is still known as the same act.
    """
    rows = connection.execute(select(inbox).where(where)).all()
    for row in rows:
        kept = row.platform in SHOWN_FROM_ROWS and _is_notice(row.answered)
        values: dict[str, Any] = {
            "identity": pseudonym(row.identity),
            "twin": "",
            "person": pseudonym(row.person) if kept else "",
            "conversation": pseudonym(row.conversation) if kept else "",
            "message": "",
            "answered": row.answered if kept else None,
            "answer": None,
            "platform_id": None,
            "reply_to": {},
            "forget": True,
        }
        connection.execute(update(inbox).where(inbox.c.id == row.id).values(**values))
    return len(rows)


def _is_notice(answered: str | None) -> bool:
    """Whether a packed reply is the one that says what was deleted."""
    return bool(answered) and json.loads(answered or "{}")["reply"]["fixed"] == "forgotten"
