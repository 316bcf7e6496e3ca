"""A person, one tap away, in Teams: a thread of helpers, answered by mention or in a box, once in the asker's chat."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.teams import cards
from bot.knowledge.library import utc_now
from bot.outbox import Outbox
from bot.store import open_database
from tests.adapters.teams.conftest import Served, teams_settings, wait_until
from tests.adapters.teams.test_app import buttons, open_rows
from tests.doubles.clock import Clock
from tests.doubles.teams import TENANT, Fault, TeamsDouble
from tests.handoff.bench import Bench

HELPERS = "19:helpers@thread.tacv2"
Q = "May Timmy Jones use a chatbot for homework?"
BEN = {"from": {"id": "29:ben", "name": "Ben Ortiz", "aadObjectId": "ffff0000-0000-4000-8000-00000000000b"}}


class Office:
    """The Teams door over the parts of a hand-off, before the double."""

    def __init__(self, folder: Path, teams: TeamsDouble) -> None:
        self.teams = teams
        settings = teams_settings(folder, teams, handoff_teams_channel=HELPERS, contact="Dana Reed, ext. 12")
        self.database = open_database(settings.url)
        self.bench = Bench(self.database, settings, Clock(utc_now()))
        self.served = Served(settings, self.bench.turn)  # type: ignore[arg-type]
        self.bench.outbox = Outbox(self.served.database, self.served.inbox, settings, utc_now)

    def __enter__(self) -> Office:
        self.served.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.served.__exit__(*error)
        self.database.close()

    def look(self) -> None:
        """Whatever is due is done."""
        for _ in range(2):
            wait_until(lambda: not open_rows(self.served))
            asyncio.run_coroutine_threadsafe(self.bench.look(), self.served.loop).result(30)
            wait_until(lambda: not open_rows(self.served))

    def knock(self, activity: dict[str, Any]) -> int:
        """Deliver an activity and let everything that follows happen."""
        status = self.served.post(activity, self.teams.token()).status_code
        self.look()
        return status

    def say(self, text: str, conversation: str = "a:chat", /, **changes: Any) -> None:
        """Somebody writes."""
        assert self.knock(self.teams.activity(text, conversation, **changes)) == 202

    def push(self, label: str, conversation: str = "a:chat", written: str = "", **changes: Any) -> None:
        """Somebody presses the newest button of this label."""
        for sent in reversed(self.teams.sent(conversation)):
            for button in buttons(sent):
                if button["title"] == label:
                    data = {**button["data"], **({cards.WRITTEN: written} if written else {})}
                    activity = self.teams.press({**button, "data": data}, sent["id"], conversation, **changes)
                    assert self.knock(activity) == 200
                    return
        raise AssertionError(f"no button '{label}' among {self.teams.texts(conversation)}")

    def threads(self) -> list[str]:
        """The threads in the helpers' channel."""
        return [name for name in self.teams.messages if name.startswith(HELPERS)]

    def told(self) -> str:
        """The last thing said in the asker's chat."""
        return str(self.teams.sent("a:chat")[-1]["text"])

    def handed(self, label: str = "Send without my name") -> str:
        """Ana asks, nothing covers it, she wants a person; the helpers' thread."""
        self.say(Q)
        self.say("person")
        self.push(label)
        [thread] = self.threads()
        return thread


@pytest.fixture
def office(tmp_path: Path, blank: Path, teams: TeamsDouble) -> Iterator[Office]:
    shutil.copy(blank, tmp_path / "signpost.db")
    with Office(tmp_path, teams) as made:
        made.served.post(
            teams.activity(
                "",
                HELPERS,
                type="conversationUpdate",
                membersAdded=[{"id": teams.activity()["recipient"]["id"]}],
            ),
            teams.token(),
        )
        wait_until(lambda: teams.texts(HELPERS))
        teams.messages.pop(HELPERS)
        yield made


def test_a_question_starts_a_thread_without_a_name_and_without_the_students(office: Office) -> None:
    thread = office.handed()
    [asked] = office.teams.sent(thread)
    assert "use a chatbot for homework?" in asked["text"]
    assert "did not give a name" in asked["text"]
    for secret in ("Timmy", "Jones", "Ana"):
        assert secret not in str(asked)
    assert "I sent your question" in office.told()
    assert office.teams.violations == []


