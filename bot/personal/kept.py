"""The words of the map: what is kept in a table, and how a row leads to a person. Data of ``map_*``; assembled in ``map``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Link:
    """How a row leads to a person or organization: its own ``column``; or the row of ``table`` whose ``key`` equals
    ``column``, which names them in ``then``."""

    column: str
    table: str = ""
    key: str = ""
    then: str = ""


@dataclass(frozen=True)
class Kept:
    """One table that holds something of a person. ``columns`` says what each such column holds, ``other`` names the rest.

    ``forget`` says what happens to the rows when a person asks: deleted, or the name taken out ("unname"); "own" is left to the
    room that owns the table, "stays" keeps the name for the reason in ``gone``. ``sealed`` columns are sealed at rest.
    """

    table: str
    why: str
    days: str
    seen: str
    gone: str
    columns: dict[str, str]
    other: tuple[str, ...] = ()
    person: tuple[Link, ...] = (Link("person"),)
    organization: Link | None = None
    forget: Literal["delete", "unname", "own", "stays"] = "delete"
    sealed: tuple[str, ...] = ()


OWN = "the person; operators of the database"
RUNNERS = "operators of the database"
ADMINS = "administrators; operators of the database"

TALK, INCIDENTS = "`SIGNPOST_KEEP_DAYS` (30)", "`SIGNPOST_KEEP_INCIDENT_DAYS` (30)"
RATINGS, HANDED = "`SIGNPOST_KEEP_FEEDBACK_DAYS` (365)", "`SIGNPOST_KEEP_HANDOFF_DAYS` (180)"
CHECKS, LESSONS = (
    "`SIGNPOST_READINESS_KEEP_DAYS` (365) after the last touch",
    "`SIGNPOST_KEEP_LESSON_DAYS` (365) after the last step",
)
UNTIL = "until the person asks for deletion"
FORGET = "deleted on request and when its days are over"
TIED = Link("check_id", "readiness_checks", "id", "person")
TIED_ORGANIZATION = Link("check_id", "readiness_checks", "id", "organization")
LEARNER = Link("person", "learners", "person", "organization")
