"""The words of the inbox: what a door hands in, what the runner hands back to a door, and what a door must be able to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.errors import SignpostError
from bot.messages import Answered, Message


@dataclass(frozen=True)
class Received:
    """One act of a person, verified by the door that took it in.

    ``identity`` is the act's own name on its platform (``slack:T1:C1:1700.1``: platform, team, channel, message; for a
    button press with the action's id and value), never the envelope's; two arrivals with one identity are one act.
    ``conversation`` is what is kept in order. ``reply_to`` holds what the door needs to answer (channel, thread, service
    address). ``from_bot`` marks other bots and ourselves: such an act is claimed and never answered. ``twin``, where a
    platform resends one act under new ids, names what makes it the same (conversation, sender, payload): a second arrival
    with the same twin within :data:`bot.inbox.ledger.TWIN_SECONDS` is the same act.
    """

    platform: str
    identity: str
    conversation: str
    message: Message
    reply_to: dict[str, str] = field(default_factory=dict)
    sent_at: datetime | None = None
    from_bot: bool = False
    twin: str = ""


@dataclass(frozen=True)
class Accepted:
    """The durable claim. ``new`` is False when the act had been claimed before."""

    row_id: int
    new: bool


@dataclass(frozen=True)
class Work:
    """One claimed act as it is given to a door's sender.

    ``attempt`` counts from 1. ``maybe_sent`` is True when an earlier attempt may already have posted: look for our own
    message for ``row_id`` before posting again. ``answered`` is the stored reply once it was computed.
    """

    row_id: int
    identity: str
    conversation: str
    message: Message
    reply_to: dict[str, str]
    attempt: int
    maybe_sent: bool
    answered: Answered | None = None


class Sender(Protocol):
    """How a platform is answered. Registered with :meth:`bot.inbox.Inbox.register`."""

    async def working(self, work: Work) -> None:
        """Show a sign of work. Its failure is ignored."""

    async def send(self, work: Work, answered: Answered) -> str:
        """Post the reply and return the platform's id of the message. When ``work.maybe_sent``, first look for our own
        message for ``work.row_id``. Raise :class:`NotSent` when the platform certainly took nothing; any other exception
        is treated as ambiguous, and the next call has ``maybe_sent`` set."""

    async def apologise(self, work: Work, incident: str) -> None:
        """Say that no answer could be given, with the incident id. The same care about ``work.maybe_sent``."""


class NotSent(SignpostError):
    """The platform refused a message and shows nothing of it. ``permanent`` means that trying again is useless;
    ``retry_after`` is in seconds."""

    code = "not_sent"

    def __init__(self, message: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
