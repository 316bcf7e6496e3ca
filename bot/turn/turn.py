"""One message in, one inspected and recorded reply out."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot import prompts
from bot.assistant.assistant import Assistant
from bot.assistant.followups import follow_ups
from bot.assistant.record import record
from bot.assistant.understand import language_of
from bot.errors import SignpostError
from bot.knowledge.versions import read_published
from bot.memory import Turnover
from bot.messages import Action, Answered, Choice, Handling, Message, Outcome, Receipt, Reply
from bot.settings import Settings
from bot.store import Database
from bot.store.conversations import last_answer, last_reply
from bot.store.incidents import incident
from bot.store.packed import unpack_answered
from bot.turn.commands import Commands, recognised
from bot.turn.stages import Inspect, LookAgain, Reaching, Screen, Screened, Skill, StageFailed, let_in, let_out, stage

_log = logging.getLogger("signpost.turn")

MOST_CHOICES = 3
"""Buttons under an answer, a lesson's among them; Teams shows three."""

ELSEWHERE = "scope.elsewhere"
"""The rule of what is out of scope."""

LABEL_CHARS = 160
"""A longer message is not looked up among the labels of the last reply's choices."""


@dataclass(frozen=True)
class Walked:
    """A reply, and the part of the message that may be kept."""

    answered: Answered
    kept: str


