"""Tables of keeping: holds on deletion, wishes to be deleted, the names of keys.

Migration ``0006_data`` creates them. Times are seconds since 1970 (UTC).
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from bot.store.sealing import Sealed
from bot.store.tables import metadata

holds = Table(
    "holds",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),  # person, organization, everything
    Column("subject", String(300), nullable=False, default=""),
    Column("reason", Sealed, nullable=False),
    Column("author", String(200), nullable=False),
    Column("at", Float, nullable=False),
    Column("released_by", String(200)),
    Column("released_at", Float),
    Column("released_why", Sealed),
    Index("holds_in_force", "released_at"),
)

deletion_wishes = Table(
    "deletion_wishes",
    metadata,
    Column("person", String(300), primary_key=True),
    Column("at", Float, nullable=False),
)

seal_keys = Table(
    "seal_keys",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("proof", Text, nullable=False),
    Column("at", Float, nullable=False),
)

TABLES = (holds, deletion_wishes, seal_keys)
"""What migration 0006 creates."""
