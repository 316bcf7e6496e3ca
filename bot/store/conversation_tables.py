"""Tables of conversations: the inbox, what was said (redacted), engaged threads, installations, channels, feedback.

Times are seconds since 1970 (UTC) where they are compared, as in ``lease_until``. Migration ``0002_conversations`` creates them.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from bot.store.sealing import Sealed
from bot.store.tables import metadata

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("identity", String(500), nullable=False, unique=True),
    Column("twin", String(500), nullable=False, default=""),
    Column("platform", String(16), nullable=False),
    Column("conversation", String(400), nullable=False),
    Column("person", String(300), nullable=False, default=""),
    Column("organization", String(64), nullable=False, default=""),
    Column("message", Sealed, nullable=False),
    Column("reply_to", JSON, nullable=False),
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("fence", Integer, nullable=False, default=0),
    Column("owner", String(160), nullable=False, default=""),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("received_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("send_started", Boolean, nullable=False, default=False),
    Column("answered", Sealed),
    Column("answer", String(32)),
    Column("platform_id", String(400)),
    Column("incident", String(16)),
    Column("reason", String(40)),
    Column("limited", Integer, nullable=False, default=0),
    Column("forget", Boolean, nullable=False, default=False),
    Index("inbox_by_state", "state", "lease_until"),
    Index("inbox_by_conversation", "conversation", "id"),
    Index("inbox_by_person", "person", "received_at"),
    Index("inbox_by_organization", "organization", "received_at"),
    Index("inbox_by_answer", "answer"),
    Index("inbox_by_twin", "twin", "received_at"),
)

utterances = Table(
    "utterances",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("conversation", String(400), nullable=False),
    Column("at", Float, nullable=False, index=True),
    Column("role", String(10), nullable=False),
    Column("text", Sealed, nullable=False),
    Column("person", String(300), nullable=False, default="", index=True),
    Column("row", Integer),
    Column("answer", String(32)),
    Index("utterances_by_conversation", "conversation", "number"),
)

engagements = Table(
    "engagements",
    metadata,
    Column("conversation", String(400), primary_key=True),
    Column("platform", String(16), nullable=False),
    Column("engaged_at", Float, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("quiet", Boolean, nullable=False, default=False),
)

installations = Table(
    "installations",
    metadata,
    Column("platform", String(16), primary_key=True),
    Column("enterprise", String(100), primary_key=True, default=""),
    Column("team", String(100), primary_key=True, default=""),
    Column("user", String(100), primary_key=True, default=""),
    Column("sealed", LargeBinary, nullable=False),
    Column("installed_at", Float, nullable=False),
)

channel_settings = Table(
    "channel_settings",
    metadata,
    Column("platform", String(16), primary_key=True),
    Column("team", String(100), primary_key=True, default=""),
    Column("channel", String(300), primary_key=True),
    Column("mode", String(12), nullable=False),
    Column("answers", String(12), nullable=False),
    Column("libraries", JSON, nullable=False),
    Column("changed_by", String(300), nullable=False),
    Column("changed_at", Float, nullable=False),
)

conversation_references = Table(
    "conversation_references",
    metadata,
    Column("platform", String(16), primary_key=True),
    Column("conversation", String(400), primary_key=True),
    Column("person", String(300), nullable=False, default="", index=True),
    Column("kind", String(12), nullable=False),
    Column("reference", JSON, nullable=False),
    Column("updated_at", Float, nullable=False),
)

preferences = Table(
    "preferences",
    metadata,
    Column("person", String(300), primary_key=True),
    Column("language", String(8)),
    Column("role", String(16)),
    Column("told_privacy_at", Float),
    Column("updated_at", Float, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("answer", String(32), nullable=False),
    Column("person", String(300), nullable=False),
    Column("helpful", Boolean, nullable=False),
    Column("reason", String(40), nullable=False, default=""),
    Column("comment", Sealed, nullable=False, default=""),
    Column("at", Float, nullable=False),
    UniqueConstraint("answer", "person"),
)

TABLES = (
    inbox,
    utterances,
    engagements,
    installations,
    channel_settings,
    conversation_references,
    preferences,
    feedback,
)
"""What migration 0002 creates."""