class Turn:
    """Screens, routes, answers, inspects, records. Never raises: what fails becomes an apology with an incident id."""

    def __init__(
        self,
        assistant: Assistant,
        database: Database,
        settings: Settings,
        clock: Callable[[], datetime],
        *,
        screen: Screen = let_in,
        inspect: Inspect = let_out,
        skills: tuple[Skill, ...] = (),
        handoff: Reaching | None = None,
        accompany: Callable[[Reply, Message], Reply] | None = None,
        forgetters: tuple[Callable[[str], object], ...] = (),
        alarm: Callable[[Message, str], object] | None = None,
        look_again: LookAgain | None = None,
    ) -> None:
        """``alarm`` is called with a message and the crisis rule that decided it, once a turn; ``look_again`` begins a second
        look beside the search."""
        self._look_again = look_again
        self._alarm = alarm
        self._assistant = assistant
        self._database = database
        self._clock = clock
        self._screen = screen
        self._inspect = inspect
        self._skills = skills
        self._accompany = accompany
        self._handoff = handoff
        self._commands = Commands(database, settings, handoff, forgetters, clock)
        self._turnover = Turnover()

    def take(self, message: Message) -> Answered:
        """Answer a message that belongs to no kept conversation: the terminal's, a script's."""
        return self.walk(message, "").answered

    def walk(self, message: Message, conversation: str) -> Walked:
        """Answer a message of a kept conversation. ``kept`` is what of its text may be stored."""
        started = time.perf_counter()
        kept = ""
        typed = message
        try:
            with stage("handoff"):
                between = self._handoff.between(message) if self._handoff is not None else None
            if between is not None:
                return Walked(receipted(between.reply), between.kept)
            with stage("screen"):
                message = self._meant(message, conversation)
                screened = self._screen(message)
                if self._is_own(message):
                    screened = replace(screened, caution="")
                    if screened.reply is not None:
                        screened = replace(screened, text=message.text, kept=message.text, reply=None, alarm=None)
                kept = screened.kept
                self._raise_alarm(message, screened)
                if message.action is not None and typed.text and _is_control(message.action.value):
                    kept = self._screen(typed).kept  # the button's label, not the value behind it
            answered, added = self._walk(message, screened, conversation, typed.text, started)
            kept = kept if added is None else added.kept
            if answered.reply.fixed == "forgotten":
                kept = ""
        except StageFailed as failed:
            answered = self._apology(failed, message)
        finally:
            self._turnover.turned()
        return Walked(answered, kept)

    def _is_own(self, message: Message) -> bool:
        """Whether a message is a skill's own word or button as a whole: "check" is no plea for a detector's verdict."""
        return any(skill.knows(message) for skill in self._skills)

    def _raise_alarm(self, message: Message, screened: Screened) -> None:
        """Tell the human contact. What fails here must not keep the crisis text from the person."""
        if screened.alarm is None or self._alarm is None:
            return
        try:
            self._alarm(message, screened.alarm)
        except Exception as error:
            incident(_log, error, "alarm")

    def screened(self, message: Message) -> tuple[Message, Screened]:
        """A message as the assistant would see it, and the screen's verdict. Raises what the screen raises."""
        verdict = self._screen(message)
        history = message.history if verdict.history is None else verdict.history
        return replace(message, text=verdict.text, history=history), verdict

    def redact(self, message: Message) -> str:
        """The part of a message's text that may be kept, when no answer came of it. Raises what the screen raises."""
        return self._screen(message).kept

    # -- the stages --------------------------------------------------------------------------------------------------

    def _walk(
        self, message: Message, screened: Screened, conversation: str, typed: str, started: float
    ) -> tuple[Answered, Screened | None]:
        """The answer, and what a second look added to the screening, if it did."""
        timings = {"screen": _ms(started)}
        history = message.history if screened.history is None else screened.history
        message = replace(message, text=screened.text, history=history)
        answered, to_record, added = self._beside(message, screened, conversation, typed)
        for _ in range(2):
            with stage("inspect"):
                begun = time.perf_counter()
                reply = self._inspect(answered.reply, message, answered.receipt.model)
                moved = self._moved(reply)
                timings["inspect"] = _ms(begun)
            if not moved:
                break
            # A generation was published between the search and this check: what is in force now answers.
            answered, to_record = self._routed(message, screened, conversation, typed)
        else:
            with stage("inspect"):
                raise SignpostError("a quote changed while it was being shown", code="moved")
        timings = {**answered.receipt.timings_ms, **timings, "total": _ms(started)}
        rounded = {name: round(value, 3) for name, value in timings.items()}
        answered = Answered(_cautioned(reply, screened), replace(answered.receipt, timings_ms=rounded))
        if to_record:
            with stage("record"):
                record(self._database, answered, message.organization, self._clock())
        return answered, added

    def _beside(
        self, message: Message, screened: Screened, conversation: str, typed: str
    ) -> tuple[Answered, bool, Screened | None]:
        """Answer while a second look is taken, where one is; what it adds goes before the answer."""
        wanted = self._look_again is not None and recognised(message) is None and not self._is_own(message)
        with stage("screen"):
            found = self._look_again(message, screened) if wanted and self._look_again is not None else None
        answered, to_record = self._routed(message, screened, conversation, typed)
        with stage("screen"):
            added = found() if found is not None else None
        if added is None or added.reply is None:
            return answered, to_record, None
        self._raise_alarm(message, added)
        return receipted(added.reply), True, added

    def _routed(self, message: Message, screened: Screened, conversation: str, typed: str) -> tuple[Answered, bool]:
        """Who answers, and whether the answer is recorded: commands about answers are not answers."""
        crisis = screened.reply is not None and screened.reply.handling is Handling.CRISIS
        with stage("handoff"):
            passed = self._passed(message, conversation, typed, crisis=crisis)
            if passed is not None:
                return receipted(_told(passed, screened)), False
        with stage("command"):
            command = recognised(message)  # a whole message that is a command's own word; no rule but one knows it better
            if command is not None and not crisis:
                return receipted(self._commands.answer(command, message, conversation)), False
        if screened.reply is not None and not screened.soft:
            return receipted(screened.reply), True
        with stage("skill"):
            for skill in self._skills:
                reply = skill.take(message)
                if reply is not None:
                    return receipted(_told(reply, screened)), True
        with stage("command"):
            number = re.fullmatch(r"\[?(\d{1,2})\]?\.?", message.text.strip())
            if conversation and number and message.action is None:
                words = prompts.messages(message.language or "en")
                answer = last_answer(self._database, conversation)
                if answer is not None:
                    return receipted(self._commands.opened(answer, int(number[1]), words)), False
        if screened.reply is not None:
            if not self._covered_after_all(message, screened):
                return receipted(self._with_offer(message, screened.reply, conversation)), True
            screened = replace(screened, reply=None, rule=None)
        with stage("assistant"):
            answered = self._assistant.answer(message, screened.vectors)
            return self._accompanied(message, _told_all(answered, screened), conversation), True

    def _covered_after_all(self, message: Message, screened: Screened) -> bool:
        """Whether a message that was taken for one out of scope is answered plainly by the library: an organization's documents
        may speak of anything, and what they speak of is within its scope. What it put outside by a pattern stays there."""
        if screened.rule != ELSEWHERE or screened.own:
            return False
        with stage("assistant"):
            return self._assistant.plainly_covers(message, screened.vectors)

    def _passed(self, message: Message, conversation: str, typed: str, *, crisis: bool) -> Reply | None:
        """What the way to a person makes of a message; None when it is not for it. A crisis comes before it."""
        if self._handoff is None or (crisis and not self._handoff.is_name(message, conversation, typed)):
            return None
        return self._handoff.take(message, conversation, typed)

    def _accompanied(self, message: Message, answered: Answered, conversation: str) -> Answered:
        """The assistant's answer with what goes beside it: a skill's reminder, a person, what to ask next."""
        reply = answered.reply
        for skill in self._skills:
            aside = skill.aside(message)
            if aside is not None:
                text = f"{reply.markdown}\n\n{aside.markdown}"
                return replace(answered, reply=replace(reply, markdown=text, choices=reply.choices + aside.choices))
        if not conversation:
            return answered
        if self._accompany is not None and reply.outcome is Outcome.ANSWERED:
            reply = self._accompany(reply, message)
        extra: tuple[Choice, ...] = ()
        if reply.outcome is Outcome.NOT_COVERED and (offered := self._with_offer(message, reply, conversation)) is not reply:
            reply = offered
        elif reply.outcome is Outcome.NOT_COVERED:
            extra = (Choice(prompts.messages(reply.language).door_person, "person"),)
        elif reply.outcome is Outcome.ANSWERED:
            shelves = self._assistant.shelves(sorted(answered.receipt.generation))
            extra = follow_ups(answered, message.text, shelves)[: max(MOST_CHOICES - len(reply.choices), 0)]
        return replace(answered, reply=replace(reply, choices=reply.choices + extra))

    def _with_offer(self, message: Message, reply: Reply, conversation: str) -> Reply:
        """The reply itself, or with the offer of a person in it where this is the second try in a row that failed."""
        offered = (
            self._handoff.after_failure(reply, message, conversation) if self._handoff is not None and conversation else None
        )
        return offered or reply

    def _moved(self, reply: Reply) -> bool:
        """Whether a quote no longer stands in a published version, word for word."""
        with self._database.reading() as connection:
            for citation in reply.citations:
                words = read_published(connection, citation.version, citation.start, citation.end)
                if words != citation.quote:
                    return True
        return False

    # -- what was meant ----------------------------------------------------------------------------------------------

    def _last(self, conversation: str) -> Answered | None:
        packed = last_reply(self._database, conversation) if conversation else None
        return unpack_answered(packed) if packed else None

    def _meant(self, message: Message, conversation: str) -> Message:
        """A typed label, or number of a list of choices, is the button; a pressed button's value is its text too."""
        if message.action is None and conversation and len(message.text) <= LABEL_CHARS:
            last = self._last(conversation)
            choice = chosen(message.text, last.reply) if last is not None else None
            if choice is not None:
                return replace(message, text=choice.value, action=Action(choice.value))
        if message.action is not None:
            return replace(message, text=message.action.value)
        return message

    def _apology(self, failed: StageFailed, message: Message) -> Answered:
        name = incident(_log, failed.__cause__, failed.stage)
        words = prompts.messages(message.language or language_of(message.text))
        text = words.apology.format(incident=name)
        return receipted(
            Reply(
                Outcome.ROUTED,
                Handling.ANSWER,
                text,
                words.language,
                choices=(Choice(words.door_person, "person"),),
                fixed="apology",
                rule=f"incident:{name}",
            )
        )


