"""The inbox as doors and the server use it: accept, history, threads we take part in, start and drain."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType

from sqlalchemy import Connection

from bot.inbox import ledger
from bot.inbox.figures import Figures
from bot.inbox.journal import Journal
from bot.inbox.ledger import Lease, Limits
from bot.inbox.runner import EmbeddedRunner, Process, Runner
from bot.inbox.work import Accepted, Received, Sender
from bot.inbox.worker import LEASE_SECONDS, Patience, Walk, Worker
from bot.messages import Utterance
from bot.settings import Settings
from bot.store import Database, conversations
from bot.store.incidents import incident

SWEEP_SECONDS = 2.0
"""How often leases are renewed and rows that nobody holds are taken up."""


_log = logging.getLogger("signpost.inbox")

MakeRunner = Callable[[Process], Runner]


class Inbox:
    """Accepts acts durably and answers each once. One a process; many processes may share the database."""

    def __init__(
        self,
        database: Database,
        walk: Walk,
        settings: Settings,
        clock: Callable[[], datetime],
        make_runner: MakeRunner | None = None,
    ) -> None:
        self.figures = Figures()
        self._database = database
        self._settings = settings
        self._clock = clock
        self._owner = ledger.owner_name(secrets.token_hex(4))
        self._senders: dict[str, Sender] = {}
        self._journal = Journal(database, self._claim)
        patience = Patience(
            settings.answer_seconds, settings.attempts, Limits(settings.limit_person, settings.limit_organization)
        )
        self._worker = Worker(database, self._journal, walk, self._senders, patience, self._owner, clock, self.figures)
        self._make_runner = make_runner or (lambda process: EmbeddedRunner(process, settings.turns))
        self._runner: Runner | None = None
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether rows are being worked on."""
        return self._runner is not None and self._sweeping is not None and not self._sweeping.done()

    @property
    def senders(self) -> Mapping[str, Sender]:
        """The senders of the doors that are open here, by platform."""
        return MappingProxyType(self._senders)

    def register(self, platform: str, sender: Sender) -> None:
        """Name the sender that answers on ``platform``."""
        self._senders[platform] = sender

    def start(self) -> None:
        """Begin work, with everything unfinished first. Call inside a running event loop."""
        self._runner = self._make_runner(self._worker.process)
        self._sweeping = asyncio.create_task(self._sweep())

    async def accept(self, received: Received) -> Accepted:
        """Claim one act durably; returns once the claim is committed. Raises what the database raises: then nothing was
        claimed, and the platform must be told so."""
        started = time.perf_counter()
        accepted = await self._journal.claim(received)
        self.figures.observe("claim", time.perf_counter() - started, platform=received.platform)
        self.figures.count("received", platform=received.platform, new=str(accepted.new).lower())
        if accepted.new and not received.from_bot and self._runner is not None:
            self._runner.offer(accepted.row_id, received.conversation)
        return accepted

    async def drain(self, seconds: float) -> bool:
        """Take up nothing more and wait for what is in hand; True when all of it ended. The rest is left to the next."""
        ended = await self._runner.stop(seconds) if self._runner is not None else True
        if self._sweeping is not None:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping
        self._runner = None
        await self._journal.do(partial(ledger.let_go, owner=self._owner))
        await self._worker.clean()
        self._journal.close()
        return ended

    def history(self, conversation: str) -> tuple[Utterance, ...]:
        """Earlier lines of a conversation, redacted, oldest first."""
        return conversations.history(self._database, conversation)

    def engage(self, conversation: str, platform: str) -> None:
        """Remember durably that we take part in this thread."""
        conversations.engage(self._database, conversation, platform, self._now())

    def engaged(self, conversation: str) -> bool:
        """Whether we take part in this thread."""
        return conversations.engaged(self._database, conversation)

    def disengage(self, conversation: str) -> None:
        """Be quiet in this thread until mentioned again."""
        conversations.disengage(self._database, conversation)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._clock().timestamp()

    def _claim(self, connection: Connection, arrivals: list[Received]) -> list[Accepted]:
        return ledger.claim(connection, arrivals, Lease(self._owner, self._now(), LEASE_SECONDS))

    async def _sweep(self) -> None:
        while True:
            try:
                await self._take_up()
                await self._worker.clean()
            except Exception as error:
                incident(_log, error, "sweep")
            await asyncio.sleep(SWEEP_SECONDS)

    async def _take_up(self) -> None:
        if self._runner is None:
            return
        mine = self._runner.in_hand()
        lease = self._worker.lease()
        await self._journal.do(partial(ledger.renew, lease=lease, rows=mine))
        free = partial(ledger.unfinished, now=lease.now, platforms=tuple(self._senders), owner=self._owner)
        for row_id, conversation in await self._journal.do(free):
            self._runner.offer(row_id, conversation)
