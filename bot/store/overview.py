"""Counts for the people who run the system: the library and the inbox. No words, no names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from bot.store import Database
from bot.store.conversation_tables import inbox
from bot.store.tables import versions


@dataclass(frozen=True)
class Overview:
    """How much there is of what, now."""

    published: int
    past_review: int
    in_review: int
    drafts: int
    waiting: int
    answered: int
    failed: int


def overview(database: Database, today: date) -> Overview:
    """Count. Dates are compared as the library stores them (ISO 8601), so that they order as text."""
    due = (versions.c.state == "published") & (versions.c.review_by < today.isoformat())
    with database.reading() as connection:
        by_state = select(versions.c.state, func.count()).group_by(versions.c.state)
        documents = {row[0]: int(row[1]) for row in connection.execute(by_state)}
        past = int(connection.execute(select(func.count()).select_from(versions).where(due)).scalar() or 0)
        by_row = select(inbox.c.state, func.count()).group_by(inbox.c.state)
        rows = {row[0]: int(row[1]) for row in connection.execute(by_row)}
    return Overview(
        published=documents.get("published", 0),
        past_review=past,
        in_review=documents.get("in_review", 0),
        drafts=documents.get("draft", 0),
        waiting=sum(rows.get(state, 0) for state in ("received", "working", "answered")),
        answered=rows.get("sent", 0),
        failed=rows.get("failed", 0),
    )
