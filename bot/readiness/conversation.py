"""The readiness check as a skill: takes what is said and pressed, keeps it, answers with the next message or the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from bot.messages import Choice, Citation, Handling, Message, Outcome, Picture, Reply
from bot.readiness import record
from bot.readiness.approval import drafts
from bot.readiness.cards import PREFIX, Cards, parse
from bot.readiness.instrument import LANGUAGES, FormName, Instrument, instrument
from bot.readiness.listening import ListeningDesk
from bot.readiness.nudges import KIND, ask_later, ask_no_more
from bot.readiness.record import Check, day
from bot.readiness.result import Result, Words, thawed
from bot.readiness.rounds import leave_round
from bot.readiness.scoring import moves_in_order, score
from bot.readiness.suppression import minimum_group
from bot.readiness.trends import SelfChange, self_change
from bot.readiness.typed import Understanding
from bot.readiness.visits import Finished, Idea, MovePressed, Said, Visitor
from bot.store import Database, outbox
from bot.store.readiness_tables import moves

Find = Callable[[Message], tuple[Citation, ...]]
"""Asks the library a question: the citations of its answer, none where it has none."""

MAX_CITATIONS = 1
"""One quote beside a move: the second best is often about something else."""


def nothing_found(_question: Message) -> tuple[Citation, ...]:
    """A library that is not there."""
    return ()


@dataclass(frozen=True)
class Export:
    """A file made of a result."""

    name: str
    media_type: str
    content: bytes


class Readiness:
    """The skill. One object may serve every person; everything it knows is in SQL."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        find: Find = nothing_found,
        contact: str = "",
        min_group: int = 5,
        content: Instrument | None = None,
    ) -> None:
        """``contact`` is whom the organization suggests for a fuller look; empty for nobody."""
        self._database = database
        self._clock = clock
        self._find = find
        self._contact = contact
        self._min_group = minimum_group(min_group)
        self._instrument = content or instrument()
        self._understanding = Understanding(self._instrument)

    # -- the skill ---------------------------------------------------------------------------------------------------

    def take(self, message: Message) -> Reply | None:
        """The reply to a message of the check, or None when it is for someone else."""
        if message.person is None or not self._ours(message):
            return None
        if message.place is not None and message.place.kind != "personal":
            return Cards(self._instrument, self._language(message)).reply("private_only")
        visitor = self._visitor(message)
        with self._database.writing() as connection:
            said = self._decide(connection, message, visitor)
            said = self._moved(connection, said, visitor) if isinstance(said, MovePressed) else said
        if said is None:
            return None
        reply = self._spoken(said, message)
        kind: Literal["question", "list", "plain"] = "list" if reply.outcome is Outcome.CLARIFY else "plain"
        kind = "question" if reply.fixed == "readiness.question" else kind
        offered = record.Offered(tuple((c.label, c.value) for c in reply.choices), kind, visitor.sent_at)
        with self._database.writing() as connection:
            record.offer(connection, visitor.person, offered)
        return reply

    def knows(self, message: Message) -> bool:
        """Whether the whole message is one of the check's own words, numbers, level texts or buttons, where it may be for it."""
        if message.person is None or not self._ours(message):
            return False
        return message.action is not None or self._understanding.is_own(message.text)

    def _spoken(self, said: Said, message: Message) -> Reply:
        """What the desk decided, in words; the library is searched and pictures are drawn outside the transaction."""
        if isinstance(said, Finished):
            return self._result(said.check, message)
        if isinstance(said, Idea):
            return self._idea(said, message)
        assert isinstance(said, Reply)
        return said

    def aside(self, message: Message) -> Reply | None:
        """A reminder that a check is waiting, when the assistant answered in the middle of it.

        From then on a bare number shows the question again before one counts: it may be meant for a source."""
        if message.person is None or (message.place is not None and message.place.kind != "personal"):
            return None
        now = self._clock()
        with self._database.reading() as connection:
            check = record.open_check(connection, message.person.id)
            if check is None or check.state != "running" or now - check.touched_at > timedelta(days=1):
                return None
            progress = record.progress(connection, self._instrument, check)
        with self._database.writing() as connection:
            record.offer(connection, message.person.id, None)
        cards = Cards(self._instrument, check.language)
        text = cards.say("aside", n=progress.number, total=len(progress.items))
        choices = (cards.choice("resume", "resume"),)
        return Reply(
            Outcome.ANSWERED, Handling.ANSWER, text, check.language, choices=choices, fixed="readiness.aside", private=True
        )

    def since(self, person: str) -> datetime | None:
        """When the check last put something before this person that waits for an answer, for choosing between skills."""
        with self._database.reading() as connection:
            check, offer = record.open_check(connection, person), record.offered(connection, person, self._clock())
        times = [check.touched_at] if check is not None and check.state == "running" else []
        times += [offer.at] if offer is not None and offer.choices else []
        return max(times, default=None)

    def home(self, person: str, language: str) -> tuple[Choice, ...]:
        """What a page of one's own offers: begin or go on, the last result, delete."""
        cards = Cards(self._instrument, language if language in LANGUAGES else "en")
        with self._database.reading() as connection:
            check, done = record.open_check(connection, person), record.finished(connection, person)
            progress = record.progress(connection, self._instrument, check) if check is not None else None
        if progress is None:
            choices = [cards.choice("home_start", "begin:any")]
        else:
            values = {"n": str(progress.number), "total": str(len(progress.items))}
            choices = [cards.choice("home_resume", "resume", **values)]
        choices += [cards.choice("home_result", "latest")] if done else []
        return (*choices, *([cards.choice("delete", "delete")] if done or progress else []))

    def _language(self, message: Message) -> str:
        return message.language if message.language in LANGUAGES else "en"

    def _visitor(self, message: Message) -> Visitor:
        assert message.person is not None
        now = self._clock()
        return Visitor(message.person.id, message.organization, now, self._language(message), message.at or now)

    def _ours(self, message: Message) -> bool:
        """A cheap look, without the write lock, at whether this may be ours."""
        assert message.person is not None
        if message.action is not None:
            return message.action.value.startswith(PREFIX)
        if self._understanding.start(message.text) is not None:
            return True
        if message.place is not None and message.place.kind != "personal":
            return False
        if self._understanding.command(message.text, "stop_asking", "delete", "result"):
            return True
        with self._database.reading() as connection:
            person = message.person.id
            if record.open_check(connection, person) is not None:
                return True
            return record.offered(connection, person, self._clock()) is not None

    def _decide(self, connection: Connection, message: Message, visitor: Visitor) -> Said | None:
        unapproved = drafts(connection, self._instrument)
        desk = ListeningDesk(connection, self._instrument, self._understanding, visitor, self._min_group, unapproved)
        if message.action is not None:
            return self._pressed(connection, desk, message.action.value, visitor)
        text = message.text.strip()
        if (value := self._typed_choice(connection, text, visitor)) is not None:
            return self._pressed(connection, desk, value, visitor)
        wanted = self._understanding.start(text)
        if wanted is not None:
            form, language = wanted
            return desk.intro(form, self._language(message) if message.language in LANGUAGES and language == "en" else language)
        if self._understanding.command(text, "stop_asking"):
            return desk.cards.reply("follow_off") if ask_no_more(connection, visitor.person, visitor.now) else None
        if desk.check is not None:
            return desk.typed(text)
        if self._understanding.command(text, "result"):
            # A bare "result" may be about anything; "my result" is asked of us.
            return self._latest(connection, visitor) or (desk.cards.reply("no_check") if len(text.split()) > 1 else None)
        if not self._understanding.command(text, "delete"):
            return None
        # A bare "delete" is ours only from someone of whom something is kept.
        kept = bool(record.finished(connection, visitor.person)) or len(text.split()) > 1
        return desk.cards.delete() if kept else None

    def _pressed(self, connection: Connection, desk: ListeningDesk, value: str, visitor: Visitor) -> Said | None:
        press = parse(value)
        if press is not None:
            return desk.press(press)
        if value.startswith(f"{PREFIX}leave:"):
            round_id = value.split(":")[2].partition("@")[0]
            leave_round(connection, round_id, visitor.person)
            outbox.withdraw(connection, visitor.person, KIND, visitor.now.timestamp(), round_id)
            return desk.cards.reply("left")
        if value.startswith(f"{PREFIX}latest@"):
            return self._latest(connection, visitor) or desk.cards.reply("no_check")
        return desk.button(value.removeprefix(PREFIX))

    @staticmethod
    def _latest(connection: Connection, visitor: Visitor) -> Finished | None:
        """The newest result once more; None where there is none."""
        done = record.finished(connection, visitor.person)
        return Finished(done[0]) if done else None

    def _typed_choice(self, connection: Connection, text: str, visitor: Visitor) -> str | None:
        """The value of a choice of the last reply whose label (or number, where there is a list) was typed.

        Question cards are left to the typed answers of a check, which repeat what they understood."""
        offered = record.offered(connection, visitor.person, visitor.now)
        if offered is None or offered.kind == "question":
            return None
        said = " ".join(text.casefold().split()).rstrip(".!")
        for n, (label, value) in enumerate(offered.choices, 1):
            if said == label.casefold() or (offered.kind == "list" and said == str(n)):
                return value
        wanted = self._understanding.command(text, "yes", "no", "delete")
        for label, value in offered.choices:
            if wanted is not None and self._understanding.command(label, wanted) == wanted:
                return value
        return None

    # -- results -----------------------------------------------------------------------------------------------------

    def result(self, check: Check) -> Result:
        """A finished check's result."""
        assert check.result is not None
        assert check.finished_at is not None
        return thawed(self._instrument, check.form, check.result, check.finished_at.date())

    def _words(self, check: Check) -> Words:
        return Words(self._instrument, check.language, self.result(check))

    def _change(self, check: Check) -> SelfChange | None:
        """What moved since the newest check of the same form and wording that is old enough to compare."""
        now = self.result(check)
        with self._database.reading() as connection:
            others = record.finished(connection, check.person, check.form)
        for other in others:
            if other.id == check.id or other.result is None or other.finished_at is None or check.result is None:
                continue
            if other.result["wording_version"] == check.result["wording_version"]:
                before = score(self._instrument.rules, other.form, other.result["answers"])
                change = self_change(self._instrument.rules, before, other.finished_at.date(), now.score, now.on)
                if change is not None:
                    return change
        return None

    def _result(self, check: Check, message: Message) -> Reply:
        result = self.result(check)
        item = result.score.next[1] if result.score.next else None
        citations = self._citations(item, message)
        text = self._words(check).all(
            move=item,
            citations=citations,
            contact=self._contact,
            retake_days=self._instrument.rules.retake_days,
            change=self._change(check),
        )
        from bot.readiness.export import picture

        png, alt = picture(self._instrument, check.language, result)
        return Reply(
            Outcome.ANSWERED,
            Handling.ANSWER,
            text,
            check.language,
            citations=citations,
            choices=self._result_choices(check, item),
            fixed="readiness.result",
            picture=Picture(png, alt),
            private=True,
        )

    def _citations(self, item: str | None, message: Message) -> tuple[Citation, ...]:
        if item is None:
            return ()
        found = self._guidance(item, message.organization)[:MAX_CITATIONS]
        return tuple(replace(c, n=n) for n, c in enumerate(found, 1))

    def _guidance(self, item: str, organization: str | None) -> tuple[Citation, ...]:
        return self._find(Message(self._instrument.rules.look_up[item], organization=organization, language="en"))

    def look_up_ahead(self, organization: str | None) -> None:
        """Ask the library every move's question now, so that nobody's first result waits for one."""
        for item in self._instrument.rules.look_up:
            self._guidance(item, organization)

    def _result_choices(self, check: Check, item: str | None) -> tuple[Choice, ...]:
        cards = Cards(self._instrument, check.language)
        choices = self._move_choices(cards, check, item) if item else []
        choices += [cards.choice("go_full", "begin:full")] if check.form == "pulse" else []
        return (*choices, cards.choice("change", f"change:{check.id}"), cards.choice("delete", "delete"))

    @staticmethod
    def _move_choices(cards: Cards, check: Check, item: str) -> list[Choice]:
        pairs = (("another", "another"), ("not_for_us", "drop"), ("done", "done"), ("follow", "follow"))
        return [cards.choice(label, f"move:{check.id}:{item}:{what}") for label, what in pairs]

    # -- moves -------------------------------------------------------------------------------------------------------

    def _moved(self, connection: Connection, said: MovePressed, visitor: Visitor) -> Said:
        """A button under a move."""
        check, item = said.check, said.item
        cards = Cards(self._instrument, check.language)
        level = self.result(check).score.answers.get(item)
        if not level:
            return cards.reply("old_card")
        if said.what == "another":
            self._keep_move(connection, check.id, item, level, "shown", visitor.now, again=False)
            following = self._following(connection, check)
            return Idea(check, following) if following else cards.reply("no_more")
        state = {"drop": "dropped", "done": "done", "follow": "still", "still": "still"}[said.what]
        self._keep_move(connection, check.id, item, level, state, visitor.now)
        if said.what == "follow":
            on = ask_later(connection, check.id, item, visitor.person, visitor.now.date())
            return cards.reply("follow_set", date=day(on, check.language))
        if said.what == "still":
            return cards.reply("still")
        more = cards.choice("another", f"move:{check.id}:{item}:another")
        return cards.reply("dropped" if said.what == "drop" else "marked_done", more)

    @staticmethod
    def _keep_move(
        connection: Connection, check_id: str, item: str, level: int, state: str, now: datetime, *, again: bool = True
    ) -> None:
        here = (moves.c.check_id == check_id) & (moves.c.item == item)
        values: dict[str, Any] = {"level": level, "state": state, "at": record.stamp(now)}
        known = connection.execute(moves.select().where(here)).first() is not None
        if not known:
            connection.execute(moves.insert().values(check_id=check_id, item=item, **values))
        elif again:
            connection.execute(moves.update().where(here).values(**values))

    def _following(self, connection: Connection, check: Check) -> str | None:
        """The best item whose move was not shown yet."""
        seen = {row.item for row in connection.execute(moves.select().where(moves.c.check_id == check.id))}
        ranked = moves_in_order(self._instrument.rules, self.result(check).score)
        return next((item for item in ranked if item not in seen), None)

    def _idea(self, idea: Idea, message: Message) -> Reply:
        citations = self._citations(idea.item, message)
        text = self._words(idea.check).move(idea.item, citations, key="another")
        choices = tuple(self._move_choices(Cards(self._instrument, idea.check.language), idea.check, idea.item))
        return Reply(
            Outcome.ANSWERED,
            Handling.ANSWER,
            text,
            idea.check.language,
            citations=citations,
            choices=choices,
            fixed="readiness.move",
            private=True,
        )

    # -- files and erasing -------------------------------------------------------------------------------------------

    def export(self, person: str, kind: Literal["pdf", "csv", "png"], form: FormName | None = None) -> Export | None:
        """The newest finished check of a person as a file; None when there is none."""
        from bot.readiness.export import answers_csv, page_pdf, picture

        with self._database.reading() as connection:
            done = record.finished(connection, person, form)
        if not done:
            return None
        check, result = done[0], self.result(done[0])
        name = f"ai-readiness-{result.on.isoformat()}"
        if kind == "csv":
            return Export(f"{name}.csv", "text/csv", answers_csv(self._instrument, check.language, result))
        if kind == "png":
            return Export(f"{name}.png", "image/png", picture(self._instrument, check.language, result)[0])
        words = self._words(check)
        item = result.score.next[1] if result.score.next else None
        retake = result.on + timedelta(days=self._instrument.rules.retake_days)
        parts = [words.stage(), words.strengths(), words.move(item), words.balance(), words.to_find_out()]
        parts += words.limits(retake, self._contact, in_chat=False).split("\n\n")
        pdf = page_pdf(self._instrument, check.language, result, [part for part in parts if part])
        return Export(f"{name}.pdf", "application/pdf", pdf)

    def erase(self, person: str) -> int:
        """Remove everything of a person, also their places in groups and open rounds; published totals stay as they are."""
        with self._database.writing() as connection:
            outbox.withdraw(connection, person, KIND, self._clock().timestamp())
            return record.erase(connection, person, memberships=True)

    def sweep(self, keep_days: int) -> int:
        """Remove checks untouched for ``keep_days`` days."""
        with self._database.writing() as connection:
            return record.sweep(connection, self._clock(), keep_days)
