"""Tables of the lessons: who is where, what was answered, what was sent, what was counted, who approved a text."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, String, Table

from bot.store.tables import metadata

learners = Table(
    "learners",
    metadata,
    Column("person", String(200), primary_key=True),
    Column("organization", String(64), index=True),
    Column("language", String(8), nullable=False),
    Column("open", String(64), nullable=False),
    Column("reminders_since", String(40), index=True),
    Column("focus", JSON, nullable=False),
    Column("moved_at", String(40), nullable=False),
)

lesson_runs = Table(
    "lesson_runs",
    metadata,
    Column("person", String(200), primary_key=True),
    Column("lesson", String(64), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("content", String(16), nullable=False),
    Column("step", Integer, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("started_at", String(40), nullable=False),
    Column("moved_at", String(40), nullable=False),
    Column("finished_at", String(40)),
)

# The primary key is what makes a question go out once, however many processes look.
lesson_returns = Table(
    "lesson_returns",
    metadata,
    Column("person", String(200), primary_key=True),
    Column("lesson", String(64), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("content", String(16), nullable=False),
    Column("sent_at", String(40), nullable=False),
    Column("answered_at", String(40)),
    Column("choice", Integer),
)

lesson_counts = Table(
    "lesson_counts",
    metadata,
    Column("organization", String(64), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("lesson", String(64), primary_key=True),
    Column("least", Integer, nullable=False),
    Column("most", Integer),
)

lesson_reviews = Table(
    "lesson_reviews",
    metadata,
    Column("lesson", String(64), primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("text_hash", String(64), primary_key=True),
    Column("author", String(200), nullable=False),
    Column("reviewer", String(200), nullable=False),
    Column("reviewed_at", String(40), nullable=False),
)

TABLES = (learners, lesson_runs, lesson_returns, lesson_counts, lesson_reviews)
"""What migration 0004 creates."""
