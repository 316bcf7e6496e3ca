"""The rows of a version that changes its state: published with its passages, retired, blanked. Inside a caller's transaction."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select, update

from bot.knowledge.versions import Version
from bot.store.tables import passages, versions

if TYPE_CHECKING:
    from bot.knowledge.document import FrontMatter


def in_force(connection: Connection, document: str) -> list[str]:
    """The ids of a document's published versions, the newest first."""
    here = (versions.c.document == document, versions.c.state == "published")
    return list(connection.execute(select(versions.c.id).where(*here).order_by(versions.c.number.desc())).scalars())


def set_state(connection: Connection, version: str, state: str) -> None:
    """Nothing else of it changes."""
    connection.execute(update(versions).where(versions.c.id == version).values(state=state))


def publish(connection: Connection, version: Version, verifier: str, verified_on: date, review_by: date) -> None:
    """Mark a version as published, and write its passages anew."""
    dates = {"verified_on": verified_on.isoformat(), "review_by": review_by.isoformat()}
    here = versions.c.id == version.id
    connection.execute(update(versions).where(here).values(state="published", verifier=verifier, **dates))
    connection.execute(delete(passages).where(passages.c.version == version.id))
    rows = [
        {
            "id": f"{version.id}/{passage.id}",
            "version": version.id,
            "ordinal": passage.ordinal,
            "section": passage.section,
            "heading_path": list(passage.heading_path),
            "page": passage.page,
            "start": passage.start,
            "end": passage.end,
            "text_hash": passage.text_hash,
        }
        for passage in version.parts[0]
    ]
    if rows:
        connection.execute(passages.insert(), rows)


def blank(connection: Connection, version: str, bare: FrontMatter) -> None:
    """Take a version's words and its passages away for good; its row, its hash and its place in the trail stay."""
    connection.execute(delete(passages).where(passages.c.version == version))
    nothing: dict[str, Any] = {
        "text": "",
        "blocks": [],
        "findings": [],
        "front_matter": bare.model_dump(mode="json"),
        "verifier": None,
    }
    connection.execute(update(versions).where(versions.c.id == version).values(state="erased", **nothing))


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last day of a shorter month."""
    month = day.month - 1 + months
    first = date(day.year + month // 12, month % 12 + 1, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))
