"""The server around the doors: closed doors, health, readiness, figures, headers, and an end that finishes what it accepted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from bot.app import App
from bot.inbox.figures import Figures
from bot.server import Server
from tests.conftest import settings_for
from tests.doubles.inbox import Thinker, act
from tests.doubles.slack import APP_TOKEN, TOKEN, Fault, SlackDouble
from tests.doubles.store import read_only

BASE = "http://127.0.0.1:8080"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setattr("bot.server.WARM_SECONDS", 0.01)
    made = App(settings_for(tmp_path, limit_person=0))
    made.__dict__["turn"] = Thinker()
    return made


Story = Callable[[httpx.AsyncClient], Awaitable[None]]


def live(server: Server, story: Story) -> None:
    """The server's whole life around a story."""

    async def everything() -> None:
        async with server.asgi.router.lifespan_context(server.asgi):
            transport = httpx.ASGITransport(server.asgi, client=("127.0.0.1", 5), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=30) as client:
                await story(client)

    asyncio.run(everything())


def loaded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_load", lambda: None)


async def ready(client: httpx.AsyncClient) -> httpx.Response:
    for _ in range(2_000):
        found = await client.get("/readyz")
        if found.status_code == 200:
            return found
        await asyncio.sleep(0.005)
    raise AssertionError(found.text)


