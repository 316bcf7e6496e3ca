"""Works on one claimed row: think once, send once, and end visibly whatever happens. Called by a runner, any number of times."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from bot import prompts
from bot.inbox import ledger
from bot.inbox.figures import Figures
from bot.inbox.journal import Journal
from bot.inbox.ledger import Begun, Lease, Limits
from bot.inbox.work import NotSent, Sender, Work
from bot.messages import Answered, Handling, Message, Outcome, Receipt, Reply
from bot.store import Database
from bot.store.conversations import OUTGOING, history
from bot.store.incidents import incident
from bot.store.packed import pack_answered, unpack_answered, unpack_message

Result = TypeVar("Result")

LEASE_SECONDS = 15.0
"""A row whose process has not renewed its lease for this long is taken over."""

SEND_SECONDS = 130.0
"""Longest one send may take, streaming included."""

REDACT_SECONDS = 5.0
ORDER_SECONDS = 0.2
"""How soon to look again when an earlier row of the conversation is in another process's hands."""

LONGEST_WAIT = 60.0

APOLOGY_WAITS = (0.5, 2.0, None)
"""Seconds after each failed try to apologise; after the last one, only the operator knows."""

_log = logging.getLogger("signpost.inbox")


class Walked(Protocol):
    """What a walk of a message gives: the reply, and the part of what was said that may be kept."""

    @property
    def answered(self) -> Answered:
        """The reply with its receipt."""

    @property
    def kept(self) -> str:
        """The message's text, redacted; empty where nothing may be kept."""


class Walk(Protocol):
    """The turn, as the inbox calls it from a thread."""

    def walk(self, message: Message, conversation: str) -> Walked:
        """Answer a message."""

    def redact(self, message: Message) -> str:
        """The part of a message's text that may be kept; called when no answer came of it."""


@dataclass(frozen=True)
class Patience:
    """``seconds`` for one attempt at an answer, ``attempts`` in all, and the rate limits."""

    seconds: float
    attempts: int
    limits: Limits


