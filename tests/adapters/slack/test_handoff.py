"""A person, one tap away: from a direct message to the helpers' channel and back, once, with a name only when it was wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.adapters.slack import app as slack
from bot.store.conversation_tables import conversation_references, engagements
from bot.store.conversation_tables import inbox as rows
from bot.store.handoff_tables import handoffs
from tests.adapters.slack.house import House
from tests.doubles.clock import Clock
from tests.doubles.slack import ANN, BEN, BOT_USER, Fault, SlackClient, SlackDouble, message, press, words
from tests.handoff.bench import Bench

pytestmark = pytest.mark.anyio

HELPERS = "C09"
DM = "D0ANN"
Q = "May Timmy Jones use a chatbot for homework?"


class Office(House):
    """The Slack door over the parts of a hand-off."""

    def __init__(self, folder: Path, double: SlackDouble, **changes: Any) -> None:
        given = {"handoff_slack_channel": HELPERS, "contact": "Dana Reed, ext. 12"} | changes
        super().__init__(folder, double, **given)
        self.clock = Clock()
        self.bench = Bench(self.database, self.settings, self.clock)
        self.turn, self.inbox = self.bench.turn, self.bench.inbox
        self.number = 0

    async def until(self) -> None:
        """Whatever is due is done, and everything accepted has ended."""
        for _ in range(3):
            await self.settled()
            await self.bench.look()
            with self.database.reading() as connection:
                found = connection.execute(select(rows.c.id, rows.c.conversation).where(rows.c.state == "answered"))
                for row in found.all():
                    assert self.inbox._runner is not None
                    self.inbox._runner.offer(row.id, row.conversation)
        await self.settled()

    def ts(self) -> str:
        """The next message's time stamp."""
        self.number += 1
        return f"1700.{self.number:06d}"

    async def say(self, client: SlackClient, text: str, channel: str = DM, user: str = ANN, **more: Any) -> None:
        """Somebody writes."""
        response = await client.event(message(text, self.ts(), channel, user, **more))
        assert response.status_code == 200
        await self.until()

    async def push(self, client: SlackClient, label: str, channel: str = DM, user: str = ANN) -> None:
        """Somebody presses the newest button of this label."""
        post, element = self.button(label, channel)
        body = press(
            element["action_id"],
            element["value"],
            post["ts"],
            channel,
            user,
            message={"thread_ts": post.get("thread_ts", post["ts"])},
        )
        assert (await client.interaction(body)).status_code == 200
        await self.until()

    def button(self, label: str, channel: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The newest message of ours with a button of this label, and the button."""
        for post in reversed(self.double.ours(channel)):
            for block in post.get("blocks") or []:
                for element in block.get("elements") or []:
                    if (element.get("text") or {}) and element.get("type") == "button" and element["text"]["text"] == label:
                        return post, element
        raise AssertionError(f"no button '{label}' in {[words(p.get('blocks')) for p in self.double.ours(channel)]}")

    def told(self, channel: str = DM) -> list[str]:
        """What we wrote in a channel."""
        return [words(post.get("blocks") or []) for post in self.double.ours(channel)]

    def thread(self) -> str:
        """The helpers' thread."""
        return str(next(m["ts"] for m in self.double.ours(HELPERS) if not m.get("thread_ts")))


@pytest.fixture
def office(double: SlackDouble, tmp_path: Path) -> Any:
    double.channel(HELPERS)
    made = Office(tmp_path, double)
    yield made
    made.close()


@asynccontextmanager
async def opened(office: Office) -> AsyncIterator[SlackClient]:
    async with office.open() as client:
        yield client


async def handed(office: Office, client: SlackClient, label: str = "Send without my name") -> None:
    """Ann asks, nothing covers it, she wants a person."""
    await office.say(client, Q)
    await office.say(client, "person")
    await office.push(client, label)


async def test_a_question_goes_to_the_helpers_without_a_name_and_without_the_students(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
    [post] = office.double.ours(HELPERS)
    said = words(post["blocks"])
    assert "May [student name] use a chatbot for homework?" in said
    assert "did not give a name" in said
    for secret in ("Timmy", "Jones", "Ann", ANN):
        assert secret not in str(post), secret
    assert "I sent your question" in office.told()[-1]


async def test_with_her_name_only_when_she_says_so(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client, "Send with my name")
    [post] = office.double.ours(HELPERS)
    assert "Asked by Ann Lee." in words(post["blocks"])


async def test_never_mind_sends_nothing(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client, "Never mind")
    assert office.double.ours(HELPERS) == []
    assert "Nothing was sent." in office.told()[-1]


async def test_a_helpers_reply_comes_back_once_where_it_was_asked_as_a_persons(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
        answer = message(
            "Yes, for drafts. <!channel> see https://oak.org/ai", "1800.000001", HELPERS, BEN, thread_ts=office.thread()
        )
        for _ in range(3):  # Slack comes again
            await client.event(answer)
        await office.until()
    asked = next(m for m in office.double.channel(DM).messages if m.get("text") == Q)
    relays = [post for post in office.double.ours(DM) if "answers your question" in words(post.get("blocks") or [])]
    assert len(relays) == 1
    said = words(relays[0]["blocks"])
    assert "A person from the help team answers your question" in said
    assert "Yes, for drafts. @channel see https://oak.org/ai" in said
    assert "not the library's" in said
    assert "<!channel>" not in str(relays[0])
    assert "Ben" not in str(relays[0])
    assert relays[0]["thread_ts"] != ""
    assert asked
    assert "Passed on to the person who asked" in office.told(HELPERS)[-1]
    assert office.bench.case().state == "answered"


async def test_a_students_name_in_a_helpers_reply_stays_behind_and_the_helper_is_told(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
        await office.say(client, "My student Maria Gomez did. Ask Dana Reed, ext. 12", HELPERS, BEN, thread_ts=office.thread())
    assert "My student [student name] did. Ask Dana Reed, ext. 12" in office.told()[-1]
    assert "I took out: a name." in office.told(HELPERS)[-1]
    with office.database.reading() as connection:
        for table in (handoffs, rows):
            assert "Gomez" not in str(connection.execute(select(table)).all())


async def test_helpers_who_talk_to_each_other_are_not_passed_on(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
        before = len(office.told())
        await office.say(client, "<@U0CAT> do you know this?", HELPERS, BEN, thread_ts=office.thread())
        assert len(office.told()) == before
        await office.say(client, "We all agree: yes.", HELPERS, "U0CAT", thread_ts=office.thread())
    assert "We all agree: yes." in office.told()[-1]


async def test_a_mention_of_us_in_the_thread_is_passed_on_and_leaves_it_open_to_the_other_helpers(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
        await office.say(client, f"<@{BOT_USER}> tell them yes", HELPERS, BEN, thread_ts=office.thread())
        await office.say(client, "and ask again in June", HELPERS, "U0CAT", thread_ts=office.thread())
    assert "tell them yes" in office.told()[-2]
    assert "and ask again in June" in office.told()[-1]


async def test_a_reply_that_sounds_like_a_rule_of_ours_is_passed_on_all_the_same(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
        await office.say(client, "If a student talks of suicide, call 988 at once.", HELPERS, BEN, thread_ts=office.thread())
    assert "call 988 at once" in office.told()[-1]


async def test_the_helper_chooses_to_be_named(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
        await office.say(client, "Yes.", HELPERS, BEN, thread_ts=office.thread())
        await office.push(client, "Show my name", HELPERS, BEN)
        await office.say(client, "And no.", HELPERS, BEN, thread_ts=office.thread())
        await office.push(client, "Hide my name", HELPERS, BEN)
        await office.say(client, "Perhaps.", HELPERS, BEN, thread_ts=office.thread())
    answers = [said for said in office.told() if "answers your question" in said]
    assert [said.split(" answers")[0] for said in answers] == [
        "A person from the help team",
        "Ben Ortiz",
        "A person from the help team",
    ]


async def test_the_asker_writes_back_and_says_how_it_ended(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
        await office.say(client, "Yes.", HELPERS, BEN, thread_ts=office.thread())
        await office.push(client, "Not yet")
        await office.say(client, "Also for Timmy Jones at home?")
        assert "Also for [student name] at home?" in office.told(HELPERS)[-1]
        assert office.bench.case().state == "open"
        await office.say(client, "At home too.", HELPERS, BEN, thread_ts=office.thread())
        await office.push(client, "Resolved")
    assert office.bench.case().state == "resolved"
    assert "resolved" in office.told(HELPERS)[-1]
    assert [m.text for m in office.bench.assistant.asked] == ["May [student name] use a chatbot for homework?"]


async def test_what_is_written_after_the_end_is_not_passed_on_until_it_is_opened_again(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
        await office.say(client, "Yes.", HELPERS, BEN, thread_ts=office.thread())
        await office.push(client, "Resolved")
        before = len(office.told())
        await office.say(client, "Great, closing.", HELPERS, BEN, thread_ts=office.thread())
        assert len(office.told()) == before
        await office.push(client, "Open again", HELPERS, BEN)
        await office.say(client, "One more thing.", HELPERS, BEN, thread_ts=office.thread())
    assert "One more thing." in office.told()[-1]


async def test_another_person_cannot_send_or_end_a_question_that_is_not_theirs(office: Office) -> None:
    async with opened(office) as client:
        await office.say(client, Q)
        await office.say(client, "person")
        await office.push(client, "Send with my name", user=BEN)
    assert office.double.ours(HELPERS) == []
    assert office.bench.case().state == "offered"


async def test_a_question_asked_in_a_channel_is_offered_to_the_asker_alone_and_answered_in_its_thread(office: Office) -> None:
    office.double.channel("C01")
    async with opened(office) as client:
        await office.say(client, f"<@{BOT_USER}> may we use it?", "C01")
        thread = office.double.ours("C01")[0]["thread_ts"]
        await office.say(client, "person", "C01", thread_ts=thread)
        [offer] = office.double.ephemerals
        send = next(e for b in offer["blocks"] if b["type"] == "actions" for e in b["elements"] if "without" in e["text"]["text"])
        await client.interaction(
            press(send["action_id"], send["value"], "1900.000001", "C01", container={"is_ephemeral": True, "thread_ts": thread})
        )
        await office.until()
        await office.say(client, "Yes, you may.", HELPERS, BEN, thread_ts=office.thread())
    last = office.double.ours("C01")[-1]
    assert "Yes, you may." in words(last["blocks"])
    assert last["thread_ts"] == thread


async def test_a_channel_that_is_gone_means_the_contact_is_named_and_another_try_offered(office: Office) -> None:
    async with opened(office) as client:
        office.double.channel(HELPERS).members.clear()
        await handed(office, client)
        assert "Dana Reed, ext. 12" in office.told()[-1]
        assert office.bench.case().state == "failed"
        office.double.channel(HELPERS).members.add(BOT_USER)
        await office.push(client, "Try again")
    assert len(office.double.ours(HELPERS)) == 1


@pytest.mark.parametrize("kind", ["drop", "drop_after", "500", "500_after"])
async def test_a_broken_connection_posts_the_question_once(office: Office, kind: str) -> None:
    async with opened(office) as client:
        await office.say(client, Q)
        await office.say(client, "person")
        office.double.faults.append(Fault(kind, "chat.postMessage"))
        _, element = office.button("Send without my name", DM)
        post = office.double.ours(DM)[-1]
        # The first post of all is the confirmation in the direct message; the fault meets the question.
        office.double.faults.clear()
        await client.interaction(press(element["action_id"], element["value"], post["ts"]))
        await office.settled()
        office.double.faults.append(Fault(kind, "chat.postMessage"))
        for _ in range(4):
            await office.until()
            await asyncio.sleep(0)
    assert office.double.faults == []
    assert len(office.double.ours(HELPERS)) == 1
    assert office.bench.case().state == "open"


async def test_killed_between_posting_and_noting_it_is_known_after_a_restart_and_a_reply_meanwhile_is_not_lost(
    office: Office, double: SlackDouble, tmp_path: Path
) -> None:
    async with opened(office) as client:
        await handed(office, client)
    # As after kill -9 in between: the post stands, nothing of it was noted.
    with office.database.writing() as connection:
        unknown = {"state": "sending", "helper_thread": "", "helper_conversation": "", "helper_reference": {}}
        connection.execute(update(handoffs).values(**unknown))
        connection.execute(conversation_references.delete().where(conversation_references.c.kind == "helper"))
        connection.execute(engagements.delete())
        ask = rows.c.identity.like("out:handoff:%:ask:%")
        again = {"state": "answered", "send_started": True, "attempts": 1, "owner": "", "lease_until": 0.0, "ended_at": None}
        connection.execute(update(rows).where(ask).values(**again, platform_id=None))
    early = message("Yes.", "1800.000009", HELPERS, BEN, thread_ts=office.thread())
    quiet = SlackClient(slack_app(office), double)
    assert (await quiet.event(early)).status_code == 500  # its thread is not known yet: Slack comes again
    await quiet.close()
    office.close()
    second = Office(tmp_path, double)
    async with second.open() as client:
        await second.until()
        assert len(double.ours(HELPERS)) == 1
        assert (await client.event(early, retry=(1, "http_error"))).status_code == 200
        await second.until()
    assert "Yes." in second.told()[-1]
    second.close()


def slack_app(office: Office) -> Any:
    """The door without its inbox at work."""
    from starlette.applications import Starlette

    return Starlette(routes=slack.routes(office))


async def test_reminders_come_twice_at_most_out_of_the_quiet_hours_and_then_the_asker_is_told(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
        await office.until()
        assert len(office.told(HELPERS)) == 1
        office.clock.pass_(hours=4.1)  # 16:06
        await office.until()
        await office.until()
        assert "Still waiting for a person" in office.told(HELPERS)[-1]
        assert len(office.told(HELPERS)) == 2
        reminder = office.double.ours(HELPERS)[-1]
        assert reminder["thread_ts"] == office.thread()
        assert office.double.called("chat.postMessage")[-1].body["reply_broadcast"] is True
        office.clock.pass_(hours=5)  # 21:06: quiet
        await office.until()
        assert len(office.told(HELPERS)) == 2
        office.clock.pass_(hours=11)  # 8:06
        await office.until()
        assert len(office.told(HELPERS)) == 3
        before = len(office.told())
        office.clock.pass_(hours=4.1)
        await office.until()
        assert len(office.told(HELPERS)) == 3
        assert len(office.told()) == before + 1
        assert "Nobody has answered" in office.told()[-1]
        assert "Dana Reed, ext. 12" in office.told()[-1]
        office.clock.pass_(days=2)
        await office.until()
        assert len(office.told(HELPERS)) == 3
        await office.say(client, "Late, but yes.", HELPERS, BEN, thread_ts=office.thread())
    assert "Late, but yes." in office.told()[-1]


async def test_an_answer_ends_the_reminders(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
        await office.say(client, "Yes.", HELPERS, BEN, thread_ts=office.thread())
        count = len(office.told(HELPERS))
        office.clock.pass_(hours=5)
        await office.until()
        office.clock.pass_(days=1)
        await office.until()
    assert len(office.told(HELPERS)) == count


async def test_two_tries_in_a_row_that_failed_offer_a_person(office: Office) -> None:
    async with opened(office) as client:
        await office.say(client, "May a teacher use a chatbot to plan lessons?")
        assert "twice in a row" not in office.told()[-1]
        await office.say(client, "May a principal use it for a newsletter?")
        assert "twice in a row" in office.told()[-1]
        await office.push(client, "Send without my name")
    [post] = office.double.ours(HELPERS)
    assert "May a principal use it for a newsletter?" in words(post["blocks"])


async def test_a_try_that_helped_in_between_begins_the_count_anew(office: Office) -> None:
    async with opened(office) as client:
        await office.say(client, "May a teacher use a chatbot to plan lessons?")
        await office.say(client, "May I paste an essay into a chatbot?")
        await office.say(client, "May a principal use it for a newsletter?")
    assert not [said for said in office.told() if "twice in a row" in said]


async def test_two_thumbs_down_in_a_row_offer_a_person_once(office: Office) -> None:
    async with opened(office) as client:
        for question in ("May I paste an essay into a chatbot?", "May a pupil paste an essay into a chatbot?"):
            await office.say(client, question)
            post = office.double.ours(DM)[-1]
            await client.interaction(press("signpost.feedback", f"down:{_answer_of(office)}", post["ts"]))
            await office.until()
            await office.until()
        await office.push(client, "Send without my name")
    offers = [said for said in office.told() if "twice in a row" in said]
    assert len(offers) == 1
    assert "May a pupil paste an essay" in offers[0]
    assert "I had an answer, but it did not help." in office.told(HELPERS)[0]


def _answer_of(office: Office) -> str:
    with office.database.reading() as connection:
        query = select(rows.c.answer).where(rows.c.answer.is_not(None), rows.c.identity.not_like("out:%"))
        return str(connection.execute(query.order_by(rows.c.id.desc())).scalars().first())


async def test_making_guidance_drafts_once_with_the_helper_as_its_author(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client)
        await office.say(client, "Yes.", HELPERS, BEN, thread_ts=office.thread())
        await office.push(client, "Make this guidance", HELPERS, BEN)
        await office.say(client, "And one more thing.", HELPERS, "U0CAT", thread_ts=office.thread())
        await office.push(client, "Make this guidance", HELPERS, "U0CAT")
    case = office.bench.case()
    assert office.bench.drafts == [(case.id, "Ben Ortiz")]
    assert case.draft == f"handoff-{case.id}@1"
    assert "Nothing is published" in office.told(HELPERS)[-3]
    assert "There is a draft of this already" in office.told(HELPERS)[-1]


async def test_deleting_ones_data_cuts_the_link_and_the_helpers_are_told(office: Office) -> None:
    async with opened(office) as client:
        await handed(office, client, "Send with my name")
        await office.say(client, "delete my data")
        await office.push(client, "Yes, delete")
        before = len(office.told())
        await office.say(client, "Yes.", HELPERS, BEN, thread_ts=office.thread())
        assert len(office.told()) == before
    assert "deleted their data" in office.told(HELPERS)[-1]
    case = office.bench.case()
    assert (case.person, case.name, case.conversation, case.reference, case.question) == ("", "", "", {}, "")
    with office.database.reading() as connection:
        assert "Ann Lee" not in str(connection.execute(select(rows)).all())


async def test_help_me_reach_somebody_is_understood_and_a_question_is_asked_for_where_there_is_none(office: Office) -> None:
    async with opened(office) as client:
        await office.say(client, "help me reach somebody")
        assert "What do you want to ask" in office.told()[-1]
        await office.say(client, "Who signs for new AI tools?")
        assert "Who signs for new AI tools?" in office.told()[-1]
        await office.push(client, "Send without my name")
    assert "Who signs for new AI tools?" in office.told(HELPERS)[0]
    assert office.bench.assistant.asked == []


async def test_a_crisis_while_writing_to_a_helper_is_answered_as_one_and_goes_no_further(office: Office) -> None:
    async with opened(office) as client:
        await office.say(client, "person")
        await office.say(client, "I want to kill myself tonight")
    assert "988" in office.told()[-1]
    assert office.double.ours(HELPERS) == []
    assert office.bench.case().question == ""
