"""Where we speak and where we are silent; who sees an answer; whose documents it may quote."""

from __future__ import annotations

from typing import Any

import pytest

from bot.adapters.slack.channels import Channel, Channels
from bot.messages import Handling, Outcome, Reply
from tests.adapters.slack.house import House, answer
from tests.doubles.slack import ADMIN, ANN, BEN, BOT_USER, SlackDouble, envelope, mention, message

pytestmark = pytest.mark.anyio

Q = "When did the rule take effect?"
THREAD = "1700.000100"


def decide(house: House, **settings: Any) -> None:
    """Configure channel C01."""
    Channels(house.database, lambda: 0.0).write("T01", "C01", Channel(**settings), "slack:T01:U0ADMIN")


async def ask(house: House, client: Any, text: str, ts: str, user: str = ANN, thread: str = THREAD) -> None:
    """A message without a mention in a thread of C01."""
    await client.event(message(text, ts, "C01", user, **({"thread_ts": thread} if thread else {})))
    await house.settled()


async def begin(house: House, client: Any) -> None:
    """Ann mentions us; we answer in the thread."""
    await client.event(mention(f"<@{BOT_USER}> {Q}", THREAD))
    await house.settled()


def asked(house: House) -> list[str]:
    """What reached the turn."""
    return [m.text for m in house.turn.asked]


async def test_18_a_channel_nobody_configured_hears_nothing_from_us_in_a_hundred_posts(house: House) -> None:
    async with house.open() as client:
        for n in range(100):
            await client.event(message(f"what about lunch {n}?", f"1700.{n:06d}", "C01", (ANN, BEN)[n % 2]))
        await house.settled()
    assert house.double.calls == []


async def test_21_a_follow_up_in_our_thread_needs_no_new_mention(house: House) -> None:
    async with house.open() as client:
        await begin(house, client)
        await ask(house, client, "and for private schools?", "1700.000200")
    assert asked(house) == [Q, "and for private schools?"]
    assert [m["thread_ts"] for m in house.double.ours("C01")] == [THREAD, THREAD]


async def test_21_a_follow_up_is_known_after_a_restart(make_house: Any, double: SlackDouble) -> None:
    first = make_house()
    async with first.open() as client:
        await begin(first, client)
    second = make_house()
    async with second.open() as client:
        await ask(second, client, "and for private schools?", "1700.000200")
    assert asked(second) == ["and for private schools?"]
    assert second.turn.asked[0].history[0].text == Q


async def test_21_a_reply_that_mentions_somebody_else_is_not_ours_and_we_stay_quiet_after_it(house: House) -> None:
    async with house.open() as client:
        await begin(house, client)
        await ask(house, client, f"<@{BEN}> what do you think?", "1700.000200")
        await ask(house, client, "I mean the second part", "1700.000300")
        assert asked(house) == [Q]
        await client.event(mention(f"<@{BOT_USER}> and for private schools?", "1700.000400", thread_ts=THREAD))
        await house.settled()
        await ask(house, client, "and for charters?", "1700.000500")
    assert asked(house) == [Q, "and for private schools?", "and for charters?"]


async def test_21_when_another_person_joins_the_thread_the_two_talk_to_each_other(house: House) -> None:
    async with house.open() as client:
        await begin(house, client)
        await ask(house, client, "I think it was June", "1700.000200", BEN)
        await ask(house, client, "oh, thanks", "1700.000300", ANN)
        assert asked(house) == [Q]
        await client.event(mention(f"<@{BOT_USER}> is that right?", "1700.000400", user=BEN, thread_ts=THREAD))
        await house.settled()
        await ask(house, client, "and before?", "1700.000500", BEN)
    assert asked(house) == [Q, "is that right?", "and before?"]


async def test_a_thread_we_never_spoke_in_is_not_ours(house: House) -> None:
    async with house.open() as client:
        await ask(house, client, "anyone?", "1700.000200")
    assert house.double.calls == []