def test_with_her_name_only_when_she_says_so(office: Office) -> None:
    thread = office.handed("Send with my name")
    assert "Asked by Ana." in office.teams.texts(thread)[0]


def test_a_reply_that_mentions_us_comes_back_to_the_askers_chat_once(office: Office) -> None:
    thread = office.handed()
    reply = office.teams.activity("Yes, for drafts.", thread, **BEN)
    for _ in range(3):  # Teams resends
        assert office.knock(reply) == 202
    relays = [text for text in office.teams.texts("a:chat") if "answers your question" in text]
    assert len(relays) == 1
    assert "Yes, for drafts." in relays[0]
    assert "Ben" not in relays[0]
    assert "Passed on to the person who asked" in office.teams.texts(thread)[-1]
    assert office.bench.case().state == "answered"


def test_a_reply_without_a_mention_is_heard_where_teams_lets_us_hear_it(office: Office) -> None:
    thread = office.handed()
    office.say("ignored", thread, text="No mention.", entities=[], **BEN)
    assert "No mention." in office.told()


def test_an_answer_written_in_the_box_comes_back_and_the_helper_may_be_named(office: Office) -> None:
    thread = office.handed()
    office.push("Send the answer", thread, "Yes, with the 2026 form.", **BEN)
    assert "A person from the help team" in office.told()
    assert "Yes, with the 2026 form." in office.told()
    office.push("Show my name", thread, **BEN)
    office.push("Send the answer", thread, "And keep a copy.", **BEN)
    assert "Ben Ortiz" in office.told()
    assert "And keep a copy." in office.told()
    assert office.teams.violations == []


def test_an_empty_box_sends_nothing(office: Office) -> None:
    thread = office.handed()
    before = len(office.teams.sent("a:chat"))
    office.push("Send the answer", thread, "   ", **BEN)
    assert len(office.teams.sent("a:chat")) == before


def test_the_asker_writes_back_and_ends_it(office: Office) -> None:
    thread = office.handed()
    office.say("Yes.", thread, **BEN)
    office.push("Write back")
    office.say("Also at home?")
    assert "Also at home?" in office.teams.texts(thread)[-1]
    office.push("Resolved")
    assert office.bench.case().state == "resolved"
    assert "resolved" in office.teams.texts(thread)[-1]


def test_where_the_app_is_not_in_the_helpers_team_the_contact_is_named(office: Office) -> None:
    office.teams.faults.append(
        Fault("403", body={"error": {"code": "Forbidden"}}, when=lambda path, body: path == "v3/conversations")
    )
    office.say(Q)
    office.say("person")
    office.push("Send without my name")
    office.look()
    assert "Dana Reed, ext. 12" in office.told()
    assert office.bench.case().state == "failed"
    office.push("Try again")
    assert len(office.threads()) == 1


@pytest.mark.parametrize("kind", ["drop_after", "502"])
def test_a_lost_answer_posts_the_question_once(office: Office, kind: str) -> None:
    office.teams.faults.append(Fault(kind, when=lambda path, body: path == "v3/conversations"))
    office.say(Q)
    office.say("person")
    office.push("Send without my name")
    questions = [text for name in office.threads() for text in office.teams.texts(name) if "A question for a person" in text]
    assert len(questions) == 1
    # Of a question that may stand, a note with a button is posted besides; helpers answer below either.
    last = office.threads()[-1]
    office.say("Yes.", last, **BEN)
    assert "Yes." in office.told()


def test_another_tenants_question_never_reaches_the_helpers(office: Office) -> None:
    other = {"conversation": {"id": "a:other", "conversationType": "personal", "tenantId": "bbbb"}}
    changes = {**other, "channelData": {"tenant": {"id": "bbbb"}}}
    office.say(Q, "a:other", **changes)
    office.say("person", "a:other", **changes)
    assert "Dana Reed, ext. 12" in office.teams.texts("a:other")[-1]
    assert office.threads() == []
    assert TENANT != "bbbb"
