"""The helpers' side of a hand-off: what is written and pressed in their thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.assistant.compose import escape
from bot.errors import NotAllowed, NotFound, SignpostError
from bot.handoff import cases
from bot.handoff.cards import reply
from bot.handoff.cases import Case
from bot.handoff.desk import HELPERS_LANGUAGE, Desk, act, parsed, shown_name
from bot.handoff.outgoing import Outgoing, relay_key
from bot.handoff.passing import Passed
from bot.messages import Message, Person, Reply

Draft = Callable[[Case, str], str]
"""Makes a draft document of a case for an author; returns the version's id. Raises SignpostError."""


@dataclass(frozen=True)
class Between:
    """What is said in a helpers' thread, and the part of the message that may be kept."""

    reply: Reply
    kept: str


class Helping:
    """What helpers, and operators, are answered."""

    def __init__(self, desk: Desk, draft: Draft) -> None:
        self._desk = desk
        self._draft = draft

    def between(self, message: Message) -> Between | None:
        """What is said to words or presses in a helpers' thread; None anywhere else. No rule about questions decides here: a
        helper who quotes one, or names a hotline, is answering."""
        case = self._helping(message)
        if case is None or message.person is None:
            return None
        if message.action is not None:
            what, case_id = parsed(message.action.value)
            if what != "answer":
                return Between(self._helped(case_id, what, message.person), "") if what else None
        passed = self._desk.passing(message.text)
        if not passed.text:
            return None
        with self._desk.database.writing() as connection:
            current = cases.find(connection, case.id) or case
            return Between(self._relayed(connection, current, message, passed), passed.text)

    def _helping(self, message: Message) -> Case | None:
        place = message.place
        if place is None or place.kind == "personal" or not place.thread:
            return None
        with self._desk.database.reading() as connection:
            return cases.by_thread(connection, place.platform, place.channel, place.thread)

    def _relayed(self, connection: Connection, case: Case, message: Message, passed: Passed) -> Reply:
        assert message.person is not None
        cards, now = self._desk.helpers_cards, self._desk.now()
        if not case.person:
            return cards.told(case, "asker_gone")
        if case.state in cases.ENDED:
            return cards.told(case, "is_closed")
        name = cases.name_of(connection, message.person.id)
        who = name or self._desk.cards(case.language).words.role
        key = f"{case.id}:{act(message)}"
        if cases.write(connection, key, case, "helper", passed.text, now, person=message.person.id, shown=who):
            out = Outgoing(connection, now)
            out.unsay_reminder(case)
            case = cases.change(connection, case, now, state="answered", answered_at=case.answered_at or now)
            out.to_asker(case, self._desk.cards(case.language).answer(case, who, passed.text), relay_key(key))
        shown = name or cards.words.role
        return cards.relayed(case, shown, named=bool(name), hidden=passed.hidden(HELPERS_LANGUAGE))

    def _helped(self, case_id: str, what: str, person: Person) -> Reply:
        """A button in a helpers' thread."""
        cards, now = self._desk.helpers_cards, self._desk.now()
        if what == "draft":
            return self._guidance(case_id, shown_name(person.name) or person.id)
        with self._desk.database.writing() as connection:
            case = cases.find(connection, case_id)
            if case is None:
                return cards.plain("gone")
            match what:
                case "name":
                    name = shown_name(person.name)
                    cases.show_name(connection, person.id, name, now)
                    return cards.told(case, "name_shown", name=name) if name else cards.told(case, "name_unknown")
                case "noname":
                    cases.show_name(connection, person.id, "", now)
                    return cards.told(case, "name_hidden")
                case "close" if case.state in cases.LIVE:
                    return self._closed(connection, case, "helper")
                case "reopen" if case.state in cases.ENDED and case.person:
                    state = "answered" if case.answered_at else "open"
                    case = cases.change(connection, case, now, state=state, closed_at=None, closed_by="")
                    return cards.told(case, "reopened")
            return cards.told(case, "closed_already")

    def _closed(self, connection: Connection, case: Case, by: str) -> Reply:
        """Close a case; an asker who got no answer is told."""
        now, cards = self._desk.now(), self._desk.helpers_cards
        case = cases.change(connection, case, now, state="closed", closed_at=now, closed_by=by, wants="")
        out = Outgoing(connection, now)
        out.unsay_ask(case)
        out.unsay_reminder(case)
        if case.answered_at is not None or not case.person:
            return cards.told(case, "closed_quietly")
        out.to_asker(case, self._desk.cards(case.language).closed(case), f"closed:{int(now)}")
        return cards.told(case, "closed_here")

    def close(self, case_id: str) -> bool:
        """Close a case for an operator; False when it is unknown or closed already."""
        with self._desk.database.writing() as connection:
            case = cases.find(connection, case_id)
            if case is None or case.state not in cases.LIVE:
                return False
            self._closed(connection, case, "operator")
            return True

    def _guidance(self, case_id: str, author: str) -> Reply:
        """The button that makes a draft document of the exchange."""
        cards = self._desk.helpers_cards
        with self._desk.database.reading() as connection:
            case = cases.find(connection, case_id)
        if case is None:
            return cards.plain("gone")
        if case.draft:
            return cards.told(case, "drafted_already", version=case.draft)
        try:
            version = self.draft(case_id, author)
        except SignpostError as error:
            return reply(escape(error.message), cards.language, "not_drafted")
        return cards.told(replace(case, draft=version), "drafted", version=version)

    def draft(self, case_id: str, author: str) -> str:
        """A draft document of an exchange, in the library for somebody else's review; returns its version. It is made once.

        Raises NotFound for an unknown case, NotAllowed without an answer or an author, and what the library refuses with."""
        with self._desk.database.reading() as connection:
            case = cases.find(connection, case_id)
            answered = any(line.role == "helper" for line in cases.lines(connection, case_id))
        if case is None:
            raise NotFound(f"no hand-off is called '{case_id}'")
        if case.draft:
            return case.draft
        if not answered:
            raise NotAllowed(self._desk.helpers_cards.words.no_answer_yet, code="no_answer")
        if not author.strip():
            raise NotAllowed("a draft needs the name of its author", code="author_missing")
        version = self._draft(case, author.strip())
        with self._desk.database.writing() as connection:
            cases.change(connection, case, self._desk.now(), draft=version)
        return version
