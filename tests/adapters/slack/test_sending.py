"""One answer, once, whatever Slack does with our calls."""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters import markdown_tree as tree
from bot.adapters.slack import send
from bot.adapters.slack.pace import CHANNEL_BURST, Pace
from bot.knowledge.library import utc_now
from bot.messages import Choice, Handling, Outcome, Picture, Reply
from bot.outbox import Outbox
from bot.store import outbox
from bot.store.outbox import To
from tests.adapters.slack.house import House, answer
from tests.doubles.slack import ANN, BOT_USER, Fault, SlackDouble, mention, message, words

pytestmark = pytest.mark.anyio

Q = "When did the rule take effect?"
TS = "1700.000100"
LONG = " ".join(f"This is sentence {n} of a long answer about the rule. [1]" for n in range(60))


async def ask(house: House) -> None:
    """Ann asks in a direct message."""
    async with house.open() as client:
        await client.event(message(Q, TS))
        await house.settled()


@pytest.mark.parametrize("kind", ["drop_after", "500_after"])
async def test_08_a_post_that_was_stored_before_the_connection_broke_is_not_posted_again(house: House, kind: str) -> None:
    house.double.faults.append(Fault(kind, "chat.postMessage"))
    await ask(house)
    assert len(house.double.ours("D0ANN")) == 1
    assert len(house.double.called("chat.postMessage")) == 1
    assert house.states() == ["sent"]


@pytest.mark.parametrize("kind", ["drop", "500", "internal_error"])
async def test_08_a_post_that_was_lost_is_looked_for_and_posted(house: House, kind: str) -> None:
    house.double.faults.append(Fault(kind, "chat.postMessage"))
    await ask(house)
    assert len(house.double.ours("D0ANN")) == 1
    assert len(house.double.called("conversations.replies")) == 1


async def test_08_a_part_lost_in_the_middle_is_added_once_and_nothing_doubles(house: House) -> None:
    house.turn.answer = lambda _m: answer("\n\n".join(LONG for _ in range(6)))

    async def second_part_breaks() -> None:
        while not house.double.ours("D0ANN"):
            await asyncio.sleep(0.001)
        house.double.faults.append(Fault("drop_after", "chat.postMessage"))

    async with house.open() as client:
        breaking = asyncio.create_task(second_part_breaks())
        await client.event(message(Q, TS))
        await house.settled()
        await breaking
    parts = [m["metadata"]["event_payload"]["part"] for m in house.double.ours("D0ANN")]
    assert sorted(parts, key=int) == [str(n + 1) for n in range(len(parts))]


async def test_a_rate_limit_is_waited_out_and_nothing_is_lost(house: House) -> None:
    house.double.faults += [Fault("rate_limited", "chat.postMessage", 0.3), Fault("rate_limited", "chat.postMessage", 0.3)]
    await ask(house)
    first, second, third = [call.at for call in house.double.called("chat.postMessage")]
    assert second - first >= 0.3
    assert third - second >= 0.3
    assert len(house.double.ours("D0ANN")) == 1


async def test_a_rate_limit_too_long_to_wait_in_the_call_is_left_to_the_inbox(make_house: Any) -> None:
    house = make_house(attempts=1)
    house.double.faults.append(Fault("rate_limited", "chat.postMessage", 40))
    spot = send.Spot("T01", "", "D0ANN", "", ANN, "personal", "")
    with pytest.raises(send.Busy) as raised:
        await house.front().door.sender._post(spot, send.Post("hello"), "1", 1)
    assert raised.value.seconds == 40
    await house.front().door.close()


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long"])
async def test_a_workspace_that_refuses_the_blocks_gets_the_words(house: House, error: str) -> None:
    house.double.faults.append(Fault(error, "chat.postMessage"))
    await ask(house)
    (only,) = house.double.ours("D0ANN")
    assert "blocks" not in only
    assert only["text"].startswith("The rule took effect")


async def test_a_thread_that_is_gone_does_not_lose_the_answer(house: House) -> None:
    house.stands = False
    await ask(house)
    (only,) = house.double.ours("D0ANN")
    assert "thread_ts" not in only


