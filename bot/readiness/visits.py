"""Who comes to the desk, and what the desk may say besides a plain reply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.messages import Reply
from bot.readiness.record import Check


@dataclass(frozen=True)
class Visitor:
    """Who came, from which organization, when (UTC), in which language. ``sent_at`` is when they typed or pressed."""

    person: str
    organization: str | None
    now: datetime
    language: str
    sent_at: datetime


@dataclass(frozen=True)
class Finished:
    """The check is done: its result is to be shown."""

    check: Check
    again: bool = False


@dataclass(frozen=True)
class MovePressed:
    """A button under a move was pressed."""

    check: Check
    item: str
    what: Literal["another", "drop", "done", "follow", "still"]


@dataclass(frozen=True)
class Idea:
    """Another move is to be shown, with guidance that is looked up outside the transaction."""

    check: Check
    item: str


Said = Reply | Finished | MovePressed | Idea
