"""The append-only record of every change to the library. Each row carries the hash of the row before it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from bot.store.tables import audit

GENESIS = "0" * 64


@dataclass(frozen=True)
class AuditRow:
    """One change: when (UTC, ISO 8601), who, what, to which document, version or library."""

    number: int
    at: str
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    hash: str


def row_hash(previous: str, at: str, actor: str, action: str, subject: str, detail: dict[str, Any]) -> str:
    """SHA-256 over the previous row's hash and this row's fields in canonical JSON."""
    body = json.dumps([previous, at, actor, action, subject, detail], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


def record(connection: Connection, at: str, actor: str, action: str, subject: str, **detail: Any) -> None:
    """Append a row inside the caller's write transaction."""
    previous = connection.execute(select(audit.c.hash).order_by(audit.c.number.desc()).limit(1)).scalar() or GENESIS
    connection.execute(
        audit.insert().values(
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            detail=detail,
            previous_hash=previous,
            hash=row_hash(previous, at, actor, action, subject, detail),
        )
    )


def history(connection: Connection, subject: str | None = None) -> list[AuditRow]:
    """Rows in order; only those about ``subject`` (a document covers its versions) when given."""
    query = select(audit).order_by(audit.c.number)
    if subject is not None:
        query = query.where((audit.c.subject == subject) | audit.c.subject.startswith(f"{subject}@", autoescape=True))
    return [
        AuditRow(row.number, row.at, row.actor, row.action, row.subject, row.detail, row.hash)
        for row in connection.execute(query)
    ]


def broken_links(connection: Connection) -> list[int]:
    """Numbers of rows whose hash or link does not hold; empty when the chain is whole."""
    bad: list[int] = []
    previous = GENESIS
    for row in connection.execute(select(audit).order_by(audit.c.number)):
        expected = row_hash(previous, row.at, row.actor, row.action, row.subject, row.detail)
        if row.previous_hash != previous or row.hash != expected:
            bad.append(row.number)
        previous = row.hash
    return bad
