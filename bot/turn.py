"""The walk of a message: screen, answer, inspect, record. Every door calls ``Turn.take`` and renders what comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.assistant.assistant import Assistant
from bot.assistant.record import record
from bot.errors import SignpostError
from bot.knowledge.versions import read_version
from bot.messages import Answered, Message
from bot.store import Database


class Turn:
    """One message in, one reply out."""

    def __init__(self, assistant: Assistant, database: Database, clock: Callable[[], datetime]) -> None:
        self._assistant = assistant
        self._database = database
        self._clock = clock

    def take(self, message: Message) -> Answered:
        """Answer, check that every quote stands where it says, and keep the receipt."""
        answered = self._assistant.answer(message)
        self._inspect(answered)
        record(self._database, answered, message.organization, self._clock())
        return answered

    def _inspect(self, answered: Answered) -> None:
        """Nothing is shown that is not in the database, word for word, in a published version."""
        with self._database.reading() as connection:
            for citation in answered.reply.citations:
                version = read_version(connection, citation.version)
                if version.text[citation.start : citation.end] != citation.quote or version.state != "published":
                    raise SignpostError("a quote changed while it was being shown; please ask again", code="moved")