@pytest.mark.parametrize("error", ["not_in_channel", "invalid_auth"])
async def test_a_refusal_for_good_ends_at_once_for_an_operator_to_see(house: House, error: str) -> None:
    house.double.faults += [Fault(error, "chat.postMessage") for _ in range(8)]
    await ask(house)
    assert house.states() == ["failed"]
    assert len(house.double.called("chat.postMessage")) <= 4


async def test_20_when_posting_fails_for_a_while_the_answer_still_comes(house: House) -> None:
    house.double.faults += [Fault("500", "chat.postMessage"), Fault("drop", "chat.postMessage")]
    await ask(house)
    assert len(house.double.ours("D0ANN")) == 1
    assert house.states() == ["sent"]


async def test_20_an_apology_is_not_added_to_an_answer_that_had_arrived(make_house: Any, double: SlackDouble) -> None:
    house = make_house(attempts=1)
    double.faults.append(Fault("drop_after", "chat.postMessage"))
    await ask(house)
    (only,) = double.ours("D0ANN")
    assert only["text"].startswith("The rule took effect")


async def test_every_message_has_text_exact_words_and_no_unfurling(house: House) -> None:
    await ask(house)
    (call,) = house.double.called("chat.postMessage")
    assert call.body["text"]
    assert call.body["mrkdwn"] is False
    assert call.body["unfurl_links"] is False


# -- streams ---------------------------------------------------------------------------------------------------------------


def visible(post: dict[str, Any]) -> str:
    """The words of a message as its reader sees them, streamed or updated."""
    texts = [b["text"] for b in post.get("blocks", []) if b["type"] == "markdown"]
    return texts[0] if texts else str(post["text"])


def whole() -> str:
    """The long answer as streamed Markdown."""
    from bot.adapters.slack import stream

    return "".join(stream.steps(tree.parse(LONG, {1})))


async def test_a_long_answer_in_a_direct_message_is_streamed_in_sentences_as_one_message(house: House) -> None:
    house.turn.answer = lambda _m: answer(LONG)
    await ask(house)
    (only,) = house.double.ours("D0ANN")
    assert only["text"] == whole()
    assert only["streaming"] is False
    assert only["metadata"]["event_payload"] == {"row": "1", "part": "1"}
    assert only["blocks"][-1]["type"] == "context_actions"
    assert len(only["streamed"]) > 2
    assert all(step.rstrip().endswith("\\[1\\]") for step in only["streamed"])


async def test_07_a_short_answer_is_one_plain_post(house: House) -> None:
    await ask(house)
    assert house.double.called("chat.startStream") == []
    assert len(house.double.ours("D0ANN")) == 1


@pytest.mark.parametrize("after", [0, 1, 3, 7])
async def test_12_a_stream_closed_by_slack_is_finished_in_place_byte_for_byte(house: House, after: int) -> None:
    house.turn.answer = lambda _m: answer(LONG)
    house.double.close_stream_after = after
    await ask(house)
    (only,) = house.double.ours("D0ANN")
    assert visible(only) == whole()
    assert only["blocks"][-1]["type"] == "context_actions"
    assert only["metadata"]["event_payload"]["row"] == "1"


async def test_12_a_stream_closed_at_its_very_stop_is_finished_in_place(house: House) -> None:
    house.turn.answer = lambda _m: answer(LONG)
    house.double.faults.append(Fault("message_not_in_streaming_state", "chat.stopStream"))
    await ask(house)
    (only,) = house.double.ours("D0ANN")
    assert visible(only) == whole()
    assert only["blocks"][-1]["type"] == "context_actions"


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream"])
@pytest.mark.parametrize("kind", ["drop", "drop_after"])
async def test_08_12_a_stream_whose_call_broke_off_ends_as_one_whole_message(house: House, method: str, kind: str) -> None:
    house.turn.answer = lambda _m: answer(LONG)
    house.double.faults.append(Fault(kind, method))
    await ask(house)
    (only,) = house.double.ours("D0ANN")
    assert visible(only) == whole()
    assert house.states() == ["sent"]


async def test_a_workspace_without_streams_gets_a_post_and_is_not_asked_again(tmp_path: Any) -> None:
    with SlackDouble(streams=False) as double:
        house = House(tmp_path, double)
        house.turn.answer = lambda _m: answer(LONG)
        async with house.open() as client:
            for n in range(2):
                await client.event(message(Q, f"1700.{n:06d}"))
                await house.settled()
        house.close()
        assert len(double.ours("D0ANN")) == 2
        assert len(double.called("chat.startStream")) == 1


