"""Who may speak for Teams: every row of the protocol's checks, over real HTTP."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from bot.adapters.teams.authentication import EMULATOR_ISSUERS, Refused, SigningKeys, Verifier, issuers
from bot.adapters.teams.service_hosts import ServiceHosts
from tests.adapters.teams.conftest import Served, wait_until
from tests.doubles.teams import APP_ID, ISSUER, Fault, TeamsDouble, new_key, public, shared_key

NOW = time.time


def _cut(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body}.{signature[:-20]}"


def _tampered(token: str) -> str:
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["aud"] = [APP_ID, "another"]
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{changed}.{signature}"


def _hs256(teams: TeamsDouble) -> str:
    """Signed with the public key's text as if it were a shared secret."""
    secret = (
        shared_key("k1").public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    claims = {"iss": ISSUER, "aud": APP_ID, "exp": NOW() + 600, "serviceurl": teams.url}
    parts = [
        base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in ({"alg": "HS256", "kid": "k1"}, claims)
    ]
    import hashlib
    import hmac

    signed = hmac.new(secret, ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, base64.urlsafe_b64encode(signed).decode().rstrip("=")])


BAD: dict[str, Callable[[TeamsDouble], str]] = {
    "expired ten minutes ago": lambda t: f"Bearer {t.token(exp=NOW() - 600)}",
    "no exp": lambda t: f"Bearer {t.token(exp=None)}",
    "not yet valid": lambda t: f"Bearer {t.token(nbf=NOW() + 900)}",
    "wrong audience": lambda t: f"Bearer {t.token(aud='another-app')}",
    "no audience": lambda t: f"Bearer {t.token(aud=None)}",
    "wrong issuer": lambda t: f"Bearer {t.token(iss='https://evil.example')}",
    "no issuer": lambda t: f"Bearer {t.token(iss=None)}",
    "emulator issuer in production": lambda t: f"Bearer {t.token(iss=EMULATOR_ISSUERS[1])}",
    "wrong serviceurl claim": lambda t: f"Bearer {t.token(serviceurl='https://smba.trafficmanager.net/amer/')}",
    "no serviceurl claim": lambda t: f"Bearer {t.token(serviceurl=None)}",
    "serviceurl claim not text": lambda t: f"Bearer {t.token(serviceurl=5)}",
    "tampered payload": lambda t: f"Bearer {_tampered(t.token())}",
    "cut signature": lambda t: f"Bearer {_cut(t.token())}",
    "rogue key under a known kid": lambda t: f"Bearer {t.token(key=shared_key('rogue'))}",
    "unknown kid": lambda t: f"Bearer {t.token(key=shared_key('rogue'), kid='nowhere')}",
    "no kid": lambda t: f"Bearer {t.token(kid=None)}",
    "alg none": lambda t: "Bearer " + jwt.encode({"iss": ISSUER, "aud": APP_ID}, None, algorithm="none", headers={"kid": "k1"}),
    "HS256 with the public key": lambda t: f"Bearer {_hs256(t)}",
    "Basic": lambda t: "Basic dXNlcjpwYXNz",
    "lower-case scheme": lambda t: f"bearer {t.token()}",
    "two tokens": lambda t: f"Bearer {t.token()} {t.token()}",
    "garbage": lambda t: "Bearer not.a.token",
    "one word": lambda t: "Bearer",
    "bare bearer": lambda t: "Bearer ",
    "very long": lambda t: "Bearer " + "a" * 20_000,
    "empty": lambda t: "",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_is_401_and_nothing_is_said_or_claimed(name: str, standing: Served) -> None:
    teams = standing.teams
    asked = len(standing.turn.asked)
    header = BAD[name](teams)
    response = standing.post(teams.activity("hello"), Authorization=header.rstrip() if name == "bare bearer" else header)
    assert (response.status_code, response.content) == (401, b"")
    # The inbox is first in, first out: once a good one is answered, a claimed bad one would have been too.
    where = f"a:{name}"
    assert standing.post(teams.activity("hello", where), teams.token()).status_code == 202
    wait_until(lambda: teams.sent(where))
    assert len(standing.turn.asked) == asked + 1


def test_no_header_is_401(standing: Served) -> None:
    assert standing.post(standing.teams.activity("hello")).status_code == 401


@pytest.mark.parametrize("audience", [APP_ID, f"api://{APP_ID}", f"api://botid-{APP_ID}"])
def test_a_good_token_is_accepted_and_answered_once(audience: str, standing: Served) -> None:
    teams = standing.teams
    where = f"a:{audience}"
    assert standing.post(teams.activity("hello", where), teams.token(aud=audience)).status_code == 202
    wait_until(lambda: teams.sent(where))
    assert len(teams.sent(where)) == 1


def test_five_minutes_of_leeway_are_given_to_clocks(standing: Served) -> None:
    door, teams = standing, standing.teams
    assert door.post(teams.activity("hello", "a:leeway"), teams.token(exp=NOW() - 200)).status_code == 202
    assert door.post(teams.activity("hello"), teams.token(exp=NOW() - 320)).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"serviceUrl": None},
        {"serviceUrl": ""},
        {"serviceUrl": "https://evil.example/"},
        {"serviceUrl": 7},
        {"channelId": None},
        {"channelId": "webchat"},
    ],
)
def test_an_activity_that_claims_more_than_its_token_is_401(changes: dict[str, Any], standing: Served) -> None:
    asked = len(standing.turn.asked)
    assert standing.post(standing.teams.activity("hello", **changes), standing.teams.token()).status_code == 401
    assert len(standing.turn.asked) == asked


