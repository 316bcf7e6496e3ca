"""Messages of hand-offs on their way out: to the asker where they asked, and to the helpers' channel and thread.

Each is queued in the transaction of what it tells about, under a key of its own, and goes out once (``bot.store.outbox``).
"""

from __future__ import annotations

from sqlalchemy import Connection

from bot.handoff.cards import Cards
from bot.handoff.cases import Case
from bot.handoff.channels import HELPER
from bot.messages import Reply
from bot.store import outbox
from bot.store.outbox import To

KIND = "handoff"
ASK_SECONDS = 900.0
"""A question that could not be posted for this long is given up, and its asker is told."""

COME_TO_LOOK = ("web", "terminal")
"""Platforms whose people fetch what waits for them; it waits longer there."""
LONG_SECONDS = 30 * 86_400.0


def ask_key(case: Case) -> str:
    """The key of a case's question in the helpers' channel."""
    return f"{KIND}:{case.id}:ask:{case.tries}"


def relay_key(line: str) -> str:
    """The key of a helper's line on its way to the asker."""
    return f"{KIND}:line:{line}"


def remind_key(case: Case) -> str:
    """The key of the last reminder: of when the helpers were last written to."""
    return f"{KIND}:{case.id}:remind:{int(case.waiting_since or 0)}"


def twice_key(answer: str) -> str:
    """The key of an offer after an answer that was judged not helpful like the one before it."""
    return f"{KIND}:twice:{answer}"


class Outgoing:
    """Queues messages in one open transaction. ``now`` is seconds since 1970."""

    def __init__(self, connection: Connection, now: float) -> None:
        self._connection = connection
        self._now = now

    def ask(self, case: Case, reply: Reply) -> None:
        """The question, to the helpers' channel. It carries its asker's id only when it carries their name, so that deleting
        their data takes it out of what is kept of the message too."""
        person = case.person if case.name else ""
        reference = {**case.helper_reference, HELPER: case.id}
        self._put(ask_key(case), To(case.helper_platform, person, "", reference), reply, case, expires=ASK_SECONDS, at_once=True)

    def to_helpers(self, case: Case, reply: Reply, name: str, *, aloud: bool = False, at_once: bool = True) -> None:
        """Something in the helpers' thread; ``aloud`` shows it to the whole channel."""
        reference = {**case.helper_reference, **({"aloud": "1"} if aloud else {})}
        to = To(case.helper_platform, "", case.helper_conversation, reference)
        key = name if name.startswith(KIND) else f"{KIND}:{case.id}:{name}"
        self._put(key, to, reply, case, at_once=at_once)

    def note(self, case: Case, cards: Cards, name: str, act: str) -> None:
        """A short note in the helpers' thread, where there is one, about an act of the asker's."""
        if case.helper_thread:
            self.to_helpers(case, cards.told(case, name), f"{name}:{act}")

    def to_asker(self, case: Case, reply: Reply, name: str, *, at_once: bool = True) -> None:
        """Something to the asker, where they asked."""
        if not case.person:
            return
        private = case.platform not in COME_TO_LOOK and not case.reference
        to = To(case.platform, case.person, "" if private else case.conversation, case.reference)
        key = name if name.startswith(KIND) else f"{KIND}:{case.id}:{name}"
        expires = LONG_SECONDS if case.platform in COME_TO_LOOK else None
        self._put(key, to, reply, case, expires=expires, at_once=at_once)

    def unsay_ask(self, case: Case) -> bool:
        """Take the question back before it is posted; False when it is out."""
        return outbox.cancel(self._connection, ask_key(case), self._now)

    def unsay_reminder(self, case: Case) -> None:
        """Drop a reminder that has not gone out."""
        outbox.cancel(self._connection, remind_key(case), self._now)

    def _put(self, key: str, to: To, reply: Reply, case: Case, *, expires: float | None = None, at_once: bool = True) -> None:
        outbox.put(
            self._connection,
            key,
            to,
            reply,
            kind=KIND,
            now=self._now,
            expires=self._now + expires if expires is not None else None,
            organization=case.organization,
            at_once=at_once,
        )
