"""What is remembered of conversations: redacted lines, the last answer, engaged threads, feedback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from bot.errors import FormatError, NotFound
from bot.messages import Utterance
from bot.store import Database
from bot.store.conversation_tables import (
    engagements,
    feedback,
    inbox,
    utterances,
)
from bot.store.database import insert_new
from bot.store.forgotten import pseudonym
from bot.store.packed import unpack_message
from bot.store.tables import answers

HISTORY_LINES = 8
"""Lines of a conversation that are given to the assistant."""

OUTGOING = "out:"
"""How the identity of an inbox row begins that answers nobody: something we say unasked."""

_LATEST = (
    select(utterances.c.role, utterances.c.text)
    .where(utterances.c.conversation == bindparam("in_conversation"))
    .order_by(utterances.c.number.desc())
    .limit(bindparam("lines"))
)

REASONS = ("wrong", "outdated", "off_topic", "unclear", "other")
"""Why an answer did not help."""


def say(
    connection: Connection, conversation: str, person: str, at: float, row: int, lines: list[tuple[str, str]], answer: str
) -> None:
    """Add lines (who, text) of one exchange; empty texts are left out."""
    kept = [
        {"conversation": conversation, "person": person, "at": at, "row": row, "role": role, "text": text, "answer": answer}
        for role, text in lines
        if text
    ]
    if kept:
        connection.execute(insert(utterances), kept)


def history(database: Database, conversation: str, lines: int = HISTORY_LINES) -> tuple[Utterance, ...]:
    """The last ``lines`` of a conversation, oldest first."""
    with database.reading() as connection:
        rows = connection.execute(_LATEST, {"in_conversation": conversation, "lines": lines}).all()
    return tuple(Utterance(row.role, row.text) for row in reversed(rows))


def last_reply(database: Database, conversation: str) -> str | None:
    """The last reply of a conversation as it was packed, or None."""
    query = select(inbox.c.answered).where(inbox.c.conversation == conversation, inbox.c.answered.is_not(None))
    with database.reading() as connection:
        return connection.execute(query.order_by(inbox.c.id.desc()).limit(1)).scalar()


def last_answer(database: Database, conversation: str) -> str | None:
    """The id of the last recorded answer of a conversation, or None."""
    query = (
        select(answers.c.id)
        .join(inbox, inbox.c.answer == answers.c.id)
        .where(inbox.c.conversation == conversation)
        .order_by(inbox.c.id.desc())
        .limit(1)
    )
    with database.reading() as connection:
        return connection.execute(query).scalar()


def engage(database: Database, conversation: str, platform: str, at: float) -> None:
    """Remember that we take part in a thread, or that we do again."""
    row = {"conversation": conversation, "platform": platform, "engaged_at": at, "last_at": at, "quiet": False}
    with database.writing() as connection:
        insert_new(connection, engagements, [row])
        connection.execute(update(engagements).where(engagements.c.conversation == conversation).values(last_at=at, quiet=False))


def disengage(database: Database, conversation: str) -> None:
    """Be quiet in a thread until we are addressed again."""
    with database.writing() as connection:
        connection.execute(update(engagements).where(engagements.c.conversation == conversation).values(quiet=True))


def engaged(database: Database, conversation: str) -> bool:
    """Whether we take part in a thread."""
    query = select(engagements.c.quiet).where(engagements.c.conversation == conversation)
    with database.reading() as connection:
        quiet = connection.execute(query).scalar()
    return quiet is not None and not quiet


def give_feedback(
    database: Database, answer: str, person: str, helpful: bool, at: float, reason: str = "", comment: str = ""
) -> None:
    """Keep one person's verdict on one answer; a later one replaces it. ``comment`` must be screened before.

    Raises NotFound for an unknown answer, FormatError for an unknown reason.
    """
    if reason and reason not in REASONS:
        raise FormatError(f"a reason is one of {', '.join(REASONS)}", where="feedback")
    values = {"helpful": helpful, "reason": reason, "comment": comment, "at": at}
    with database.writing() as connection:
        if connection.execute(select(inbox.c.id).where(inbox.c.answer == answer)).first() is None:
            raise NotFound(f"no answer is called '{answer}'")
        insert_new(connection, feedback, [{"answer": answer, "person": person, **values}])
        connection.execute(update(feedback).where(feedback.c.answer == answer, feedback.c.person == person).values(**values))


@dataclass(frozen=True)
class Exchange:
    """One act and its reply, as a door that shows its own past needs them. ``asked`` is what may be shown of the message;
    ``answered`` is the packed reply, None while there is none; ``unasked`` says that we spoke first."""

    row_id: int
    person: str
    state: str
    asked: str
    pressed: bool
    answered: str | None
    incident: str | None
    reason: str | None
    unasked: bool = False


def exchanges(database: Database, conversation: str, limit: int = 50) -> list[Exchange]:
    """The last exchanges of a conversation, oldest first."""
    mine = inbox.c.conversation.in_((conversation, pseudonym(conversation)))
    query = select(inbox).where(mine).order_by(inbox.c.id.desc()).limit(limit)
    with database.reading() as connection:
        rows = list(reversed(connection.execute(query).all()))
        return _exchanges(connection, rows)


def spoken(database: Database, conversation: str, after: int) -> list[Exchange]:
    """What we said unasked in a conversation behind the row ``after``, oldest first."""
    ours = inbox.c.identity.startswith(OUTGOING, autoescape=True) & inbox.c.answered.is_not(None)
    query = select(inbox).where(inbox.c.conversation == conversation, inbox.c.id > after, ours).order_by(inbox.c.id)
    with database.reading() as connection:
        return _exchanges(connection, list(connection.execute(query)))


def exchange(database: Database, row_id: int) -> Exchange | None:
    """One exchange by its row."""
    with database.reading() as connection:
        rows = connection.execute(select(inbox).where(inbox.c.id == row_id)).all()
        return next(iter(_exchanges(connection, list(rows))), None)


def ended(database: Database, row_id: int) -> bool:
    """Whether a row needs no more work, or exists no more."""
    with database.reading() as connection:
        state = connection.execute(select(inbox.c.state).where(inbox.c.id == row_id)).scalar()
    return state in (None, "sent", "failed", "ignored")


def _exchanges(connection: Connection, rows: list[Any]) -> list[Exchange]:
    said = select(utterances.c.row, utterances.c.text).where(
        utterances.c.row.in_([row.id for row in rows]), utterances.c.role == "user"
    )
    kept = {line.row: line.text for line in connection.execute(said)}
    found = []
    for row in rows:
        message = unpack_message(row.message) if row.message else None
        asked = kept.get(row.id) or (message.text if message is not None else "")
        pressed = message is not None and message.action is not None
        unasked = row.identity.startswith(OUTGOING)
        found.append(Exchange(row.id, row.person, row.state, asked, pressed, row.answered, row.incident, row.reason, unasked))
    return found
