"""What a person asked lately, for App Home, and a kept reply, for sharing. Redacted words only, as the store has them."""

from __future__ import annotations

from sqlalchemy import func, select

from bot.adapters.slack.views import Recent
from bot.messages import Answered
from bot.store import Database
from bot.store.conversation_tables import inbox, utterances
from bot.store.packed import unpack_answered
from bot.store.tables import answers, citations

MOST = 5


def recent(database: Database, person: str) -> list[Recent]:
    """The last questions of a person that were answered from the library, newest first."""
    mine = (utterances.c.person == person) & (utterances.c.role == "user")
    query = select(utterances.c.text, utterances.c.answer).join(answers, answers.c.id == utterances.c.answer).where(mine)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(utterances.c.number.desc()).limit(MOST)).all()
        counted = select(citations.c.answer, func.count()).where(citations.c.answer.in_([row.answer for row in rows]))
        counts = {row[0]: int(row[1]) for row in connection.execute(counted.group_by(citations.c.answer))}
    return [Recent(row.text, row.answer, counts.get(row.answer, 0)) for row in rows]


def kept(database: Database, answer: str, person: str) -> Answered | None:
    """The reply to one of this person's own questions, or None when it is not kept (any more)."""
    query = select(inbox.c.answered).where(inbox.c.answer == answer, inbox.c.person == person)
    with database.reading() as connection:
        packed = connection.execute(query).scalar()
    return unpack_answered(packed) if packed else None


def language_of(database: Database, answer: str) -> str:
    """The language an answer was given in; English when it is unknown."""
    with database.reading() as connection:
        return connection.execute(select(answers.c.language).where(answers.c.id == answer)).scalar() or "en"