def test_a_service_host_off_the_list_is_401_even_when_signed(serve: Callable[..., Served], teams: TeamsDouble) -> None:
    door = serve(teams_service_hosts="smba.trafficmanager.net")
    assert door.post(teams.activity("hello"), teams.token()).status_code == 401
    assert teams.requests == []


def test_a_key_not_endorsed_for_the_channel_is_401(door: Served, teams: TeamsDouble) -> None:
    teams.published = [public("k1", shared_key("k1"), ["webchat"])]
    assert door.post(teams.activity("hello"), teams.token()).status_code == 401


def test_a_key_without_endorsements_among_keys_that_have_them_is_401(door: Served, teams: TeamsDouble) -> None:
    teams.published = [public("k1", shared_key("k1"), None), public("k2", shared_key("k2"), ["msteams"])]
    assert door.post(teams.activity("hello"), teams.token()).status_code == 401


def test_a_set_of_keys_that_names_no_channels_is_accepted(door: Served, teams: TeamsDouble) -> None:
    teams.published = [public("k1", shared_key("k1"), None)]
    assert door.post(teams.activity("hello"), teams.token()).status_code == 202


def test_a_newly_published_key_is_accepted_at_once(door: Served, teams: TeamsDouble) -> None:
    assert door.post(teams.activity("hello"), teams.token()).status_code == 202
    key = teams.rotate("k2")
    assert door.post(teams.activity("hello"), teams.token(key, "k2")).status_code == 202
    assert teams.fetched_keys == 2


def test_unknown_keys_cannot_make_us_hammer_the_platform(door: Served, teams: TeamsDouble) -> None:
    for n in range(30):
        assert door.post(teams.activity("hello"), teams.token(kid=f"made-up-{n}")).status_code == 401
    assert teams.fetched_keys <= 6


def test_keys_are_fetched_once_for_many_requests(door: Served, teams: TeamsDouble) -> None:
    for _ in range(5):
        assert door.post(teams.activity("hello"), teams.token()).status_code == 202
    assert teams.fetched_keys == 1


@pytest.mark.parametrize("kind", ["500", "drop_before"])
def test_without_keys_nobody_is_let_in(kind: str, door: Served, teams: TeamsDouble) -> None:
    teams.faults.append(Fault(kind))
    assert door.post(teams.activity("hello"), teams.token()).status_code == 401


def test_weak_and_broken_keys_are_passed_over(door: Served, teams: TeamsDouble) -> None:
    broken = [{"kty": "RSA", "kid": "x", "n": "!", "e": "AQAB"}, {"kty": "EC", "kid": "y"}, "nonsense", {"kty": "RSA"}]
    teams.published = [*broken, *teams.published]  # type: ignore[list-item]
    assert door.post(teams.activity("hello"), teams.token()).status_code == 202


def test_emulator_issuers_are_for_development_only() -> None:
    assert set(EMULATOR_ISSUERS).isdisjoint(issuers(ISSUER, development=False))
    assert set(EMULATOR_ISSUERS) < set(issuers(ISSUER, development=True))


def test_an_empty_app_id_never_verifies() -> None:
    import httpx

    keys = SigningKeys("http://127.0.0.1:1/", httpx.AsyncClient(), time.monotonic)
    with pytest.raises(ValueError, match="app id"):
        Verifier("", (ISSUER,), keys, ServiceHosts(()))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b"[" * 100_000, b"\xff\xfe", b'{"type": "message"}'], ids=lambda b: repr(b[:12])
)
def test_a_broken_body_is_refused_and_never_a_500(body: bytes, standing: Served) -> None:
    assert standing.post(body, standing.teams.token()).status_code in (400, 401)


