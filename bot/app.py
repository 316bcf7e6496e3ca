"""The composition root: builds the whole from settings, once. Heavy parts are made when first needed."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bot.hours import quiet_hours
from bot.knowledge.library import BASE, Library, utc_now
from bot.progress import Progress, quiet
from bot.settings import Settings, load
from bot.store import Database, open_database
from bot.store.incidents import incident

if TYPE_CHECKING:
    from bot.assistant.assistant import Assistant
    from bot.handoff.conversation import Handoff
    from bot.handoff.tending import Tending
    from bot.inbox import Inbox
    from bot.knowledge.blocks import Extract, Finding
    from bot.knowledge.embedding import Embedder
    from bot.knowledge.intake import Described
    from bot.knowledge.library import Added
    from bot.literacy.conversation import Lessons
    from bot.messages import Answered, Choice, Citation, Message, Person
    from bot.outbox import Outbox
    from bot.readiness.conversation import Readiness
    from bot.readiness.rounds import Rounds
    from bot.schedule import Schedule
    from bot.turn import Turn, Walked

_log = logging.getLogger("signpost.app")

FIXED = (
    "readiness.",
    "lesson.",
    "handoff.",
    "apology",
    "thanks",
    "ask_person",
    "help",
    "privacy",
    "why",
    "forget_sure",
    "forgotten",
    "forget_held",
    "kept",
    "opened",
    "nothing_before",
    "no_such_quote",
)
"""Ids of the fixed texts that skills and commands say; see :class:`bot.turn.guards.Guards`."""


class App:
    """Everything a command or a server needs, made lazily from one Settings."""

    def __init__(self, settings: Settings | None = None, progress: Progress = quiet, *, brief: bool = False) -> None:
        """``brief`` is for a command that asks once and ends: nothing is prepared for later questions."""
        self._brief = brief
        self.settings = settings or load()
        self.progress = progress

    @cached_property
    def database(self) -> Database:
        """The database, migrated."""
        return open_database(self.settings.url, self.settings.data_keys)

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder the settings name; loads at first use."""
        from bot.knowledge.embedding import embedder_from

        return embedder_from(self.settings)

    def load_ahead(self) -> None:
        """Begin to load the models in another thread, for a command that needs them in a moment. What fails there fails again,
        and is told, where it is used."""
        from bot.knowledge.embedding import shipped

        def load() -> None:
            from bot.assistant.cross_encoder import cross_encoder
            from bot.guardrails.reader import reader
            from bot.guardrails.tagger import tagger

            for model in (self.embedder.load, reader, tagger, cross_encoder().load):
                with suppress(Exception):
                    model()

        if shipped(self.embedder):
            threading.Thread(target=load, name="loading").start()

    @cached_property
    def library(self) -> Library:
        """The vetting steps, with the shipped documents taken in."""
        library = Library(self.database, self.embedder, self.settings)
        if self.settings.starter_library:
            from bot.knowledge.starter import sync

            sync(library, sample=self.settings.sample_organization, progress=self.progress)
        else:
            library.ensure_organization(BASE, BASE)
        return library

    def take_in(self, path: Path, described: Described, *, author: str, organization: str | None) -> Added:
        """Read a file, scan it for what speaks to assistants, and add it as a draft. See :func:`bot.knowledge.intake.take_in`."""
        from bot.knowledge.intake import take_in

        return take_in(self.library, self.settings, path, described, author=author, organization=organization, scan=self._scan)

    def _scan(self, extract: Extract) -> tuple[Finding, ...]:
        """What a reviewer must look at in a file. The fitted reader knows the shipped embedder's vectors only."""
        from bot.guardrails.documents import review
        from bot.knowledge.embedding import shipped

        return review(extract, self.embedder.read if shipped(self.embedder) else None)

    @cached_property
    def assistant(self) -> Assistant:
        """The assistant over every published shelf."""
        return self.make_assistant(with_model=self.settings.has_model)

    def make_assistant(self, *, with_model: bool) -> Assistant:
        """An assistant of one's own, with or without the chat model; for comparing them."""
        from bot import prompts
        from bot.assistant.assistant import Assistant
        from bot.assistant.pointing import Pointer
        from bot.knowledge.shelf import Shelves
        from bot.knowledge.vector_index import VectorIndex

        if not self._brief:
            prompts.check()  # one question reads, and so checks, the files it needs
        library = self.library
        pointer = restater = None
        if with_model:
            from bot.assistant.restating import Restater
            from bot.models import ChatModel

            chat = ChatModel(self.settings)
            pointer = Pointer(chat)
            restater = Restater(chat) if self.settings.plain_words else None
        shelves = Shelves(library.database, self.embedder, VectorIndex(self.settings), utc_now, background=not self._brief)
        return Assistant(shelves, self.embedder, self.settings, utc_now, pointer, restater)

    @cached_property
    def lessons(self) -> Lessons:
        """The literacy lessons."""
        from bot.literacy.conversation import build

        return build(self.settings, self.database, utc_now)

    @cached_property
    def readiness(self) -> Readiness:
        """The readiness check."""
        from bot.readiness.conversation import Readiness
        from bot.readiness.guidance import Remembered

        settings = self.settings
        return Readiness(
            self.database,
            utc_now,
            find=Remembered(self._guidance, self._guidance_state),
            contact=settings.readiness_contact,
            min_group=settings.readiness_min_group,
        )

    @cached_property
    def handoff(self) -> Handoff:
        """Reaching a person."""
        from bot.handoff.cards import Office
        from bot.handoff.conversation import Handoff
        from bot.handoff.desk import Desk
        from bot.handoff.drafting import Drafting

        settings = self.settings
        hours = quiet_hours(settings.quiet_hours, settings.time_zone)
        office = Office(settings.handoff_name, settings.handoff_reply_time, settings.contact, hours.zone)
        drafting = Drafting(lambda: self.library, settings, self._scan, utc_now)
        return Handoff(Desk(self.database, settings, utc_now, office), drafting)

    @cached_property
    def handoff_tending(self) -> Tending:
        """What happens to hand-offs with time."""
        from bot.handoff.tending import Tending

        settings = self.settings
        hours = quiet_hours(settings.quiet_hours, settings.time_zone)
        handoff = self.handoff
        return Tending(handoff.desk, handoff.asking, hours, settings.handoff_remind_hours, settings.keep_handoff_days)

    @cached_property
    def turn(self) -> Turn:
        """The walk of a message, with its guardrails and its skills."""
        from bot.guardrails import screening
        from bot.guardrails.organizations import Organizations
        from bot.guardrails.second import second_look
        from bot.turn import Turn
        from bot.turn.alarm import Alarm
        from bot.turn.guards import Guards
        from bot.turn.open_skills import OpenSkills

        organizations = Organizations(self.settings.policy_dir)
        organizations.check()
        screening.check()
        look, shelves = second_look(self.settings), self.assistant.shelves
        guards = Guards(self.embedder, self.settings, self.assistant.addresses, FIXED, organizations, look, shelves)
        return Turn(
            self.assistant,
            self.database,
            self.settings,
            utc_now,
            screen=guards.screen,
            inspect=guards.inspect,
            look_again=guards.look_again,
            skills=(OpenSkills(self.readiness, self.lessons, reminding=(self.lessons,)),),
            handoff=self.handoff,
            forgetters=(self.handoff.erase,),
            accompany=self.lessons.with_suggestion,
            alarm=Alarm(self.database, self.settings, utc_now),
        )

    def home_choices(self, person: Person, language: str) -> tuple[Choice, ...]:
        """The check and the lessons as a page of one's own offers them: begin or go on, results, delete."""
        return (*self.readiness.home(person.id, language), *self.lessons.home(person.id, language))

    def _guidance(self, question: Message) -> tuple[Citation, ...]:
        """What the library says to a question of a skill; the answer is not recorded."""
        return self.assistant.answer(question).reply.citations

    def _guidance_state(self, question: Message) -> tuple[object, ...]:
        """What that answer rests on: the generations of the libraries asked, and the day."""
        libraries = dict.fromkeys((BASE, question.organization or BASE))
        return (*(self.library.pointer(name) for name in libraries), utc_now().date())

    @cached_property
    def inbox(self) -> Inbox:
        """What doors hand their messages to. The turn behind it is built when the first message, or the server, needs it."""
        from bot.inbox import Inbox

        return Inbox(self.database, _TurnWhenNeeded(self), self.settings, utc_now)

    @cached_property
    def outbox(self) -> Outbox:
        """What we say unasked, on its way out."""
        from bot.outbox import Outbox

        return Outbox(self.database, self.inbox, self.settings, utc_now)

    @cached_property
    def rounds(self) -> Rounds:
        """Groups that take the check together, and their rounds."""
        from bot.readiness.instrument import instrument
        from bot.readiness.rounds import Rounds

        zone = quiet_hours(self.settings.quiet_hours, self.settings.time_zone).zone
        return Rounds(self.database, instrument(), self.settings.readiness_min_group, zone)

    @cached_property
    def schedule(self) -> Schedule:
        """What the server does by itself, with the outbox looked after at every turn of its loop."""
        from bot.jobs import jobs
        from bot.literacy.nudges import build
        from bot.readiness.instrument import instrument
        from bot.readiness.nudges import Nudges
        from bot.schedule import Schedule

        hours = quiet_hours(self.settings.quiet_hours, self.settings.time_zone)
        reminders = Nudges(self.database, instrument(), self.rounds, hours.quiet)
        known = jobs(self.settings, self.database, build(self.settings, self.database), reminders, self.rounds)
        return Schedule(self.database, known, utc_now, self._always)

    async def _always(self) -> None:
        """What every process does at every look: hand-offs are tended, and what is queued goes out."""
        try:
            await asyncio.to_thread(self.handoff_tending.tend, utc_now())
        except Exception as error:
            incident(_log, error, "handoff")
        await self.outbox.deliver()

    def ask(self, message: Message) -> Answered:
        """Answer one message and keep its receipt."""
        return self.turn.take(message)

    def close(self) -> None:
        """Give back what was opened."""
        if "database" in self.__dict__:
            self.database.close()


class _TurnWhenNeeded:
    """The turn, built once by whichever thread needs it first; the others wait."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = threading.Lock()

    def _turn(self) -> Turn:
        with self._lock:
            return self._app.turn

    def walk(self, message: Message, conversation: str) -> Walked:
        """See :meth:`bot.turn.Turn.walk`."""
        return self._turn().walk(message, conversation)

    def redact(self, message: Message) -> str:
        """See :meth:`bot.turn.Turn.redact`."""
        return self._turn().redact(message)
