"""The shapes of the turn's stages: what screens a message, what answers it, what inspects the reply."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from bot.knowledge.embedding import Vectors
from bot.messages import Message, Reply, Utterance


@dataclass(frozen=True)
class Screened:
    """A message after the incoming guardrails. ``alarm`` is the rule of a crisis that the human contact is told of.

    ``text`` is what skills and the assistant see; ``kept`` is what may be stored of it, empty for nothing. ``reply`` ends the
    turn with a fixed answer (crisis, refusal); a ``soft`` one gives way to commands and skills. ``redacted`` says that
    something was taken out, ``notice`` tells the person so; ``rule`` names the rule that did; ``caution`` goes before whatever
    is said. ``history`` replaces the message's, details hidden; None leaves it. ``vectors`` are those made of ``text`` on the
    way, so that the search makes none twice; they end with the turn. ``own`` says that what the organization itself added to
    the policy decided.
    """

    text: str
    kept: str
    reply: Reply | None = None
    redacted: bool = False
    notice: str = ""
    caution: str = ""
    rule: str | None = None
    soft: bool = False
    history: tuple[Utterance, ...] | None = None
    vectors: Mapping[str, Vectors] = field(default_factory=dict, repr=False, compare=False)
    alarm: str | None = None
    own: bool = False


class Screen(Protocol):
    """The guardrails on what comes in."""

    def __call__(self, message: Message) -> Screened:
        """Screen one message; its ``text`` is filled in for pressed buttons too."""


class LookAgain(Protocol):
    """Begins a second look at a message that was let through."""

    def __call__(self, message: Message, screened: Screened) -> Callable[[], Screened | None] | None:
        """Begin; what is returned waits for the verdict that is added, or None. None where nobody is asked."""


class Inspect(Protocol):
    """The guardrails on what goes out."""

    def __call__(self, reply: Reply, message: Message, model: str | None = None) -> Reply:
        """The reply as it may be shown: itself, or another in its place. ``model`` names the chat model that took part."""


class Skill(Protocol):
    """Something that answers some messages: a check, a lesson, reaching a person."""

    def take(self, message: Message) -> Reply | None:
        """Answer, or None when the message is not for this skill."""

    def knows(self, message: Message) -> bool:
        """Whether the whole message is one of the skill's own words or buttons, so that no guess of the screen stands before
        it. Changes nothing."""

    def aside(self, message: Message) -> Reply | None:
        """What to add when the assistant answered in the middle of this skill's work, or None."""


class Between(Protocol):
    """What is said in a thread of helpers, and the part of the message that may be kept."""

    @property
    def reply(self) -> Reply:
        """The note for the helpers."""

    @property
    def kept(self) -> str:
        """Their words, redacted."""


class Reaching(Protocol):
    """Reaching a person."""

    def between(self, message: Message) -> Between | None:
        """What is said to words or presses in a helpers' thread, which no rule about questions decides; None elsewhere."""

    def take(self, message: Message, conversation: str, typed: str) -> Reply | None:
        """The reply to a press of its own, or to words it asked for, ``typed`` as they were written; None for others."""

    def is_name(self, message: Message, conversation: str, typed: str) -> bool:
        """Whether a name was asked for and this is one, whatever a classifier takes a bare name for."""

    def offer(self, message: Message, conversation: str) -> Reply | None:
        """What a call for a person gets; None where nobody was named for the asker."""

    def after_failure(self, reply: Reply, message: Message, conversation: str) -> Reply | None:
        """An answer that is not covered, with an offer in it, when the try before failed too; None when none is due."""


class StageFailed(Exception):
    """A stage raised; the cause is chained."""

    def __init__(self, stage: str) -> None:
        super().__init__(stage)
        self.stage = stage


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Name the stage in which an exception rises."""
    try:
        yield
    except StageFailed:
        raise
    except Exception as error:
        raise StageFailed(name) from error


def let_in(message: Message) -> Screened:
    """A screen that lets everything through; for trying parts alone. A server is given the real one."""
    return Screened(message.text, message.text)


def let_out(reply: Reply, message: Message, model: str | None = None) -> Reply:  # noqa: ARG001 - the shape of Inspect
    """An inspection that lets everything through; for trying parts alone."""
    return reply
