"""Keeps why each answer came out as it did, and which words it cited. No question text is stored here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from bot.errors import NotFound
from bot.messages import Answered
from bot.store import Database
from bot.store.tables import answers, citations


def record(database: Database, answered: Answered, organization: str | None, at: datetime) -> None:
    """Store the receipt and the cited spans of one answer."""
    reply, receipt = answered.reply, answered.receipt
    with database.writing() as connection:
        connection.execute(
            answers.insert().values(
                id=receipt.answer_id,
                at=at.isoformat(timespec="seconds"),
                organization=organization,
                outcome=reply.outcome.value,
                handling=reply.handling.value,
                language=reply.language,
                generation=receipt.generation,
                model=receipt.model,
                prompt_version=receipt.prompt_version,
                receipt={
                    "signals": receipt.signals,
                    "considered": [list(pair) for pair in receipt.considered],
                    "reasons": list(receipt.reasons),
                    "timings_ms": receipt.timings_ms,
                    "tokens": receipt.tokens,
                },
                total_ms=receipt.timings_ms.get("total", 0.0),
            )
        )
        rows = [
            {
                "answer": receipt.answer_id,
                "n": c.n,
                "version": c.version,
                "passage": c.passage,
                "start": c.start,
                "end": c.end,
            }
            for c in reply.citations
        ]
        if rows:
            connection.execute(citations.insert(), rows)


def why(database: Database, answer_id: str) -> dict[str, Any]:
    """Everything known about one answer. Raises NotFound."""
    with database.reading() as connection:
        row = connection.execute(select(answers).where(answers.c.id == answer_id)).first()
        if row is None:
            raise NotFound(f"no answer is called '{answer_id}'")
        cited = connection.execute(select(citations).where(citations.c.answer == answer_id).order_by(citations.c.n))
        return {**row._mapping, "citations": [dict(c._mapping) for c in cited]}
