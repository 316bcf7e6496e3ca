"""The guardrails as the turn's first and last stage: gives them their surroundings and their verdict the turn's shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bot.guardrails.context import Contacts, Context
from bot.guardrails.features import Embed
from bot.guardrails.inspection import inspect
from bot.guardrails.screening import screen, screen_history
from bot.knowledge.embedding import Embedder, Vectors
from bot.messages import Handling, Message, Reply
from bot.settings import Settings
from bot.turn.stages import Screened

SOFT = (Handling.SMALLTALK, Handling.OUT_OF_SCOPE)
"""A fixed text that gives way where a skill or a command knows the words better ("stop" in the middle of a check)."""


class Guards:
    """``links`` gives the addresses a reply may carry; ``fixed`` names the fixed texts of skills and commands, which pass
    by id alone (a name ending in '.' stands for all that begin so)."""

    def __init__(
        self, embedder: Embedder, settings: Settings, links: Callable[[], tuple[str, ...]], fixed: tuple[str, ...] = ()
    ) -> None:
        self._embedder = embedder
        self._settings = settings
        self._links = links
        self._fixed = fixed

    def screen(self, message: Message) -> Screened:
        """Hide details, then decide. A button's control word is ours and passes as it is."""
        if message.action is not None and " " not in message.text.strip():
            return Screened(message.text, message.text)
        vectors: dict[str, Vectors] = {}

        def embed(text: str) -> Vectors:
            vectors[text] = np.asarray(self._embedder.encode([text])[0], dtype=np.float32)
            return vectors[text]

        verdict = screen(message.text, self._context(message, (), embed if self._fits() else None))
        return Screened(
            text=verdict.text,
            kept=verdict.text if verdict.keep else "",
            reply=verdict.reply,
            redacted=bool(verdict.redactions),
            notice=verdict.notice or "",
            rule=verdict.rule,
            soft=verdict.handling in SOFT,
            history=screen_history(message.history, self._settings.country),
            vectors=vectors,
        )

    def inspect(self, reply: Reply, message: Message) -> Reply:
        """The reply as it may be shown."""
        fixed = reply.fixed
        known = fixed is not None and any(
            fixed == name or (name.endswith(".") and fixed.startswith(name)) for name in self._fixed
        )
        context = self._context(message, self._links())
        return inspect(reply, context, frozenset({fixed}) if known and fixed else frozenset()).reply

    def _context(self, message: Message, links: tuple[str, ...], embed: Embed | None = None) -> Context:
        settings = self._settings
        return Context(
            organization=message.organization,
            language=message.language,
            country=settings.country,
            contacts=Contacts(crisis=settings.crisis_contact, general=settings.contact),
            embed=embed,
            links=links,
        )

    def _fits(self) -> bool:
        """Whether the classifier's weights were fitted on this embedder."""
        return self._embedder.name.startswith("minilm:")
