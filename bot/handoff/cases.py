"""Hand-offs in SQL: one case a question, the lines written back and forth, and the names that helpers show.

Functions of an open transaction, so that a case changes together with the message that tells of it, or not at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from bot.store.conversation_tables import feedback, inbox, utterances
from bot.store.database import insert_new
from bot.store.handoff_tables import handoff_lines, handoffs, helper_names
from bot.store.tables import answers

State = Literal["offered", "sending", "open", "answered", "unanswered", "resolved", "closed", "failed", "withdrawn"]
"""``offered``: shown to the asker, not sent. ``sending``: on its way to the helpers' channel. ``open``: it stands there.
``answered``: a helper wrote. ``unanswered``: nobody did, and the asker was told. ``resolved``, ``closed`` and ``withdrawn`` are
ends (by the asker's word, by a helper or an operator, taken back). ``failed``: it could not be posted, and the asker was told."""

LIVE: tuple[State, ...] = ("sending", "open", "answered", "unanswered")
"""States in which an answer may come."""

ENDED: tuple[State, ...] = ("resolved", "closed", "withdrawn")
Wants = Literal["", "question", "name", "message"]
Role = Literal["helper", "asker"]

POSTING_SECONDS = 120.0
"""How long after a question was sent its thread may be there without being known."""

MOST_QUESTION, MOST_NAME, MOST_LINE = 2_000, 80, 6_000
"""Characters that are kept."""


@dataclass(frozen=True)
class Case:
    """One question on its way to a person. ``reference`` is how the asker's door answers where it was asked, empty for the
    asker alone; ``name`` is empty unless they said so; ``wants`` is what their next message is."""

    id: str
    state: State
    platform: str
    person: str
    organization: str | None
    conversation: str
    reference: dict[str, str]
    language: str
    name: str
    question: str
    answered_before: bool
    wants: Wants
    wants_until: float
    taken: str
    taken_as: Wants
    tries: int
    helper_platform: str
    helper_channel: str
    helper_thread: str
    helper_conversation: str
    helper_reference: dict[str, str]
    created_at: float
    touched_at: float
    sent_at: float | None
    answered_at: float | None
    closed_at: float | None
    closed_by: str
    waiting_since: float | None
    reminders: int
    draft: str


@dataclass(frozen=True)
class Line:
    """One thing written. ``shown`` is how a helper was named to the asker; ``delivered`` is passed, delivered or failed."""

    key: str
    handoff: str
    role: Role
    person: str
    shown: str
    text: str
    delivered: str
    at: float


@dataclass(frozen=True)
class Asked:
    """A question as it was asked in a conversation (redacted), and whether it was answered."""

    text: str
    answered: bool


_CASE = tuple(field.name for field in fields(Case))
_LINE = tuple(field.name for field in fields(Line))


def _case(row: Row[Any] | None) -> Case | None:
    if row is None:
        return None
    return Case(**{name: getattr(row, name) for name in _CASE})


def _first(connection: Connection, *where: ColumnElement[bool]) -> Case | None:
    query = select(handoffs).where(*where).order_by(handoffs.c.created_at.desc(), handoffs.c.id).limit(1)
    return _case(connection.execute(query).first())


def find(connection: Connection, case_id: str) -> Case | None:
    """A case by its id."""
    return _first(connection, handoffs.c.id == case_id)


def of_person(connection: Connection, person: str, conversation: str, states: Sequence[State]) -> Case | None:
    """The newest case of a person in a conversation that is in one of ``states``."""
    mine = (handoffs.c.person == person) & (handoffs.c.conversation == conversation)
    return _first(connection, mine, handoffs.c.state.in_(tuple(states)))


def awaiting(connection: Connection, person: str, conversation: str, now: float) -> Case | None:
    """The case that waits for the next message of a person in a conversation."""
    mine = (handoffs.c.person == person) & (handoffs.c.conversation == conversation)
    return _first(connection, mine, handoffs.c.wants != "", handoffs.c.wants_until > now)


def taken_by(connection: Connection, person: str, conversation: str, act: str) -> Case | None:
    """The case that an act of a person was taken for, when it is worked on again after a crash."""
    mine = (handoffs.c.person == person) & (handoffs.c.conversation == conversation)
    return _first(connection, mine, handoffs.c.taken == act)


def by_thread(connection: Connection, platform: str, channel: str, thread: str) -> Case | None:
    """The case that a thread of a helpers' channel is about."""
    here = (handoffs.c.helper_platform == platform) & (handoffs.c.helper_channel == channel)
    return _first(connection, here, handoffs.c.helper_thread == thread) if thread else None


def on_its_way(connection: Connection, platform: str, channel: str, now: float) -> bool:
    """Whether a question is being posted to a channel right now, so that a thread there may be one that is not known yet."""
    here = (handoffs.c.helper_platform == platform) & (handoffs.c.helper_channel == channel)
    fresh = handoffs.c.touched_at > now - POSTING_SECONDS
    return _first(connection, here, fresh, handoffs.c.state == "sending") is not None


def in_state(connection: Connection, *states: State) -> list[Case]:
    """Every case in one of ``states``, oldest first."""
    query = select(handoffs).where(handoffs.c.state.in_(states)).order_by(handoffs.c.created_at)
    return [case for row in connection.execute(query) if (case := _case(row)) is not None]


def listed(connection: Connection, state: str | None = None, limit: int = 200) -> list[Case]:
    """Cases for an operator, newest first; what was only offered is left out."""
    query = select(handoffs).where(handoffs.c.state != "offered").order_by(handoffs.c.created_at.desc()).limit(limit)
    if state:
        query = query.where(handoffs.c.state == state)
    return [case for row in connection.execute(query) if (case := _case(row)) is not None]


def begin(connection: Connection, now: float, **values: Any) -> Case:
    """A new case, offered to its asker."""
    row = {
        "id": secrets.token_hex(4),
        "state": "offered",
        "helper_reference": {},
        "created_at": now,
        "touched_at": now,
        **values,
    }
    connection.execute(insert(handoffs).values(**row))
    case = find(connection, row["id"])
    assert case is not None
    return case


def change(connection: Connection, case: Case, now: float, **values: Any) -> Case:
    """Change a case; returns it as it is now."""
    connection.execute(update(handoffs).where(handoffs.c.id == case.id).values(touched_at=now, **values))
    after = find(connection, case.id)
    assert after is not None
    return after


def posted(
    connection: Connection, case_id: str, thread: str, conversation: str, reference: dict[str, str], channel: str, now: float
) -> None:
    """A question stands in the helpers' channel: from now on its ``thread`` is known. Safe to repeat."""
    values: dict[str, Any] = {
        "helper_thread": thread,
        "helper_conversation": conversation,
        "helper_reference": reference,
        "helper_channel": channel,
    }
    connection.execute(update(handoffs).where(handoffs.c.id == case_id).values(**values))
    stands = {"state": "open", "sent_at": now, "touched_at": now}
    connection.execute(update(handoffs).where(handoffs.c.id == case_id, handoffs.c.state == "sending").values(**stands))


# -- lines ---------------------------------------------------------------------------------------------------------------


def write(
    connection: Connection, key: str, case: Case, role: Role, text: str, now: float, *, person: str = "", shown: str = ""
) -> bool:
    """Keep a line; False when the act of this ``key`` was kept before."""
    row = {
        "key": key,
        "handoff": case.id,
        "role": role,
        "person": person,
        "shown": shown,
        "text": text,
        "delivered": "passed",
        "at": now,
    }
    return bool(insert_new(connection, handoff_lines, [row], [handoff_lines.c.number]))


def lines(connection: Connection, case_id: str) -> list[Line]:
    """Everything written for a case, in order."""
    query = select(handoff_lines).where(handoff_lines.c.handoff == case_id).order_by(handoff_lines.c.number)
    return [Line(**{name: getattr(row, name) for name in _LINE}) for row in connection.execute(query)]


def undelivered(connection: Connection) -> list[Line]:
    """Helpers' lines of which it is not known yet whether they arrived."""
    where = (handoff_lines.c.role == "helper") & (handoff_lines.c.delivered == "passed")
    query = select(handoff_lines).where(where).order_by(handoff_lines.c.number)
    return [Line(**{name: getattr(row, name) for name in _LINE}) for row in connection.execute(query)]


def delivered(connection: Connection, key: str, how: str) -> bool:
    """Note whether a line arrived; False when that was noted before."""
    where = (handoff_lines.c.key == key) & (handoff_lines.c.delivered == "passed")
    return connection.execute(update(handoff_lines).where(where).values(delivered=how)).rowcount == 1


# -- names ---------------------------------------------------------------------------------------------------------------


def name_of(connection: Connection, person: str) -> str:
    """The name a helper chose to show; empty for none."""
    return connection.execute(select(helper_names.c.name).where(helper_names.c.person == person)).scalar() or ""


def show_name(connection: Connection, person: str, name: str, now: float) -> None:
    """Show a helper's answers under ``name`` from now on; an empty one shows none."""
    connection.execute(delete(helper_names).where(helper_names.c.person == person))
    if name:
        connection.execute(insert(helper_names).values(person=person, name=name, at=now))


# -- what was asked ------------------------------------------------------------------------------------------------------


def last_question(connection: Connection, person: str, conversation: str) -> Asked | None:
    """The last question that the library was searched for in a conversation: the person's own, else anybody's there."""
    query = (
        select(utterances.c.text, utterances.c.person, answers.c.outcome, answers.c.generation)
        .join(answers, answers.c.id == utterances.c.answer)
        .where(utterances.c.conversation == conversation, utterances.c.role == "user")
        .order_by(utterances.c.number.desc())
        .limit(20)
    )
    rows = [row for row in connection.execute(query) if row.generation]
    found = next((row for row in rows if row.person == person), rows[0] if rows else None)
    return Asked(found.text, found.outcome == "answered") if found is not None else None


@dataclass(frozen=True)
class Tried:
    """One answer to a person's question: whether it failed (not covered, or judged not helpful), and when it was given."""

    answer: str
    failed: bool
    at: float


def tries(connection: Connection, person: str, conversation: str, most: int = 2) -> list[Tried]:
    """The last answers to a person's questions in a conversation, newest first."""
    joined = inbox.join(answers, answers.c.id == inbox.c.answer).outerjoin(
        feedback, (feedback.c.answer == inbox.c.answer) & (feedback.c.person == person)
    )
    query = (
        select(answers.c.id, answers.c.outcome, answers.c.generation, feedback.c.helpful, inbox.c.received_at)
        .select_from(joined)
        .where(inbox.c.conversation == conversation, inbox.c.person == person)
        .order_by(inbox.c.id.desc())
        .limit(10)
    )
    found = [
        Tried(row.id, row.outcome == "not_covered" or row.helpful is False, row.received_at)
        for row in connection.execute(query)
        if row.generation or row.outcome == "not_covered"
    ]
    return found[:most]


def judged_since(connection: Connection, since: float) -> list[tuple[str, str, str]]:
    """Answers judged not helpful since then: (answer, person, conversation)."""
    query = (
        select(feedback.c.answer, feedback.c.person, inbox.c.conversation)
        .join(inbox, inbox.c.answer == feedback.c.answer)
        .where(feedback.c.at > since, feedback.c.helpful.is_(False), inbox.c.person == feedback.c.person)
    )
    return [(row.answer, row.person, row.conversation) for row in connection.execute(query)]


@dataclass(frozen=True)
class Given:
    """Where and for whom an answer was given."""

    platform: str
    organization: str | None
    reply_to: dict[str, str]
    language: str
    question: str


def given(connection: Connection, answer: str) -> Given | None:
    """The circumstances of an answer; None when they are not kept (any more)."""
    joined = inbox.join(answers, answers.c.id == inbox.c.answer).join(
        utterances, (utterances.c.answer == inbox.c.answer) & (utterances.c.role == "user")
    )
    columns = (inbox.c.platform, inbox.c.organization, inbox.c.reply_to, answers.c.language, utterances.c.text)
    row = connection.execute(select(*columns).select_from(joined).where(inbox.c.answer == answer)).first()
    if row is None:
        return None
    return Given(row.platform, row.organization or None, dict(row.reply_to), row.language, row.text)


def way_back(connection: Connection, conversation: str) -> dict[str, str] | None:
    """How the door answers the act being worked on in a conversation; None where none is, as in a terminal."""
    here = (inbox.c.conversation == conversation) & (inbox.c.state == "working")
    found = connection.execute(select(inbox.c.reply_to).where(here).order_by(inbox.c.id.desc()).limit(1)).scalar()
    return dict(found) if found is not None else None


# -- forgetting ----------------------------------------------------------------------------------------------------------


def forget(connection: Connection, person: str) -> int:
    """Delete a person's words and take them out of every case, line and list of names. A case that helpers have seen stays
    without its question, so that they can be told. Returns rows changed."""
    mine = handoffs.c.person == person
    owned = select(handoffs.c.id).where(mine)
    asker = handoff_lines.c.handoff.in_(owned) & (handoff_lines.c.role == "asker")
    count = connection.execute(delete(handoff_lines).where(asker)).rowcount
    count += connection.execute(delete(handoffs).where(mine, handoffs.c.state == "offered")).rowcount
    gone: dict[str, Any] = {"person": "", "conversation": "", "reference": {}, "name": "", "wants": "", "question": ""}
    count += connection.execute(update(handoffs).where(mine).values(**gone)).rowcount
    count += connection.execute(delete(helper_names).where(helper_names.c.person == person)).rowcount
    helper = handoff_lines.c.person == person
    count += connection.execute(update(handoff_lines).where(helper).values(person="", shown="")).rowcount
    return count


def older(connection: Connection, before: float) -> bool:
    """Whether a case was untouched since ``before``."""
    return _first(connection, handoffs.c.touched_at < before) is not None


def purge(connection: Connection, before: float) -> int:
    """Delete cases untouched since ``before``, with their lines. Returns rows removed."""
    old = select(handoffs.c.id).where(handoffs.c.touched_at < before)
    count = connection.execute(delete(handoff_lines).where(handoff_lines.c.handoff.in_(old))).rowcount
    return count + connection.execute(delete(handoffs).where(handoffs.c.touched_at < before)).rowcount