def test_with_nothing_set_the_web_is_open_and_the_other_doors_say_that_they_are_closed(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(app)
    loaded(server, monkeypatch)
    assert any("slack: closed" in line and "SIGNPOST_SLACK" in line for line in server.lines())
    assert any("teams: closed" in line and "SIGNPOST_TEAMS" in line for line in server.lines())
    assert "web: open" in server.lines()

    async def story(client: httpx.AsyncClient) -> None:
        assert (await client.get("/")).status_code == 200
        for address in ("/slack/events", "/slack/install", "/api/messages"):
            closed = await client.post(address, json={})
            assert closed.status_code == 503
            assert "SIGNPOST" not in closed.text
        doors = (await ready(client)).json()["doors"]
        assert doors["web"] == "open"
        assert doors["slack"] != "open"
        assert (await client.get("/console")).status_code == 200
        assert (await client.get("/nothing")).status_code == 404

    live(server, story)


def test_readiness_says_what_is_missing_and_health_does_not_wait_for_it(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(app)
    tries: list[int] = []

    def load() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("the words of an error")

    monkeypatch.setattr(server, "_load", load)

    async def story(client: httpx.AsyncClient) -> None:
        first = await client.get("/readyz")
        assert first.status_code == 503
        assert "library" in first.json()["missing"][0]
        assert (await client.get("/healthz")).json()["healthy"]
        await ready(client)
        assert len(tries) == 3

    live(server, story)


def test_a_message_taken_in_before_the_library_is_loaded_is_answered_once_it_is(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    server, free = Server(app), threading.Event()
    monkeypatch.setattr(server, "_load", lambda: free.wait(20) and None)

    async def story(client: httpx.AsyncClient) -> None:
        await client.get("/")
        taken = await client.post("/ask", data={"text": "early", "key": "k"}, headers={"accept": "application/json"})
        assert taken.status_code == 200
        free.set()
        assert "re: early" in (await client.get(f"/events/{taken.json()['row']}")).text

    live(server, story)


def test_stopping_finishes_what_was_accepted(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    thinker = Thinker(before=lambda _: time.sleep(0.2))
    app.__dict__["turn"] = thinker
    server = Server(app)
    loaded(server, monkeypatch)

    async def story(client: httpx.AsyncClient) -> None:
        await ready(client)
        for n in range(4):
            await client.get("/")
            await client.post("/ask", data={"text": f"q{n}", "key": f"k{n}"}, headers={"accept": "application/json"})

    live(server, story)
    assert thinker.asked == ["q0", "q1", "q2", "q3"]


def test_every_page_carries_the_security_headers(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(app)
    loaded(server, monkeypatch)

    async def story(client: httpx.AsyncClient) -> None:
        for address in ("/", "/healthz", "/nothing", "/static/signpost.js", "/api/messages"):
            headers = (await client.get(address)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"

    live(server, story)


def test_figures_tell_counts_and_times_by_door_and_no_address(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(app)
    loaded(server, monkeypatch)

    async def story(client: httpx.AsyncClient) -> None:
        await client.get("/secret-address")
        await ready(client)
        await client.get("/")
        await client.post("/ask", data={"text": "a private word", "key": "k"})
        figures = (await client.get("/metrics")).text
        assert 'signpost_http_seconds_count{door="web",status="4xx"} 1' in figures
        assert "signpost_received_total" in figures
        assert "secret-address" not in figures
        assert "private word" not in figures
        families = exposition(figures)
        assert families["signpost_http_seconds"] == "histogram"
        assert families["signpost_received_total"] == "counter"
        assert families["signpost_inbox_rows"] == families["signpost_door_open"] == "gauge"
        assert 'signpost_door_open{door="web"} 1' in figures
        assert 'signpost_door_open{door="slack"} 0' in figures

    live(server, story)


LABELS = r'\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*")*\}'
SAMPLE = re.compile(rf"(?P<name>[a-zA-Z_:][\w:]*)(?P<labels>{LABELS})? (?P<value>[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)")
KNOWN = {"door", "status", "platform", "outcome", "new", "state", "le"}


def exposition(text: str) -> dict[str, str]:
    """The families of a text in Prometheus' format and their types, once it keeps the format's rules: each family's type
    stands before its samples, which stand together; no series twice; a histogram's buckets grow up to its count."""
    assert text.endswith("\n")
    types: dict[str, str] = {}
    values: dict[tuple[str, str], float] = {}
    family = ""
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            family, kind = line.removeprefix("# TYPE ").split(" ")
            assert family not in types
            types[family] = kind
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        name, labels = found["name"], found["labels"] or ""
        ends = ("_bucket", "_sum", "_count") if types[family] == "histogram" else ("",)
        assert name in {family + end for end in ends}, line
        assert set(re.findall(r'(\w+)="', labels)) <= KNOWN, line
        assert (name, labels) not in values
        values[name, labels] = float(found["value"])
    for (name, labels), value in values.items():
        if name.endswith("_count") and types.get(name.removesuffix("_count")) == "histogram":
            bare = labels.strip("{}")
            buckets = [
                count
                for (bucket, own), count in values.items()
                if bucket == name.removesuffix("_count") + "_bucket" and re.sub(r',?le="[^"]*"', "", own).strip("{}") == bare
            ]
            assert buckets == sorted(buckets)
            assert buckets[-1] == value
    return types


def test_the_figures_of_a_label_with_marks_in_it_are_still_well_formed() -> None:
    figures = Figures()
    figures.count("ended", outcome='a "b" \\ c\nd')
    figures.observe("claim", 0.2, platform="slack")
    figures.observe("claim", 99.0, platform="slack")
    assert exposition(figures.text({"inbox_rows": ("state", {"sent": 1})})) == {
        "signpost_ended_total": "counter",
        "signpost_claim_seconds": "histogram",
        "signpost_inbox_rows": "gauge",
    }


def test_readiness_tells_a_database_that_cannot_be_written_and_a_library_that_is_loaded(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(app)
    loaded(server, monkeypatch)

    async def story(client: httpx.AsyncClient) -> None:
        assert (await ready(client)).json()["library"] == {"loaded": True}

        with read_only(app.database):
            found = await client.get("/readyz")
        assert found.status_code == 503
        assert any("cannot be written" in line for line in found.json()["missing"])
        assert (await client.get("/healthz")).status_code == 200

    live(server, story)


def test_readiness_tells_whether_socket_mode_is_connected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SlackDouble() as double:
        settings = settings_for(
            tmp_path, slack_bot_token=TOKEN, slack_app_token=APP_TOKEN, slack_api_url=double.url, limit_person=0
        )
        made = App(settings)
        made.__dict__["turn"] = Thinker()
        server = Server(made)
        loaded(server, monkeypatch)
        double.faults += [Fault("500", "apps.connections.open")] * 2

        async def story(client: httpx.AsyncClient) -> None:
            first = (await client.get("/readyz")).json()
            assert first["doors"]["slack"] == "Socket Mode is not connected"
            assert "slack: Socket Mode is not connected" in first["missing"]
            assert 'signpost_door_open{door="slack"} 0' in (await client.get("/metrics")).text
            assert (await ready(client)).json()["doors"]["slack"] == "open"

        monkeypatch.setattr("bot.adapters.slack.app.PING_SECONDS", 0.05)
        live(server, story)


def test_a_request_that_is_too_large_is_refused(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.server.MAX_BODY", 1_000)
    server = Server(app)
    loaded(server, monkeypatch)

    async def story(client: httpx.AsyncClient) -> None:
        await client.get("/")
        assert (await client.post("/ask", data={"text": "x" * 2_000})).status_code == 413

    live(server, story)


def test_a_failing_page_gives_an_incident_and_no_trace(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(app)
    loaded(server, monkeypatch)

    async def story(client: httpx.AsyncClient) -> None:
        await ready(client)
        app.database.close()
        monkeypatch.setattr(app.database, "reading", None)
        monkeypatch.setattr(app.database, "writing", None)
        failed = await client.get("/metrics")
        assert failed.status_code == 500
        assert "incident" in failed.text
        assert "Traceback" not in failed.text
        assert (await client.get("/readyz")).status_code == 503
        monkeypatch.undo()

    live(server, story)


def test_an_act_for_a_door_reaches_it_through_the_app(app: App) -> None:
    async def story() -> None:
        assert (await app.inbox.accept(act("m1"))).new
        await app.inbox.drain(5)

    asyncio.run(story())
    app.close()
