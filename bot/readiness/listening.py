"""Decides what a typed line does to a check: a desk that also understands words. Called by the conversation only."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.messages import Reply
from bot.readiness import record
from bot.readiness.cards import Press
from bot.readiness.desk import Desk
from bot.readiness.instrument import Instrument
from bot.readiness.state import Progress
from bot.readiness.typed import Understanding
from bot.readiness.visits import Said, Visitor


class ListeningDesk(Desk):
    """One person's checks within one transaction, by buttons and by typing alone."""

    def __init__(
        self,
        connection: Connection,
        instrument: Instrument,
        understanding: Understanding,
        visitor: Visitor,
        min_group: int,
        drafts: frozenset[str],
    ) -> None:
        super().__init__(connection, instrument, visitor, min_group, drafts)
        self._understanding = understanding

    def typed(self, text: str) -> Said | None:
        """A typed line while a check is open; None when it is for someone else."""
        assert self.check is not None
        words = self._understanding
        wanted = words.command(text, "show", "resume", "delete", "result", "stop", "pause", "back", "skip", "keep")
        if wanted == "delete":
            return self._cards.delete()
        if wanted in ("show", "resume"):
            return self.resume()
        if self.check.state != "running":
            return self.finish() if wanted == "result" and self._progress().answers else None
        if wanted in ("pause", "stop"):
            return self.rest("paused" if wanted == "pause" else "stopped")
        progress = self._progress()
        if wanted == "result":
            return self.finish() if progress.cursor is None else self.show(self._cards.say("result_waits"))
        if not self._asked(progress):
            # Something else was said in between: the question is shown before a step is taken from it.
            return self.show() if wanted is not None else self._not_counted(text, progress)
        if wanted is not None:
            return self._late() or self.step(wanted, progress)
        return self._typed_level(text, progress)

    def _asked(self, progress: Progress) -> bool:
        """Whether the last thing we said was this question, so that a bare number is an answer to it."""
        offered = record.offered(self._db, self._visitor.person, self._visitor.now)
        if offered is None or self.check is None:
            return False
        start = f"check:q:{self.check.id}:{progress.cursor or ''}"
        return progress.cursor is None or any(value.startswith(start) for _, value in offered.choices)

    def _not_counted(self, text: str, progress: Progress) -> Said | None:
        """After the assistant answered in between, a number may be meant for a source: the question is shown, nothing counts."""
        assert self.check is not None
        if progress.cursor is None or self._visitor.now - self.check.touched_at > record.OFFER_LASTS:
            return None
        meant = self._understanding.level(text, self._cards.texts.items[progress.cursor])
        return self.show(self._cards.say("not_counted")) if meant is not None and meant.certain else None

    def _late(self) -> Said | None:
        """A line sent before the present question appeared was for an earlier one: nothing is changed."""
        offered = record.offered(self._db, self._visitor.person, self._visitor.now)
        if offered is None or self._visitor.sent_at >= offered.at:
            return None
        return self.show(self._cards.say("moved_on"))

    def _typed_level(self, text: str, progress: Progress) -> Said | None:
        assert self.check is not None
        if progress.cursor is None:
            return None
        item = self._cards.texts.items[progress.cursor]
        meant = self._understanding.level(text, item)
        if meant is None:
            unclear = self._understanding.is_number(text) or self._understanding.between(text)
            return self.show(self._cards.say("pick")) if unclear else None
        late = self._late()
        if late is not None:
            return late
        if not meant.certain:
            return self._cards.confirm(self.check.id, progress, progress.cursor, meant.level)
        answer = self._cards.answer_text(progress.cursor, meant.level).rstrip(".")
        what = str(meant.level) if meant.level else "ns"
        said = self._answer(progress, Press(self.check.id, progress.cursor, progress.revision, item.wording, what))
        if isinstance(said, Reply) and said.fixed == "readiness.question":
            return Reply(**{**said.__dict__, "markdown": f"{self._cards.say('noted', answer=answer)}\n\n{said.markdown}"})
        return said