@pytest.mark.parametrize(
    "changes",
    [
        {"from": "x"},
        {"conversation": []},
        {"conversation": None},
        {"recipient": None},
        {"timestamp": "never"},
        {"entities": [5]},
        {"entities": {"a": 1}},
        {"type": None},
        {"from": None},
        {"channelData": "x"},
        {"value": "x"},
        {"text": {"a": 1}},
        {"type": 5},
        {"membersAdded": [None], "type": "conversationUpdate"},
        {"type": "invoke", "name": "adaptiveCard/action", "value": 5},
        {"type": "invoke", "name": "adaptiveCard/action", "value": {"action": {"verb": "signpost.open", "data": {"n": {}}}}},
        {"type": "invoke", "name": "message/submitAction", "value": [1]},
        {"type": "invoke", "name": None},
    ],
    ids=str,
)
def test_a_signed_but_odd_activity_is_never_a_500(changes: dict[str, Any], standing: Served) -> None:
    response = standing.post({**standing.teams.activity("hello"), **changes}, standing.teams.token())
    assert response.status_code in (200, 202, 400, 501), response.status_code


def test_a_huge_body_is_refused_before_it_is_read_whole(standing: Served) -> None:
    body = json.dumps(standing.teams.activity("x" * 2_000_000)).encode()
    assert standing.post(body, standing.teams.token()).status_code == 400


def test_nothing_of_a_refused_request_is_logged(door: Served, teams: TeamsDouble, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        door.post(teams.activity("my pupil Timmy"), teams.token(key=shared_key("rogue")))
        door.post(teams.activity("my pupil Timmy"), "garbage-token")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("signpost")]
    assert ours
    for line in ours:
        assert "Timmy" not in line
        assert "garbage" not in line


def test_keys_stay_a_day_and_survive_an_outage(teams: TeamsDouble) -> None:
    import asyncio

    import httpx

    now = [0.0]

    async def run() -> None:
        keys = SigningKeys(teams.openid_url, httpx.AsyncClient(), lambda: now[0])
        await keys.find("k1")
        now[0] += 23 * 3600
        await keys.find("k1")
        assert teams.fetched_keys == 1
        now[0] += 2 * 3600
        teams.faults.append(Fault("503"))
        await keys.find("k1")
        now[0] += 60
        await keys.find("k1")
        assert teams.fetched_keys == 2

    asyncio.run(run())


def test_a_silent_key_server_is_given_up_on(teams: TeamsDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    import httpx

    from bot.adapters.teams import authentication

    monkeypatch.setattr(authentication, "FETCH_SECONDS", 0.2)
    teams.faults.append(Fault("silent"))

    async def run() -> None:
        keys = SigningKeys(teams.openid_url, httpx.AsyncClient(), time.monotonic)
        started = time.monotonic()
        with pytest.raises(Refused):
            await keys.find("k1")
        assert time.monotonic() - started < 3

    asyncio.run(run())


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://smba.trafficmanager.net/amer/", True),
        ("https://SMBA.trafficmanager.net/amer/", True),
        ("http://smba.trafficmanager.net/amer/", False),
        ("https://smba.trafficmanager.net.evil.example/", False),
        ("https://smba.trafficmanager.net@evil.example/", False),
        ("https://evil.example/?smba.trafficmanager.net", False),
        ("https://evil.example\\@smba.trafficmanager.net/", False),
        ("https://europe.botframework.com/", True),
        ("https://botframework.com/", False),
        ("https://evilbotframework.com/", False),
        ("http://127.0.0.1:9000/", False),
        ("https://10.0.0.1:8443/x", True),
        ("https://10.0.0.1/x", False),
        ("ftp://smba.trafficmanager.net/", False),
        ("https://smba.trafficmanager.net:99999/", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_only_listed_hosts_are_a_teams_service(url: str, allowed: bool) -> None:
    hosts = ServiceHosts.read("smba.trafficmanager.net, *.botframework.com 10.0.0.1:8443")
    assert hosts.allows(url) is allowed


def test_this_machine_is_a_service_only_where_it_is_allowed() -> None:
    assert not ServiceHosts.read("smba.trafficmanager.net").allows("http://localhost:56150/_connector")
    assert ServiceHosts.read("smba.trafficmanager.net", loopback=True).allows("http://localhost:56150/_connector")
    assert ServiceHosts.read("127.0.0.1").allows("http://127.0.0.1:4000/amer/")
    assert ServiceHosts.read("http://127.0.0.1:4000/").allows("http://127.0.0.1:4000/amer/")
    assert not ServiceHosts.read("http://127.0.0.1:4000/").allows("http://127.0.0.1:4001/amer/")


def test_a_new_key_is_not_the_old_one() -> None:
    assert new_key().public_key() != shared_key("k1").public_key()
