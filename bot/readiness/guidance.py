"""Remembers what the library said to a move's question, for as long as the library is the same. Used by the composition root."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from bot.messages import Citation, Message

MOST = 512
"""Answers remembered in one process: fifteen questions of some thirty organizations."""


class Remembered:
    """A search for guidance that asks each fixed question once a state of the library and day.

    Only questions of the instrument come here, never a person's words; what was not found is asked again.
    """

    def __init__(self, find: Callable[[Message], tuple[Citation, ...]], state: Callable[[Message], Hashable]) -> None:
        """``state`` changes whenever an answer may: the generations of the libraries asked, the day."""
        self._find = find
        self._state = state
        self._known: OrderedDict[Hashable, tuple[Citation, ...]] = OrderedDict()

    def __call__(self, question: Message) -> tuple[Citation, ...]:
        """The citations of the answer, none where there is none."""
        key = (question.text, question.organization, question.role, question.language, self._state(question))
        known = self._known.get(key)
        if known is not None:
            return known
        found = self._find(question)
        if found:
            self._known[key] = found
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return found
