"""Reaching a person, as the turn and the application call it: both sides of a hand-off over one desk."""

from __future__ import annotations

from bot.handoff import cases
from bot.handoff.asking import Asking
from bot.handoff.desk import Desk
from bot.handoff.helping import Between, Draft, Helping
from bot.handoff.outgoing import Outgoing
from bot.messages import Message, Reply


class Handoff:
    """See :class:`bot.turn.stages.Reaching`."""

    def __init__(self, desk: Desk, draft: Draft) -> None:
        self.desk = desk
        self.asking = Asking(desk)
        self.helping = Helping(desk, draft)

    def between(self, message: Message) -> Between | None:
        """What is said to words or presses in a helpers' thread; None anywhere else."""
        return self.helping.between(message)

    def take(self, message: Message, conversation: str, typed: str) -> Reply | None:
        """The reply to a press of ours, or to words that were asked for; None for anything else."""
        return self.asking.take(message, conversation, typed)

    def is_name(self, message: Message, conversation: str, typed: str) -> bool:
        """Whether a name was asked for and this is one."""
        return self.asking.is_name(message, conversation, typed)

    def offer(self, message: Message, conversation: str) -> Reply | None:
        """What a call for a person gets; None where no channel is set for the asker."""
        return self.asking.offer(message, conversation)

    def after_failure(self, reply: Reply, message: Message, conversation: str) -> Reply | None:
        """An answer with an offer in it, when this is the second try in a row that failed."""
        return self.asking.after_failure(reply, message, conversation)

    def erase(self, person: str) -> int:
        """Take a person and their words out of everything; a question not posted yet stays unposted. Returns rows changed."""
        with self.desk.database.writing() as connection:
            out = Outgoing(connection, self.desk.now())
            for case in cases.in_state(connection, "sending"):
                if case.person == person:
                    out.unsay_ask(case)
            return cases.forget(connection, person)
