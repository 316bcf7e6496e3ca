"""Who may come in, and which requests are believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request

from bot.adapters.web.sessions import IDENTITY, Sessions, is_local, is_own

NOW = datetime(2026, 11, 25, tzinfo=UTC)
KEY = b"k" * 32


def request(host: str = "127.0.0.1:8080", peer: str = "127.0.0.1", cookie: str = "", **headers: str) -> Request:
    pairs = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if cookie:
        pairs["cookie"] = f"{IDENTITY}={cookie}"
    raw = [(name.encode(), value.encode()) for name, value in pairs.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw, "client": (peer, 5), "query_string": b""})


def sessions(key: bytes | None = KEY, local: bool = True) -> Sessions:
    return Sessions(key, local=local, organization="home", days=30)


@pytest.mark.parametrize(
    ("made", "local"),
    [
        (request(), True),
        (request("localhost:8080"), True),
        (request("LOCALHOST"), True),
        (request("[::1]:8080", "::1"), True),
        (request("evil.example:8080"), False),
        (request("127.0.0.1.evil.example"), False),
        (request("localhost.evil.example:80"), False),
        (request(peer="10.0.0.7"), False),
        (request(x_forwarded_for="8.8.8.8"), False),
        (request(forwarded="for=8.8.8.8"), False),
        (request("", peer="testclient"), False),
    ],
)
def test_only_this_machine_under_its_own_name_needs_no_link(made: Request, local: bool) -> None:
    assert is_local(made) is local
    assert (sessions().of(made, NOW) is not None) is local
    assert sessions(local=False).of(made, NOW) is None


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({}, True),
        ({"origin": "http://127.0.0.1:8080"}, True),
        ({"origin": "http://127.0.0.1:8080", "sec_fetch_site": "same-origin"}, True),
        ({"origin": "http://127.0.0.1:9090"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "null", "sec_fetch_site": "same-origin"}, True),
        ({"origin": "null", "sec_fetch_site": "none"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site"}, False),
    ],
)
def test_only_our_own_page_may_act(headers: dict[str, str], own: bool) -> None:
    assert is_own(request(**headers)) is own


def test_a_link_makes_each_browser_a_person_of_its_own_with_what_it_grants() -> None:
    held = sessions(local=False)
    key = held.link("north", "leader", NOW + timedelta(days=1))
    cookies = [held.enter(key, NOW) for _ in range(2)]
    found = [held.of(request("bot.example.org", "10.0.0.7", cookie=cookie or ""), NOW) for cookie in cookies]
    assert all(session and (session.organization, session.role) == ("north", "leader") for session in found)
    assert len({session.person for session in found if session}) == 2


def test_a_link_that_has_ended_or_was_changed_opens_nothing() -> None:
    held = sessions(local=False)
    key = held.link("north", None, NOW + timedelta(days=1))
    assert held.enter(key, NOW + timedelta(days=2)) is None
    cookie = held.enter(key, NOW)
    assert cookie is not None
    stranger = request("bot.example.org", "10.0.0.7", cookie=cookie)
    assert held.of(stranger, NOW + timedelta(days=2)) is None
    body, _, mac = key.partition(".")
    other = sessions(b"x" * 32, local=False)
    for forged in (f"{body}.{mac[:-1]}0", f"{body[:-2]}AA.{mac}", f".{mac}", body, "", "é.é", cookie):
        assert held.enter(forged, NOW) is None
    assert other.enter(key, NOW) is None
    for forged in (key, cookie[:-1], "x" * 22):
        assert held.of(request("bot.example.org", "10.0.0.7", cookie=forged), NOW) is None
    with pytest.raises(ValueError, match="secret"):
        sessions(None).link(None, None, NOW)


def test_without_a_secret_no_cookie_is_a_grant() -> None:
    forged = "eyJrIjoiaWQiLCJwIjoiYWFhYWFhYWFhYWFhIn0." + "0" * 64
    assert sessions(None, local=False).of(request(cookie=forged), NOW) is None