async def test_a_helpers_thread_is_open_to_everyone_in_it(house: House) -> None:
    Channels(house.database, lambda: 0.0).remember("slack:T01:C01:" + THREAD, "", "helper", {"channel": "C01"})
    house.inbox.engage("slack:T01:C01:" + THREAD, "slack")
    async with house.open() as client:
        await ask(house, client, "the answer is yes", "1700.000200", BEN)
    assert asked(house) == ["the answer is yes"]


async def test_a_channel_turned_off_says_so_once_to_the_person_who_asked(house: House) -> None:
    decide(house, mode="off")
    async with house.open() as client:
        twin = f"<@{BOT_USER}> {Q}"
        for body in (mention(twin, THREAD), message(twin, THREAD, "C01"), mention(twin, THREAD)):
            await client.event(body)
        await house.settled()
    assert asked(house) == []
    assert [e["user"] for e in house.double.ephemerals] == [ANN]
    assert house.double.ours("C01") == []


async def test_a_listening_channel_answers_questions_and_nothing_else(house: House) -> None:
    decide(house, mode="listening")
    async with house.open() as client:
        await ask(house, client, Q, THREAD, thread="")
        await ask(house, client, "good morning", "1700.000200", thread="")
        await ask(house, client, f"<@{BEN}> lunch?", "1700.000300", thread="")
    assert asked(house) == [Q]
    assert house.double.ours("C01")[0]["thread_ts"] == THREAD


async def test_what_nobody_asked_us_and_we_do_not_know_is_said_to_the_asker_only(house: House) -> None:
    decide(house, mode="listening")
    house.turn.answer = lambda _m: Reply(Outcome.NOT_COVERED, Handling.ANSWER, "Not covered.", "en")
    async with house.open() as client:
        await ask(house, client, "pizza or pasta?", THREAD, thread="")
    assert house.double.ours("C01") == []
    assert [e["user"] for e in house.double.ephemerals] == [ANN]


async def test_a_channel_of_private_answers_shows_them_to_the_asker_only(house: House) -> None:
    decide(house, answers="private")
    async with house.open() as client:
        await begin(house, client)
    assert house.double.ours("C01") == []
    (seen,) = house.double.ephemerals
    assert (seen["user"], seen["channel"], seen["thread_ts"]) == (ANN, "C01", THREAD)


async def test_a_private_reply_is_never_shown_to_a_channel(house: House) -> None:
    house.turn.answer = lambda _m: answer(private=True)
    async with house.open() as client:
        await begin(house, client)
    assert house.double.ours("C01") == []
    assert len(house.double.ephemerals) == 1


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"organization": "pinecrest"}, "pinecrest"),
        ({"slack_organizations": "T01=oak T02=elm"}, "oak"),
        ({"slack_organizations": "T02=elm"}, None),
        ({"slack_organizations": "T02=elm", "organization": "pinecrest"}, "pinecrest"),
    ],
)
async def test_whose_documents_a_workspace_sees_is_the_operators_to_say(
    make_house: Any, settings: dict[str, str], expected: str | None
) -> None:
    house = make_house(**settings)
    async with house.open() as client:
        await begin(house, client)
    assert house.turn.asked[0].organization == expected


async def test_with_many_workspaces_none_gets_the_default_organization(make_house: Any) -> None:
    house = make_house(organization="pinecrest", slack_client_id="1.2", slack_client_secret="s", secret_key="k" * 40)
    async with house.open() as client:
        await begin(house, client)
    assert house.turn.asked[0].organization is None


async def test_19_in_a_channel_shared_with_outsiders_only_the_shared_library_answers(make_house: Any) -> None:
    house = make_house(organization="pinecrest")
    async with house.open() as client:
        await client.event(mention(f"<@{BOT_USER}> {Q}", THREAD) | {"is_ext_shared_channel": True})
        await house.settled()
        await client.event(message(Q, "1700.000900"))
        await house.settled()
    assert [m.organization for m in house.turn.asked] == [None, "pinecrest"]


