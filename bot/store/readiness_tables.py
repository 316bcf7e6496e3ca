"""The tables of the readiness check: checks and their answers, groups and rounds, moves, and what is due when."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, ForeignKeyConstraint, Integer, String, Table, UniqueConstraint

from bot.store.tables import metadata

checks = Table(
    "readiness_checks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("person", String(200), nullable=False, index=True),
    Column("organization", String(64)),
    Column("form", String(8), nullable=False),
    Column("language", String(8), nullable=False),
    Column("state", String(10), nullable=False),  # running, paused, stopped, finished, closed
    Column("wording_version", String(32), nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("touched_at", String(32), nullable=False),
    Column("finished_at", String(32)),
    Column("round_id", String(32), index=True),
    Column("kept_out", Boolean, nullable=False, default=False),
    Column("result", JSON),  # answers and the words chosen, kept as they were read
)

events = Table(
    "readiness_events",
    metadata,
    Column("check_id", String(32), ForeignKey("readiness_checks.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True),  # 1, 2, 3, ... in order; nothing is ever changed in place
    Column("kind", String(8), nullable=False),  # answer, skip, back, keep, reopen
    Column("item", String(8), nullable=False),
    Column("level", Integer),  # of an answer; null is "not sure"
    Column("wording", String(8), nullable=False),
    Column("at", String(32), nullable=False),
)

offers = Table(
    "readiness_offers",
    metadata,
    Column("person", String(200), primary_key=True),
    Column("choices", JSON, nullable=False),  # [[label, value], ...] of the last reply, so that typing works as pressing does
    Column("kind", String(10), nullable=False),  # question, list (a bare number counts it) or plain
    Column("at", String(32), nullable=False),
)

moves = Table(
    "readiness_moves",
    metadata,
    Column("check_id", String(32), ForeignKey("readiness_checks.id", ondelete="CASCADE"), primary_key=True),
    Column("item", String(8), primary_key=True),
    Column("level", Integer, nullable=False),
    Column("state", String(12), nullable=False),  # shown, dropped, done, still
    Column("at", String(32), nullable=False),
)

groups = Table(
    "readiness_groups",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("organization", String(64)),
    Column("name", String(200), nullable=False),
    Column("split", String(16), nullable=False),  # role_group or school_level
    Column("min_group", Integer, nullable=False),
    Column("every", String(10), nullable=False),  # once, monthly, quarterly
    Column("form", String(8), nullable=False),
    Column("language", String(8), nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("created_at", String(32), nullable=False),
)

members = Table(
    "readiness_members",
    metadata,
    Column("group_id", String(32), ForeignKey("readiness_groups.id"), primary_key=True),
    Column("person", String(200), primary_key=True, index=True),
    Column("role_group", String(16), nullable=False),
    Column("school_level", String(16), nullable=False),
)

rounds = Table(
    "readiness_rounds",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("group_id", String(32), ForeignKey("readiness_groups.id"), nullable=False, index=True),
    Column("period", String(16), nullable=False),  # "2026-11", "2026-Q4" or the day it was opened by hand
    Column("form", String(8), nullable=False),
    Column("split", String(16), nullable=False),
    Column("min_group", Integer, nullable=False),
    Column("wording_version", String(32), nullable=False),
    Column("opens_on", String(10), nullable=False),
    Column("closes_on", String(10), nullable=False),  # the last day answers count
    Column("published_at", String(32)),
    Column("result", JSON),  # frozen when published
    UniqueConstraint("group_id", "period"),
)

invited = Table(
    "readiness_invited",
    metadata,
    Column("round_id", String(32), ForeignKey("readiness_rounds.id"), primary_key=True),
    Column("person", String(200), primary_key=True, index=True),
    Column("role_group", String(16), nullable=False),
    Column("school_level", String(16), nullable=False),
)

respondents = Table(
    "readiness_respondents",
    metadata,
    Column("round_id", String(32), ForeignKey("readiness_rounds.id"), primary_key=True),
    Column("key", String(200), primary_key=True),  # the person; a random word once they erased themselves
    Column("cell", String(16), nullable=False),
    Column("check_id", String(32)),
)

due = Table(
    "readiness_due",
    metadata,
    Column("kind", String(10), primary_key=True),  # invite, reminder, follow_up, publish, open
    Column("subject", String(64), primary_key=True),  # a round, group or check
    Column("period", String(16), primary_key=True),
    Column("person", String(200), primary_key=True, default=""),
    Column("due_on", String(10), nullable=False, index=True),
    Column("done_at", String(32)),
)

shares = Table(
    "readiness_shares",
    metadata,
    Column("round_id", String(32), primary_key=True),
    Column("place", String(200), primary_key=True),
    Column("content", String(64), primary_key=True),  # hash of exactly what was previewed
    Column("shared_by", String(200), nullable=False),
    Column("previewed_at", String(32), nullable=False),
    Column("shared_at", String(32)),
    ForeignKeyConstraint(["round_id"], ["readiness_rounds.id"]),
)

approvals = Table(
    "readiness_approvals",
    metadata,
    Column("language", String(8), primary_key=True),
    Column("content", String(64), primary_key=True),
    Column("author", String(200), nullable=False),
    Column("reviewer", String(200), nullable=False),
    Column("at", String(32), nullable=False),
)

READINESS = (checks, events, offers, moves, groups, members, rounds, invited, respondents, due, shares, approvals)
"""Every table of this room, in order of creation."""
