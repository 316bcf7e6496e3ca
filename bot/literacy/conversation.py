"""The lessons as a skill: messages and buttons in, replies out. Built by ``bot.app``, called by ``bot.turn``.

``take`` returns None for whatever is not for the lessons, so that the assistant answers it; ``aside`` then reminds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.literacy import cards, phrases, records, reviews
from bot.literacy.course import (
    DONE,
    FIRST_QUIZ,
    Answer,
    AnswerReturn,
    Event,
    Later,
    Learner,
    Look,
    Remind,
    Shown,
    Start,
    Step,
    Stop,
    move,
)
from bot.literacy.lessons import LANGUAGES, RETURN_DAYS, Catalogue, Lesson, catalogue
from bot.literacy.nudges import KIND
from bot.literacy.sources import Sources
from bot.literacy.suggestions import suggest
from bot.messages import Choice, Message, Outcome, Reply
from bot.settings import Settings
from bot.store import Database, outbox

ATTENTION = timedelta(hours=12)
"""How long a bare word or number is read as an answer to what was last shown; after that "resume" brings it back."""


VALUE = re.compile(re.escape(cards.PREFIX) + r"[a-z]+(?::[\w.-]+)*", re.ASCII)
"""A button's value; doors without buttons may send it as text."""


@dataclass(frozen=True)
class Rules:
    """What the organization set: days of grace past review, who to ask, which crisis line to name."""

    grace_days: int = 90
    contact: str = ""
    crisis_line: str = ""


@dataclass(frozen=True)
class _Wanted:
    """What a message asks for: an event, or one of the few things outside the course, and the language it was typed in."""

    event: Event | None = None
    other: str = ""
    language: str = ""
    lesson: str = ""


def build(settings: Settings, database: Database, clock: Callable[[], datetime]) -> Lessons:
    """The skill over the shipped lessons, as the settings say. Raises FormatError for a broken data file."""
    phrases.check()
    rules = Rules(settings.grace_days, settings.contact, settings.crisis_line)
    return Lessons(catalogue(), database, Sources(database, settings.grace_days), rules, clock)


