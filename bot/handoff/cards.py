"""Hand-offs as replies: what is shown to the one who asks and to those who help. Pure; the words come from the data files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot import prompts
from bot.assistant.compose import ask_person, escape
from bot.handoff.cases import Case
from bot.handoff.words import Words, words
from bot.messages import SIGNED, Choice, Handling, Outcome, Reply

PREFIX = "handoff:"


@dataclass(frozen=True)
class Office:
    """The people who help, as the organization describes them. ``contact`` is whom to ask when they do not answer."""

    name: str
    reply_time: str
    contact: str
    zone: ZoneInfo


def value(what: str, case_id: str, *, signed: bool = False) -> str:
    """What a button sends. A ``signed`` one has its door add the name of who pressed it."""
    return f"{SIGNED if signed else ''}{PREFIX}{what}:{case_id}"


def reply(
    text: str, language: str, name: str, choices: Sequence[Choice] = (), *, private: bool = False, asks: bool = False
) -> Reply:
    """A reply of fixed text. ``asks``: one of its choices, or the next message, goes on with it."""
    outcome = Outcome.CLARIFY if asks else Outcome.ANSWERED
    return Reply(outcome, Handling.ANSWER, text, language, choices=tuple(choices), fixed=f"handoff.{name}", private=private)


def quoted(text: str) -> str:
    """Somebody's words as a quote that shows exactly them: nothing in it formats, links or calls anybody."""
    return "\n".join(f"> {escape(line.strip())}" if line.strip() else ">" for line in text.strip().splitlines())


