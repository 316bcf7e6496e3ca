"""What we say unasked, on its way out: when its time has come it becomes a row of the inbox without an incoming act.

So everything the inbox promises of an answer holds for it: one commit hands it over, its sender is called under a lease, a post
that may have happened is looked for first, and what a platform refuses for good ends for an operator. Queued with
:func:`bot.store.outbox.put`; called by the schedule, and by doors whose people come to look (web, terminal).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.errors import ConfigurationError, NotFound
from bot.hours import QuietHours, organization_zones, quiet_hours, zone_named
from bot.inbox import Inbox, NotSent, ledger
from bot.inbox.worker import remembered
from bot.messages import Message, Person, Reply
from bot.settings import Settings
from bot.store import Database, outbox
from bot.store.conversations import say
from bot.store.incidents import incident
from bot.store.outbox import To
from bot.store.packed import pack_message, unpack_answered

UNREACHABLE_SECONDS = 3_600.0
"""How soon a way to a person is looked for again where there is none yet."""

LONGEST_WAIT = 900.0

_log = logging.getLogger("signpost.outbox")


@dataclass(frozen=True)
class Address:
    """Where a message goes: the inbox's key of the conversation, and what the door's sender needs (``reply_to``). ``zone`` is
    the person's time zone, where their client names it."""

    conversation: str
    reply_to: dict[str, str]
    zone: str = ""


@runtime_checkable
class Reaches(Protocol):
    """A sender that can speak first. Those without this are asked by their people instead."""

    async def address(self, to: To) -> Address:
        """The way to a person or place, opened where it must be; asking again gives the same. Raises NotFound where there
        is none yet, NotSent where the platform refuses, anything else for a failure that may pass."""


@dataclass(frozen=True)
class Quiet:
    """Whose quiet hours hold: a person's own time zone, else their organization's, else everybody's."""

    hours: QuietHours
    organizations: Mapping[str, ZoneInfo]

    def of(self, connection: Connection, person: str, organization: str | None) -> QuietHours:
        """The quiet hours of a person."""
        named = outbox.zone_of(connection, person) if person else None
        if named:
            try:
                return self.hours.within(zone_named(named, "a person's time zone"))
            except ConfigurationError:  # a client named a zone that this machine does not know
                pass
        return self.hours.within(self.organizations.get(organization or ""))


def quiet_from(settings: Settings) -> Quiet:
    """Quiet hours as the settings say. Raises ConfigurationError."""
    return Quiet(quiet_hours(settings.quiet_hours, settings.time_zone), organization_zones(settings.time_zones))


