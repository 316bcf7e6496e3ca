"""The helpers' channel in Teams: how it is reached, which thread a question stands in, and whether something is said there.

Called by ``send`` and ``app``. Teams has no way to look for a message of ours, so a question of which it is not known whether it
stands is never posted again: a note with a button that shows it takes its place.
"""

from __future__ import annotations

import time
from dataclasses import replace

from sqlalchemy import select, update

from bot.adapters.teams import cards, limits
from bot.adapters.teams.activities import PLATFORM, bounded
from bot.adapters.teams.connector import Activity, Reference
from bot.errors import NotFound
from bot.handoff import cases
from bot.handoff.channels import HELPER
from bot.handoff.words import words
from bot.inbox import Work
from bot.messages import Answered, Place
from bot.store import Database
from bot.store.conversation_tables import conversation_references as table
from bot.store.conversation_tables import inbox


def channel(database: Database, wanted: dict[str, str]) -> Reference:
    """The way to a helpers' channel, from any conversation of its tenant that we know. Raises NotFound where there is none: the
    app must be installed in that team."""
    name, tenant = wanted["channel"], wanted.get("team", "")
    query = select(table.c.reference).where(table.c.platform == PLATFORM).order_by(table.c.updated_at.desc())
    there = query.where(table.c.conversation.contains(f":{name}", autoescape=True))
    with database.reading() as connection:
        found = connection.execute(there.limit(1)).scalar()
        if found is None and tenant:
            query = query.where(table.c.conversation.startswith(f"{PLATFORM}:{tenant}:", autoescape=True))
        found = found or connection.execute(query.limit(1)).scalar()
    if found is None:
        raise NotFound("the app is not installed in the helpers' team")
    known = Reference.of(found)
    return replace(known, conversation=name, channel=name, kind="channel", activity="", user="", user_aad="")


def unsure(answered: Answered) -> Activity:
    """The note that stands for a question of which it is not known whether it was posted."""
    language, answer_id = answered.reply.language, answered.receipt.answer_id
    said = words(language).maybe_above
    card = cards.attachment(cards.unsure(language, answer_id))
    return {"type": "message", "text": said, "summary": limits.shorten(said, limits.SUMMARY), "attachments": [card]}


def posted(database: Database, work: Work, thread: Reference) -> None:
    """A question stands in a thread: what is said and pressed there belongs to it. Safe to repeat."""
    base, _, number = thread.conversation.partition(";messageid=")
    key = bounded(f"{PLATFORM}:{thread.tenant}:{thread.conversation}", 400)
    with database.writing() as connection:
        case_id, now = work.reply_to[HELPER], time.time()
        cases.posted(connection, case_id, number, key, thread.stored(), thread.channel or base, now)
        connection.execute(update(inbox).where(inbox.c.id == work.row_id).values(conversation=key))


def helping(database: Database, place: Place) -> bool:
    """Whether something is said in a helpers' thread, where no mention is needed."""
    if place.kind == "personal" or not place.thread:
        return False
    with database.reading() as connection:
        return cases.by_thread(connection, PLATFORM, place.channel, place.thread) is not None
