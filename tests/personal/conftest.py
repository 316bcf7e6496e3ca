"""A database with everything that can be kept of a person, and somebody else's beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from bot.messages import Message, Person
from bot.personal.links import table_of
from bot.store import Database
from bot.store.packed import pack_answered, pack_message
from tests.doubles.inbox import answer, open_store

ANN, BEN = "slack:T01:U0ANN", "slack:T01:U0ANNE"
"""One name is the beginning of the other."""

NOW = 1_800_000_000.0
DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = open_store(tmp_path)
    yield database
    database.close()


def put(database: Database, name: str, /, **values: Any) -> None:
    with database.writing() as connection:
        connection.execute(insert(table_of(name)).values(**values))


def said(database: Database, row: int, person: str, text: str, at: float = NOW, **more: Any) -> None:
    """One answered message with its lines."""
    made = answer(f"re: {text}")
    code = made.receipt.answer_id
    conversation = more.pop("conversation", f"slack:T01:D{person[-3:]}")
    values: dict[str, Any] = {
        "identity": f"{conversation}:{row}",
        "platform": "slack",
        "person": person,
        "organization": "pinecrest",
        "message": "",
        "reply_to": {"user": person.rpartition(":")[2]},
        "state": "sent",
        "ended_at": at,
        "answered": pack_answered(made),
        "answer": code,
    }
    put(database, "inbox", id=row, conversation=conversation, received_at=at, **{**values, **more})
    line = {"conversation": conversation, "at": at, "person": person, "row": row, "answer": code}
    put(database, "utterances", role="user", text=text, **line)
    put(database, "utterances", role="assistant", text=f"re: {text}", **line)
    receipt: dict[str, Any] = {"outcome": "answered", "handling": "answer", "language": "en", "generation": {"base": 1}}
    receipt |= {"at": "2027-01-15T00:00:00+00:00", "prompt_version": "p", "receipt": {}, "total_ms": 1.0}
    put(database, "answers", id=code, organization="pinecrest", **receipt)
    put(database, "feedback", answer=code, person=person, helpful=False, reason="wrong", comment=f"no, {text}", at=at)


def failed(database: Database, row: int, person: str, text: str, at: float = NOW) -> None:
    """A message that could not be answered, kept for an operator."""
    message = pack_message(Message(text, person=Person(person)))
    said(database, row, person, text, at, state="failed", message=message, answered=None, incident="abcd")


def everything(database: Database, person: str, start: int = 1) -> None:
    """A row in every table that can hold something of a person."""
    said(database, start, person, f"may the robot grade the essays of {start}")
    failed(database, start + 1, person, f"who owns the marks of the robot {start}")
    own = f"slack:T01:D{person[-3:]}"
    key = f"k{start}"
    stamp = "2027-01-15T00:00:00.000000"
    put(database, "engagements", conversation=own, platform="slack", engaged_at=NOW, last_at=NOW, quiet=False)
    place = {"platform": "slack", "person": person, "updated_at": NOW}
    put(database, "conversation_references", conversation=own, kind="personal", reference={"user": person}, **place)
    channel = {"channel": "C01", "user": person}
    put(database, "conversation_references", conversation=f"slack:T01:C{start}", kind="channel", reference=channel, **place)
    put(database, "preferences", person=person, language="es", updated_at=NOW)
    put(
        database,
        "channel_settings",
        platform="slack",
        team="T01",
        channel=f"C{start}",
        mode="off",
        answers="private",
        libraries=[],
        changed_by=person,
        changed_at=NOW,
    )
    put(
        database,
        "handoffs",
        id=key,
        conversation=own,
        platform="slack",
        person=person,
        question=f"please ask about robots {start}",
        state="closed",
        language="en",
        reference={"user": person},
        helper_reference={},
        created_at=NOW,
        touched_at=NOW,
        closed_at=NOW,
    )
    put(database, "handoff_lines", key=key, handoff=key, role="asker", person=person, text=f"more on robots {start}", at=NOW)
    put(database, "helper_names", person=person, name=f"Helper {start}", at=NOW)
    put(
        database,
        "outbox",
        key=key,
        kind="lesson",
        subject="what-ai-is",
        platform="slack",
        person=person,
        reference={},
        reply=f"a question about robots {start}",
        created_at=NOW,
        not_before=NOW,
        expires=NOW + DAY,
        state="handed",
        ended_at=NOW,
    )
    put(database, "time_zones", person=person, zone="America/New_York", updated_at=NOW)
    times = {"started_at": stamp, "touched_at": stamp}
    put(
        database,
        "readiness_checks",
        id=key,
        person=person,
        form="pulse",
        language="en",
        state="finished",
        wording_version="1",
        **times,
    )
    put(database, "readiness_events", check_id=key, revision=1, kind="answer", item="a", level=1, wording="w", at=stamp)
    put(database, "readiness_moves", check_id=key, item="a", level=1, state="shown", at=stamp)
    put(database, "readiness_offers", person=person, choices=[["A", "a"]], kind="plain", at=stamp)
    group = {"split": "role_group", "min_group": 5, "every": "once", "form": "pulse", "language": "en", "created_at": stamp}
    put(database, "readiness_groups", id=key, name="Staff", created_by=person, **group)
    role = {"role_group": "teaching", "school_level": "high"}
    put(database, "readiness_members", group_id=key, person=person, **role)
    round_ = {"form": "pulse", "split": "role_group", "min_group": 5, "wording_version": "1"}
    put(
        database, "readiness_rounds", id=key, group_id=key, period="2027", opens_on="2027-01-01", closes_on="2027-01-09", **round_
    )
    put(database, "readiness_invited", round_id=key, person=person, **role)
    put(database, "readiness_respondents", round_id=key, key=person, cell="all", check_id=key)
    put(database, "readiness_due", kind="reminder", subject=key, period="1", person=person, due_on="2027-01-05")
    put(database, "readiness_shares", round_id=key, place="p", content="c", shared_by=person, previewed_at=stamp)
    moved = "2027-01-15T00:00:00+00:00"
    put(database, "learners", person=person, language="en", open="", focus={}, moved_at=moved)
    run = {"number": 1, "content": "c", "step": 1, "answers": [1], "started_at": moved, "moved_at": moved}
    put(database, "lesson_runs", person=person, lesson="what-ai-is", **run)
    put(database, "lesson_returns", person=person, lesson="what-ai-is", day=3, content="c", sent_at=moved)
    put(
        database,
        "audit",
        at=stamp,
        actor=person,
        action="publish",
        subject="ferpa@1",
        detail={},
        previous_hash=f"p{start}",
        hash=f"h{start}",
    )
