"""Tables of what we say unasked: messages waiting to go out, people's time zones, and the runs of background jobs.

Times are seconds since 1970 (UTC). Migration ``0005_outbox`` creates them.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table

from bot.store.sealing import Sealed
from bot.store.tables import metadata

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(240), nullable=False, unique=True),  # what makes a message go out once
    Column("kind", String(40), nullable=False),
    Column("subject", String(64), nullable=False, default=""),  # what it is about: a round, a check, a lesson
    Column("platform", String(16), nullable=False),
    Column("person", String(300), nullable=False, default=""),
    Column("organization", String(64)),
    Column("conversation", String(400), nullable=False, default=""),
    Column("reference", JSON, nullable=False),
    Column("reply", Sealed, nullable=False),  # packed; empty once it has ended
    Column("at_once", Boolean, nullable=False, default=False),  # goes out in quiet hours too
    Column("created_at", Float, nullable=False),
    Column("not_before", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("state", String(10), nullable=False),  # waiting, handed, shown, withdrawn, expired, failed
    Column("attempts", Integer, nullable=False, default=0),
    Column("inbox_row", Integer),  # whose sender brings it to its end
    Column("reason", String(40)),
    Column("incident", String(16)),
    Column("ended_at", Float),
    Index("outbox_by_state", "state", "not_before"),
    Index("outbox_by_person", "person", "kind"),
)

time_zones = Table(
    "time_zones",
    metadata,
    Column("person", String(300), primary_key=True),
    Column("zone", String(64), nullable=False),
    Column("updated_at", Float, nullable=False),
)

# One row a job and slot of time: whoever inserts or takes over the row runs it.
job_runs = Table(
    "job_runs",
    metadata,
    Column("job", String(40), primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("state", String(10), nullable=False),  # running, done, failed
    Column("owner", String(160), nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("incident", String(16)),
)

TABLES = (outbox, time_zones, job_runs)
"""What migration 0005 creates."""