class Lessons:
    """The skill. Thread-safe; all state is in the database, so any device and any process can go on."""

    def __init__(
        self, catalogue: Catalogue, database: Database, sources: Sources, rules: Rules, clock: Callable[[], datetime]
    ) -> None:
        self.catalogue = catalogue
        self._database = database
        self._sources = sources
        self._rules = rules
        self._clock = clock

    # -- the skill -------------------------------------------------------------------------------------------------------

    def take(self, message: Message) -> Reply | None:
        """The reply when the message is for the lessons, else None. Never raises for what a person typed or pressed."""
        if message.person is None:
            return None
        now = self._now()
        if not _private(message):
            return self._elsewhere(message, now)
        with self._database.reading() as connection:
            learner = records.load(connection, message.person.id)
        if self._wanted(message, learner, now) is None:
            return None
        with self._database.writing() as connection:
            # Read again inside the transaction: another device may have moved on meanwhile.
            before = records.load(connection, message.person.id)
            wanted = self._wanted(message, before, now)
            if wanted is None:
                return None
            approved = reviews.approved(connection, self.catalogue)
            learner = before or Learner(message.person.id)
            organization = message.organization or learner.organization
            learner = replace(learner, organization=organization, language=_language(message, wanted, learner))
            setting = self._setting(message, learner, now, approved)
            if wanted.other in ("erase", "nothing"):
                if wanted.other == "erase":
                    records.erase(connection, learner.person)
                    outbox.withdraw(connection, learner.person, KIND, now.timestamp())
                return cards.plain("deleted" if wanted.other == "erase" else "nothing_open", setting)
            event = wanted.event
            if event is None or self._held(event, setting):
                lesson = self.catalogue.get(getattr(event, "lesson", ""))
                return cards.held(lesson, setting) if lesson else None
            after, shown = move(learner, event, self.catalogue, now)
            records.save(connection, after, before, now)
            if isinstance(event, Stop):
                outbox.withdraw(connection, learner.person, KIND, now.timestamp())
        return self._show(after, shown, setting, is_new=before is None, had_lesson=bool(learner.open))

    def knows(self, message: Message) -> bool:
        """Whether the whole message is one of the lessons' own words, numbers or buttons, where it is for them."""
        if message.person is None or not _private(message):
            return False
        with self._database.reading() as connection:
            learner = records.load(connection, message.person.id)
        if self._wanted(message, learner, self._now()) is None:
            return False
        text = message.text.strip()
        own = phrases.request(text, self.catalogue) or phrases.word(text)
        return message.action is not None or own is not None or text.isdigit()

    def aside(self, message: Message) -> Reply | None:
        """A reminder to append when the assistant answered in the middle of a lesson; None when no lesson waits."""
        if message.person is None or not _private(message):
            return None
        now = self._now()
        with self._database.reading() as connection:
            learner = records.load(connection, message.person.id)
        if learner is None or learner.focus.what != "lesson" or not _attentive(learner, now):
            return None
        lesson, run = self.catalogue.get(learner.open), learner.run(learner.open)
        if lesson is None or run is None:
            return None
        return cards.aside(lesson, run, self._setting(message, learner, now, frozenset()))

    def since(self, person: str) -> datetime | None:
        """When the lessons last put something before this person that waits for an answer, for choosing between skills."""
        with self._database.reading() as connection:
            learner = records.load(connection, person)
        return learner.focus.at if learner is not None and learner.focus.what else None

    def home(self, person: str, language: str) -> tuple[Choice, ...]:
        """What a page of one's own offers: go on or the next lesson, the list, delete."""
        with self._database.reading() as connection:
            learner = records.load(connection, person) or Learner(person)
        setting = cards.Setting(language if language in LANGUAGES else "en", self._now().date(), self._rules.grace_days)
        return cards.home(learner, self.catalogue, setting)

    def stop(self, person: str) -> bool:
        """End every question to come for a person at once, for a stop word said elsewhere; whether there was anything."""
        now = self._now()
        with self._database.writing() as connection:
            before = records.load(connection, person)
            if before is None or (before.reminders_since is None and not before.focus.what):
                return False
            after, _ = move(before, Stop(), self.catalogue, now)
            records.save(connection, after, before, now)
            outbox.withdraw(connection, person, KIND, now.timestamp())
        return True

    def erase(self, person: str) -> bool:
        """Remove everything kept about a person's lessons; whether there was anything."""
        with self._database.writing() as connection:
            outbox.withdraw(connection, person, KIND, self._now().timestamp())
            return records.erase(connection, person)

    def with_suggestion(self, reply: Reply, message: Message) -> Reply:
        """An answer with "Two-minute lesson: ..." added where a lesson fits its citations; else the answer unchanged."""
        if reply.outcome is not Outcome.ANSWERED or not reply.citations or reply.choices:
            return reply
        done: frozenset[str] = frozenset()
        if message.person is not None:
            with self._database.reading() as connection:
                learner = records.load(connection, message.person.id)
            done = learner.finished | {learner.open} if learner is not None else done
        places = tuple((citation.document, citation.section) for citation in reply.citations)
        lesson = suggest(places, (), self.catalogue, self._now().date(), self._rules.grace_days, done)
        if lesson is None:
            return reply
        p, title = phrases.phrases(reply.language), lesson.words(reply.language).title
        button = Choice(p.suggestion_button.format(title=title)[:75], cards.value("start", lesson.id), title)
        line = p.suggestion.format(title=title, number=lesson.number)
        return replace(reply, markdown=f"{reply.markdown}\n\n{line}", choices=(button,))

    # -- understanding ---------------------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC).replace(microsecond=0)

    def _wanted(self, message: Message, learner: Learner | None, now: datetime) -> _Wanted | None:
        pressed = message.action.value if message.action is not None else message.text.strip()
        if VALUE.fullmatch(pressed):
            return self._pressed(pressed.removeprefix(cards.PREFIX).split(":"), learner)
        if message.action is not None:
            return None
        asked = phrases.request(message.text, self.catalogue)
        if asked is not None:
            return self._asked(asked)
        return self._typed(message, learner, now) if learner is not None else None

    def _asked(self, asked: phrases.Request) -> _Wanted:
        match asked.asked:
            case "list":
                return _Wanted(Look("list"), language=asked.language)
            case "advise":
                return _Wanted(Look("advice"), language=asked.language)
            case "delete_all":
                return _Wanted(Look("delete"), language=asked.language)
            case "lesson":
                return _Wanted(Start(asked.lesson), language=asked.language)

    def _pressed(self, parts: list[str], learner: Learner | None) -> _Wanted | None:
        """A button's value. One that does not parse leads to the list, never to an error."""
        match parts:
            case ["start", lesson]:
                return _Wanted(Start(lesson))
            case ["go", lesson, step, revision, ("next" | "back") as way] if step.isdigit():
                return _Wanted(Step(lesson, int(step), revision, back=way == "back"))
            case ["go", lesson, step, revision, option] if step.isdigit() and option.isdigit():
                return _Wanted(Answer(lesson, int(step), revision, int(option)))
            case ["return", lesson, day, content, option] if day.isdigit() and option.isdigit():
                return _Wanted(AnswerReturn(lesson, int(day), content, int(option)))
            case ["delete", "yes"]:
                return _Wanted(other="erase")
            case ["delete"]:
                return _Wanted(Look("delete"))
            case ["keep"]:
                return _Wanted(Look(""))
            case ["remind"]:
                return _Wanted(Remind())
            case ["later"]:
                return _Wanted(Later())
            case ["stop"]:
                return _Wanted(Stop())
            case ["resume"]:
                return self._resume(learner)
        return _Wanted(Look("list"))

    def _resume(self, learner: Learner | None) -> _Wanted:
        return _Wanted(Start(learner.open)) if learner is not None and learner.open else _Wanted(other="nothing")

    def _typed(self, message: Message, learner: Learner, now: datetime) -> _Wanted | None:
        """A bare word, number or option, read by what was last shown. Stop and resume work at any time."""
        text = message.text
        said = phrases.word(text)
        command = said[0] if said else ""
        what = learner.focus.what if _attentive(learner, now) else ""
        if command == "stop" and (learner.reminders_since is not None or what):
            return _Wanted(Stop())
        if command == "resume" and learner.open:
            return self._resume(learner)
        if not what:
            return None
        if what == "return":
            return self._typed_return(text, learner)
        if what == "list":
            lesson = phrases.named(text, self.catalogue, "es" if learner.language == "es" else "en")
            return _Wanted(Start(lesson.id)) if lesson is not None else _words(command)
        shown = self._last_shown(message, learner, now)
        if shown is None:
            return None
        if text.strip().isdigit() and what == "lesson" and not shown.choices[0].label.isdigit():
            return None  # on a page with sources a number opens a source
        options = tuple(choice.describes.partition(". ")[2] or choice.label for choice in shown.choices)
        typed = phrases.option(text, options) or phrases.option(text, tuple(choice.label for choice in shown.choices))
        if typed is not None:
            return self._pressed(shown.choices[typed - 1].value.removeprefix(cards.PREFIX).split(":"), learner)
        matching = [c for c in shown.choices if command and c.value.split(":")[-1] == command]
        if matching:
            return self._pressed(matching[0].value.removeprefix(cards.PREFIX).split(":"), learner)
        return self._words_after(command, what, learner, shown)

    def _last_shown(self, message: Message, learner: Learner, now: datetime) -> Reply | None:
        """The card before the person, made again, so that numbers and labels mean its buttons."""
        focus, setting = learner.focus, self._setting(message, learner, now, frozenset())
        lesson, run = self.catalogue.get(focus.lesson), learner.run(focus.lesson)
        if focus.what == "delete":
            return cards.plain("delete_ask", setting)
        if focus.what == "advice":
            return cards.advice(learner, self.catalogue, setting, is_new=False)
        if lesson is None or run is None:
            return None
        if run.step == DONE:
            return cards.done(lesson, run, learner, self.catalogue, setting, ())
        return (cards.question if run.step >= FIRST_QUIZ else cards.page)(lesson, run, setting)

    def _words_after(self, command: str, what: str, learner: Learner, shown: Reply) -> _Wanted | None:
        """Command words that are not the last part of a button's value."""
        if what == "delete":
            return {"delete": _Wanted(other="erase"), "later": _Wanted(Look(""))}.get(command)
        if command == "again" and what == "done":
            return _Wanted(Start(learner.focus.lesson))
        starts = [c for c in shown.choices if c.value.startswith(cards.value("start", ""))]
        if command in ("next", "start") and what in ("done", "advice"):
            return self._pressed(starts[0].value.removeprefix(cards.PREFIX).split(":"), learner) if starts else None
        return _words(command)

    def _typed_return(self, text: str, learner: Learner) -> _Wanted | None:
        lesson, day = self.catalogue.get(learner.focus.lesson), learner.focus.day
        if lesson is None or day not in RETURN_DAYS:
            return None
        asked = lesson.words(learner.language).returns[RETURN_DAYS.index(day)]
        chosen = phrases.option(text, asked.options)
        sent = learner.returned(lesson.id, day)
        content = sent.content if sent is not None else lesson.content
        return _Wanted(AnswerReturn(lesson.id, day, content, chosen)) if chosen else None

    # -- showing ---------------------------------------------------------------------------------------------------------

    def _setting(self, message: Message, learner: Learner, now: datetime, approved: frozenset[tuple[str, str]]) -> cards.Setting:
        rules = self._rules
        role = message.role or (message.person.role if message.person else None)
        language = learner.language or "en"
        return cards.Setting(language, now.date(), rules.grace_days, rules.contact, rules.crisis_line, role, approved)

    def _held(self, event: Event, setting: cards.Setting) -> bool:
        """Whether the event would show a lesson that is held back for review."""
        lesson = self.catalogue.get(event.lesson) if isinstance(event, (Start, Step, Answer, AnswerReturn)) else None
        return lesson is not None and lesson.held(setting.today, setting.grace_days)

    def _show(self, learner: Learner, shown: Shown, setting: cards.Setting, *, is_new: bool, had_lesson: bool) -> Reply:
        p, lesson = setting.phrases, self.catalogue.get(shown.lesson)
        if shown.what == "step" and lesson is not None:
            notes = {"": (), "kept": (p.kept_answer,), "updated": (p.updated,)}[shown.note]
            return self._step(lesson, learner, shown, setting, notes)
        if shown.what == "return" and lesson is not None:
            return cards.return_feedback(lesson, shown, setting)
        match shown.what:
            case "advice":
                return cards.advice(learner, self.catalogue, setting, is_new=is_new)
            case "later":
                return cards.plain("later" if had_lesson else "nothing_open", setting)
            case "stopped":
                return cards.plain("stopped" if had_lesson else "stopped_reminders", setting)
            case "reminders":
                return cards.plain("reminders_on" if learner.finished else "reminders_later", setting)
            case "delete":
                return cards.plain("delete_ask", setting)
            case "kept":
                return cards.plain("delete_kept", setting)
        return cards.listing(learner, self.catalogue, setting, is_new=is_new)

    def _step(self, lesson: Lesson, learner: Learner, shown: Shown, setting: cards.Setting, notes: tuple[str, ...]) -> Reply:
        run = learner.run(lesson.id)
        assert run is not None  # the course shows only lessons that have a run
        before = (*notes, *cards.feedback(lesson, shown.answered, setting))
        if run.step == DONE:
            return cards.done(lesson, run, learner, self.catalogue, setting, before)
        if run.step >= FIRST_QUIZ:
            # Who can see what is said before anything is asked for the first time.
            asked_before = any(other.answers for other in learner.runs)
            return cards.question(lesson, run, setting, before if asked_before else (*before, setting.phrases.privacy))
        numbers = cards.cited(lesson, run.step, setting.language)
        citations = self._sources.citations(lesson, numbers, setting.language, setting.today)
        page = cards.page(lesson, run, setting, citations)
        return replace(page, markdown="\n\n".join([*notes, page.markdown])) if notes else page

    def _elsewhere(self, message: Message, now: datetime) -> Reply | None:
        """In a channel or a group only a clear request is answered, and only with where to go."""
        wanted = self._wanted(message, None, now)
        if wanted is None:
            return None
        lesson = self.catalogue.get(wanted.event.lesson) if isinstance(wanted.event, Start) else None
        language = _language(message, wanted, None)
        return cards.elsewhere(lesson, cards.Setting(language, now.date(), self._rules.grace_days))


def _words(command: str) -> _Wanted | None:
    """Command words that mean the same whatever is shown."""
    if command == "later":
        return _Wanted(Later())
    if command == "delete":
        return _Wanted(Look("delete"))
    return _Wanted(Remind()) if command == "remind" else None


def _private(message: Message) -> bool:
    return message.place is None or message.place.kind == "personal"


def _attentive(learner: Learner, now: datetime) -> bool:
    return learner.focus.at is not None and now - learner.focus.at <= ATTENTION


def _language(message: Message, wanted: _Wanted, learner: Learner | None) -> str:
    """The language typed, else the one the lessons run in, else the one the message says."""
    said = (message.language or "")[:2]
    known = learner.language if learner is not None else ""
    return wanted.language or known or (said if said in LANGUAGES else "en")
