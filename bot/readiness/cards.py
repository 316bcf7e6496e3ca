"""The messages of a check that are not its result: introduction, questions, confirmations. Pure; they know no platform."""

from __future__ import annotations

from dataclasses import dataclass

from bot.messages import Choice, Handling, Outcome, Reply
from bot.readiness.instrument import LEVELS, FormName, Instrument
from bot.readiness.state import Progress

PREFIX = "check:"
DESCRIBES_CHARS = 75
"""Longest text beside a short label that a screen reader is given (Slack's limit for ``accessibility_label``)."""


@dataclass(frozen=True)
class Press:
    """A pressed answer or step of a question card: which card it was, and what was pressed."""

    check: str
    item: str
    revision: int
    wording: str
    what: str


def parse(value: str) -> Press | None:
    """The press behind a choice's value, or None for any other value."""
    parts = value.split(":")
    if len(parts) != 7 or parts[:2] != ["check", "q"] or not parts[4].isdigit():
        return None
    return Press(parts[2], parts[3], int(parts[4]), parts[5], parts[6])


def plain_reply(instrument: Instrument, language: str, key: str, choices: tuple[Choice, ...] = (), **values: object) -> Reply:
    """A fixed text with choices."""
    text = instrument.say(language, key, **values)
    outcome = Outcome.CLARIFY if choices else Outcome.ANSWERED
    return Reply(outcome, Handling.ANSWER, text, language, choices=choices, fixed=f"readiness.{key}", private=True)