async def test_19_a_channel_limited_to_the_shared_library_is(make_house: Any) -> None:
    house = make_house(organization="pinecrest")
    decide(house, shared_only=True)
    async with house.open() as client:
        await begin(house, client)
    assert house.turn.asked[0].organization is None


async def test_in_a_whole_organizations_install_the_workspace_looked_at_decides(make_house: Any) -> None:
    house = make_house(slack_organizations="T02=elm")
    entity = {"type": "slack#/types/channel_id", "value": "C9", "team_id": "T02"}
    async with house.open() as client:
        await client.event(message(Q, THREAD, app_context={"entities": [entity]}))
        await house.settled()
    assert house.turn.asked[0].organization == "elm"


async def test_a_direct_message_says_where_it_is_and_who_speaks(house: House) -> None:
    async with house.open() as client:
        await client.event(message(Q, THREAD))
        await house.settled()
    (asked_of_us,) = house.turn.asked
    assert asked_of_us.person.id == f"slack:T01:{ANN}"
    assert (asked_of_us.place.platform, asked_of_us.place.team, asked_of_us.place.channel) == ("slack", "T01", "D0ANN")
    assert asked_of_us.place.kind == "personal"
    assert asked_of_us.at.timestamp() == pytest.approx(1700.0001)


async def test_direct_messages_are_one_conversation_and_answered_under_their_own_question(house: House) -> None:
    async with house.open() as client:
        await client.event(message(Q, THREAD))
        await house.settled()
        await client.event(message("and before?", "1700.000200"))
        await house.settled()
    assert [m["thread_ts"] for m in house.double.ours("D0ANN")] == [THREAD, "1700.000200"]
    assert house.turn.asked[1].history[0].text == Q


async def test_a_group_message_needs_a_mention(house: House) -> None:
    async with house.open() as client:
        await client.event(message(Q, THREAD, "G0GROUP"))
        await client.event(message(f"<@{BOT_USER}> {Q}", "1700.000200", "G0GROUP"))
        await house.settled()
    assert len(house.turn.asked) == 1
    assert house.turn.asked[0].place.kind == "group"


async def test_opening_the_messages_tab_of_an_agent_offers_prompts_without_a_thread(house: House) -> None:
    async with house.open() as client:
        await client.event(envelope({"type": "app_home_opened", "user": ANN, "channel": "D0ANN", "tab": "messages"}))
        await house.settled()
    (shown,) = house.double.prompts
    assert "thread_ts" not in shown
    assert 3 <= len(shown["prompts"]) <= 4


async def test_a_legacy_assistant_thread_still_gets_its_prompts(house: House) -> None:
    house.double.agent = False
    thread = {"user_id": ANN, "channel_id": "D0ANN", "thread_ts": "1699.1", "context": {}}
    async with house.open() as client:
        await client.event(envelope({"type": "assistant_thread_started", "assistant_thread": thread}))
        await client.event(envelope({"type": "assistant_thread_context_changed", "assistant_thread": thread}))
        await client.event(message(Q, THREAD, thread_ts="1699.1"))
        await house.settled()
    assert house.double.prompts[0]["thread_ts"] == "1699.1"
    assert house.double.statuses[0]["thread_ts"] == "1699.1"


async def test_context_changes_are_acknowledged(house: House) -> None:
    async with house.open() as client:
        assert (await client.event(envelope({"type": "app_context_changed", "user": ANN, "context": {}}))).status_code == 200


async def test_app_home_shows_what_it_is_what_is_kept_and_recent_answers(house: House) -> None:
    async with house.open() as client:
        await client.event(message(Q, THREAD))
        await house.settled()
        await client.event(envelope({"type": "app_home_opened", "user": ADMIN, "channel": "D0", "tab": "home"}))
        await client.event(envelope({"type": "app_home_opened", "user": ANN, "channel": "D0ANN", "tab": "home"}))
        await house.settled()
    shown = str(house.double.homes[ANN])
    assert "only from guidance that someone has vetted" in shown
    assert "forget:yes" in shown
    assert "/signpost settings" in shown
    assert Q not in str(house.double.homes[ADMIN])
