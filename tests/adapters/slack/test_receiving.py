"""What arrives is verified, claimed once, and acknowledged; everything else stays silent."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from typing import Any

import pytest
from sqlalchemy import delete

from bot.adapters.slack.api import careful_logger
from bot.store.conversation_tables import inbox as rows
from tests.adapters.slack.house import House
from tests.doubles import slack
from tests.doubles.slack import ANN, BEN, BOT_USER, Fault, SlackDouble, mention, message

pytestmark = pytest.mark.anyio

Q = "When did the rule take effect?"
BODY = json.dumps(message("a secret question", "1700.000100")).encode()


def signed(house: House, body: bytes = BODY, at: float | None = None) -> dict[str, str]:
    """Good headers."""
    return {"Content-Type": "application/json", **slack.SlackClient(None).headers(body, at)}


@pytest.mark.parametrize(
    "change",
    [
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "not a number"},
        {"X-Slack-Request-Timestamp": "1e9"},
        {"X-Slack-Request-Timestamp": "-1700000000"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": "１７００００００００".encode()},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v1=x"},
        {"X-Slack-Signature": "v0=é".encode()},
        {"X-Slack-Signature": b"v0=\xff\xfe"},
        {"X-Slack-Signature": None},
        {"X-Slack-Request-Timestamp": None},
    ],
)
async def test_every_malformed_header_is_401_and_no_body_is_logged(
    house: House, change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {k: v for k, v in (signed(house) | change).items() if v is not None}
    async with house.open() as client:
        answered = await client.raw(BODY, headers)
    assert answered.status_code == 401
    assert house.states() == []
    assert "secret question" not in caplog.text


@pytest.mark.parametrize("age", [-301, 301, 10_000])
async def test_a_signature_older_or_newer_than_five_minutes_is_401(house: House, age: int) -> None:
    async with house.open() as client:
        assert (await client.raw(BODY, signed(house, at=time.time() + age))).status_code == 401
        assert (await client.raw(BODY, signed(house, at=time.time() - 290))).status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"\xff\xfe", b"", b'"x"'])
async def test_a_signed_body_that_is_nothing_of_slacks_is_refused_without_a_crash(house: House, body: bytes) -> None:
    async with house.open() as client:
        assert (await client.raw(body, signed(house, body))).status_code in (200, 400, 404)
    assert house.states() == []


async def test_a_body_larger_than_any_of_slacks_is_refused_before_it_is_read(house: House) -> None:
    async with house.open() as client:
        assert (await client.raw(b"x" * 4_000_001, signed(house))).status_code == 413


async def test_url_verification_is_answered_when_signed_and_only_then(house: House) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c0ffee", "token": "x"}).encode()
    async with house.open() as client:
        answered = await client.raw(body, signed(house, body))
        assert (answered.status_code, answered.text) == (200, "c0ffee")
        assert (await client.raw(body, {"Content-Type": "application/json"})).status_code == 401


async def test_nothing_of_a_message_is_logged_at_any_level(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    house.turn.answer = lambda _m: slack_answer()
    async with house.open() as client:
        await client.event(message("does Maria Lopez have an IEP", "1700.000100"))
        await house.settled()
    assert len(house.double.ours("D0ANN")) == 1
    assert "Maria" not in caplog.text
    assert "xoxb-double" not in caplog.text
    assert "took effect" not in caplog.text


def slack_answer() -> Any:
    """An answer."""
    from tests.adapters.slack.house import answer

    return answer()


async def test_01_an_event_delivered_four_times_at_once_is_answered_once(house: House) -> None:
    payload = message(Q, "1700.000100")
    async with house.open() as client:
        retries = [None, (1, "http_timeout"), (2, "http_timeout"), (3, "http_timeout")]
        answers = await asyncio.gather(*(client.event(payload, retry) for retry in retries))
        assert [a.status_code for a in answers] == [200] * 4
        await house.settled()
        await client.event(payload, (3, "http_timeout"))
        await house.settled()
    assert len(house.double.ours("D0ANN")) == 1
    assert len(house.turn.asked) == 1


async def test_01_a_resend_after_a_restart_is_not_answered_again(make_house: Any, double: SlackDouble) -> None:
    payload = message(Q, "1700.000100")
    for _ in range(2):
        house = make_house()
        async with house.open() as client:
            await client.event(payload)
            await house.settled()
    assert len(double.ours("D0ANN")) == 1


@pytest.mark.parametrize("order", ["mention first", "message first", "at once"])
@pytest.mark.parametrize("thread", ["", "1699.000100"])
async def test_02_a_mention_and_its_message_twin_are_one_act_in_any_order(house: House, order: str, thread: str) -> None:
    text = f"<@{BOT_USER}> {Q}"
    more = {"thread_ts": thread} if thread else {}
    twins = [mention(text, "1700.000100", **more), message(text, "1700.000100", "C01", **more)]
    house.double.channel("C01").messages.append({"ts": thread or "1700.000100", "user": ANN, "text": text})
    async with house.open() as client:
        if order == "at once":
            await asyncio.gather(*(client.event(twin) for twin in twins))
        else:
            for twin in twins if order == "mention first" else twins[::-1]:
                await client.event(twin)
        await house.settled()
    assert len(house.double.ours("C01")) == 1
    assert [m.text for m in house.turn.asked] == [Q]
    assert house.double.ours("C01")[0]["thread_ts"] == (thread or "1700.000100")


async def test_02_the_message_twin_is_a_mention_even_when_the_event_does_not_say_who_we_are(house: House) -> None:
    twin = message(f"<@{BOT_USER}> {Q}", "1700.000100", "C01")
    del twin["authorizations"]
    async with house.open() as client:
        await client.event(twin)
        await house.settled()
    assert len(house.double.ours("C01")) == 1


async def test_03_a_first_delivery_that_carries_a_retry_header_is_answered(house: House) -> None:
    async with house.open() as client:
        answered = await client.event(message(Q, "1700.000100"), (1, "connection_failed"))
        assert answered.status_code == 200
        await house.settled()
    assert len(house.double.ours("D0ANN")) == 1


async def test_04_slack_is_acknowledged_while_the_answer_still_takes_its_time(house: House) -> None:
    gate = threading.Event()

    def slow(_message: Any) -> Any:
        gate.wait(100)
        return slack_answer()

    house.turn.answer = slow
    async with house.open() as client:
        answers = await asyncio.gather(*(client.event(message(Q, f"1700.{n:06d}", f"D0{n}")) for n in range(50)))
        assert {a.status_code for a in answers} == {200}
        assert house.double.called("chat.postMessage") == []
        gate.set()
        await house.settled()
    assert sum(len(house.double.ours(name)) for name in list(house.double.channels)) == 50


async def test_05_an_answer_that_fails_is_still_acknowledged_and_ends_in_one_apology(make_house: Any) -> None:
    house = make_house(attempts=1)

    def fails(_message: Any) -> Any:
        raise ValueError("boom")

    house.turn.answer = fails
    async with house.open() as client:
        assert (await client.event(message(Q, "1700.000100"))).status_code == 200
        await house.settled()
        assert (await client.event(message(Q, "1700.000100"), (1, "http_error"))).status_code == 200
        await house.settled()
    ours = house.double.ours("D0ANN")
    assert len(ours) == 1
    assert "number" in ours[0]["text"]
    assert "boom" not in json.dumps(ours)


async def test_an_event_that_could_not_be_claimed_is_not_acknowledged(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_received: Any) -> Any:
        raise OSError("disk full")

    monkeypatch.setattr(house.inbox, "accept", broken)
    async with house.open() as client:
        assert (await client.event(message(Q, "1700.000100"))).status_code == 500


@pytest.mark.parametrize(
    "more",
    [
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "bot_message", "bot_id": "B9"},
        {"bot_id": "B0OTHER"},
        {"bot_profile": {"id": "B0OTHER"}},
        {"user": BOT_USER},
        {"user": "USLACKBOT"},
        {"user": None},
        {"hidden": True},
    ],
)
async def test_edits_joins_bots_and_ourselves_are_ignored(house: House, more: dict[str, Any]) -> None:
    async with house.open() as client:
        assert (await client.event(message(Q, "1700.000100", **more))).status_code == 200
        await house.settled()
    assert house.turn.asked == []
    assert [c.method for c in house.double.calls if c.method.startswith("chat")] == []


async def test_22_two_bots_that_mention_each_other_stop_at_once(house: House) -> None:
    async with house.open() as client:
        for n in range(10):
            await client.event(mention(f"<@{BOT_USER}> hello?", f"1700.{n:06d}", user="U0OTHERBOT", bot_id="B0OTHER"))
        await house.settled()
    assert house.double.ours("C01") == []


async def test_a_message_with_a_file_is_read_for_its_words(house: House) -> None:
    async with house.open() as client:
        await client.event(message(Q, "1700.000100", subtype="file_share", files=[{"id": "F1"}]))
        await house.settled()
    assert [m.text for m in house.turn.asked] == [Q]


async def test_11_events_held_back_by_slack_are_noticed(house: House, caplog: pytest.LogCaptureFixture) -> None:
    body = json.dumps({"type": "app_rate_limited", "team_id": "T01", "minute_rate_limited": 1}).encode()
    async with house.open() as client:
        assert (await client.raw(body, signed(house, body))).status_code == 200
    assert "30,000" in caplog.text


@pytest.mark.parametrize("kind", ["workflow_step_execute", "reaction_added", "team_join", "unknown_thing"])
async def test_events_nobody_asked_for_are_acknowledged_in_silence(
    house: House, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with house.open() as client:
        assert (await client.event(slack.envelope({"type": kind, "user": ANN, "item": "private words"}))).status_code == 200
    assert "private words" not in caplog.text
    assert house.states() == []


async def test_what_was_accepted_before_the_process_died_is_answered_after(make_house: Any, double: SlackDouble) -> None:
    first = make_house()
    async with first.open() as client:
        first.inbox._runner._stopped = True  # the process dies between the acknowledgement and the work
        assert (await client.event(message(Q, "1700.000100"))).status_code == 200
        with first.database.writing() as connection:
            connection.execute(rows.update().values(owner="", lease_until=0.0))
        first.settled = lambda: asyncio.sleep(0)  # type: ignore[assignment]
    second = make_house()
    async with second.open():
        await second.settled()
    assert len(double.ours("D0ANN")) == 1
    with second.database.writing() as connection:
        connection.execute(delete(rows))


async def test_a_sign_of_work_shows_while_the_answer_is_still_being_made(house: House) -> None:
    shown = threading.Event()

    def waits(_message: Any) -> Any:
        deadline = time.monotonic() + 60
        while not house.double.statuses and time.monotonic() < deadline:
            shown.wait(0.01)
        assert house.double.called("chat.postMessage") == []
        return slack_answer()

    house.turn.answer = waits
    async with house.open() as client:
        await client.event(message(Q, "1700.000100"))
        await house.settled()
    (status,) = house.double.statuses
    assert status["thread_ts"] == "1700.000100"
    assert status["status"]
    assert len(status["loading_messages"]) <= 10
    assert len(house.double.ours("D0ANN")) == 1


async def test_20_a_status_that_hangs_or_fails_does_not_keep_the_answer(house: House) -> None:
    house.double.faults += [Fault("delay", "assistant.threads.setStatus", 60.0)]
    async with house.open() as client:
        await client.event(message(Q, "1700.000100"))
        await house.settled()
        assert house.double.statuses == []
        assert len(house.double.ours("D0ANN")) == 1
        house.double.faults += [Fault("not_allowed_token_type", "assistant.threads.setStatus")]
        await client.event(message(Q, "1700.000200", user=BEN))
        await house.settled()
    assert len(house.double.ours("D0ANN")) == 2


def test_the_libraries_log_what_failed_and_neither_bodies_nor_tokens(caplog: pytest.LogCaptureFixture) -> None:
    logger = careful_logger("tests.slack.careful")
    logger.debug("body: secret")
    try:
        raise OSError("wss://host/?ticket=secret")
    except OSError as error:
        logger.exception("Failed to connect (error: %s); Retrying...", error)
    assert [record.getMessage() for record in caplog.records] == ["Failed to connect (OSError)"]
    assert "secret" not in caplog.text
