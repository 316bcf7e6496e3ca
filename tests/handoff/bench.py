"""A whole house around hand-offs: a real turn with its guardrails, a real inbox and outbox; only the answers are given."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from bot.app import FIXED
from bot.handoff.cards import Office
from bot.handoff.cases import Case
from bot.handoff.conversation import Handoff
from bot.handoff.desk import Desk
from bot.handoff.tending import Tending
from bot.hours import quiet_hours
from bot.inbox import Inbox
from bot.messages import Answered, Handling, Message, Outcome, Receipt, Reply
from bot.outbox import Outbox
from bot.settings import Settings
from bot.store import Database
from bot.store.conversations import exchanges
from bot.store.handoff_tables import handoffs
from bot.turn import Turn
from bot.turn.guards import Guards
from tests.doubles.clock import Clock


class Assistant:
    """Answers questions about essays; the rest is not covered."""

    def __init__(self) -> None:
        self.asked: list[Message] = []

    def answer(self, message: Message, vectors: object = None) -> Answered:
        """One answer, as if the library had been searched."""
        self.asked.append(message)
        covered = "essay" in message.text
        outcome = Outcome.ANSWERED if covered else Outcome.NOT_COVERED
        reply = Reply(outcome, Handling.ANSWER, "Yes." if covered else "Not covered.", message.language or "en")
        return Answered(reply, Receipt(f"{id(self) % 65536:04x}{len(self.asked):012x}", {"base": 1}, None, "v", {"total": 1.0}))

    def shelves(self, libraries: list[str]) -> list[object]:
        """Nothing to ask next."""
        return []


class Bench:
    """The parts, built over a database; ``draft`` notes what it was asked to make."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self.database = database
        self.settings = settings
        self.clock = clock
        self.assistant = Assistant()
        self.drafts: list[tuple[str, str]] = []
        hours = quiet_hours(settings.quiet_hours, settings.time_zone)
        office = Office(settings.handoff_name, settings.handoff_reply_time, settings.contact, hours.zone)
        self.handoff = Handoff(Desk(database, settings, clock, office), self._draft)
        guards = Guards(SimpleNamespace(name="none"), settings, lambda: (), FIXED)  # type: ignore[arg-type]
        self.turn = Turn(
            self.assistant,  # type: ignore[arg-type]
            database,
            settings,
            clock,
            screen=guards.screen,
            inspect=guards.inspect,
            handoff=self.handoff,
            forgetters=(self.handoff.erase,),
        )
        self.tending = Tending(self.handoff.desk, self.handoff.asking, hours, settings.handoff_remind_hours, settings.keep_days)
        self.open()

    def open(self) -> None:
        """A process of its own: an inbox that was drained takes up nothing more."""
        self.inbox = Inbox(self.database, self.turn, self.settings, self.clock)
        self.outbox = Outbox(self.database, self.inbox, self.settings, self.clock)

    def _draft(self, case: Case, author: str) -> str:
        self.drafts.append((case.id, author))
        return f"handoff-{case.id}@1"

    async def look(self) -> None:
        """What the schedule does at every look."""
        self.tending.tend(self.clock())
        await self.outbox.deliver()

    def case(self) -> Any:
        """The newest case, as its row."""
        with self.database.reading() as connection:
            return connection.execute(select(handoffs).order_by(handoffs.c.created_at.desc())).first()

    def said(self, conversation: str) -> list[str]:
        """Everything said in a conversation by us, oldest first."""
        from bot.store.packed import unpack_answered

        found = exchanges(self.database, conversation)
        return [unpack_answered(line.answered).reply.markdown for line in found if line.answered]


def settings_of(folder: Path, **changes: Any) -> Settings:
    """Settings with a helpers' channel in Slack."""
    given: dict[str, Any] = {
        "handoff_slack_channel": "C09",
        "contact": "Dana Reed, ext. 12",
        "limit_person": 0,
        "limit_organization": 0,
    }
    return Settings(_env_file=None, data_dir=folder, **(given | changes))  # type: ignore[call-arg]
