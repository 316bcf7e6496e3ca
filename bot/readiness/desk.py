"""Decides what a press does to a check, inside one write transaction; ``listening.py`` adds typed lines.

Every question card carries the check, item, revision and wording it was drawn for, so that a card pressed twice, late or
on another device never changes a newer answer unasked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal, cast

from sqlalchemy import Connection

from bot.messages import Reply
from bot.readiness import record
from bot.readiness.cards import Cards, Press
from bot.readiness.instrument import LANGUAGES, FormName, Instrument
from bot.readiness.nudges import KIND
from bot.readiness.record import Check, day
from bot.readiness.result import result_of
from bot.readiness.rounds import Joinable, joinable
from bot.readiness.state import Progress
from bot.readiness.visits import Finished, MovePressed, Said, Visitor
from bot.store import outbox


class Desk:
    """One person's checks within one transaction."""

    def __init__(
        self,
        connection: Connection,
        instrument: Instrument,
        visitor: Visitor,
        min_group: int,
        drafts: frozenset[str],
    ) -> None:
        self._db = connection
        self._instrument = instrument
        self._visitor = visitor
        self._min_group = min_group
        self._drafts = drafts
        self._notes: list[str] = []
        self.check = self._current()
        self._cards = Cards(instrument, self.check.language if self.check else visitor.language)

    def _current(self) -> Check | None:
        check = record.open_check(self._db, self._visitor.person)
        if check is None:
            return None
        if self._visitor.now - check.touched_at > timedelta(days=self._instrument.rules.resume_days):
            record.set_state(self._db, check.id, "closed", self._visitor.now)
            self._notes.append(self._instrument.say(check.language, "expired", days=self._instrument.rules.resume_days))
            return None
        return check

    @property
    def cards(self) -> Cards:
        """Messages in the language of the check, or of the person where none is open."""
        return self._cards

    # -- starting ----------------------------------------------------------------------------------------------------

    def intro(self, form: FormName | None, language: str) -> Reply:
        """Begin: what it is, or that one is already under way."""
        if self.check is not None:
            return self._cards.running(self.check.form, form, self._progress())
        self._cards = Cards(self._instrument, language)
        return self._noted(self._cards.intro(form, self._min_group, self._joins(form), language in self._drafts))

    def _noted(self, reply: Reply) -> Reply:
        if not self._notes:
            return reply
        return Reply(**{**reply.__dict__, "markdown": "\n\n".join([*self._notes, reply.markdown])})

    def _round(self, form: FormName) -> Joinable | None:
        return joinable(self._db, self._visitor.person, form, self._visitor.now.date())

    def _joins(self, form: FormName | None) -> tuple[str, str] | None:
        found = self._round(form) if form else None
        return (found.group, day(found.closes_on, self._cards.language)) if found else None

    def begin(self, form: FormName, how: str, *, offer_carry: bool = True) -> Said:
        """Start a form. ``how`` is "out" when the answers stay out of an open round."""
        round_now = self._round(form)
        if round_now is not None and how == "" and offer_carry and self.check is None and not self._told_of(round_now):
            return self.intro(form, self._cards.language)
        kept = record.carried(self._db, self._instrument, self._visitor.person, self._visitor.now) if form == "full" else None
        if kept is not None and offer_carry:
            more = len(self._instrument.rules.forms["full"].items) - len(kept[1])
            assert kept[0].finished_at is not None
            when = day(kept[0].finished_at, self._cards.language)
            return self._cards.carry(len(kept[1]), more, when, ":out" if how == "out" else ":in" if round_now else "")
        return self._start(form, round_now, how, carry=False)

    def _told_of(self, found: Joinable) -> bool:
        """Whether the last introduction already named the round (its buttons then say so)."""
        offered = record.offered(self._db, self._visitor.person, self._visitor.now)
        return offered is not None and any(f"begin:{found.form}:out@" in value for _, value in offered.choices)

    def _start(self, form: FormName, joined: Joinable | None, how: str, *, carry: bool) -> Said:
        out = how == "out"
        self.check = record.start(
            self._db,
            self._visitor.person,
            self._visitor.organization,
            form,
            self._cards.language,
            self._instrument.rules.wording_version,
            self._visitor.now,
            round_id=joined.round_id if joined and not out else None,
            kept_out=out,
        )
        kept = record.carried(self._db, self._instrument, self._visitor.person, self._visitor.now) if carry else None
        for event in (kept[1] if kept else {}).values():
            record.append(self._db, self.check.id, "answer", event.item, event.level, event.wording, self._visitor.now)
        return self.show()

    def carry(self, form: FormName, how: str, *, keep: bool) -> Said:
        """The answer to "keep your answers?"."""
        return self._start(form, self._round(form), how, carry=keep)

    # -- where it stands ---------------------------------------------------------------------------------------------

    def _progress(self) -> Progress:
        assert self.check is not None
        return record.progress(self._db, self._instrument, self.check)

    def show(self, *notes: str) -> Said:
        """The question asked now, the review of skipped ones, or the result. What is shown can be answered: a rest ends."""
        assert self.check is not None
        record.set_state(self._db, self.check.id, "running", self._visitor.now)
        self.check = replace(self.check, state="running", touched_at=self._visitor.now)
        progress = self._progress()
        if progress.reworded and not notes:
            notes = (self._cards.say("revised"),)
        if progress.cursor is not None:
            return self._cards.question(self.check.id, progress, *notes)
        if progress.skipped:
            return self._cards.review(self.check.id, progress)
        return self.finish()

    def finish(self) -> Said:
        """Freeze the answers and show the result."""
        assert self.check is not None
        answers = record.answers_of(self._db, self._instrument, self.check)
        result = result_of(self._instrument, self.check.language, self.check.form, answers, self._visitor.now.date())
        kept = result.frozen(self._instrument.rules.wording_version)
        moment = record.stamp(self._visitor.now)
        record.set_state(self._db, self.check.id, "finished", self._visitor.now, result=kept, finished_at=moment)
        if self.check.round_id:  # whoever has answered needs no reminder
            outbox.withdraw(self._db, self._visitor.person, KIND, self._visitor.now.timestamp(), self.check.round_id)
        done = record.by_id(self._db, self.check.id, self._visitor.person)
        assert done is not None
        return Finished(done)

    # -- a pressed question card -------------------------------------------------------------------------------------

    def press(self, press: Press) -> Said:
        """A button of a question card, current or old."""
        if self.check is None or self.check.id != press.check:
            return self._old_card(press)
        if self._drawn_later(press):
            return self.show(self._cards.say("moved_on"))
        progress = self._progress()
        current = self._instrument.texts
        if press.item not in progress.items:
            return self.show()
        if press.wording not in {texts.items[press.item].wording for texts in current.values()}:
            return self.show(self._cards.say("revised"))
        if press.what in ("1", "2", "3", "4", "ns"):
            return self._answer(progress, press)
        if press.what == "show" or press.revision != progress.revision or press.item != progress.cursor:
            return self.show()
        return self.step(press.what, progress)

    def _drawn_later(self, press: Press) -> bool:
        """Whether the card was drawn after this was sent: a number typed for an earlier question, read as a press of it."""
        offered = record.offered(self._db, self._visitor.person, self._visitor.now)
        card = f"check:q:{press.check}:{press.item}:{press.revision}:"
        same = offered is not None and any(value.startswith(card) for _, value in offered.choices)
        return offered is not None and same and self._visitor.sent_at < offered.at

    def _old_card(self, press: Press) -> Said:
        """A card of a check that is not open: shown again when it just ended, else said so."""
        known = record.by_id(self._db, press.check, self._visitor.person)
        if known is not None and known.state == "finished" and self.check is None:
            return Finished(known, again=True)
        if self.check is None:
            return self._noted(self._cards.reply("old_card"))
        if self.check.state == "running":
            return self.show(self._cards.say("old_card"))
        # A card of another check does not end a pause; the way on is offered.
        return self._cards.reply("old_card", self._cards.choice("resume", "resume"))

    def _answer(self, progress: Progress, press: Press) -> Said:
        level = None if press.what == "ns" else int(press.what)
        if press.item in progress.answers:
            if progress.answers[press.item] == level:
                if progress.cursor == press.item:
                    self._append("keep", press.item)
                return self.show()
            if progress.given_at[press.item] > press.revision:
                assert self.check is not None
                return self._cards.conflict(self.check.id, progress, press.item, level)
        self._append("answer", press.item, level, press.wording)
        return self.show()

    def _append(
        self, kind: Literal["answer", "skip", "back", "keep", "again"], item: str, level: int | None = None, wording: str = ""
    ) -> None:
        assert self.check is not None
        record.append(self._db, self.check.id, kind, item, level, wording, self._visitor.now)

    def step(self, what: str, progress: Progress | None = None) -> Said:
        """Back, skip, keep, pause, stop: a button or a typed word."""
        progress = progress or self._progress()
        if what == "back":
            if progress.before is None:
                return self.show()
            self._append("back", progress.before)
        elif what in ("skip", "keep") and progress.cursor is not None:
            self._append("keep" if progress.cursor in progress.answers else "skip", progress.cursor)
        elif what in ("pause", "stop"):
            return self.rest("paused" if what == "pause" else "stopped")
        return self.show()

    def rest(self, key: Literal["paused", "stopped"]) -> Reply:
        """Pause or stop; the answers stay."""
        assert self.check is not None
        record.set_state(self._db, self.check.id, key, self._visitor.now)
        until = self._visitor.now + timedelta(days=self._instrument.rules.resume_days)
        return self._cards.rested(key, self._progress(), day(until, self._cards.language))

    def resume(self) -> Said:
        """Go on where it stood."""
        if self.check is None:
            return self._noted(self._cards.reply("no_check"))
        away = self._visitor.now - self.check.touched_at > timedelta(days=1)
        notes = (self._cards.say("welcome_back"),) if away and not self._progress().reworded else ()
        return self.show(*notes)

    # -- other buttons -----------------------------------------------------------------------------------------------

    def button(self, value: str) -> Said | None:
        """A button that is not a question card's; None when it is none of ours."""
        value, _, spoken = value.partition("@")
        if self.check is None and spoken in LANGUAGES:
            self._cards = Cards(self._instrument, spoken)
        name, _, rest = value.partition(":")
        first, _, second = rest.partition(":")
        if name in ("begin", "carry", "fresh", "over") and first in ("pulse", "full", "any"):
            return self._start_button(name, first, second)
        if name == "language" and first in LANGUAGES:
            return self._speak(first, second)
        if name in ("again", "result", "pause", "stop", "resume"):
            return self._open_button(name, first)
        if name == "move" and second:
            return self._move_button(first, second)
        if name == "delete":
            return self._cards.delete()
        if name == "erase":
            return self.erase()
        if name == "change":
            return self.change(first)
        if name in ("no", "unchanged"):
            return self._cards.reply("not_now" if name == "no" else "unchanged")
        return None

    def _start_button(self, name: str, first: str, how: str) -> Said:
        form = cast(FormName | None, None if first == "any" else first)
        if name == "over":
            if self.check is not None:
                record.set_state(self._db, self.check.id, "closed", self._visitor.now)
                self.check = None
            return self.intro(form, self._cards.language)
        if self.check is not None:
            # The button was pressed twice, or on another device: what it began goes on.
            return self.resume()
        if form is None:
            return self.intro(None, self._cards.language)
        if name == "begin":
            return self.begin(form, how)
        return self.carry(form, how, keep=name == "carry")

    def _speak(self, language: str, form: str) -> Said:
        self._cards = Cards(self._instrument, language)
        if self.check is not None:
            record.set_state(self._db, self.check.id, "running", self._visitor.now, language=language)
            return self.show()
        return self.intro(cast(FormName, form) if form in ("pulse", "full") else None, language)

    def _open_button(self, name: str, check_id: str) -> Said:
        if self.check is None or (check_id not in ("", "open") and check_id != self.check.id):
            return self._old_card(Press(check_id, "", 0, "", ""))
        if name == "resume":
            return self.resume()
        if name in ("pause", "stop"):
            return self.rest("paused" if name == "pause" else "stopped")
        if name == "result":
            return self.finish()
        if self._progress().skipped:
            self._append("again", "")
        return self.show()

    def _move_button(self, check_id: str, rest: str) -> Said:
        item, _, what = rest.partition(":")
        check = record.by_id(self._db, check_id, self._visitor.person)
        if check is None or check.result is None or what not in ("another", "drop", "done", "follow", "still"):
            return self._cards.reply("old_card")
        return MovePressed(check, item, what)  # type: ignore[arg-type]

    def change(self, check_id: str) -> Said:
        """Open a finished check again, unless its round is already published."""
        check = record.by_id(self._db, check_id, self._visitor.person)
        old = check is None or check.finished_at is None
        if check is None or old or self.check is not None or record.counted(self._db, check.id):
            return self.show() if self.check is not None else self._cards.reply("old_card")
        assert check.finished_at is not None
        if self._visitor.now - check.finished_at > timedelta(days=self._instrument.rules.resume_days):
            return self._cards.reply("old_card")
        record.set_state(self._db, check.id, "running", self._visitor.now, result=None, finished_at=None)
        self.check = record.by_id(self._db, check.id, self._visitor.person)
        self._cards = Cards(self._instrument, check.language)
        self._append("back", self._instrument.rules.forms[check.form].items[-1])
        return self.show()

    def erase(self) -> Reply:
        """Delete everything of this person."""
        gone = record.erase(self._db, self._visitor.person)
        self.check = None
        return self._cards.reply("deleted" if gone else "nothing_kept")