def one_line(text: str, most: int = 300) -> str:
    """Words on one line, shortened."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"


class Cards:
    """The replies in one language."""

    def __init__(self, language: str, office: Office) -> None:
        self.words: Words = words(language)
        self._office = office

    @property
    def language(self) -> str:
        """The language spoken."""
        return self.words.language

    @property
    def helpers(self) -> str:
        """Who helps, as askers are told."""
        return escape(self._office.name) if self._office.name else self.words.helpers

    @property
    def when(self) -> str:
        """How soon they answer."""
        time = self._office.reply_time
        return self.words.within.format(time=escape(time)) if time else self.words.soon

    @property
    def contact(self) -> str:
        """Whom else to ask."""
        return ask_person(prompts.messages(self.language), self._office.contact)

    def day(self, at: float) -> str:
        """A moment as a local date and time."""
        return datetime.fromtimestamp(at, self._office.zone).strftime("%Y-%m-%d %H:%M")

    def say(self, name: str, /, **values: str) -> str:
        """One text, filled in."""
        text: str = getattr(self.words, name)
        return text.format(helpers=self.helpers, when=self.when, contact=self.contact, **values)

    def plain(self, name: str, /, *, private: bool = False, asks: bool = False, **values: str) -> Reply:
        """One text as a reply."""
        return reply(_capital(self.say(name, **values)), self.language, name, private=private, asks=asks)

    # -- to the asker ------------------------------------------------------------------------------------------------

    def offer(self, case: Case, *, private: bool, lead: str = "") -> Reply:
        """The question as it would be sent, and how."""
        w = self.words
        choices = (
            Choice(w.named, value("send", case.id, signed=True)),
            Choice(w.unnamed, value("send", case.id)),
            Choice(w.change, value("change", case.id)),
            Choice(w.never_mind, value("drop", case.id)),
        )
        text = self._about(w.offer, case)
        return reply(f"{lead}\n\n{text}".strip(), self.language, "offer", choices, private=private, asks=True)

    def sent(self, case: Case, *, private: bool) -> Reply:
        """It is on its way."""
        text = self.say("sent_named", name=escape(case.name)) if case.name else self.say("sent")
        return reply(text, self.language, "sent", (Choice(self.words.withdraw, value("withdraw", case.id)),), private=private)

    def waiting(self, case: Case, *, private: bool) -> Reply:
        """It is with them already."""
        w = self.words
        choices = (Choice(w.another, value("another", case.id)), Choice(w.withdraw, value("withdraw", case.id)))
        text = self._about(w.waiting, case, date=self.day(case.sent_at or case.created_at))
        return reply(text, self.language, "waiting", choices, private=private)

    def answer(self, case: Case, who: str, text: str) -> Reply:
        """A helper's words, as a person's."""
        w = self.words
        parts = [
            w.answer.format(who=escape(who)),
            quoted(text),
            w.about.format(question=escape(one_line(case.question))),
            w.persons_words,
        ]
        return reply("\n\n".join(parts), self.language, "answer", self._follow(case))

    def unanswered(self, case: Case) -> Reply:
        """Nobody has answered."""
        choices = (Choice(self.words.resolved, value("solved", case.id)),)
        return reply(self._about(self.words.unanswered, case), self.language, "unanswered", choices)

    def closed(self, case: Case) -> Reply:
        """The helpers closed it."""
        choices = (Choice(self.words.not_yet, value("unsolved", case.id)),)
        return reply(_capital(self._about(self.words.closed, case)), self.language, "closed", choices)

    def unreachable(self, case: Case) -> Reply:
        """It could not be posted."""
        choices = (Choice(self.words.try_again, value("again", case.id)),)
        return reply(self.say("unreachable"), self.language, "unreachable", choices)

    def _follow(self, case: Case) -> tuple[Choice, ...]:
        w = self.words
        return (
            Choice(w.resolved, value("solved", case.id)),
            Choice(w.not_yet, value("unsolved", case.id)),
            Choice(w.write_back, value("write", case.id)),
        )

    def _about(self, text: str, case: Case, **values: str) -> str:
        filled = text.format(helpers=self.helpers, when=self.when, contact=self.contact, question="{question}", **values)
        return filled.replace("> {question}", quoted(case.question))

    # -- to the helpers ----------------------------------------------------------------------------------------------

    def ask(self, case: Case) -> Reply:
        """The question in the helpers' channel."""
        w = self.words
        who = w.ask_named.format(name=escape(case.name)) if case.name else w.ask_unnamed
        before = w.ask_before_answered if case.answered_before else w.ask_before
        how = w.ask_how if case.helper_platform == "slack" else w.ask_how_mention
        text = "\n\n".join([self._about(w.ask, case, id=case.id), f"{who} {before}", how])
        return reply(text, self.language, "ask", (self._box(case), self._close(case)))

    def remind(self, case: Case) -> Reply:
        """It still waits."""
        text = self._about(self.words.remind, case, id=case.id, date=self.day(case.sent_at or case.created_at))
        return reply(text, self.language, "remind", (self._box(case), self._close(case)))

    def relayed(self, case: Case, who: str, *, named: bool, hidden: str) -> Reply:
        """A helper's words were passed on."""
        w = self.words
        name = (
            Choice(w.hide_name, value("noname", case.id)) if named else Choice(w.show_name, value("name", case.id, signed=True))
        )
        guidance = Choice(w.guidance, value("draft", case.id, signed=True), w.guidance_about)
        parts = [w.relayed.format(who=escape(who)), w.hidden.format(kinds=hidden) if hidden else ""]
        return reply(" ".join(filter(None, parts)), self.language, "relayed", (name, guidance, self._close(case)))

    def asker_writes(self, case: Case, text: str) -> Reply:
        """The asker's words in the helpers' thread."""
        body = f"{self.words.asker_writes}\n\n{quoted(text)}"
        return reply(body, self.language, "asker_writes", (self._box(case), self._close(case)))

    def told(self, case: Case, name: str, /, **values: str) -> Reply:
        """A short note in the helpers' thread, with the way to open the case again where it is closed."""
        w = self.words
        choices: tuple[Choice, ...] = ()
        if case.state in ("resolved", "closed", "withdrawn") and case.person:
            choices = (Choice(w.reopen, value("reopen", case.id)),)
        if case.answered_at is not None and case.question and not case.draft:
            choices = (*choices, Choice(w.guidance, value("draft", case.id, signed=True), w.guidance_about))
        return reply(_capital(self.say(name, **values)), self.language, name, choices)

    def _box(self, case: Case) -> Choice:
        return Choice(self.words.answer_send, value("answer", case.id), box=self.words.answer_box)

    def _close(self, case: Case) -> Choice:
        return Choice(self.words.close, value("close", case.id))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
