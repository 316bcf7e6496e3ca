"""What happens to hand-offs with time: questions that could not be posted, reminders, answers that did not arrive, offers after
two thumbs down, forgetting. ``Tending.tend`` is called every few seconds by the schedule and bears being called again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.handoff import cases
from bot.handoff.asking import Asking
from bot.handoff.cases import Case
from bot.handoff.desk import Desk
from bot.handoff.outgoing import ASK_SECONDS, Outgoing, ask_key, relay_key, remind_key, twice_key
from bot.hours import QuietHours
from bot.store import outbox

FAILED = ("failed", "expired", "withdrawn")
"""Ends of a queued message that nobody saw."""

REMINDERS = 2

JUDGED_SECONDS = 600.0
"""How far back a verdict is still worth an offer."""

DAY = 86_400.0


class Tending:
    """``remind_hours`` is the wait before each reminder, 0 for none; reminders stay out of ``quiet`` hours."""

    def __init__(self, desk: Desk, asking: Asking, quiet: QuietHours, remind_hours: float, keep_days: int) -> None:
        self._desk = desk
        self._asking = asking
        self._quiet = quiet
        self._wait = timedelta(hours=remind_hours).total_seconds()
        self._keep = keep_days * DAY

    def tend(self, now: datetime) -> None:
        """Do whatever is due."""
        at = now.timestamp()
        with self._desk.database.reading() as connection:
            sending = cases.in_state(connection, "sending")
            waiting = cases.in_state(connection, "open")
            passed = cases.undelivered(connection)
            judged = cases.judged_since(connection, at - JUDGED_SECONDS)
        for case in sending:
            self._each(case, self._unposted, at)
        if self._wait and not self._quiet.quiet(now):
            for case in waiting:
                self._each(case, self._remind, at)
        if passed:
            with self._desk.database.writing() as connection:
                for line in passed:
                    self._arrived(connection, line, at)
        for answer, person, conversation in judged:
            self._offer(answer, person, conversation)
        self._forget(at)

    def _each(self, case: Case, step: object, at: float) -> None:
        assert callable(step)
        with self._desk.database.writing() as connection:
            current = cases.find(connection, case.id)
            if current is not None and current.state == case.state:
                step(connection, current, at)

    # -- questions on their way --------------------------------------------------------------------------------------

    def _unposted(self, connection: Connection, case: Case, at: float) -> None:
        """A question that certainly, or by now, is not in the helpers' channel: its asker hears whom else to ask."""
        sent = outbox.sent(connection, ask_key(case))
        late = at > (case.waiting_since or case.created_at) + ASK_SECONDS
        given_up = late and outbox.cancel(connection, ask_key(case), at)  # nobody serves the helpers' platform
        if sent is not None and sent.state not in FAILED and not given_up:
            return
        case = cases.change(connection, case, at, state="failed")
        Outgoing(connection, at).to_asker(case, self._desk.cards(case.language).unreachable(case), f"failed:{case.tries}")

    def _remind(self, connection: Connection, case: Case, at: float) -> None:
        """Remind the helpers, twice at most; then tell the asker that nobody answered."""
        since = case.waiting_since if case.waiting_since is not None else case.created_at
        if at < since + self._wait:
            return
        out = Outgoing(connection, at)
        if case.reminders < REMINDERS:
            # Counted anew from here: a reminder that quiet hours held up does not bring the next one nearer.
            case = cases.change(connection, case, at, reminders=case.reminders + 1, waiting_since=at)
            reply = self._desk.helpers_cards.remind(case)
            out.to_helpers(case, reply, remind_key(case), aloud=True, at_once=False)
            return
        case = cases.change(connection, case, at, state="unanswered")
        out.to_asker(case, self._desk.cards(case.language).unanswered(case), f"unanswered:{int(since)}", at_once=False)

    def _arrived(self, connection: Connection, line: cases.Line, at: float) -> None:
        """Whether a helper's line reached the asker; the helpers are told when it did not."""
        sent = outbox.sent(connection, relay_key(line.key))
        if sent is not None and sent.state in ("waiting", "working"):
            return
        arrived = sent is not None and sent.state not in FAILED
        case = cases.find(connection, line.handoff)
        if cases.delivered(connection, line.key, "delivered" if arrived else "failed") and not arrived and case is not None:
            note = self._desk.helpers_cards.told(case, "undelivered")
            Outgoing(connection, at).to_helpers(case, note, f"undelivered:{line.key}")

    # -- two thumbs down ---------------------------------------------------------------------------------------------

    def _offer(self, answer: str, person: str, conversation: str) -> None:
        """Offer a person when the last two answers in a conversation did not help, once for the two."""
        with self._desk.database.reading() as connection:
            if not self._twice(connection, answer, person, conversation):
                return
        with self._desk.database.writing() as connection:
            if self._twice(connection, answer, person, conversation):
                self._asking.offer_after(connection, answer, person, conversation)

    @staticmethod
    def _twice(connection: Connection, answer: str, person: str, conversation: str) -> bool:
        if outbox.sent(connection, twice_key(answer)) is not None:
            return False
        last = cases.tries(connection, person, conversation)
        if len(last) < 2 or not all(one.failed for one in last) or last[0].answer != answer:
            return False
        case = cases.of_person(connection, person, conversation, ("offered", *cases.LIVE))
        return case is None or case.touched_at <= last[1].at

    def _forget(self, at: float) -> None:
        with self._desk.database.reading() as connection:
            if not cases.older(connection, at - self._keep):
                return
        with self._desk.database.writing() as connection:
            cases.purge(connection, at - self._keep)