class Cards:
    """Builds messages in one language."""

    def __init__(self, instrument: Instrument, language: str) -> None:
        self.instrument = instrument
        self.language = language
        self.texts = instrument.texts[language]
        self._labels = instrument.sayings[language].label

    def say(self, key: str, /, **values: object) -> str:
        """A fixed text."""
        return self.instrument.say(self.language, key, **values)

    def label(self, key: str) -> str:
        """The words of a button."""
        return self._labels[key]

    def choice(self, label: str, value: str, **values: str) -> Choice:
        """A button with a fixed label. Its value ends in the language, so that what it begins goes on in it."""
        return Choice(self._labels[label].format(**values), f"{PREFIX}{value}@{self.language}")

    def reply(self, key: str, *choices: Choice, **values: object) -> Reply:
        """A fixed text with choices."""
        return plain_reply(self.instrument, self.language, key, choices, **values)

    # -- before the first question -----------------------------------------------------------------------------------

    def intro(self, form: FormName | None, min_group: int, joins: tuple[str, str] | None, draft: bool) -> Reply:
        """Time, purpose and who can see what. ``joins`` is the open round's group and last day."""
        rules = self.instrument.rules.forms
        if form is None:
            counts = {f"{n}_items": len(f.items) for n, f in rules.items()} | {
                f"{n}_minutes": f.minutes for n, f in rules.items()
            }
            first = self.say("intro", **counts)
            choices = [self.choice("pulse", "begin:pulse"), self.choice("full", "begin:full")]
        else:
            first = self.say("intro_form", minutes=rules[form].minutes, items=len(rules[form].items))
            choices = [self.choice("begin", f"begin:{form}")]
            if joins is not None:
                choices.append(self.choice("keep_out", f"begin:{form}:out"))
        parts = [first, self.say("privacy", min_group=min_group)]
        if joins is not None:
            parts.append(self.say("joins_round", group=joins[0], closes=joins[1]))
        if draft:
            parts.append(self.say("draft"))
        other = "en" if self.language == "es" else "es"
        choices += [self.choice("language", f"language:{other}:{form or 'any'}"), self.choice("not_now", "no")]
        text = "\n\n".join(parts)
        name = "readiness.intro"
        return Reply(Outcome.CLARIFY, Handling.ANSWER, text, self.language, choices=tuple(choices), fixed=name, private=True)

    # -- questions ---------------------------------------------------------------------------------------------------

    def answer_text(self, item: str, level: int | None) -> str:
        """An answer in words: its number and the level's own words, or "not sure"."""
        return f"{level}. {self.texts.items[item].levels[level]}" if level else self.say("not_sure")  # type: ignore[index]

    def question(self, check: str, progress: Progress, *notes: str) -> Reply:
        """The item asked now: progress in words, the question, four described levels, "not sure"."""
        item = progress.cursor
        assert item is not None
        words = self.texts.items[item]
        lines = [f"{level}. {words.levels[level]}" for level in LEVELS] + [f"5. {self.say('not_sure')}"]
        counted = self.say("progress", n=progress.number, total=len(progress.items))
        parts = [*notes, counted, f"**{words.ask}**", "\n".join(lines)]
        if item in progress.answers:
            answer = self.answer_text(item, progress.answers[item]).rstrip(".")
            parts.append(self.say("your_answer", answer=answer))
        elif progress.revision == 0:
            parts.append(self.say("hint"))
        choices = [self._level(check, progress, item, level) for level in (*LEVELS, None)]
        if item in progress.answers:
            choices.append(self._step("keep", check, progress, item))
        steps = (*(("back",) if progress.before else ()), *(() if item in progress.answers else ("skip",)), "pause", "stop")
        choices += [self._step(step, check, progress, item) for step in steps]
        return Reply(
            Outcome.CLARIFY,
            Handling.ANSWER,
            "\n\n".join(parts),
            self.language,
            choices=tuple(choices),
            fixed="readiness.question",
            private=True,
        )

    def _value(self, check: str, progress: Progress, item: str, what: str) -> str:
        return f"{PREFIX}q:{check}:{item}:{progress.revision}:{self.texts.items[item].wording}:{what}"

    def _level(self, check: str, progress: Progress, item: str, level: int | None) -> Choice:
        label = str(level) if level else self._labels["not_sure"]
        what = str(level) if level else "ns"
        described = self.answer_text(item, level)
        if len(described) > DESCRIBES_CHARS:
            described = described[: DESCRIBES_CHARS - 1].rsplit(" ", 1)[0] + "…"
        return Choice(label, self._value(check, progress, item, what), described)

    def _step(self, step: str, check: str, progress: Progress, item: str) -> Choice:
        return Choice(self._labels[step], self._value(check, progress, item, step))

    def confirm(self, check: str, progress: Progress, item: str, level: int | None) -> Reply:
        """Ask whether a typed answer was understood."""
        yes = Choice(self._labels["yes"], self._value(check, progress, item, str(level) if level else "ns"))
        no = Choice(self._labels["no"], self._value(check, progress, item, "show"))
        if level is None:
            return self.reply("guess_not_sure", yes, no)
        return self.reply("guess", yes, no, n=level, level=self.texts.items[item].levels[level])  # type: ignore[index]

    def conflict(self, check: str, progress: Progress, item: str, level: int | None) -> Reply:
        """An older card was pressed: ask before a newer answer is changed."""
        yes = Choice(self._labels["yes"], self._value(check, progress, item, str(level) if level else "ns"))
        no = Choice(self._labels["no"], self._value(check, progress, item, "show"))
        old = self.answer_text(item, progress.answers[item]).rstrip(".")
        return self.reply("conflict", yes, no, old=old, new=self.answer_text(item, level).rstrip("."))

    def review(self, check: str, progress: Progress) -> Reply:
        """Every question was seen and some were skipped."""
        choices = (
            self.choice("skipped", f"again:{check}"),
            self.choice("result", f"result:{check}"),
            self.choice("pause", f"pause:{check}"),
            self.choice("stop", f"stop:{check}"),
        )
        return self.reply("review", *choices, count=len(progress.skipped))

    # -- pauses, resuming, deleting ----------------------------------------------------------------------------------

    def running(self, form: FormName, wanted: FormName | None, progress: Progress) -> Reply:
        """A check is under way and another was asked for."""
        choices = (self.choice("resume", "resume"), self.choice("over", f"over:{wanted or 'any'}"))
        name = self.texts.forms[form].lower()
        return self.reply("running", *choices, form=name, n=progress.number, total=len(progress.items))

    def rested(self, key: str, progress: Progress, until: str) -> Reply:
        """Paused or stopped."""
        choices = [self.choice("resume", "resume")]
        if key == "stopped":
            choices += [self.choice("result", "result:open")] if progress.answers else []
            choices.append(self.choice("delete", "delete"))
            return self.reply(key, *choices, date=until)
        return self.reply(key, *choices, n=progress.number, total=len(progress.items), date=until)

    def carry(self, kept: int, more: int, date: str, suffix: str) -> Reply:
        """Offer to keep the answers of a recent pulse."""
        choices = (self.choice("carry", f"carry:full{suffix}"), self.choice("fresh", f"fresh:full{suffix}"))
        return self.reply("carry", *choices, kept=kept, more=more, date=date)

    def delete(self) -> Reply:
        """Ask before everything is deleted."""
        return self.reply("delete_ask", self.choice("yes", "erase"), self.choice("no", "unchanged"))