class Outbox:
    """Takes queued messages out. Any number of processes may: each message is handed over in one transaction, once."""

    def __init__(self, database: Database, inbox: Inbox, settings: Settings, clock: Callable[[], datetime]) -> None:
        """Raises ConfigurationError for quiet hours or time zones that make no sense."""
        self._database = database
        self._inbox = inbox
        self._attempts = settings.attempts
        self._quiet = quiet_from(settings)
        self._clock = clock

    async def deliver(self) -> int:
        """Hand over everything whose time has come on platforms whose doors are open here; returns how many."""
        reaching = {name: sender for name, sender in self._inbox.senders.items() if isinstance(sender, Reaches)}
        rows = await asyncio.to_thread(self._due, tuple(reaching))
        handed = [await self._one(row, reaching[row.platform]) for row in rows]
        return sum(handed)

    def shown(self, person: str, platform: str, conversation: str = "") -> list[Reply]:
        """What waits for a person who has come to look; shown by returning it, once. With a ``conversation`` it also becomes
        part of it, as if it had been sent there."""
        now, replies = self._now(), []
        with self._database.reading() as connection:
            if not outbox.due_for(connection, person, platform, now):
                return []
        with self._database.writing() as connection:
            for row in outbox.due_for(connection, person, platform, now):
                replies.append(unpack_answered(row.reply).reply)
                below = self._below(connection, row, Address(conversation, {}), "sent", now) if conversation else None
                values = {"state": "handed" if below else "shown", "inbox_row": below, "reply": "", "ended_at": now}
                outbox.move(connection, row.id, **values)
        return replies

    # -- inside ------------------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._clock().timestamp()

    def _due(self, platforms: tuple[str, ...]) -> list[Any]:
        """Rows to go out now; those that fall into somebody's quiet hours are put off to their end."""
        now, free = self._now(), []
        with self._database.reading() as connection:
            found = outbox.due(connection, platforms, now)
        if not found and not self._late(now):
            return []
        with self._database.writing() as connection:
            outbox.expire(connection, now)
            for row in found:
                until = self._free_from(connection, row, now)
                if until > now:
                    outbox.move(connection, row.id, not_before=until)
                elif row.expires > now:
                    free.append(row)
        return free

    def _late(self, now: float) -> bool:
        with self._database.reading() as connection:
            return outbox.late(connection, now)

    def _free_from(self, connection: Connection, row: Any, now: float) -> float:
        if row.at_once:
            return now
        hours = self._quiet.of(connection, row.person, row.organization)
        return hours.free_from(datetime.fromtimestamp(now, UTC)).timestamp()

    async def _one(self, row: Any, sender: Reaches) -> bool:
        to = To(row.platform, row.person, row.conversation, dict(row.reference))
        try:
            address = await sender.address(to)
        except NotFound:
            again = self._now() + UNREACHABLE_SECONDS
            await asyncio.to_thread(self._change, row.id, not_before=again, reason="unreachable")
            return False
        except Exception as error:
            await self._refused(row, error)
            return False
        return await asyncio.to_thread(self._hand_over, row, address)

    async def _refused(self, row: Any, error: Exception) -> None:
        attempts = row.attempts + 1
        permanent = isinstance(error, NotSent) and error.permanent
        name = incident(_log, error, "address")
        if permanent or attempts >= self._attempts:
            values = {"state": "failed", "reply": "", "ended_at": self._now(), "reason": "refused", "incident": name}
        else:
            asked = (error.retry_after or 0.0) if isinstance(error, NotSent) else 0.0
            wait = max(asked, min(10.0 * 2.0**attempts, LONGEST_WAIT))
            values = {"not_before": self._now() + wait, "incident": name}
        await asyncio.to_thread(self._change, row.id, attempts=attempts, **values)

    def _change(self, row_id: int, **values: Any) -> None:
        with self._database.writing() as connection:
            outbox.move(connection, row_id, **values)

    def _hand_over(self, row: Any, address: Address) -> bool:
        """In one transaction: the message leaves the outbox and is the inbox's. A stop word that came first wins."""
        now = self._now()
        with self._database.writing() as connection:
            if address.zone and row.person:
                outbox.keep_zone(connection, row.person, address.zone, now)
                if (until := self._free_from(connection, row, now)) > now:
                    outbox.move(connection, row.id, not_before=until)
                    return False
            if not outbox.move(connection, row.id, state="handed", reply="", ended_at=now, reason=None):
                return False
            below = self._below(connection, row, address, "answered", now)
            outbox.link(connection, row.id, below)
        return True

    def _below(self, connection: Connection, row: Any, address: Address, state: str, now: float) -> int:
        """The row of the inbox that carries the message."""
        answered = unpack_answered(row.reply)
        message = Message("", person=Person(row.person) if row.person else None, language=answered.reply.language)
        made = ledger.Outgoing(
            key=row.key,
            platform=row.platform,
            conversation=address.conversation,
            person=row.person,
            message=pack_message(message),
            reply_to=address.reply_to,
            answered=row.reply,
            answer=answered.receipt.answer_id,
            state=state,
        )
        below = ledger.speak(connection, made, now)
        lines = [("assistant", remembered(answered.reply))]
        say(connection, address.conversation, row.person, now, below, lines, answered.receipt.answer_id)
        return below
