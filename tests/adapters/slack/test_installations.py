"""Installing in many workspaces, with tokens sealed; Socket Mode; the manifest; and a door without its secrets."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from sqlalchemy import select
from starlette.applications import Starlette

from bot.adapters.slack import app as slack
from bot.adapters.slack.actions import COMMAND, SHORTCUT
from bot.adapters.slack.installations import PURPOSE, States
from bot.errors import ConfigurationError
from bot.store.conversation_tables import installations
from bot.store.sealing import Seal
from tests.adapters.slack.house import House, answer
from tests.doubles.slack import ANN, APP_TOKEN, BOT_USER, Fault, SlackClient, SlackDouble, envelope, message, press

ROOT = Path(__file__).parents[3]
MANY = {"slack_bot_token": None, "slack_client_id": "1.2", "slack_client_secret": "s", "secret_key": "k" * 40}


async def install(client: Any, team: str) -> Any:
    """Walk through an installation as a browser does."""
    page = await client.get("/slack/install")
    state = parse_qs(urlsplit(re.search(r'<a href="([^"]+)"', page.text)[1].replace("&amp;", "&")).query)["state"][0]  # type: ignore[index]
    cookie = page.headers["set-cookie"].split(";")[0]
    params = {"code": f"code-{team}", "state": state}
    return await client.get("/slack/oauth_redirect", params=params, headers={"cookie": cookie})


@pytest.mark.anyio
async def test_two_workspaces_install_and_each_is_answered_with_its_own_token(make_house: Any, double: SlackDouble) -> None:
    house = make_house(**MANY)
    async with house.open() as client:
        for team in ("T11", "T22"):
            assert (await install(client, team)).status_code == 200
            await client.event(message("When?", "1700.000100", f"D{team}") | {"team_id": team})
            await house.settled()
    assert [call.token for call in double.called("chat.postMessage")] == ["xoxb-T11", "xoxb-T22"]


@pytest.mark.anyio
async def test_an_installation_outlives_the_process_and_is_gone_when_the_app_is_removed(
    make_house: Any, double: SlackDouble
) -> None:
    first = make_house(**MANY)
    async with first.open() as client:
        await install(client, "T11")
    second = make_house(**MANY)
    async with second.open() as client:
        await client.event(message("When?", "1700.000100", "D11") | {"team_id": "T11"})
        await second.settled()
        assert len(double.ours("D11")) == 1
        await client.event(envelope({"type": "app_uninstalled"}, team="T11"))
    with second.database.reading() as connection:
        assert connection.execute(select(installations)).all() == []


@pytest.mark.anyio
async def test_tokens_are_not_readable_in_the_database_and_not_with_another_key(make_house: Any) -> None:
    house = make_house(**MANY)
    async with house.open() as client:
        await install(client, "T11")
    with house.database.reading() as connection:
        (sealed,) = connection.execute(select(installations.c.sealed)).scalars()
    assert b"xoxb" not in sealed
    for file in house.settings.data_dir.iterdir():
        assert b"xoxb-T11" not in file.read_bytes()
    assert "xoxb-T11" in (Seal("k" * 40, PURPOSE).open(sealed) or "")
    assert Seal("other", PURPOSE).open(sealed) is None


@pytest.mark.anyio
async def test_an_installation_without_its_state_or_from_another_browser_is_refused(make_house: Any) -> None:
    house = make_house(**MANY)
    async with house.open() as client:
        assert (await client.get("/slack/oauth_redirect", params={"code": "code-T11", "state": "x"})).status_code == 400
        page = await client.get("/slack/install")
        state = page.headers["set-cookie"].split(";")[0].split("=", 1)[1]
        params = {"code": "code-T11", "state": state}
        assert (await client.get("/slack/oauth_redirect", params=params)).status_code == 400
        forged = {"cookie": "slack-app-oauth-state=forged"}
        params["state"] = "forged"
        assert (await client.get("/slack/oauth_redirect", params=params, headers=forged)).status_code == 401
    with house.database.reading() as connection:
        assert connection.execute(select(installations)).all() == []


@pytest.mark.anyio
async def test_a_state_is_ours_and_fresh() -> None:
    seal = Seal("secret", PURPOSE)
    states = States(seal, None)  # type: ignore[arg-type]
    assert await states.async_consume(await states.async_issue())
    old = seal._fernet.encrypt_at_time(b"state x", 1_000_000).decode()
    assert not await states.async_consume(old)
    assert not await states.async_consume(seal.close("a token").decode())


@pytest.mark.anyio
async def test_a_workspace_that_did_not_install_gets_no_call_with_anothers_token(make_house: Any, double: SlackDouble) -> None:
    house = make_house(**MANY, attempts=1)
    async with house.open() as client:
        await client.event(message("When?", "1700.000100", "D11") | {"team_id": "T99"})
        await house.settled()
    assert double.called("chat.postMessage") == []


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"slack_bot_token": None}, "SIGNPOST_SLACK_BOT_TOKEN"),
        ({"slack_signing_secret": None}, "SIGNPOST_SLACK_SIGNING_SECRET"),
        ({**MANY, "secret_key": None}, "SIGNPOST_SECRET_KEY"),
        ({**MANY, "slack_client_secret": None}, "SIGNPOST_SLACK_CLIENT_SECRET"),
        ({"slack_organizations": "T01"}, "SIGNPOST_SLACK_ORGANIZATIONS"),
    ],
)
def test_a_door_without_its_secrets_is_closed_and_names_them(make_house: Any, settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        slack.routes(make_house(**settings))


@pytest.mark.anyio
async def test_in_one_workspace_there_are_no_installation_pages(house: House) -> None:
    async with house.open() as client:
        assert (await client.get("/slack/install")).status_code == 404


@pytest.mark.anyio
async def test_the_same_listeners_answer_over_socket_mode(make_house: Any, double: SlackDouble) -> None:
    house = make_house(slack_app_token=APP_TOKEN, slack_signing_secret=None)
    async with house.open() as client:
        assert (await client.event(message("unsigned", "1.1"))).status_code == 401
        async with asyncio.timeout(10):
            while not double.socket_open:
                await asyncio.sleep(0.01)
            question = message("When?", "1700.000100")
            double.to_socket("events_api", question, "e1")
            double.to_socket("events_api", question, "e2", retry=1)
            while len(double.socket_replies) < 2:
                await asyncio.sleep(0.01)
            await house.settled()
            command = {"command": "/signpost", "text": "When?", "team_id": "T01", "channel_id": "C01", "user_id": ANN}
            double.to_socket("slash_commands", command | {"trigger_id": "t1", "response_url": f"{double.origin}/hook/s"}, "e3")
            double.to_socket("interactive", press("signpost.person", "person", "1700.000200"), "e4")
            while len(double.socket_replies) < 4:
                await asyncio.sleep(0.01)
            await house.settled()
    assert {reply["envelope_id"] for reply in double.socket_replies} == {"e1", "e2", "e3", "e4"}
    said = next(reply for reply in double.socket_replies if reply["envelope_id"] == "e3")
    assert said["payload"]["response_type"] == "ephemeral"
    assert len(double.ours("D0ANN")) == 2
    assert len(double.hooks) == 1


@pytest.mark.anyio
async def test_10_socket_mode_that_cannot_connect_at_start_keeps_trying_and_the_server_still_starts(
    make_house: Any, double: SlackDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack, "PING_SECONDS", 0.2)
    double.faults.append(Fault("internal_error", "apps.connections.open"))
    house = make_house(slack_app_token=APP_TOKEN)
    async with house.open():
        async with asyncio.timeout(10):
            while not double.socket_open:
                await asyncio.sleep(0.01)
    assert len(double.called("apps.connections.open")) == 2


@pytest.mark.anyio
async def test_what_is_accepted_when_the_server_stops_is_still_sent_and_no_connection_stays(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    gate = threading.Event()

    def slow(_message: Any) -> Any:
        gate.wait(5)
        return answer()

    house.turn.answer = slow
    client = SlackClient(Starlette(routes=slack.routes(house)))
    house.inbox.start()
    async with slack.background(house):
        await client.event(message("When?", "1700.000100"))
    gate.set()
    assert await house.inbox.drain(5)
    assert len(house.double.ours("D0ANN")) == 1
    gc.collect()
    assert "Unclosed" not in caplog.text


# -- the manifest ------------------------------------------------------------------------------------------------------------

NEEDS = {
    "app_mention": {"app_mentions:read"},
    "message.im": {"im:history"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "app_home_opened": set(),
    "app_context_changed": set(),
    "app_uninstalled": set(),
    "tokens_revoked": set(),
}


def manifest() -> dict[str, Any]:
    """The shipped manifest."""
    return yaml.safe_load((ROOT / "deploy" / "slack" / "manifest.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_11_the_manifest_subscribes_to_what_a_feature_needs_and_to_nothing_broader() -> None:
    data = manifest()
    events = data["settings"]["event_subscriptions"]["bot_events"]
    assert set(events) == set(NEEDS)
    assert set().union(*NEEDS.values()) <= set(data["oauth_config"]["scopes"]["bot"])
    assert not [event for event in events if event in ("message.mpim", "reaction_added", "member_joined_channel")]


def test_the_manifest_asks_for_the_scopes_that_an_installation_asks_for_and_the_page_explains_each() -> None:
    scopes = manifest()["oauth_config"]["scopes"]["bot"]
    assert scopes == sorted(scopes)
    assert tuple(scopes) == slack.SCOPES
    page = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
    for name in [*scopes, *manifest()["settings"]["event_subscriptions"]["bot_events"]]:
        assert f"| `{name}` |" in page, name


def test_the_manifest_keeps_the_limits_and_names_what_the_code_listens_to() -> None:
    data = manifest()
    about, features = data["display_information"], data["features"]
    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert 174 <= len(about["long_description"]) <= 4_000
    assert len(features["agent_view"]["agent_description"]) <= 300
    assert 1 <= len(features["agent_view"]["suggested_prompts"]) <= 4
    assert "assistant_view" not in features
    assert features["app_home"]["messages_tab_read_only_enabled"] is False
    assert [c["command"] for c in features["slash_commands"]] == [COMMAND]
    assert [(s["type"], s["callback_id"]) for s in features["shortcuts"]] == [("message", SHORTCUT)]
    assert len(features["shortcuts"][0]["name"]) <= 24
    settings = data["settings"]
    addresses = {settings["event_subscriptions"]["request_url"], settings["interactivity"]["request_url"]}
    assert {urlsplit(url).path for url in addresses | {features["slash_commands"][0]["url"]}} == {slack.EVENTS}
    assert [urlsplit(url).path for url in data["oauth_config"]["redirect_urls"]] == [slack.REDIRECT]
    assert BOT_USER not in str(data)
