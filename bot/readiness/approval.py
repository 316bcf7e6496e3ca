"""Which languages' texts are approved: a named reviewer, not the author, signs for exactly the present words.

Editing a text makes it a draft again, since the approval is for a hash of its files. Recorded in the audit trail, as the
approval of a document is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from bot.errors import NotAllowed
from bot.knowledge.audit import record as audit
from bot.readiness.instrument import Instrument
from bot.readiness.record import stamp
from bot.store import Database
from bot.store.readiness_tables import approvals


def drafts(connection: Connection, instrument: Instrument) -> frozenset[str]:
    """Translations whose present words nobody approved. English is the source the project itself maintains."""
    signed = {(row.language, row.content) for row in connection.execute(select(approvals))}
    pairs = instrument.content.items()
    return frozenset(language for language, content in pairs if language != "en" and (language, content) not in signed)


def approve(database: Database, instrument: Instrument, language: str, *, author: str, reviewer: str, now: datetime) -> None:
    """Approve the present words of a language. Raises NotAllowed when nobody is named or authors approve themselves."""
    if not author.strip() or not reviewer.strip() or author.strip().casefold() == reviewer.strip().casefold():
        raise NotAllowed("texts are approved by a named person other than their author")
    content = instrument.content[language]
    with database.writing() as connection:
        if language not in drafts(connection, instrument):
            return
        row = {"language": language, "content": content, "author": author, "reviewer": reviewer, "at": stamp(now)}
        connection.execute(approvals.insert().values(**row))
        subject = f"{instrument.rules.id}.{language}"
        audit(connection, stamp(now), reviewer, "approve_texts", subject, content=content, author=author)
