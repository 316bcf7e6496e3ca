"""What a card shows after a button was pressed: read from the stored reply, never from what the button carries."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from bot import prompts
from bot.adapters.markdown_tree import parse
from bot.adapters.teams import cards
from bot.errors import NotFound
from bot.knowledge.opening import open_citation
from bot.messages import Answered, Choice
from bot.store import Database
from bot.store.conversation_tables import inbox
from bot.store.packed import unpack_answered


class Presser(NamedTuple):
    """Who pressed, where, and in which language fixed words are said when the reply is gone."""

    person: str
    conversation: str
    language: str


class Views:
    """Cards by what is asked. A reply is shown only where it was given, or to the person it was given to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def opened(self, answer_id: str, n: int, by: Presser) -> cards.Card:
        """A quote in its place."""
        try:
            answered = self._stored(answer_id, by)
            return cards.quote(open_citation(self._database, answer_id, n), answer_id, answered.reply.language)
        except NotFound:
            return self._gone(by)

    def under(self, answer_id: str, by: Presser, asker: str = "", chosen: str = "") -> cards.Card:
        """What stands under a reply; with the choice that was made, once one was."""
        try:
            answered = self._stored(answer_id, by)
        except NotFound:
            words = prompts.messages(by.language)
            return cards.notice(words.door_chosen.format(label=chosen)) if chosen else self._gone(by)
        card = cards.under(answered.reply, answer_id, asker, chosen)
        return card or self._gone(by)

    def whole(self, answer_id: str, by: Presser) -> cards.Card:
        """A whole reply, for a person who may not have got it."""
        try:
            reply = self._stored(answer_id, by).reply
        except NotFound:
            return self._gone(by)
        return cards.whole(reply, parse(reply.markdown, {citation.n for citation in reply.citations}), answer_id)

    def choices(self, answer_id: str, by: Presser) -> tuple[Choice, ...]:
        """The choices of a reply."""
        try:
            return self._stored(answer_id, by).reply.choices
        except NotFound:
            return ()

    def claimed(self, identities: dict[str, str]) -> str:
        """Which of some acts was done: the value of the first of ``identities`` that the inbox knows, else nothing."""
        query = select(inbox.c.identity).where(inbox.c.identity.in_(list(identities)))
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(inbox.c.id)).scalar()
        return identities[found] if found is not None else ""

    def answer_of(self, conversation: str, activity_id: str) -> str | None:
        """The answer that a message of ours carries; of the conversation's last one where no message is named."""
        query = select(inbox.c.answer).where(inbox.c.conversation == conversation, inbox.c.answer.is_not(None))
        if activity_id:
            query = query.where(inbox.c.platform_id == activity_id)
        with self._database.reading() as connection:
            return connection.execute(query.order_by(inbox.c.id.desc()).limit(1)).scalar()

    def _stored(self, answer_id: str, by: Presser) -> Answered:
        query = select(inbox.c.answered, inbox.c.conversation, inbox.c.person).where(inbox.c.answer == answer_id)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None or not row.answered or (by.conversation != row.conversation and by.person != row.person):
            raise NotFound("that answer is not kept here")
        return unpack_answered(row.answered)

    @staticmethod
    def _gone(by: Presser) -> cards.Card:
        return cards.notice(prompts.messages(by.language).door_quote_gone)
