"""After a run through every door, no detail of a student is in any byte that was stored, logged, counted, sent or exported."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from bot.adapters.slack import app as slack
from bot.adapters.terminal import Terminal
from bot.adapters.web.app import routes as web_routes
from bot.app import App
from bot.guardrails.evaluation import privacy_cases
from bot.inbox import Inbox, ledger
from bot.knowledge.library import utc_now
from bot.messages import Message
from bot.personal.byte_search import found_in
from bot.personal.export import export_person
from bot.personal.search import files, variants
from bot.store.conversation_tables import inbox, utterances
from bot.store.tables import answers
from tests.doubles.inbox import Platform, act
from tests.doubles.openai import OpenAIDouble
from tests.doubles.slack import ANN, SECRET, TEAM, TOKEN, SlackClient, SlackDouble, message, press

LEAST = 6
"""Characters of a detail that is looked for: a shorter one stands in many bytes by chance."""

BASE = "http://127.0.0.1:8080"
CRISIS = ("Marisela Quintanilla told me she wants to kill herself tonight, is there AI for that?", ("Marisela Quintanilla",))
CASES = [(case.text, case.details) for case in privacy_cases() if case.details] + [CRISIS]
DETAILS = sorted({detail for _, details in CASES for detail in details if len(detail) >= LEAST})


def points(body: dict[str, object]) -> str:
    """A chat model that points to the first sentence it is offered."""
    return json.dumps({"answer": [1]})


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that is logged, our own loggers at their most talkative."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root, own = logging.getLogger(), logging.getLogger("signpost")
    levels = root.level, own.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    own.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(levels[0])
    own.setLevel(levels[1])


def holding(folder: Path, app: App, wanted: list[str]) -> dict[str, set[str]]:
    """Which of the details stand in the bytes of which files."""
    needles = [(detail, form.encode()) for detail in wanted for form in variants(detail)]
    found = found_in(files(app.database, folder), [needle for _, needle in needles])
    return {Path(path).name: {needles[n][0] for n in numbers} for path, numbers in found.items()}


async def on_the_web(app: App) -> None:
    asgi = Starlette(routes=web_routes(app))
    app.inbox.start()
    transport = httpx.ASGITransport(asgi, client=("127.0.0.1", 5))
    async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=60) as browser:
        await browser.get("/")
        for n, (text, _) in enumerate(CASES):
            fields = {"text": text, "key": f"k{n}"} if n % 9 else {"action": text, "key": f"k{n}"}
            answered = await browser.post("/ask", data=fields, headers={"accept": "application/json", "origin": BASE})
            await browser.get(f"/events/{answered.json()['row']}")
        page = await browser.get("/")
        assert page.status_code == 200
    assert await app.inbox.drain(30)


async def in_slack(app: App, double: SlackDouble) -> None:
    client = SlackClient(Starlette(routes=slack.routes(app)), double)
    app.inbox.start()
    async with slack.background(app):
        for n, (text, _) in enumerate(CASES[::4]):
            await client.event(message(text, f"1700.{n:06d}"))
        await client.event(message("person", "1701.000001"))
        await client.interaction(press("signpost.choice", "why", "1701.000001"))
        async with asyncio.timeout(90):
            while True:
                with app.database.reading() as connection:
                    counts = ledger.counts(connection)
                if not any(counts.get(state) for state in ledger.OPEN):
                    break
                await asyncio.sleep(0.02)
    assert await app.inbox.drain(30)
    await client.close()


def at_the_keyboard(app: App) -> str:
    talk = Terminal(app.ask, app.database, "", None)
    return "\n".join(talk.respond(text) for text, _ in CASES[::5])


@pytest.mark.e2e
@pytest.mark.timeout(400)
def test_no_detail_is_in_any_byte_after_a_run_through_every_door(
    data_dir: Path, make_app: Callable[..., App], lines: io.StringIO
) -> None:
    with OpenAIDouble(points) as model, SlackDouble() as double:
        app = make_app(
            data_dir,
            openai_base_url=model.url,
            openai_api_key="k",
            slack_bot_token=TOKEN,
            slack_signing_secret=SECRET,
            slack_api_url=double.url,
            limit_person=0,
            limit_organization=0,
            sample_organization=True,
        )
        before = holding(data_dir, app, DETAILS)
        known = set().union(*before.values()) if before else set()
        assert len(known) < len(DETAILS) / 10, "too many of the details are words of the library"
        wanted = [detail for detail in DETAILS if detail not in known]
        asyncio.run(on_the_web(app))
        del app.__dict__["inbox"]  # a second server's
        asyncio.run(in_slack(app, double))
        at_the_keyboard(app)

        with app.database.reading() as connection:
            said = connection.execute(utterances.select().where(utterances.c.role == "user")).all()
            people = {row.person for row in connection.execute(inbox.select())}
            assert len(said) > len(CASES) * 0.9, "the run kept what it should keep"
            assert len(connection.execute(answers.select()).all()) > len(CASES)
        assert f"slack:{TEAM}:{ANN}" in people
        sent = json.dumps(model.requests, ensure_ascii=False) + json.dumps(model.requests)
        assert len(model.requests) > 20, "the model was asked"
        exports = json.dumps([export_person(app.database, app.settings, person, utc_now()) for person in people], default=str)
        posted = json.dumps([call.body for call in double.calls], ensure_ascii=False, default=str)
        figures = app.inbox.figures.text({})
        heaps = {"logs": lines.getvalue(), "model": sent, "exports": exports, "slack": posted, "metrics": figures}
        hits = {name: [d for d in wanted if any(form in heap for form in variants(d))] for name, heap in heaps.items()}
        assert not any(hits.values()), {name: found for name, found in hits.items() if found}
        assert holding(data_dir, app, wanted) == {}
        app.close()
        assert holding(data_dir, app, wanted) == {}


def test_the_search_would_have_found_a_detail_that_was_kept(data_dir: Path, make_app: Callable[..., App]) -> None:
    app = make_app(data_dir)
    detail = "Wilhelmina Featherstonehaugh-Núñez"
    row = {"conversation": "c", "person": "p", "at": 1.0, "role": "user", "text": f"so {detail} wrote"}
    with app.database.writing() as connection:
        connection.execute(utterances.insert().values(**row))
    assert set(holding(data_dir, app, [detail])) == {"signpost.db-wal"}
    assert app.database.flush_log()
    assert set(holding(data_dir, app, [detail])) == {"signpost.db"}


def test_a_failed_turn_leaves_no_detail_either(data_dir: Path, make_app: Callable[..., App], lines: io.StringIO) -> None:
    app = make_app(data_dir)

    class Broken:
        def walk(self, asked: Message, conversation: str) -> object:
            raise RuntimeError(asked.text)

        def redact(self, asked: Message) -> str:
            raise RuntimeError(asked.text)

    detail = "Wilhelmina Featherstonehaugh"
    box = Inbox(app.database, Broken(), app.settings.model_copy(update={"attempts": 1}), utc_now)  # type: ignore[arg-type]
    platform = Platform()
    box.register("test", platform)

    async def story() -> None:
        box.start()
        await box.accept(act("m1", text=f"my student {detail} did", person="test:ann"))
        assert await box.drain(30)

    asyncio.run(story())
    assert len(platform.sorry) == 1
    assert "incident" in lines.getvalue()
    assert detail not in lines.getvalue()
    assert holding(data_dir, app, [detail]) == {}
