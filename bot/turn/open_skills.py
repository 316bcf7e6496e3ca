"""Skills that may wait for an answer at once: what is typed goes to the one that spoke last; all hear a stop word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from bot.messages import Message, Reply

STOPPED = ("readiness.stopped", "readiness.follow_off")
"""Replies by which a skill says that it heard a stop word; the lessons' own stop is theirs alone."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)


class OpenSkill(Protocol):
    """A skill that remembers what it put before whom."""

    def take(self, message: Message) -> Reply | None:
        """See :class:`bot.turn.stages.Skill`."""

    def knows(self, message: Message) -> bool:
        """See :class:`bot.turn.stages.Skill`."""

    def aside(self, message: Message) -> Reply | None:
        """See :class:`bot.turn.stages.Skill`."""

    def since(self, person: str) -> datetime | None:
        """When it last put something before this person that waits for an answer."""


class Reminding(OpenSkill, Protocol):
    """A skill that writes to people later."""

    def stop(self, person: str) -> bool:
        """Write no more; whether there was anything."""


class OpenSkills:
    """Several such skills as one. Implements :class:`bot.turn.stages.Skill`."""

    def __init__(self, *skills: OpenSkill, reminding: Sequence[Reminding] = ()) -> None:
        self._skills = skills
        self._reminding = tuple(reminding)

    def take(self, message: Message) -> Reply | None:
        """The reply of the skill that the message is for, the one that spoke last being asked first."""
        for skill in self._newest_first(message):
            reply = skill.take(message)
            if reply is not None:
                self._hear_stop(message, reply)
                return reply
        return None

    def knows(self, message: Message) -> bool:
        """Whether it is one of any skill's own words."""
        return any(skill.knows(message) for skill in self._skills)

    def aside(self, message: Message) -> Reply | None:
        """The reminder of the skill that spoke last."""
        found = (skill.aside(message) for skill in self._newest_first(message))
        return next((aside for aside in found if aside is not None), None)

    def _newest_first(self, message: Message) -> Sequence[OpenSkill]:
        if message.person is None or len(self._skills) < 2:
            return self._skills
        person = message.person.id
        return sorted(self._skills, key=lambda skill: skill.since(person) or LONG_AGO, reverse=True)

    def _hear_stop(self, message: Message, reply: Reply) -> None:
        if message.person is not None and reply.fixed in STOPPED:
            for skill in self._reminding:
                skill.stop(message.person.id)
