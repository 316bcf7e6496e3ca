"""The guardrails as the turn's first and last stage: gives them their surroundings and their verdict the turn's shape."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.guardrails.context import Contacts, Context
from bot.guardrails.context import Screened as Verdict
from bot.guardrails.features import Read
from bot.guardrails.inspection import inspect
from bot.guardrails.languages import language_of
from bot.guardrails.organizations import NamedContacts, Organizations
from bot.guardrails.screening import added, screen, screen_history
from bot.guardrails.second import SecondLook
from bot.guardrails.terms import terms
from bot.knowledge.embedding import Embedder, Vectors, shipped
from bot.knowledge.library import BASE
from bot.knowledge.shelf import Shelf
from bot.messages import Handling, Message, Reply
from bot.settings import Settings
from bot.turn.stages import Screened

_log = logging.getLogger("signpost.turn")

SOFT = (Handling.SMALLTALK, Handling.OUT_OF_SCOPE)
"""A fixed text that gives way where a skill or a command knows the words better ("stop" in the middle of a check)."""


class Guards:
    """``links`` gives the addresses a reply may carry; ``fixed`` names the fixed texts of skills and commands, which pass
    by id alone (a name ending in '.' stands for all that begin so); ``organizations`` knows what each adds to the policy;
    ``look`` asks services for a second look; ``shelves`` gives the libraries named, whose terms are no names."""

    def __init__(
        self,
        embedder: Embedder,
        settings: Settings,
        links: Callable[[], tuple[str, ...]],
        fixed: tuple[str, ...] = (),
        organizations: Organizations | None = None,
        look: SecondLook | None = None,
        shelves: Callable[[list[str]], list[Shelf]] | None = None,
    ) -> None:
        self._shelves = shelves
        self._terms: dict[str, tuple[int, frozenset[str]]] = {}
        self._look = look
        self._organizations = organizations or Organizations(settings.policy_dir)
        self._embedder = embedder
        self._settings = settings
        self._links = links
        self._fixed = fixed

    def screen(self, message: Message) -> Screened:
        """Hide details, then decide. A button's control word is ours and passes as it is."""
        if message.action is not None and " " not in message.text.strip():
            return Screened(message.text, message.text)
        vectors: dict[str, Vectors] = {}
        embedder = self._embedder if shipped(self._embedder) else None  # the weights know no other

        def read(text: str) -> tuple[Vectors, Vectors]:
            assert embedder is not None
            vectors[text], states = embedder.read(text)
            return vectors[text], states

        context = self._context(message, (), read if embedder else None)
        return self._shaped(screen(message.text, context), message, vectors, context)

    def look_again(self, message: Message, screened: Screened) -> Callable[[], Screened | None] | None:
        """Begin a second look at a message that was let through, where one is configured. What it adds, if anything, is asked
        for later."""
        if self._look is None or screened.reply is not None or not screened.text.strip() or message.action is not None:
            return None
        finish = self._look.start(screened.text)

        def found() -> Screened | None:
            name = finish()
            if name is None:
                return None
            handling = Handling.ANSWER_REDACTED if screened.redacted else Handling.ANSWER
            language = language_of(screened.text, message.language)
            before = Verdict(handling, screened.text, language, screened.rule, notice=screened.notice or None)
            context = self._context(message, ())
            verdict = added(before, name, context)
            again = self._shaped(verdict, message, screened.vectors, context)
            return replace(again, redacted=screened.redacted, history=screened.history)

        return found

    def _shaped(self, verdict: Verdict, message: Message, vectors: Mapping[str, Vectors], context: Context) -> Screened:
        return Screened(
            text=verdict.text,
            kept=verdict.text if verdict.keep else "",
            reply=verdict.reply,
            redacted=bool(verdict.redactions),
            notice=verdict.notice or "",
            caution=verdict.caution or "",
            rule=verdict.rule,
            soft=verdict.handling in SOFT,
            history=screen_history(message.history, self._settings.country, context.terms, context.read),
            vectors=vectors,
            alarm=verdict.rule if verdict.notify else None,
            own=verdict.own,
        )

    def inspect(self, reply: Reply, message: Message, model: str | None = None) -> Reply:
        """The reply as it may be shown. ``model`` is the chat model that took part; what it chose or wrote is labelled."""
        fixed = reply.fixed
        known = fixed is not None and any(
            fixed == name or (name.endswith(".") and fixed.startswith(name)) for name in self._fixed
        )
        took_part = model if reply.citations or reply.restatement else None
        context = replace(self._context(message, self._links()), model=took_part)
        return inspect(reply, context, frozenset({fixed}) if known and fixed else frozenset()).reply

    def _context(self, message: Message, links: tuple[str, ...], read: Read | None = None) -> Context:
        settings = self._settings
        own = self._organizations.of(message.organization)
        named = own.contacts if own is not None else NamedContacts()
        return Context(
            organization=message.organization,
            language=message.language,
            country=(own.country if own is not None else None) or settings.country,
            contacts=Contacts(
                crisis=named.crisis or settings.crisis_contact,
                general=named.general or settings.contact,
                offices=named.offices,
            ),
            policy=own,
            read=read,
            links=links,
            terms=self._known_terms(message.organization),
        )

    def _known_terms(self, organization: str | None) -> frozenset[str]:
        """The terms of the libraries an asker sees, read once a generation; none while they cannot be read, since a message
        must be screened all the same."""
        known: frozenset[str] = frozenset()
        try:
            shelves = self._shelves([BASE, *([organization] if organization else [])]) if self._shelves else []
        except Exception as error:  # whatever keeps the library from being read is told by who answers from it
            _log.warning("messages are screened without the library's terms: %s", type(error).__name__)
            return known
        for shelf in shelves:
            generation, found = self._terms.get(shelf.library, (0, known))
            if generation != shelf.generation:
                found = terms(text for v in shelf.versions.values() for text in (v.front.title, v.text))
                self._terms[shelf.library] = (shelf.generation, found)
            known |= found
        return known
