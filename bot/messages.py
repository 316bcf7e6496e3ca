"""The words every room uses: what a person asked, and what is said back.

Adapters build a :class:`Message` and render a :class:`Reply`; nothing here knows a platform.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
class Message:
    """A question as it reaches the assistant, already verified and free of platform detail."""

    text: str
    history: tuple[Utterance, ...] = ()
    organization: str | None = None
    role: Role | None = None


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
    """A button, or a numbered line where there are no buttons. ``value`` is sent back as a question."""

    label: str
    value: str


@dataclass(frozen=True)
class Reply:
    """What is said back. ``markdown`` is the whole text; the parts let a platform render it its own way."""

    outcome: Outcome
    handling: Handling
    markdown: str
    language: str
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    notices: tuple[str, ...] = ()
    restatement: str | None = None


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
