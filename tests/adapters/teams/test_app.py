"""What each activity means: asked, pressed, judged, installed, removed; each act once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from bot.adapters.teams import cards
from bot.adapters.teams.app import routes
from bot.errors import ConfigurationError
from bot.messages import Choice, Outcome, Picture
from bot.store.conversation_tables import channel_settings, conversation_references, feedback, inbox, preferences
from tests.adapters.teams.accessibility import problems
from tests.adapters.teams.conftest import Served, answer, citation, plain, teams_settings, wait_until
from tests.doubles.teams import BOT, TENANT, Fault, TeamsDouble

CHANNEL = "19:channel@thread.tacv2;messageid=1700000000000"
GROUP = "19:group@unq.gbl.spaces"


def rows(door: Served, table: Any) -> list[Any]:
    """All rows of a table."""
    with door.database.reading() as connection:
        return list(connection.execute(select(table)))


def buttons(activity: dict[str, Any], verb: str = "") -> list[dict[str, Any]]:
    """The pressable buttons under a message, of one verb where it is named."""
    found: list[dict[str, Any]] = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if node.get("type") == "Action.Execute" and verb in ("", node["verb"]):
                found.append(node)
            for name, value in node.items():
                if name != "refresh":
                    walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(activity.get("attachments", activity))
    return found


def ask(door: Served, teams: TeamsDouble, text: str = "May I?", conversation: str = "a:chat", **changes: Any) -> dict[str, Any]:
    """Ask and wait for the answer."""
    before = len(teams.sent(conversation))
    assert door.post(teams.activity(text, conversation, **changes), teams.token()).status_code == 202
    wait_until(lambda: len(teams.sent(conversation)) > before and not open_rows(door))
    return teams.sent(conversation)[-1]


def open_rows(door: Served) -> list[Any]:
    """Acts that have no end yet."""
    return [row for row in rows(door, inbox) if row.state not in ("sent", "failed", "ignored")]


def test_a_personal_question_is_answered_with_citations_label_and_feedback(door: Served, teams: TeamsDouble) -> None:
    sent = ask(door, teams)
    assert sent["text"].startswith("Schools may not disclose")
    assert sent["channelData"] == {"feedbackLoop": {"type": "default"}}
    [entity] = sent["entities"]
    assert entity["additionalType"] == ["AIGeneratedContent"]
    assert entity["citation"][0]["position"] == 1
    assert entity["citation"][0]["appearance"]["url"] == "https://studentprivacy.ed.gov/ai"
    assert teams.violations == []
    assert teams.typing == ["a:chat"]


def test_the_person_and_the_place_are_told_to_the_turn(door: Served, teams: TeamsDouble) -> None:
    ask(door, teams, "one")
    ask(door, teams, "two", CHANNEL)
    ask(door, teams, "three", GROUP)
    one, two, three = door.turn.asked
    assert one.person is not None
    assert one.person.id == f"teams:{TENANT}:ffff0000-0000-4000-8000-00000000000a"
    places = [(m.place.kind, m.place.channel, m.place.thread) for m in (one, two, three) if m.place]
    assert places[0] == ("personal", "a:chat", "")
    assert places[1] == ("channel", "19:channel@thread.tacv2", "1700000000000")
    assert places[2][0] == "group"
    assert one.at is not None
    assert one.at.isoformat() == "2026-11-25T10:00:00.123000+00:00"


def test_only_our_own_mention_is_cut_and_our_name_in_the_sentence_stays(door: Served, teams: TeamsDouble) -> None:
    text = "<at>Signpost</at>&nbsp;what is Signpost &amp; is <at>Ben</at> right?"
    entities = [
        {"type": "mention", "text": "<at>Signpost</at>", "mentioned": {"id": BOT, "name": "Signpost"}},
        {"type": "mention", "text": "<at>Ben</at>", "mentioned": {"id": "29:ben", "name": "Ben"}},
        {"type": "clientInfo", "locale": "en-US"},
    ]
    activity = {**teams.activity("", CHANNEL), "text": text, "entities": entities}
    assert door.post(activity, teams.token()).status_code == 202
    wait_until(lambda: door.turn.asked)
    assert door.turn.asked[0].text == "what is Signpost & is Ben right?"


@pytest.mark.parametrize("conversation", [CHANNEL, GROUP])
def test_nothing_is_answered_in_a_channel_or_group_without_a_mention(conversation: str, door: Served, teams: TeamsDouble) -> None:
    for n in range(20):
        activity = teams.activity(f"talk {n}", conversation, text="just talking", entities=[])
        assert door.post(activity, teams.token()).status_code == 202
    other = [{"type": "mention", "text": "<at>Ben</at>", "mentioned": {"id": "29:ben", "name": "Ben"}}]
    assert door.post(teams.activity("", conversation, text="<at>Ben</at> hi", entities=other), teams.token()).status_code == 202
    assert rows(door, inbox) == []


def test_a_channel_answer_stays_in_its_thread(door: Served, teams: TeamsDouble) -> None:
    ask(door, teams, conversation=CHANNEL)
    assert list(teams.messages) == [CHANNEL]


def test_teams_resends_are_one_act_even_at_once(door: Served, teams: TeamsDouble) -> None:
    activity = teams.activity("once")
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: door.post(activity, teams.token()).status_code, range(4)))
    assert statuses == [202] * 4
    wait_until(lambda: teams.sent() and not open_rows(door))
    # The same message with another time stamp, as Teams resends it after a slow answer, is still the same act.
    assert door.post({**activity, "timestamp": "2026-11-25T10:00:20Z"}, teams.token()).status_code == 202
    assert len(teams.sent()) == len(rows(door, inbox)) == 1


def test_a_slow_answer_does_not_hold_up_the_acknowledgement(door: Served, teams: TeamsDouble) -> None:
    door.turn.hold = threading.Event()
    response = door.post(teams.activity("slow"), teams.token())
    assert response.status_code == 202
    assert response.elapsed.total_seconds() < 2
    assert teams.sent() == []
    door.turn.hold.set()
    wait_until(lambda: teams.sent())


def test_when_nothing_can_be_claimed_teams_is_told_to_send_again(
    door: Served, teams: TeamsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_received: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(door.inbox, "accept", fails)
    assert door.post(teams.activity("x"), teams.token()).status_code == 503


def test_other_bots_and_ourselves_are_not_answered(door: Served, teams: TeamsDouble) -> None:
    for sender in ({"id": "28:other"}, {"id": BOT}, {"id": "29:x", "role": "bot"}):
        assert door.post(teams.activity("hello", **{"from": sender}), teams.token()).status_code == 202
    assert rows(door, inbox) == []


@pytest.mark.parametrize("kind", ["typing", "messageUpdate", "messageDelete", "event", "endOfConversation", "unheardOf", "trace"])
def test_other_activities_are_taken_and_left(kind: str, door: Served, teams: TeamsDouble) -> None:
    assert door.post(teams.activity("x", type=kind), teams.token()).status_code == 202
    assert rows(door, inbox) == []


def test_a_mention_alone_and_an_attachment_alone_are_told_what_works(door: Served, teams: TeamsDouble) -> None:
    ask(door, teams, "", GROUP)
    ask(door, teams, "", attachments=[{"contentType": "image/png", "contentUrl": "https://x.example/a.png"}])
    assert [m.action.value for m in door.turn.asked if m.action] == ["help", "help"]


# -- buttons -----------------------------------------------------------------------------------------------------------


def press(door: Served, teams: TeamsDouble, action: dict[str, Any], reply_to: str | None, **changes: Any) -> httpx.Response:
    """Press a button."""
    return door.post(teams.press(action, reply_to, **changes), teams.token())


def two_ways(message: object) -> Any:
    """A question with choices."""
    return plain(
        "Which?\n\n1. State\n2. District",
        outcome=Outcome.CLARIFY,
        choices=(Choice("State", "ask:state", "The state's rule"), Choice("District", "ask:district")),
    )


def test_a_pressed_choice_is_asked_and_the_card_says_what_was_chosen(door: Served, teams: TeamsDouble) -> None:
    door.turn.script = two_ways
    sent = ask(door, teams)
    state, district = buttons(sent, cards.CHOOSE)
    assert (state["title"], state["tooltip"]) == ("State", "The state's rule")
    response = press(door, teams, district, sent["id"])
    assert response.status_code == 200
    body = response.json()
    assert (body["statusCode"], body["type"]) == (200, "application/vnd.microsoft.card.adaptive")
    assert "District" in json.dumps(body["value"])
    assert buttons({"attachments": body["value"]}, cards.CHOOSE) == []
    assert problems(body["value"]) == []
    wait_until(lambda: len(door.turn.asked) == 2)
    assert door.turn.asked[1].action is not None
    assert door.turn.asked[1].action.value == "ask:district"


def test_a_double_clicked_button_with_new_ids_is_one_act(door: Served, teams: TeamsDouble) -> None:
    door.turn.script = two_ways
    sent = ask(door, teams)
    button = buttons(sent, cards.CHOOSE)[0]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: press(door, teams, button, sent["id"]), range(3)))
    assert [a.status_code for a in answers] == [200] * 3
    wait_until(lambda: not open_rows(door))
    assert len(door.turn.asked) == 2


def test_a_refreshed_card_shows_the_choice_that_was_made(door: Served, teams: TeamsDouble) -> None:
    door.turn.script = two_ways
    sent = ask(door, teams)
    card = sent["attachments"][0]["content"]
    assert card["refresh"]["userIds"] == ["29:ana"]
    before = press(door, teams, card["refresh"]["action"], sent["id"]).json()["value"]
    assert len(buttons({"attachments": before}, cards.CHOOSE)) == 2
    press(door, teams, buttons(sent, cards.CHOOSE)[1], sent["id"])
    after = press(door, teams, card["refresh"]["action"], sent["id"]).json()["value"]
    assert buttons({"attachments": after}, cards.CHOOSE) == []
    assert "District" in json.dumps(after)
    # Another reader has not chosen.
    ben = press(door, teams, card["refresh"]["action"], sent["id"], **{"from": {"id": "29:ben"}}).json()["value"]
    assert len(buttons({"attachments": ben}, cards.CHOOSE)) == 2


def test_a_long_list_of_choices_is_a_labelled_list_and_can_be_sent(door: Served, teams: TeamsDouble) -> None:
    many = tuple(Choice(f"Way {n}", f"ask:{n}") for n in range(9))
    door.turn.script = lambda message: plain("Which?", outcome=Outcome.CLARIFY, choices=many)
    sent = ask(door, teams)
    [button] = buttons(sent, cards.CHOOSE)
    picked = {**button, "data": {**button["data"], cards.PICKED: "4"}}
    body = press(door, teams, picked, sent["id"]).json()
    assert "Way 4" in json.dumps(body["value"])
    wait_until(lambda: len(door.turn.asked) == 2)
    assert door.turn.asked[1].action is not None
    assert door.turn.asked[1].action.value == "ask:4"
    refreshed = press(door, teams, sent["attachments"][0]["content"]["refresh"]["action"], sent["id"]).json()
    assert "Way 4" in json.dumps(refreshed["value"])
    assert press(door, teams, {**button, "data": {**button["data"], cards.PICKED: "44"}}, sent["id"]).json()["statusCode"] == 400


def test_a_button_of_an_older_client_comes_as_a_message_and_works(door: Served, teams: TeamsDouble) -> None:
    door.turn.script = two_ways
    sent = ask(door, teams)
    data = buttons(sent, cards.CHOOSE)[0]["data"]
    activity = teams.activity("", value=data, replyToId=sent["id"])
    assert door.post(activity, teams.token()).status_code == 202
    wait_until(lambda: len(door.turn.asked) == 2)
    assert door.turn.asked[1].action is not None
    assert door.turn.asked[1].action.value == "ask:state"


def test_what_to_ask_next_stays_after_it_was_pressed(door: Served, teams: TeamsDouble) -> None:
    door.turn.script = lambda message: answer(choices=(Choice("And parents?", "And parents?"),))
    sent = ask(door, teams)
    follow_up = next(b for b in buttons(sent, cards.CHOOSE) if b["title"] == "And parents?")
    body = press(door, teams, follow_up, sent["id"]).json()
    assert any(b["title"] == "And parents?" for b in buttons({"attachments": body["value"]}))
    wait_until(lambda: len(door.turn.asked) == 2)


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        {},
        {"action": None},
        {"action": {"type": "Action.Submit", "verb": "x"}},
        {"action": {"type": "Action.Execute", "verb": "x", "data": {}}},
        {"action": {"type": "Action.Execute", "verb": "signpost.open", "data": {"a": "x", "n": "one"}}},
        {"action": {"type": "Action.Execute", "verb": "signpost.choose", "data": {"vs": 5}}},
        {"action": {"type": "Action.Execute", "verb": "signpost.choose", "data": "text"}},
    ],
    ids=str,
)
def test_a_press_that_makes_no_sense_gets_an_error_it_can_show(value: object, door: Served, teams: TeamsDouble) -> None:
    activity = {**teams.press({"verb": "", "data": {}}, None), "value": value}
    response = door.post(activity, teams.token())
    assert response.status_code == 200
    assert response.json()["statusCode"] == 400
    assert response.json()["type"] == "application/vnd.microsoft.error"
    assert rows(door, inbox) == []


def test_an_answer_is_shown_only_where_it_was_given_or_to_its_asker(door: Served, teams: TeamsDouble) -> None:
    sent = ask(door, teams)
    show = {"verb": cards.SHOW, "data": {"a": "answer01"}}
    mine = press(door, teams, show, sent["id"]).json()["value"]
    assert "Schools may not disclose" in json.dumps(mine)
    assert problems(mine) == []
    stranger = teams.press(show, sent["id"], "a:stranger", **{"from": {"id": "29:mallory"}})
    assert "Schools may not disclose" not in door.post(stranger, teams.token()).text


def test_a_quote_that_is_gone_says_so(door: Served, teams: TeamsDouble) -> None:
    sent = ask(door, teams)
    [opening] = buttons(sent, cards.OPEN)
    body = press(door, teams, opening, sent["id"]).json()
    assert "no longer in the library" in json.dumps(body)
    assert problems(body["value"]) == []


def test_a_failing_view_is_an_error_with_words_and_no_details(
    door: Served, teams: TeamsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.teams.views.Views.whole", lambda *_: 1 / 0)
    body = press(door, teams, {"verb": cards.SHOW, "data": {"a": "x"}}, None).json()
    assert body["statusCode"] == 500
    assert "ZeroDivision" not in json.dumps(body)


def test_unknown_invokes_are_not_implemented(door: Served, teams: TeamsDouble) -> None:
    assert door.post(teams.activity("", type="invoke", name="task/fetch"), teams.token()).status_code == 501


def test_the_library_itself_cannot_answer_an_invoke_with_a_plain_body() -> None:
    """Why the door answers invokes itself: the day this fails, botbuilder has changed."""
    from botbuilder.core.serializer_helper import serializer_helper

    with pytest.raises(AttributeError):
        serializer_helper({"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive", "value": {}})


# -- verdicts ----------------------------------------------------------------------------------------------------------


def judge(door: Served, teams: TeamsDouble, value: object, reply_to: str | None) -> httpx.Response:
    """Send a verdict as Teams does."""
    named = {} if reply_to is None else {"replyToId": reply_to}
    return door.post(teams.activity("", type="invoke", name="message/submitAction", value=value, **named), teams.token())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('{"feedbackText": "out of date"}', "out of date"),
        ("out of date", "out of date"),
        ({"feedbackText": "out of date"}, "out of date"),
        ("", ""),
        ('{"feedbackText": 5}', ""),
        ("[1]", "[1]"),
        (None, ""),
        ("ask Timmy", "ask [name]"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_a_verdict_is_kept_redacted_with_or_without_the_message_it_names(
    named: bool, given: object, kept: str, door: Served, teams: TeamsDouble
) -> None:
    sent = ask(door, teams)
    value = {"actionName": "feedback", "actionValue": {"reaction": "dislike", "feedback": given}}
    response = judge(door, teams, value, sent["id"] if named else None)
    assert (response.status_code, response.json()) == (200, {})
    [row] = rows(door, feedback)
    assert (row.answer, row.helpful, row.comment) == ("answer01", False, kept)


def test_a_second_verdict_replaces_the_first(door: Served, teams: TeamsDouble) -> None:
    sent = ask(door, teams)
    for reaction in ("dislike", "like"):
        judge(door, teams, {"actionName": "feedback", "actionValue": {"reaction": reaction, "feedback": ""}}, sent["id"])
    [row] = rows(door, feedback)
    assert row.helpful


def test_a_verdict_on_nothing_is_taken_politely(door: Served, teams: TeamsDouble) -> None:
    value = {"actionName": "feedback", "actionValue": {"reaction": "like", "feedback": ""}}
    assert judge(door, teams, value, "nowhere").json() == {}
    assert judge(door, teams, {"actionName": "other"}, None).json() == {}
    assert judge(door, teams, {"actionName": "feedback", "actionValue": {"reaction": "shrug"}}, None).json() == {}
    assert rows(door, feedback) == []


def test_a_thumb_on_our_message_is_a_verdict_and_other_reactions_are_not(door: Served, teams: TeamsDouble) -> None:
    sent = ask(door, teams)
    for kind in ("surprised", "like"):
        reaction = teams.activity("", type="messageReaction", reactionsAdded=[{"type": kind}], replyToId=sent["id"])
        assert door.post(reaction, teams.token()).status_code == 202
    assert [row.helpful for row in rows(door, feedback)] == [True]


# -- coming and going --------------------------------------------------------------------------------------------------


def arrival(teams: TeamsDouble, conversation: str = "a:chat", **changes: Any) -> dict[str, Any]:
    """We are added to a conversation."""
    return teams.activity("", conversation, type="conversationUpdate", membersAdded=[{"id": BOT}], **changes)


def test_an_install_is_welcomed_once_with_prompt_starters(door: Served, teams: TeamsDouble) -> None:
    first = arrival(teams)
    installed = teams.activity("", type="installationUpdate", action="add")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda activity: door.post(activity, teams.token()), (first, first, installed)))
    wait_until(lambda: teams.sent())
    ask(door, teams)
    [welcome, _] = teams.sent()
    assert len(welcome["suggestedActions"]["actions"]) == 3
    for action in welcome["suggestedActions"]["actions"]:
        assert action["type"] == "imBack"
        assert action["value"] in welcome["text"].replace("\\", "")
    assert "AIGeneratedContent" not in json.dumps(welcome)
    assert teams.violations == []


def test_a_welcome_speaks_the_language_of_the_client(door: Served, teams: TeamsDouble) -> None:
    door.post(arrival(teams, locale="es-MX"), teams.token())
    wait_until(lambda: teams.sent())
    assert "Respondo preguntas" in teams.texts()[0]


def test_a_team_is_welcomed_without_suggestions_and_people_coming_are_not_greeted(door: Served, teams: TeamsDouble) -> None:
    channel = "19:channel@thread.tacv2"
    door.post(arrival(teams, channel), teams.token())
    wait_until(lambda: teams.sent(channel))
    assert "suggestedActions" not in teams.sent(channel)[0]
    people = teams.activity("", channel, type="conversationUpdate", membersAdded=[{"id": "29:new"}, {"id": "29:newer"}])
    assert door.post(people, teams.token()).status_code == 202
    assert len(teams.sent(channel)) == 1


@pytest.mark.parametrize("how", ["conversationUpdate", "installationUpdate"])
def test_a_removal_forgets_where_we_may_speak(how: str, door: Served, teams: TeamsDouble) -> None:
    door.post(arrival(teams), teams.token())
    wait_until(lambda: teams.sent())
    assert len(rows(door, conversation_references)) == 1
    gone = {"membersRemoved": [{"id": BOT}]} if how == "conversationUpdate" else {"action": "remove"}
    assert door.post(teams.activity("", type=how, **gone), teams.token()).status_code == 202
    assert rows(door, conversation_references) == []


def test_a_welcome_that_cannot_be_sent_does_no_harm(door: Served, teams: TeamsDouble) -> None:
    teams.gone.add("a:chat")
    assert door.post(arrival(teams), teams.token()).status_code == 202
    teams.gone.clear()
    ask(door, teams)


# -- the door itself ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"teams_app_id": ""},
        {"teams_app_password": None},
        {"teams_app_id": "", "teams_anonymous": True},
        {"teams_app_id": "", "env": "development"},
    ],
    ids=str,
)
def test_without_its_secrets_the_door_is_closed(changes: dict[str, Any], tmp_path: Any, teams: TeamsDouble) -> None:
    from types import SimpleNamespace

    house = SimpleNamespace(settings=teams_settings(tmp_path, teams, **changes), database=None, inbox=None, turn=None)
    with pytest.raises(ConfigurationError, match="closed"):
        routes(house)  # type: ignore[arg-type]


def test_in_development_this_machine_may_come_unsigned(serve: Callable[..., Served], teams: TeamsDouble) -> None:
    door = serve(env="development", teams_app_id="", teams_anonymous=True)
    assert door.post(teams.activity("hello")).status_code == 202
    for header in (
        {"X-Forwarded-For": "203.0.113.9"},
        {"Host": "rebound.example"},
        {"Origin": "https://page.example"},
        {"Forwarded": "for=x"},
    ):
        assert door.post(teams.activity("hello"), **header).status_code == 401
    plain_text = json.dumps(teams.activity("hello")).encode()
    assert door.post(plain_text, **{"Content-Type": "text/plain"}).status_code == 401


def test_an_app_id_turns_the_unsigned_way_off(serve: Callable[..., Served], teams: TeamsDouble) -> None:
    door = serve(env="development", teams_anonymous=True)
    assert door.post(teams.activity("hello")).status_code == 401


def test_no_failure_shows_its_cause_to_the_person(door: Served, teams: TeamsDouble) -> None:
    def fails(_message: object) -> Any:
        raise ValueError("secret detail")

    door.turn.script = fails
    door.post(teams.activity("x"), teams.token())
    sent = wait_until(lambda: teams.sent(), 40)
    assert "secret detail" not in json.dumps(sent)
    assert len(sent) == 1


def test_a_picture_is_shown_with_its_words(door: Served, teams: TeamsDouble) -> None:
    door.turn.script = lambda message: plain("Your level.", picture=Picture(b"\x89PNG....", "Level 3 of 4, in practice"))
    sent = ask(door, teams)
    assert "Level 3 of 4, in practice" in json.dumps(sent["attachments"])
    assert teams.violations == []


def test_a_private_reply_in_a_channel_reaches_the_asker_only(door: Served, teams: TeamsDouble) -> None:
    door.turn.script = lambda message: replace(answer(), private=True)
    sent = ask(door, teams, conversation=CHANNEL)
    assert sent["targeted"] is True
    assert sent["recipient"]["id"] == "29:ana"
    teams.refuse_targeted = True
    door.post(teams.activity("again", CHANNEL), teams.token())
    wait_until(lambda: teams.sent("a:with-29:ana"))
    assert len(teams.sent(CHANNEL)) == 1


def test_the_inbox_survives_a_busy_connector(door: Served, teams: TeamsDouble) -> None:
    teams.faults.append(Fault("429", {"Retry-After": "0"}, when=lambda path, body: body.get("type") == "message"))
    ask(door, teams)
    assert len(teams.sent()) == 1


def test_two_citations_of_one_number_never_leave_the_door_twice(door: Served, teams: TeamsDouble) -> None:
    door.turn.script = lambda message: answer("One [1] and [1] and [2].", citations=(citation(1), citation(2)))
    sent = ask(door, teams)
    assert [claim["position"] for claim in sent["entities"][0]["citation"]] == [1, 2]


# -- what was decided --------------------------------------------------------------------------------------------------


def decide(door: Served, **values: Any) -> None:
    """The settings of the channel."""
    row = {"platform": "teams", "team": TENANT, "channel": "19:channel@thread.tacv2", "mode": "mentions", "answers": "public"}
    with door.database.writing() as connection:
        connection.execute(
            channel_settings.insert().values(**{**row, "libraries": [], "changed_by": "x", "changed_at": 0.0, **values})
        )


def test_a_channel_that_is_turned_off_is_not_answered(door: Served, teams: TeamsDouble) -> None:
    decide(door, mode="off")
    assert door.post(teams.activity("May I?", CHANNEL), teams.token()).status_code == 202
    assert rows(door, inbox) == []


def test_a_channel_of_private_answers_shows_them_to_the_asker_only(door: Served, teams: TeamsDouble) -> None:
    decide(door, answers="private")
    assert ask(door, teams, conversation=CHANNEL)["targeted"] is True


def organization_of(door: Served, teams: TeamsDouble, conversation: str = "a:chat", **changes: Any) -> str | None:
    """Whose documents a question may be answered from."""
    ask(door, teams, conversation=conversation, **changes)
    return door.turn.asked[-1].organization


def test_only_our_own_tenant_sees_the_organizations_documents(serve: Callable[..., Served], teams: TeamsDouble) -> None:
    door = serve(organization="pinecrest")
    assert organization_of(door, teams) == "pinecrest"
    other = {"id": "a:other", "conversationType": "personal", "tenantId": "another"}
    before = len(door.turn.asked)
    assert door.post({**teams.activity("q", "a:other"), "conversation": other}, teams.token()).status_code == 202
    wait_until(lambda: len(door.turn.asked) > before)
    assert door.turn.asked[-1].organization is None


def test_in_a_channel_shared_with_others_only_shared_documents_are_quoted(
    serve: Callable[..., Served], teams: TeamsDouble
) -> None:
    door = serve(organization="pinecrest")
    assert organization_of(door, teams, CHANNEL) == "pinecrest"
    data = {"tenant": {"id": TENANT}, "channel": {"id": "19:channel@thread.tacv2", "type": "shared"}}
    assert organization_of(door, teams, CHANNEL, channelData=data) is None


def test_a_channel_may_be_kept_to_the_shared_library(serve: Callable[..., Served], teams: TeamsDouble) -> None:
    door = serve(organization="pinecrest")
    decide(door, libraries=["base"])
    assert organization_of(door, teams, CHANNEL) is None


def test_without_a_tenant_nobody_sees_them_in_production(serve: Callable[..., Served], teams: TeamsDouble) -> None:
    assert organization_of(serve(organization="pinecrest", teams_tenant_id=""), teams) is None


def test_the_language_a_person_chose_is_told_to_the_turn(door: Served, teams: TeamsDouble) -> None:
    who = f"teams:{TENANT}:ffff0000-0000-4000-8000-00000000000a"
    with door.database.writing() as connection:
        connection.execute(preferences.insert().values(person=who, language="es", updated_at=0.0))
    ask(door, teams)
    assert door.turn.asked[0].language == "es"