async def test_no_stream_in_channels_and_none_when_turned_off(make_house: Any, double: SlackDouble) -> None:
    house = make_house(slack_stream_chars=0)
    house.turn.answer = lambda _m: answer(LONG)
    async with house.open() as client:
        await client.event(message(Q, TS))
        await client.event(mention(f"<@{BOT_USER}> {Q}", TS))
        await house.settled()
    assert double.called("chat.startStream") == []


# -- pictures --------------------------------------------------------------------------------------------------------------


def pictured() -> Reply:
    """A reply with a picture."""
    return Reply(
        Outcome.ANSWERED, Handling.ANSWER, "Level 3 of 4.", "en", picture=Picture(b"\x89PNG" + b"x" * 99, "A bar: 3 of 4")
    )


async def test_a_picture_is_uploaded_behind_the_words_with_its_text(house: House) -> None:
    house.turn.answer = lambda _m: pictured()
    await ask(house)
    (file,) = house.double.files.values()
    assert file["content"] == pictured().picture.png  # type: ignore[union-attr]
    assert file["alt"] == "A bar: 3 of 4"
    assert [bool(m.get("files")) for m in house.double.ours("D0ANN")] == [False, True]


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_a_picture_whose_upload_breaks_off_comes_once(house: House, method: str) -> None:
    house.turn.answer = lambda _m: pictured()
    house.double.faults.append(Fault("drop_after", method))
    await ask(house)
    assert [bool(m.get("files")) for m in house.double.ours("D0ANN")] == [False, True]


async def test_words_stand_when_the_picture_is_refused(house: House) -> None:
    house.turn.answer = lambda _m: pictured()
    house.double.faults.append(Fault("missing_scope", "files.getUploadURLExternal"))
    await ask(house)
    assert len(house.double.ours("D0ANN")) == 1
    assert house.states() == ["sent"]


# -- pace ------------------------------------------------------------------------------------------------------------------


async def test_a_channel_takes_a_short_burst_then_one_post_a_second() -> None:
    now, slept = [0.0], []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(lambda: now[0], sleep)
    at = []
    for _ in range(CHANNEL_BURST + 4):
        await pace.wait("T01", "chat.postMessage", "C01")
        at.append(now[0])
    assert at[CHANNEL_BURST - 1] == 0.0
    assert [round(b - a, 3) for a, b in itertools.pairwise(at[CHANNEL_BURST - 1 :])] == [1.0] * 4
    await pace.wait("T01", "chat.postMessage", "C02")
    assert now[0] == at[-1]


async def test_a_method_with_a_tier_is_held_to_it_for_each_workspace() -> None:
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(lambda: now[0], sleep)
    for _ in range(21):
        await pace.wait("T01", "chat.startStream")
    assert now[0] == pytest.approx(3.0)
    await pace.wait("T02", "chat.startStream")
    assert now[0] == pytest.approx(3.0)


async def test_slacks_own_wait_holds_for_that_channel_and_method_only() -> None:
    now, slept = [0.0], []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    pace = Pace(lambda: now[0], sleep)
    pace.hold("T01", "chat.postMessage", "C01", 7.0)
    await pace.wait("T01", "chat.postMessage", "C01")
    await pace.wait("T01", "chat.postMessage", "C02")
    assert slept == [7.0]


async def test_something_we_begin_is_said_once_for_its_key(house: House) -> None:
    sender = house.front().door.sender
    where = {"team": "T01", "channel": "C01", "kind": "channel"}
    house.double.faults.append(Fault("drop_after", "chat.postMessage"))
    with pytest.raises(send.Unclear):
        await sender.say(where, answer(), "reminder:1")
    await sender.say(where, answer(), "reminder:1", maybe_said=True)
    await house.front().door.close()
    assert len(house.double.ours("C01")) == 1
    assert "took effect" in words(house.double.ours("C01")[0]["blocks"])
    assert json.dumps(house.double.ours("C01")[0]["metadata"]).count("reminder:1") == 1


