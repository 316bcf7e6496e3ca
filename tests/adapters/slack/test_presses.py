"""Buttons, forms, the command and the shortcut."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import select

from bot.adapters.slack import actions, presses
from bot.adapters.slack.channels import Channel, Channels
from bot.errors import NotFound
from bot.knowledge.opening import Opened, Source
from bot.messages import Choice, Handling, Outcome, Reply
from bot.store.conversation_tables import feedback as feedback_rows
from bot.store.conversation_tables import preferences
from tests.adapters.slack.house import House, answer, citation
from tests.doubles.slack import ADMIN, ANN, BEN, BOT_USER, TEAM, Fault, command, links, message, press, words

pytestmark = pytest.mark.anyio

Q = "When did the rule take effect?"
TS = "1700.000100"
OPENED = Opened(
    n=1,
    title="COPPA Rule | <!channel>",
    publisher="FTC",
    heading="Dates > Effect",
    page=3,
    before="Before it. ",
    quote="The rule took effect on June 23, 2025.",
    after=" After it.",
    published="2025-04-22",
    verified_on="2026-01-05",
    verified_by="Ann Lee",
    review_by="2027-01-05",
    url="https://www.ftc.gov/coppa?a=1&b=2",
    sources=(Source("16 CFR 312", "https://www.ecfr.gov/312", "official"),),
    state="published",
    version="coppa@1",
)


async def asked(house: House, client: Any) -> dict[str, Any]:
    """Ann asks in her direct message; our answer."""
    await client.event(message(Q, TS))
    await house.settled()
    return house.double.ours("D0ANN")[0]


def button(post: dict[str, Any], action: str) -> dict[str, Any]:
    """A button of a message by its action."""
    found = [e for b in post["blocks"] if b["type"] == "actions" for e in b["elements"] if e["action_id"].startswith(action)]
    return found[0]


async def test_a_citation_opens_at_the_exact_words_in_their_place(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presses, "open_citation", lambda _db, name, n: OPENED if (name, n) == ("answer1", 1) else None)
    async with house.open() as client:
        given = button(await asked(house, client), actions.CITE)
        assert (await client.interaction(press(given["action_id"], given["value"], TS))).status_code == 200
        await house.settled()
    (view,) = house.double.views
    said = words(view["blocks"])
    assert "Before it. The rule took effect on June 23, 2025. After it." in said
    bold = [e["text"] for b in view["blocks"] for s in b.get("elements", []) for e in s.get("elements", []) if e.get("style")]
    assert bold == ["The rule took effect on June 23, 2025."]
    for fact in ("2025-04-22", "2026-01-05", "Ann Lee", "2027-01-05", "FTC", "Page 3", "16 CFR 312"):
        assert fact in said
    assert links(view["blocks"]) == ["https://www.ecfr.gov/312", "https://www.ftc.gov/coppa?a=1&b=2"]
    assert "<!" not in json.dumps(view)


async def test_a_quote_that_is_gone_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_db: Any, _answer: str, _n: int) -> Opened:
        raise NotFound("gone")

    monkeypatch.setattr(presses, "open_citation", gone)
    async with house.open() as client:
        await client.interaction(press(f"{actions.CITE}.1", "open:answer1:1", TS))
        await client.interaction(press(f"{actions.CITE}.1", "open:nonsense", TS))
        await house.settled()
    assert ["no longer in the library" in words(v["blocks"]) for v in house.double.views] == [True, True]


async def test_an_enormous_passage_still_opens_within_the_limits(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    big = replace(OPENED, before="b & " * 20_000, after="a < " * 20_000, quote="q > " * 5_000, sources=OPENED.sources * 50)
    monkeypatch.setattr(presses, "open_citation", lambda *_: big)
    async with house.open() as client:
        await client.interaction(press(f"{actions.CITE}.1", "open:answer1:1", TS))
        await house.settled()
    assert "q > q >" in words(house.double.views[0]["blocks"])


async def test_why_this_answer_opens_to_the_one_who_asked(house: House) -> None:
    async with house.open() as client:
        given = button(await asked(house, client), actions.WHY)
        house.turn.answer = lambda m: Reply(Outcome.ANSWERED, Handling.ANSWER, f"Because of {m.action.value}.", "en", fixed="why")
        await client.interaction(press(given["action_id"], given["value"], TS))
        await house.settled()
    assert "Because of why:answer1." in words(house.double.views[0]["blocks"])
    assert len(house.double.ours("D0ANN")) == 1


async def test_06_a_choice_pressed_twice_is_one_act_and_two_choices_are_two(house: House) -> None:
    choices = (Choice("Federal rules for schools", "rules:federal"), Choice("State rules for schools", "rules:state"))
    house.turn.answer = lambda _m: Reply(Outcome.CLARIFY, Handling.ANSWER, "Which?", "en", choices=choices)
    async with house.open() as client:
        post = await asked(house, client)
        one = press(f"{actions.CHOOSE}.1", "rules:federal", post["ts"], message={"thread_ts": TS})
        two = press(f"{actions.CHOOSE}.2", "rules:state", post["ts"], message={"thread_ts": TS})
        await asyncio.gather(*(client.interaction(p) for p in (one, dict(one, trigger_id="again"), two)))
        await house.settled()
    assert sorted(m.action.value for m in house.turn.asked[1:]) == ["rules:federal", "rules:state"]
    assert {m["thread_ts"] for m in house.double.ours("D0ANN")} == {TS}


async def test_a_person_is_one_tap_away_in_the_same_thread(house: House) -> None:
    async with house.open() as client:
        post = await asked(house, client)
        given = button(post, actions.PERSON)
        await client.interaction(press(given["action_id"], given["value"], post["ts"], message={"thread_ts": TS}))
        await house.settled()
    assert house.turn.asked[1].action.value == "person"
    assert house.double.ours("D0ANN")[1]["thread_ts"] == TS


def verdicts(house: House) -> list[tuple[str, bool, str]]:
    """What feedback is kept."""
    table = feedback_rows.c
    with house.database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(table.answer, table.helpful, table.reason))]  # type: ignore[misc]


async def test_thumbs_up_is_kept_without_a_word(house: House) -> None:
    async with house.open() as client:
        post = await asked(house, client)
        await client.interaction(press(actions.FEEDBACK, "up:answer1", post["ts"]))
        await house.settled()
    assert verdicts(house) == [("answer1", True, "")]
    assert house.double.views == []


async def test_thumbs_down_asks_for_a_reason_and_keeps_the_choice_only(house: House) -> None:
    async with house.open() as client:
        post = await asked(house, client)
        await client.interaction(press(actions.FEEDBACK, "down:answer1", post["ts"]))
        await house.settled()
        assert verdicts(house) == [("answer1", False, "")]
        (view,) = house.double.views
        (field,) = view["blocks"]
        assert field["label"]["text"]
        assert [o["value"] for o in field["element"]["options"]] == ["wrong", "outdated", "off_topic", "unclear", "other"]
        sent = await client.interaction(submitted(view, {"reason": "outdated"}))
    assert sent.json()["response_action"] == "update"
    assert verdicts(house) == [("answer1", False, "outdated")]


def submitted(view: dict[str, Any], values: dict[str, str], user: str = ANN) -> dict[str, Any]:
    """A form as it is sent."""
    state = {"values": {key: {key: {"type": "radio_buttons", "selected_option": {"value": v}}} for key, v in values.items()}}
    return {"type": "view_submission", "team": {"id": TEAM}, "user": {"id": user}, "view": view | {"state": state, "id": "V1"}}


async def test_feedback_on_an_answer_that_is_not_ours_is_not_kept(house: House) -> None:
    async with house.open() as client:
        assert (await client.interaction(press(actions.FEEDBACK, "up:forged", TS))).status_code == 200
    assert verdicts(house) == []


# -- the command and the shortcut --------------------------------------------------------------------------------------------


async def test_the_command_answers_privately_and_at_once_says_that_it_looks(house: House) -> None:
    hook = f"{house.double.origin}/hook/one"
    async with house.open() as client:
        said = await client.form(command(Q, response_url=hook))
        assert said.json()["response_type"] == "ephemeral"
        assert "Only you" in said.json()["text"]
        await house.settled()
    (seen,) = house.double.hooks
    assert seen["response_type"] == "ephemeral"
    assert "took effect" in words(seen["blocks"])
    assert house.double.ours("C01") == []
    assert [m.text for m in house.turn.asked] == [Q]


async def test_a_command_delivered_twice_is_one_act(house: House) -> None:
    fields = command(Q, response_url=f"{house.double.origin}/hook/one")
    async with house.open() as client:
        for _ in range(2):
            await client.form(fields)
        await house.settled()
    assert len(house.double.hooks) == 1


async def test_an_empty_command_is_a_call_for_help(house: House) -> None:
    async with house.open() as client:
        await client.form(command("", response_url=f"{house.double.origin}/hook/one"))
        await house.settled()
    assert house.turn.asked[0].action.value == "help"


async def test_without_its_answer_address_the_command_is_answered_in_the_channel_or_a_direct_message(house: House) -> None:
    async with house.open() as client:
        await client.form(command(Q))
        await house.settled()
        house.double.channel("C02").members.clear()
        await client.form(command(Q, channel="C02"))
        await house.settled()
    assert [e["channel"] for e in house.double.ephemerals] == ["C01"]
    assert len(house.double.ours("D" + ANN)) == 1


async def test_no_answer_goes_to_an_address_that_is_not_slacks(house: House) -> None:
    async with house.open() as client:
        await client.form(command(Q, response_url="http://127.0.0.1:9/steal"))
        await house.settled()
    assert len(house.double.ephemerals) == 1


async def test_a_button_of_a_private_answer_is_answered_privately(house: House) -> None:
    hook = f"{house.double.origin}/hook/three"
    body = press(f"{actions.CHOOSE}.1", "rules:federal", TS, "C01", container={"is_ephemeral": True}, response_url=hook)
    async with house.open() as client:
        await client.interaction(body)
        await house.settled()
    assert house.turn.asked[0].place.kind == "personal"
    assert house.double.ours("C01") == []
    assert len(house.double.hooks) == 1


async def shared(house: House, client: Any, user: str = ANN) -> None:
    """Ann asks with the command and presses "Share"."""
    hook = f"{house.double.origin}/hook/one"
    await client.form(command(Q, response_url=hook))
    await house.settled()
    given = button(house.double.hooks[0], actions.SHARE)
    container = {"is_ephemeral": True}
    for _ in range(2):
        body = press(given["action_id"], given["value"], TS, "C01", user, container=container, response_url=hook)
        await client.interaction(body)
    await house.settled()


async def test_a_private_answer_is_shared_with_the_channel_once(house: House) -> None:
    async with house.open() as client:
        await shared(house, client)
    (post,) = house.double.ours("C01")
    assert "Shared from a private answer" in words(post["blocks"])
    assert "took effect" in words(post["blocks"])
    assert "thread_ts" not in post


async def test_a_share_whose_post_broke_off_stands_once(house: House) -> None:
    house.double.faults.append(Fault("drop_after", "chat.postMessage"))
    async with house.open() as client:
        await shared(house, client)
    assert len(house.double.ours("C01")) == 1


async def test_nobody_shares_another_persons_answer(house: House) -> None:
    async with house.open() as client:
        await shared(house, client, BEN)
    assert house.double.ours("C01") == []


async def test_19_the_districts_own_words_are_not_shared_with_outsiders(house: House) -> None:
    house.turn.answer = lambda _m: answer(citations=(citation(level="local"),))
    house.double.channel("C01").ext_shared = True
    async with house.open() as client:
        await shared(house, client)
    assert house.double.ours("C01") == []
    assert "stays private" in house.double.hooks[-1]["text"]


async def test_sharing_where_we_are_not_asks_for_an_invitation(house: House) -> None:
    house.double.channel("C01").members.clear()
    async with house.open() as client:
        await shared(house, client)
    assert "Invite me" in house.double.hooks[-1]["text"]


async def test_the_shortcut_asks_about_a_message_for_the_person_alone(house: House) -> None:
    body = {
        "type": "message_action",
        "callback_id": actions.SHORTCUT,
        "team": {"id": TEAM},
        "user": {"id": ANN},
        "channel": {"id": "C01"},
        "message": {"type": "message", "user": BEN, "ts": TS, "text": f"<@{BOT_USER}> &amp; <https://x.org|this>: {Q}"},
        "trigger_id": "trigger.s",
        "response_url": f"{house.double.origin}/hook/two",
    }
    async with house.open() as client:
        await client.interaction(body)
        await house.settled()
    assert [m.text for m in house.turn.asked] == [f"@someone & this: {Q}"]
    assert house.double.ours("C01") == []
    assert any("took effect" in words(h.get("blocks", [])) for h in house.double.hooks)


# -- settings ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("user", "creator", "allowed"), [(ADMIN, "U9", True), (ANN, ANN, True), (ANN, "U9", False)])
async def test_only_those_who_manage_a_channel_set_it_up(house: House, user: str, creator: str, allowed: bool) -> None:
    house.double.channel("C01").creator = creator
    async with house.open() as client:
        await client.form(command("settings", user=user))
        await house.settled()
        (view,) = house.double.views
        assert ("callback_id" in view) is allowed
        form = view if allowed else view | forged()
        await client.interaction(submitted(form, {"mode": "listening", "answers": "private"}, user))
    expected = Channel("listening", "private") if allowed else Channel()
    assert Channels(house.database, lambda: 0.0).read("T01", "C01") == expected


def forged() -> dict[str, str]:
    """A settings form that was never shown."""
    return {"callback_id": actions.SETTINGS_FORM, "private_metadata": json.dumps({"team": TEAM, "channel": "C01"})}


async def test_settings_of_another_workspace_cannot_be_written(house: House) -> None:
    form = forged() | {"private_metadata": json.dumps({"team": "T99", "channel": "C01"})}
    async with house.open() as client:
        await client.interaction(submitted({"type": "modal", **form}, {"mode": "off", "answers": "public"}, ADMIN))
    assert Channels(house.database, lambda: 0.0).read("T99", "C01") == Channel()


async def test_the_document_sets_are_offered_where_there_are_two(make_house: Any) -> None:
    house = make_house(organization="pinecrest")
    async with house.open() as client:
        await client.form(command("settings", user=ADMIN))
        await house.settled()
        await client.interaction(
            submitted(house.double.views[0], {"mode": "mentions", "answers": "public", "libraries": "shared"}, ADMIN)
        )
    assert Channels(house.database, lambda: 0.0).read("T01", "C01").shared_only


async def test_settings_in_a_direct_message_point_to_the_channel(house: House) -> None:
    async with house.open() as client:
        said = await client.form(command("settings", channel="D0ANN"))
    assert "channel" in said.json()["text"]
    assert house.double.views == []


# -- App Home ----------------------------------------------------------------------------------------------------------------


def home_press(action: str, value: str) -> dict[str, Any]:
    """A press in App Home, which stands in no channel."""
    body = press(action, value, "")
    body["container"] = {"type": "view", "view_id": "V1"}
    body["view"] = {"id": "V1", "hash": "156.1", "type": "home"}
    del body["channel"], body["message"]
    return body


async def test_delete_my_data_asks_first_and_goes_to_the_direct_message_once(house: House) -> None:
    async with house.open() as client:
        await client.interaction(home_press(actions.FORGET, "forget:yes"))
        await client.interaction(home_press(actions.FORGET, "forget:yes"))
        await house.settled()
    assert [m.action.value for m in house.turn.asked] == ["forget:yes"]
    assert len(house.double.ours("D" + ANN)) == 1


async def test_the_button_to_delete_asks_to_be_sure(house: House) -> None:
    async with house.open():
        await house.front().listeners.publish_home("T01", "", ANN)
    forget = next(
        e
        for b in house.double.homes[ANN]["blocks"]
        if b["type"] == "actions"
        for e in b["elements"]
        if e["value"] == "forget:yes"
    )
    assert forget["confirm"]["confirm"]["text"]
    assert forget["style"] == "danger"


async def test_a_chosen_language_is_kept_shown_and_used(house: House) -> None:
    async with house.open() as client:
        await client.interaction(home_press(actions.LANGUAGE, "") | {"actions": [selected("es")]})
        await house.settled()
        await client.event(message(Q, TS))
        await house.settled()
    assert "Datos" in words(house.double.homes[ANN]["blocks"]) or "datos" in words(house.double.homes[ANN]["blocks"])
    assert house.turn.asked[0].language == "es"
    with house.database.reading() as connection:
        assert connection.execute(select(preferences.c.language)).scalars().all() == ["es"]


def selected(value: str) -> dict[str, Any]:
    """A choice in a menu."""
    return {"action_id": actions.LANGUAGE, "type": "static_select", "selected_option": {"value": value}}


async def test_other_rooms_fill_your_checks_and_lessons(house: House) -> None:
    choices = lambda person, language: (Choice("Readiness check", "check:start", f"{person.id} {language}"),)  # noqa: E731
    vars(house)["home_choices"] = choices
    async with house.open() as client:
        await house.front().listeners.publish_home("T01", "", ANN)
        assert f"slack:T01:{ANN} en" in json.dumps(house.double.homes[ANN])
        await client.interaction(home_press(f"{actions.HOME}.0", "check:start"))
        await house.settled()
    assert house.turn.asked[0].action.value == "check:start"
    assert house.turn.asked[0].place.kind == "personal"


@pytest.mark.parametrize("action", ["", "unknown.thing", "signpost", "signpost.unknown"])
async def test_a_button_nobody_knows_is_acknowledged(house: House, action: str) -> None:
    async with house.open() as client:
        assert (await client.interaction(press(action, "x", TS))).status_code == 200
    assert house.turn.asked == []
