"""The asker's side of a hand-off: offers, what is sent and under which name, follow-ups, and how it ended for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from bot.guardrails.privacy import redact
from bot.handoff import cases
from bot.handoff.cases import MOST_QUESTION, Case
from bot.handoff.channels import HelperChannel
from bot.handoff.desk import Desk, act, aloud, parsed, shown_name
from bot.handoff.outgoing import Outgoing, twice_key
from bot.handoff.words import asks_for_person, stops
from bot.messages import Message, Outcome, Person, Place, Reply

WANTS_SECONDS = 900.0
"""How long the asker's next message counts as what was asked of them."""

MOST_NAME_WORDS = 5

PRIVATE = ("response_url", "private", "_private")
"""Marks in a row's ``reply_to`` of answers that only the asker sees: there, helpers' answers come in a message of their own."""

PASSING = ("begins", "listening", "share")
"""Marks in a row's ``reply_to`` that are about that row alone."""

PLATFORMS: tuple[Literal["slack", "teams", "web", "terminal"], ...] = ("slack", "teams", "web", "terminal")


@dataclass(frozen=True)
class Asker:
    """Who asks, where, for which organization, in which language."""

    person: str
    conversation: str
    place: Place | None
    organization: str | None
    language: str | None


class Asking:
    """What a person who wants a person is answered."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def offer(self, message: Message, conversation: str) -> Reply | None:
        """What a call for a person gets: the question as it would be sent. None where no channel is set for the asker."""
        channel = self._desk.channels.for_asker(message.place)
        if channel is None or message.person is None:
            return None
        where = conversation or message.person.id
        with self._desk.database.writing() as connection:
            asked = cases.last_question(connection, message.person.id, where) if conversation else None
            question = asked.text if asked is not None else _from_history(message)
            live = cases.of_person(connection, message.person.id, where, cases.LIVE)
            if live is not None and (not question or question[:MOST_QUESTION] == live.question):
                return self._desk.cards(message.language or live.language).waiting(live, private=aloud(message))
            asker = Asker(message.person.id, where, message.place, message.organization, message.language)
            way_back = cases.way_back(connection, where)
            case = self._begun(connection, asker, channel, question, way_back, answered=bool(asked and asked.answered))
        cards = self._desk.cards(case.language)
        if not question:
            return cards.plain("which_question", private=aloud(message), asks=True)
        return cards.offer(case, private=aloud(message))

    def after_failure(self, reply: Reply, message: Message, conversation: str) -> Reply | None:
        """An answer that is not covered, with an offer when the try before it failed too; None when none is due."""
        person, channel = message.person, self._desk.channels.for_asker(message.place)
        if person is None or channel is None or not conversation or reply.outcome is not Outcome.NOT_COVERED:
            return None
        with self._desk.database.writing() as connection:
            before = cases.tries(connection, person.id, conversation, 1)
            if not before or not before[0].failed or cases.of_person(connection, person.id, conversation, cases.LIVE):
                return None
            asked = Asker(person.id, conversation, message.place, message.organization, reply.language)
            way_back = cases.way_back(connection, conversation)
            case = self._begun(connection, asked, channel, message.text, way_back, answered=False)
        cards = self._desk.cards(case.language)
        offer = cards.offer(case, private=False, lead=cards.words.offer_twice)
        return replace(reply, markdown=f"{reply.markdown}\n\n{offer.markdown}", choices=reply.choices + offer.choices)

    def offer_after(self, connection: Connection, answer: str, person: str, conversation: str) -> None:
        """Offer a person unasked where ``answer`` was given, once."""
        given = cases.given(connection, answer)
        if given is None:
            return
        team = person.split(":")[1] if person.count(":") > 1 else ""
        place = next((Place(name, team) for name in PLATFORMS if name == given.platform), None)
        channel = self._desk.channels.for_asker(place) if place is not None else None
        if channel is None:
            return
        asked = Asker(person, conversation, place, given.organization, given.language)
        case = self._begun(connection, asked, channel, given.question, given.reply_to, answered=True)
        cards = self._desk.cards(case.language)
        offer = cards.offer(case, private=False, lead=cards.words.offer_twice)
        Outgoing(connection, self._desk.now()).to_asker(case, offer, twice_key(answer))

    def _begun(
        self,
        connection: Connection,
        asker: Asker,
        channel: HelperChannel,
        question: str,
        way_back: dict[str, str] | None,
        *,
        answered: bool,
    ) -> Case:
        """A case that is offered; the one offered before in the conversation where there is one."""
        now = self._desk.now()
        values = {
            "person": asker.person,
            "conversation": asker.conversation,
            "platform": asker.place.platform if asker.place else "terminal",
            "organization": asker.organization,
            "reference": _way_back(way_back),
            "language": self._desk.cards(asker.language).language,
            "question": redact(question, self._desk.country).text[:MOST_QUESTION],
            "answered_before": answered,
            "helper_platform": channel.platform,
            "helper_channel": channel.channel,
            "helper_reference": channel.reference(""),
            "wants": "" if question else "question",
            "wants_until": now + WANTS_SECONDS,
        }
        before = cases.of_person(connection, asker.person, asker.conversation, ("offered",))
        return cases.change(connection, before, now, **values) if before else cases.begin(connection, now, **values)

    def take(self, message: Message, conversation: str, typed: str) -> Reply | None:
        """The reply to a press of ours or to a message that was asked for; None when the message is not for us. ``typed`` is
        the message as it was written, for a name that its owner wants shown."""
        if message.person is None:
            return None
        where = conversation or message.person.id
        if message.action is not None:
            what, case_id = parsed(message.action.value)
            return self._pressed(message, where, what, case_id) if what else None
        now = self._desk.now()
        with self._desk.database.reading() as connection:
            again = cases.taken_by(connection, message.person.id, where, act(message))
            if again is not None:
                return self._taken(again, private=aloud(message))
            if cases.awaiting(connection, message.person.id, where, now) is None:
                return None
        with self._desk.database.writing() as connection:
            case = cases.awaiting(connection, message.person.id, where, now)
            return self._given(connection, case, message, typed) if case is not None else None

    def is_name(self, message: Message, conversation: str, typed: str) -> bool:
        """Whether a name was asked for and this is shaped like one: a few words, each with a capital."""
        words = typed.split()
        if message.person is None or message.action is not None or not 0 < len(words) <= MOST_NAME_WORDS or "I" in words:
            return False
        if not all(word[0].isupper() and word.replace("'", "").replace("-", "").rstrip(".").isalpha() for word in words):
            return False
        with self._desk.database.reading() as connection:
            where = conversation or message.person.id
            case = cases.awaiting(connection, message.person.id, where, self._desk.now())
        return case is not None and case.wants == "name"

    def _given(self, connection: Connection, case: Case, message: Message, typed: str) -> Reply | None:
        """The words that were asked for: a question, a name, a message."""
        now, private, wanted = self._desk.now(), aloud(message), case.wants
        if stops(message.text) or asks_for_person(message.text):
            case = cases.change(connection, case, now, wants="")
            return self._desk.cards(case.language).plain("dropped", private=private) if stops(message.text) else None
        name = shown_name(typed)
        if wanted == "name" and not name:
            return self._desk.cards(case.language).plain("which_name", private=private, asks=True)
        case = cases.change(connection, case, now, wants="", taken=act(message), taken_as=wanted)
        if wanted == "question":
            question = redact(message.text, self._desk.country).text[:MOST_QUESTION]
            case = cases.change(connection, case, now, question=question)
        elif wanted == "name":
            return self._send(connection, case, name, private=private)
        else:
            passed = self._desk.passing(message.text)
            cases.write(connection, f"{case.id}:{act(message)}", case, "asker", passed.text, now)
            if case.helper_thread:
                note = self._desk.helpers_cards.asker_writes(case, passed.text)
                Outgoing(connection, now).to_helpers(case, note, f"asker:{act(message)}")
        return self._taken(case, private=private)

    def _taken(self, case: Case, *, private: bool) -> Reply:
        """What is said to words that were asked for."""
        cards = self._desk.cards(case.language)
        if case.taken_as == "question":
            return cards.offer(case, private=private)
        return cards.sent(case, private=private) if case.taken_as == "name" else cards.plain("passed_on", private=private)

    def _pressed(self, message: Message, conversation: str, what: str, case_id: str) -> Reply:
        private = aloud(message)
        with self._desk.database.writing() as connection:
            case = cases.find(connection, case_id)
            cards = self._desk.cards(message.language or (case.language if case else None))
            if case is None:
                return cards.plain("gone", private=private)
            assert message.person is not None
            if case.person != message.person.id:
                return cards.plain("not_yours", private=True)
            reference = _way_back(cases.way_back(connection, conversation))
            if conversation != case.conversation and (reference or not case.reference):
                # They go on in another place, most often the chat of one that an answer came to. What only they can see does
                # not count as one: the answer still belongs where they asked.
                case = cases.change(connection, case, self._desk.now(), conversation=conversation, reference=reference)
            return self._chosen(connection, case, what, message, private=private)

    def _chosen(self, connection: Connection, case: Case, what: str, message: Message, *, private: bool) -> Reply:
        """A button of the asker's own case."""
        cards, now = self._desk.cards(case.language), self._desk.now()
        person = message.person
        assert person is not None
        match what:
            case "send" | "signed" if case.state in ("offered", "failed"):
                return self._asked_to_send(connection, case, what == "signed", person, private=private)
            case "send" | "signed" if case.state in cases.LIVE:
                return cards.sent(case, private=private)
            case "again" if case.state == "failed":
                return self._send(connection, case, case.name, private=private)
            case "change" if case.state == "offered":
                cases.change(connection, case, now, wants="question", wants_until=now + WANTS_SECONDS)
                return cards.plain("which_question", private=private, asks=True)
            case "another":
                fresh = cases.begin(connection, now, **_copied(case), wants="question", wants_until=now + WANTS_SECONDS)
                return self._desk.cards(fresh.language).plain("which_question", private=private, asks=True)
            case "drop" if case.state == "offered":
                cases.change(connection, case, now, wants="")
                return cards.plain("dropped", private=private)
            case "withdraw" if case.state in cases.LIVE:
                return self._withdraw(connection, case, act(message), private=private)
            case "withdraw" if case.state == "withdrawn":
                return cards.plain("withdrawn", private=private)
            case "solved" if case.state in cases.LIVE:
                case = cases.change(connection, case, now, state="resolved", closed_at=now, closed_by="asker", wants="")
                Outgoing(connection, now).note(case, self._desk.helpers_cards, "asker_resolved", act(message))
                return cards.plain("resolved_noted", private=private)
            case "solved" if case.state == "resolved":
                return cards.plain("resolved_noted", private=private)
            case "unsolved" if case.helper_thread:
                return self._unsolved(connection, case, act(message), private=private)
            case "write" if case.helper_thread:
                cases.change(connection, case, now, wants="message", wants_until=now + WANTS_SECONDS)
                return cards.plain("write_now", private=private, asks=True)
        return cards.plain("closed_already", private=private)

    def _asked_to_send(self, connection: Connection, case: Case, signed: bool, person: Person, *, private: bool) -> Reply:
        name = shown_name(person.name) if signed else ""
        if signed and not name:
            now = self._desk.now()
            case = cases.change(connection, case, now, wants="name", wants_until=now + WANTS_SECONDS)
            return self._desk.cards(case.language).plain("which_name", private=private, asks=True)
        return self._send(connection, case, name, private=private)

    def _send(self, connection: Connection, case: Case, name: str, *, private: bool) -> Reply:
        now = self._desk.now()
        sending = {"state": "sending", "name": name, "wants": "", "tries": case.tries + 1, "waiting_since": now, "reminders": 0}
        case = cases.change(connection, case, now, **sending)
        Outgoing(connection, now).ask(case, self._desk.helpers_cards.ask(case))
        return self._desk.cards(case.language).sent(case, private=private)

    def _withdraw(self, connection: Connection, case: Case, name: str, *, private: bool) -> Reply:
        now = self._desk.now()
        case = cases.change(connection, case, now, state="withdrawn", closed_at=now, closed_by="asker", wants="")
        out = Outgoing(connection, now)
        if not out.unsay_ask(case):
            out.note(case, self._desk.helpers_cards, "asker_withdrew", name)
        return self._desk.cards(case.language).plain("withdrawn", private=private)

    def _unsolved(self, connection: Connection, case: Case, name: str, *, private: bool) -> Reply:
        now = self._desk.now()
        again = {"state": "open", "waiting_since": now, "reminders": 0, "closed_at": None, "closed_by": ""}
        case = cases.change(connection, case, now, **again, wants="message", wants_until=now + WANTS_SECONDS)
        Outgoing(connection, now).note(case, self._desk.helpers_cards, "asker_not_yet", name)
        return self._desk.cards(case.language).plain("not_yet_noted", private=private, asks=True)


def _way_back(reply_to: dict[str, str] | None) -> dict[str, str]:
    """How to answer where an act was done, later; empty for the person alone."""
    if not reply_to or any(name in reply_to for name in PRIVATE):
        return {}
    return {name: value for name, value in reply_to.items() if name not in PASSING and not name.startswith("_")}


def _from_history(message: Message) -> str:
    """The last question of a conversation that is not stored, as in a terminal."""
    lines = [line.text for line in message.history if line.role == "user" and not asks_for_person(line.text)]
    return lines[-1] if lines else ""


def _copied(case: Case) -> dict[str, object]:
    names = ("platform", "person", "organization", "conversation", "reference", "language", "helper_platform", "helper_channel")
    return {
        **{name: getattr(case, name) for name in names},
        "question": "",
        "helper_reference": {k: v for k, v in case.helper_reference.items() if k in ("channel", "kind", "team")},
    }