# -- speaking first ------------------------------------------------------------------------------------------------------


def spoken(house: House, key: str, to: To, text: str = "A question for you.") -> Outbox:
    """Something queued for now, whatever the hour."""
    reply = Reply(Outcome.CLARIFY, Handling.ANSWER, text, "en", fixed="lesson.return", choices=(Choice("1", "lesson:x"),))
    with house.database.writing() as connection:
        outbox.put(connection, key, to, reply, kind="lesson", now=house.front().door.now(), at_once=True)
    return Outbox(house.database, house.inbox, house.settings, utc_now)


@pytest.mark.parametrize("kind", ["drop_after", "500_after", "drop"])
async def test_a_person_never_spoken_with_is_written_to_once_in_a_direct_message(house: House, kind: str) -> None:
    queued = spoken(house, "k", To.to_person(f"slack:T01:{ANN}"))
    house.double.faults.append(Fault(kind, "chat.postMessage"))
    async with house.open():
        assert await queued.deliver() == 1
        assert await queued.deliver() == 0
        await house.settled()
    (post,) = house.double.ours(f"D{ANN}")
    assert "thread_ts" not in post
    assert "A question for you." in words(post["blocks"])
    assert house.states() == ["sent"]


async def test_a_person_who_spoke_with_us_is_written_to_in_that_chat_beside_its_threads(house: House) -> None:
    async with house.open() as client:
        await client.event(message(Q, TS))
        await house.settled()
        assert await spoken(house, "k", To.to_person(f"slack:T01:{ANN}")).deliver() == 1
        await house.settled()
    assert [post.get("thread_ts", "") for post in house.double.ours("D0ANN")] == [TS, ""]
    assert house.double.called("conversations.open") == []


async def test_a_known_conversation_is_answered_in_its_thread(house: House) -> None:
    async with house.open() as client:
        await client.event(mention(f"<@{BOT_USER}> {Q}", TS))
        await house.settled()
        to = To("slack", f"slack:T01:{ANN}", conversation=f"slack:T01:C01:{TS}")
        assert await spoken(house, "k", to, "An answer came.").deliver() == 1
        await house.settled()
    assert [post["thread_ts"] for post in house.double.ours("C01")] == [TS, TS]


@pytest.mark.parametrize(
    ("fault", "state"), [("user_not_found", "failed"), ("500", "waiting"), ("rate_limited", "waiting"), ("drop", "waiting")]
)
async def test_a_chat_that_cannot_be_opened_ends_for_an_operator_or_waits(house: House, fault: str, state: str) -> None:
    house.double.faults += [Fault(fault, "conversations.open", 60.0) for _ in range(3)]
    queued = spoken(house, "k", To.to_person(f"slack:T01:{ANN}"))
    async with house.open():
        assert await queued.deliver() == 0
    with house.database.reading() as connection:
        found = outbox.sent(connection, "k")
    assert found is not None
    assert found.state == state
    assert house.double.called("chat.postMessage") == []


async def test_a_place_that_is_not_known_is_nowhere_yet(house: House) -> None:
    queued = spoken(house, "k", To("slack", conversation="slack:T01:C09:1.1"))
    async with house.open():
        assert await queued.deliver() == 0
    with house.database.reading() as connection:
        assert outbox.listed(connection)[0]["reason"] == "unreachable"


async def test_the_time_zone_of_a_persons_profile_decides_when_they_are_written_to(house: House) -> None:
    house.double.zones[ANN] = "Asia/Tokyo"
    now = datetime(2026, 11, 25, 17, tzinfo=UTC)  # noon in New York, two at night in Tokyo
    reply = Reply(Outcome.CLARIFY, Handling.ANSWER, "A question for you.", "en", fixed="lesson.return")
    with house.database.writing() as connection:
        outbox.put(connection, "k", To.to_person(f"slack:T01:{ANN}"), reply, kind="lesson", now=now.timestamp())
    async with house.open():
        assert await Outbox(house.database, house.inbox, house.settings, lambda: now).deliver() == 0
        morning = now + timedelta(hours=6)
        assert await Outbox(house.database, house.inbox, house.settings, lambda: morning).deliver() == 1
    assert len(house.double.ours(f"D{ANN}")) == 1
