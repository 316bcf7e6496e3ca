"""The commands that work at every moment: help, person, privacy, why, thanks, delete my data, and opening a quote as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from bot import prompts
from bot.assistant.compose import ask_person, escape
from bot.assistant.reasons import in_words
from bot.assistant.record import why as looked_up
from bot.errors import NotFound
from bot.handoff.words import asks_for_person
from bot.knowledge.opening import open_citation
from bot.messages import Choice, Handling, Message, Outcome, Reply
from bot.personal.forgetting import Forgotten, forget_person
from bot.settings import Settings
from bot.store import Database
from bot.store.conversations import last_answer
from bot.turn import keeping
from bot.turn.stages import Reaching

NAMES = ("help", "person", "privacy", "why", "thanks", "forget")


@dataclass(frozen=True)
class Command:
    """A recognised command: its name, what follows the colon in a button's value, the language it was typed in."""

    name: str
    argument: str = ""
    language: str = ""


@cache
def _typed() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for language in ("en", "es"):
        for name in NAMES:
            for words in getattr(getattr(prompts.commands(), language), name).split("|"):
                found.setdefault(_bare(words), (name, language))
    return found


def _bare(text: str) -> str:
    low = " ".join(text.lower().replace(",", " ").split())
    return low.strip("!.¡¿? ") or low


def recognised(message: Message) -> Command | None:
    """The command of a pressed button or of a message that is nothing else."""
    value = message.action.value if message.action else ""
    if value:
        name, _, argument = value.partition(":")
        known = name in (*NAMES, "open") and (not argument or name in ("why", "open", "forget"))
        return Command(name, argument) if known else None
    if len(message.text) > 60:
        return None
    name, language = _typed().get(_bare(message.text), ("", ""))
    if not name and (language := asks_for_person(message.text)):
        name = "person"
    return Command(name, "", language) if name else None


class Commands:
    """Answers commands. ``forgetters`` are called with a person's id when they ask for their data to be removed, before
    everything else of them is."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        handoff: Reaching | None,
        forgetters: tuple[Callable[[str], object], ...],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._settings = settings
        self._handoff = handoff
        self._forgetters = forgetters
        self._clock = clock

    def answer(self, command: Command, message: Message, conversation: str) -> Reply:
        """The reply to a command."""
        language = command.language or message.language or "en"
        words = prompts.messages(language)
        if command.name == "person":
            return self._person(message, conversation, words)
        if command.name == "why":
            return self._why(command.argument or self._last(conversation), words)
        if command.name == "open":
            answer, _, number = command.argument.rpartition(":")
            return self.opened(answer or self._last(conversation), int(number) if number.isdigit() else 0, words)
        if command.name == "forget":
            return self._forget(command.argument, message, words)
        if command.name == "privacy":
            choices = (Choice(words.door_home_forget, "forget"),)
            return _fixed(keeping.privacy(self._settings, message, words), words, "privacy", choices)
        if command.name == "thanks":
            return Reply(Outcome.ANSWERED, Handling.SMALLTALK, words.thanks, words.language, fixed="thanks")
        return _fixed(words.help, words, "help", (Choice(words.door_person, "person"),))

    def _last(self, conversation: str) -> str | None:
        return last_answer(self._database, conversation) if conversation else None

    def _person(self, message: Message, conversation: str, words: prompts.Messages) -> Reply:
        reply = self._handoff.offer(message, conversation) if self._handoff is not None else None
        if reply is not None:
            return reply
        text = ask_person(words, self._settings.contact)
        return Reply(Outcome.ROUTED, Handling.ANSWER, text, words.language, fixed="ask_person")

    def _why(self, answer: str | None, words: prompts.Messages) -> Reply:
        try:
            row = looked_up(self._database, answer or "")
        except NotFound:
            return _fixed(words.nothing_before, words, "nothing_before")
        return _fixed("\n\n".join(escape(line) for line in reasons(row, words)), words, "why")

    def opened(self, answer: str | None, number: int, words: prompts.Messages) -> Reply:
        """A quote in its place, as text."""
        if not answer:
            return _fixed(words.nothing_before, words, "nothing_before")
        try:
            found = open_citation(self._database, answer, number)
        except NotFound:
            return _fixed(words.no_such_quote.format(n=number), words, "no_such_quote")
        dates = words.door_dates.format(
            published=found.published or words.door_unknown_date,
            verified_on=found.verified_on or words.door_unknown_date,
            verified_by=found.verified_by or "-",
            review_by=found.review_by or words.door_unknown_date,
        )
        head = words.place_of.format(title=found.title, heading=found.heading) if found.heading else found.title
        body = f"{escape(found.before)}**{escape(found.quote.strip())}** {escape(found.after.strip())}"
        quoted = "\n".join(f"> {line}" for line in body.strip().split("\n"))
        lines = [
            f"**{escape(head)}**",
            quoted,
            f"{escape(found.publisher)}. {escape(dates)}",
            f"<{found.url}>" if found.url else "",
        ]
        text = "\n\n".join(line for line in lines if line)
        return _fixed(text, words, "opened")

    def _forget(self, argument: str, message: Message, words: prompts.Messages) -> Reply:
        if argument == "yes":
            return self._forgotten(message, words)
        if argument == "no":
            return _fixed(words.kept, words, "kept", private=True)
        choices = (Choice(words.forget_yes, "forget:yes"), Choice(words.forget_no, "forget:no"))
        reply = _fixed(words.forget_sure, words, "forget_sure", choices, private=True)
        return Reply(**{**reply.__dict__, "outcome": Outcome.CLARIFY})

    def _forgotten(self, message: Message, words: prompts.Messages) -> Reply:
        if message.person is None:  # a terminal or a script: nothing is kept of who asks
            return _fixed(keeping.forgotten(Forgotten(), message, words), words, "forgotten", private=True)
        person, settings = message.person.id, self._settings
        done = forget_person(
            self._database, settings.data_dir, person, self._clock().timestamp(), message.organization, self._forgetters
        )
        if done.held is not None:
            since = datetime.fromtimestamp(done.held.at, UTC).date().isoformat()
            return _fixed(words.forget_held.format(date=since), words, "forget_held", private=True)
        return _fixed(keeping.forgotten(done, message, words), words, "forgotten", private=True)


def reasons(row: dict[str, object], words: prompts.Messages) -> list[str]:
    """Why an answer came out as it did, in plain lines, from its stored receipt."""
    receipt = row["receipt"]
    assert isinstance(receipt, dict)
    generation = row["generation"]
    assert isinstance(generation, dict)
    lines = []
    if generation:
        libraries = ", ".join(f"{name} ({number})" for name, number in generation.items())
        chance = round(100 * float(receipt["signals"].get("probability", 0.0)))
        lines.append(words.why_outcome.format(libraries=libraries, chance=chance))
    if weighed := in_words(receipt["reasons"], words.language):
        lines.append(words.why_reasons.format(reasons=weighed))
    model = row["model"]
    lines.append(words.why_model.format(model=model) if model else words.why_no_model)
    lines.append(words.why_code.format(answer=row["id"], milliseconds=round(float(str(row["total_ms"])))))
    return lines


def _fixed(text: str, words: prompts.Messages, name: str, choices: tuple[Choice, ...] = (), *, private: bool = False) -> Reply:
    return Reply(Outcome.ANSWERED, Handling.ANSWER, text, words.language, choices=choices, fixed=name, private=private)
