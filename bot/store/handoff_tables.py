"""Tables of hand-offs: questions on their way to a person, what was written back and forth, names that helpers show.

Every text is redacted before it is stored. Times are seconds since 1970 (UTC). Migration ``0007_handoffs`` creates them.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table

from bot.store.sealing import Sealed
from bot.store.tables import metadata

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("state", String(12), nullable=False, index=True),  # see bot.handoff.cases.State
    Column("platform", String(16), nullable=False),
    Column("person", String(300), nullable=False, index=True),
    Column("organization", String(64)),
    Column("conversation", String(400), nullable=False, index=True),
    Column("reference", JSON, nullable=False),  # how the asker's door answers there; empty: in private
    Column("language", String(8), nullable=False),
    Column("name", Sealed, nullable=False, default=""),  # only when the asker said so
    Column("question", Sealed, nullable=False),
    Column("answered_before", Boolean, nullable=False, default=False),
    Column("wants", String(12), nullable=False, default=""),  # what the asker's next message is: question, name, message
    Column("wants_until", Float, nullable=False, default=0.0),
    Column("taken", String(24), nullable=False, default=""),  # the act by which it was given, and what it was taken for
    Column("taken_as", String(12), nullable=False, default=""),
    Column("tries", Integer, nullable=False, default=0),
    Column("helper_platform", String(16), nullable=False, default=""),
    Column("helper_channel", String(300), nullable=False, default=""),
    Column("helper_thread", String(300), nullable=False, default=""),
    Column("helper_conversation", String(400), nullable=False, default=""),
    Column("helper_reference", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("touched_at", Float, nullable=False),
    Column("sent_at", Float),
    Column("answered_at", Float),
    Column("closed_at", Float),
    Column("closed_by", String(12), nullable=False, default=""),
    Column("waiting_since", Float),
    Column("reminders", Integer, nullable=False, default=0),
    Column("draft", String(160), nullable=False, default=""),
    Index("handoffs_by_thread", "helper_platform", "helper_channel", "helper_thread"),
)

handoff_lines = Table(
    "handoff_lines",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False, unique=True),  # one act of one person, however often it is worked on
    Column("handoff", String(16), nullable=False, index=True),
    Column("role", String(8), nullable=False),  # helper, asker
    Column("person", String(300), nullable=False, default="", index=True),
    Column("shown", String(80), nullable=False, default=""),
    Column("text", Sealed, nullable=False),
    Column("delivered", String(12), nullable=False, default="passed"),  # passed, delivered, failed
    Column("at", Float, nullable=False),
)

helper_names = Table(
    "helper_names",
    metadata,
    Column("person", String(300), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("at", Float, nullable=False),
)

TABLES = (handoffs, handoff_lines, helper_names)
"""What migration 0007 creates."""