def in_thread(function: Callable[..., Result], *arguments: Any) -> asyncio.Future[Result]:
    """Run ``function`` in a thread of its own. A daemon thread, and no pool: one that hangs past its deadline neither holds
    a place that later work needs, nor keeps the process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def tell(result: Result | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        try:
            outcome: tuple[Result | None, BaseException | None] = (function(*arguments), None)
        except BaseException as error:
            outcome = (None, error)
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            loop.call_soon_threadsafe(tell, *outcome)

    threading.Thread(target=run, daemon=True, name="turn").start()
    return future


class Worker:
    """Brings rows to their end."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        walk: Walk,
        senders: dict[str, Sender],
        patience: Patience,
        owner: str,
        clock: Callable[[], datetime],
        figures: Figures,
    ) -> None:
        self._database = database
        self._journal = journal
        self._walk = walk
        self._senders = senders
        self._patience = patience
        self._owner = owner
        self._clock = clock
        self._figures = figures
        self.raw_written = True
        """Whether words with details stood in a row and are gone from it, so that the database's log must be emptied too. At
        the start too: the process before this one may have died in between."""

    def lease(self) -> Lease:
        """This process's claim on a row, from now."""
        return Lease(self._owner, self._clock().timestamp(), LEASE_SECONDS)

    async def process(self, row_id: int) -> float | None:
        """One attempt at a row. Returns None when it needs no more, or the seconds after which to come back."""
        await self._journal.give_way()
        limits = self._patience.limits
        begun = await self._journal.do(lambda c: ledger.begin(c, row_id, self.lease(), limits))
        if not isinstance(begun, Begun):
            return ORDER_SECONDS if begun is False else None
        row = begun.row
        sender = self._senders.get(row.platform)
        if sender is None:  # its door is closed in this process; the row waits for one where it is open
            await self._mark(begun, attempts=row.attempts, owner="", lease_until=0.0)
            return None
        if begun.limited == 2:
            await self._end(begun, "ignored", reason="limit")
            return None
        work = Work(
            row_id=row.id,
            identity=row.identity,
            conversation=row.conversation,
            message=unpack_message(row.message) if row.message else Message(""),  # nothing of it could be kept
            reply_to=dict(row.reply_to),
            attempt=begun.attempt,
            maybe_sent=bool(row.send_started),
            answered=unpack_answered(row.answered) if row.answered else None,
        )
        return await self._attempt(sender, begun, work)

    async def _attempt(self, sender: Sender, begun: Begun, work: Work) -> float | None:
        if begun.row.incident:  # an apology was under way when the process died
            await self._apologise(sender, begun, work, begun.row.incident, begun.row.reason)
            return None
        if begun.attempt > self._patience.attempts:
            return await self._give_up(sender, begun, work, None, "attempts")
        if work.answered is None:
            try:
                work = await self._answer(sender, begun, work)
            except TimeoutError as error:
                return await self._give_up(sender, begun, work, error, "deadline")
            except Exception as error:
                if begun.attempt >= self._patience.attempts:
                    return await self._give_up(sender, begun, work, error, "turn")
                incident(_log, error, "turn")
                return backoff(begun.attempt)
        elif not await self._mark(begun, send_started=True):
            return None
        if work.answered is None:
            return None
        return await self._send(sender, begun, work, work.answered)

    async def _answer(self, sender: Sender, begun: Begun, work: Work) -> Work:
        """Think, store the reply; the work without a reply when the row has been taken from us meanwhile."""
        if begun.limited:
            words = prompts.messages(work.message.language or "en")
            answered, kept = fixed(words.limited, words.language, "limited"), ""
        else:
            sign = asyncio.create_task(_quietly(sender, work))
            started = self._clock().timestamp()
            walking = in_thread(self._think, work)
            try:
                walked = await asyncio.wait_for(walking, self._patience.seconds)
            finally:
                await _settled(sign)
            self._figures.observe("turn", self._clock().timestamp() - started, platform=begun.row.platform)
            answered, kept = walked.answered, walked.kept
        values = {
            "answered": pack_answered(answered),
            "answer": answered.receipt.answer_id,
            "message": ledger.redacted(work.message, kept),
        }
        said = [] if begun.limited else [("user", kept), ("assistant", remembered(answered.reply))]
        step = partial(ledger.keep_answer, row=begun.row, fence=begun.fence, values=values, said=said)
        mine = await self._journal.do(step)
        self.raw_written |= kept != work.message.text
        return replace(work, answered=answered, message=replace(work.message, text=kept)) if mine else work

    def _think(self, work: Work) -> Walked:
        message = work.message
        if not message.history:
            message = replace(message, history=history(self._database, work.conversation))
        return self._walk.walk(message, work.conversation)

    async def _send(self, sender: Sender, begun: Begun, work: Work, answered: Answered) -> float | None:
        try:
            platform_id = await asyncio.wait_for(sender.send(work, answered), SEND_SECONDS)
        except NotSent as error:
            if error.permanent or begun.attempt >= self._patience.attempts:
                return await self._give_up(sender, begun, work, error, "refused")
            await self._mark(begun, send_started=work.maybe_sent)
            return max(error.retry_after or 0.0, backoff(begun.attempt))
        except Exception as error:
            if begun.attempt >= self._patience.attempts:
                return await self._give_up(sender, begun, replace(work, maybe_sent=True), error, "send")
            incident(_log, error, "send")
            return backoff(begun.attempt)
        await self._end(begun, "sent", platform_id=platform_id[:400])
        self._figures.count("ended", platform=begun.row.platform, outcome=answered.reply.outcome.value)
        return None

    async def _give_up(self, sender: Sender, begun: Begun, work: Work, error: Exception | None, reason: str) -> float | None:
        """No answer will come: keep what may be kept for an operator, then say so."""
        name = incident(_log, error, reason)
        kept = work.message.text
        if work.answered is None:
            try:
                kept = await asyncio.wait_for(in_thread(self._walk.redact, work.message), REDACT_SECONDS)
            except Exception as problem:
                incident(_log, problem, "redact")
                kept = ""
        stored = ledger.redacted(work.message, kept) if kept or work.message.action else ""
        if not await self._mark(begun, incident=name, reason=reason, send_started=True, message=stored):
            return None
        self.raw_written |= kept != work.message.text
        await self._apologise(sender, begun, work, name, reason)
        return None

    async def _apologise(self, sender: Sender, begun: Begun, work: Work, name: str, reason: str) -> None:
        # Nobody waits for what was said unasked: it ends for an operator, without an apology.
        for wait in () if work.identity.startswith(OUTGOING) else APOLOGY_WAITS:
            try:
                await asyncio.wait_for(sender.apologise(work, name), SEND_SECONDS)
                break
            except Exception as error:
                incident(_log, error, "apology")
                work = replace(work, maybe_sent=True)
                if wait is None:
                    reason = "unsaid"
                else:
                    await asyncio.sleep(wait)
        await self._end(begun, "failed", reason=reason)
        self._figures.count("ended", platform=begun.row.platform, outcome="failed")

    async def clean(self) -> None:
        """Empty the database's log where words that were taken out of a row may still stand in it."""
        if self.raw_written:
            self.raw_written = not await asyncio.to_thread(self._database.flush_log)

    async def _mark(self, begun: Begun, **values: Any) -> bool:
        return await self._journal.do(partial(ledger.mark, row_id=begun.row.id, fence=begun.fence, **values))

    async def _end(self, begun: Begun, state: str, **values: Any) -> None:
        now = self._clock().timestamp()

        def step(connection: Connection) -> bool:
            mine = ledger.end(connection, begun.row.id, begun.fence, now, state, **values)
            return mine and ledger.wiped(connection, begun.row.id)

        if await self._journal.do(step):
            self.raw_written = True
            await self.clean()
        self._figures.observe("answer", now - begun.row.received_at, platform=begun.row.platform)


def backoff(attempt: int) -> float:
    """Seconds before the next attempt: doubling, at most a minute, spread by a quarter."""
    return float(min(2.0 ** (attempt - 1), LONGEST_WAIT) * random.uniform(0.75, 1.25))  # noqa: S311 - not a secret


def fixed(text: str, language: str, name: str) -> Answered:
    """A fixed text as a reply, by its id."""
    reply = Reply(Outcome.REFUSED, Handling.ANSWER, text, language, fixed=name)
    return Answered(reply, Receipt(secrets.token_hex(8), {}, None, prompts.version(), {}))


def remembered(reply: Reply) -> str:
    """What history keeps of a reply: the words quoted, or else its text."""
    return " ".join(citation.quote for citation in reply.citations) or reply.markdown[:2_000]


async def _quietly(sender: Sender, work: Work) -> None:
    with contextlib.suppress(Exception):
        await sender.working(work)


async def _settled(sign: asyncio.Task[None]) -> None:
    """A sign of work that arrives after the answer would stay: give it a second, then drop it."""
    _, late = await asyncio.wait({sign}, timeout=1.0)
    for task in late:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
