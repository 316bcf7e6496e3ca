"""The words every room uses: what a person asked, and what is said back.

Adapters build a :class:`Message` and render a :class:`Reply`; nothing here knows a platform.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal


class Outcome(StrEnum):
    """How a turn ended, for scripts and reports."""

    ANSWERED = "answered"
    NOT_COVERED = "not_covered"
    CLARIFY = "clarify"
    REFUSED = "refused"
    ROUTED = "routed"


class Handling(StrEnum):
    """Which path handled the message."""

    ANSWER = "answer"
    ANSWER_REDACTED = "answer_redacted"
    CRISIS = "crisis"
    REFUSE_UNSAFE = "refuse_unsafe"
    REFUSE_MISUSE = "refuse_misuse"
    INJECTION = "injection"
    OUT_OF_SCOPE = "out_of_scope"
    SMALLTALK = "smalltalk"


Role = Literal["educator", "leader", "admin"]


@dataclass(frozen=True)
class Utterance:
    """One earlier line of the conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Person:
    """Who speaks. ``id`` is ``platform:team:user`` as the platform names them; nothing else is known about them. ``name`` is
    filled in only for the press of a button that shows it, see :data:`SIGNED`."""

    id: str
    role: Role | None = None
    name: str = ""


@dataclass(frozen=True)
class Place:
    """Where it is said. ``kind`` says who reads along; ``thread`` is empty outside threads."""

    platform: Literal["slack", "teams", "web", "terminal"]
    team: str = ""
    channel: str = ""
    thread: str = ""
    kind: Literal["personal", "group", "channel"] = "personal"


SIGNED = "signed/"
"""How the value of a choice begins whose press shows who pressed it: the door adds the person's name, where it knows one."""


@dataclass(frozen=True)
class Action:
    """A pressed button: the ``value`` of the choice that was pressed."""

    value: str


@dataclass(frozen=True)
class Message:
    """What reaches the turn, already verified and free of platform detail. ``action`` is set when a button was pressed
    instead of something typed; ``at`` is when the person sent it (UTC)."""

    text: str
    history: tuple[Utterance, ...] = ()
    organization: str | None = None
    role: Role | None = None
    person: Person | None = None
    place: Place | None = None
    language: str | None = None
    action: Action | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Citation:
    """A verbatim quote and where it stands. ``start`` and ``end`` are character offsets of ``quote`` in the
    version's text, so ``text[start:end] == quote``."""

    n: int
    document: str
    version: str
    section: str
    passage: str
    title: str
    publisher: str
    url: str
    published: str
    verified_on: str
    verified_by: str
    level: str
    quote: str
    start: int
    end: int
    page: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """A button, or a numbered line where there are no buttons. Pressing it sends ``Action(value)``; typing its label or
    its number means the same. ``describes`` is what a screen reader says instead of a short label.

    ``box`` is the label of a box to write in beside the button, whose words come as the message's text. Such a choice is shown
    only where there are boxes in messages (Teams); elsewhere people write below the message."""

    label: str
    value: str
    describes: str = ""
    box: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture with the text that says all of it."""

    png: bytes
    alt: str


@dataclass(frozen=True)
class Reply:
    """What is said back. ``markdown`` is the whole text; the parts let a platform render it its own way.

    ``fixed`` is the id of a fixed text (exempt from the outgoing inspection by that id alone), ``rule`` the guardrail rule
    that decided, ``private`` asks the door to show it to the asker only."""

    outcome: Outcome
    handling: Handling
    markdown: str
    language: str
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    notices: tuple[str, ...] = ()
    restatement: str | None = None
    fixed: str | None = None
    rule: str | None = None
    picture: Picture | None = None
    private: bool = False


@dataclass(frozen=True)
class Receipt:
    """Why a reply came out as it did: everything ``signpost why`` shows."""

    answer_id: str
    generation: dict[str, int]
    model: str | None
    prompt_version: str
    timings_ms: dict[str, float]
    signals: dict[str, float] = field(default_factory=dict)
    considered: tuple[tuple[str, float], ...] = ()
    reasons: tuple[str, ...] = ()
    tokens: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Answered:
    """A reply with its receipt."""

    reply: Reply
    receipt: Receipt