def chosen(text: str, reply: Reply) -> Choice | None:
    """The choice of ``reply`` that was typed: by label, or by number where a number cannot mean a quote."""
    typed = " ".join(text.lower().split()).rstrip(".!")
    for choice in reply.choices:
        if typed == " ".join(choice.label.lower().split()).rstrip(".!"):
            return choice
    number = re.fullmatch(r"\(?(\d{1,2})[.)]?", typed)
    if number and (reply.outcome is Outcome.CLARIFY or not reply.citations):
        position = int(number[1]) - 1
        if 0 <= position < len(reply.choices):
            return reply.choices[position]
    return None


def _is_control(value: str) -> bool:
    """Whether a button's value is a word of a skill or a command, and no question that a person could have asked."""
    return " " not in value.strip()


def receipted(reply: Reply) -> Answered:
    """A reply that no search was made for, with a receipt of its own."""
    return Answered(reply, Receipt(secrets.token_hex(8), {}, None, prompts.version(), {}))


def _told(reply: Reply, screened: Screened) -> Reply:
    """The reply with the notice that something was taken out of the message."""
    if not screened.redacted:
        return reply
    handling = Handling.ANSWER_REDACTED if reply.handling is Handling.ANSWER else reply.handling
    reply = replace(reply, rule=reply.rule or screened.rule)
    if not screened.notice:
        return replace(reply, handling=handling)
    text = f"{screened.notice}\n\n{reply.markdown}"
    return replace(reply, handling=handling, markdown=text, notices=(screened.notice, *reply.notices))


def _cautioned(reply: Reply, screened: Screened) -> Reply:
    """The reply behind the caution for a message that may be a crisis after all; a crisis text needs none."""
    if not screened.caution or reply.handling is Handling.CRISIS:
        return reply
    return replace(reply, markdown=f"{screened.caution}\n\n{reply.markdown}", notices=(screened.caution, *reply.notices))


def _told_all(answered: Answered, screened: Screened) -> Answered:
    return replace(answered, reply=_told(answered.reply, screened))


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000
