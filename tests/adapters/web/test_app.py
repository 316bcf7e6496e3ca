"""The web chat over a turn that answers at once: with and without the script, for its own browser only, every end visible."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from bs4 import BeautifulSoup
from starlette.applications import Starlette

from bot.adapters.web.app import routes
from bot.errors import ConfigurationError
from bot.inbox import Inbox
from bot.knowledge.library import utc_now
from bot.messages import Choice, Handling, Message, Outcome, Person, Reply
from bot.settings import Settings
from bot.store import Database, outbox
from bot.store.outbox import To
from tests.conftest import settings_for
from tests.doubles.inbox import Thinker, open_store

BASE = "http://127.0.0.1:8080"
SCRIPT = {"accept": "application/json", "origin": BASE}


@dataclass
class House:
    settings: Settings
    database: Database
    inbox: Inbox


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = open_store(tmp_path)
    yield database
    database.close()


def house(store: Database, folder: Path, thinker: Thinker | None = None, **changes: object) -> House:
    settings = settings_for(folder, **{"limit_person": 0, "limit_organization": 0, "attempts": 1, **changes})
    return House(settings, store, Inbox(store, thinker or Thinker(), settings, utc_now))


Story = Callable[[Callable[[], httpx.AsyncClient]], Awaitable[None]]


def visit(built: House, story: Story, peer: str = "127.0.0.1", base: str = BASE) -> None:
    """Serve the door in this loop and let the story make browsers."""

    async def everything() -> None:
        asgi = Starlette(routes=routes(built))
        built.inbox.start()
        browsers: list[httpx.AsyncClient] = []

        def browser() -> httpx.AsyncClient:
            transport = httpx.ASGITransport(asgi, client=(peer, 5))
            browsers.append(httpx.AsyncClient(transport=transport, base_url=base, timeout=30))
            return browsers[-1]

        await story(browser)
        for made in browsers:
            await made.aclose()
        assert await built.inbox.drain(20)

    asyncio.run(everything())


def soup(response: httpx.Response) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def test_without_javascript_a_posted_form_shows_its_answer_on_the_next_page(store: Database, tmp_path: Path) -> None:
    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        page = soup(await me.get("/"))
        form = page.select_one("form[data-composer]")
        assert form is not None
        key = form.select_one("input[name=key]")["value"]  # type: ignore[index]
        posted = await me.post("/ask", data={"key": key, "text": "May I?"})
        assert posted.status_code == 303
        shown = soup(await me.get(posted.headers["location"]))
        assert shown.select_one(".asked").get_text().endswith("May I?")  # type: ignore[union-attr]
        assert "re: May I?" in shown.select_one(".reply").get_text()  # type: ignore[union-attr]
        again = await me.post("/ask", data={"key": key, "text": "May I?"})
        assert again.status_code == 303
        assert len(soup(await me.get("/")).select(".turn")) == 1

    visit(house(store, tmp_path), story)


def test_with_the_script_the_stream_brings_each_part_and_then_the_whole(store: Database, tmp_path: Path) -> None:
    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        await me.get("/")
        taken = (await me.post("/ask", data={"text": "One\n\nTwo", "key": "k1"}, headers=SCRIPT)).json()
        assert re.search("data-working|re: One", taken["html"])
        stream = await me.get(f"/events/{taken['row']}")
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = re.findall(r"event: (\w+)\ndata: (.*)\n", stream.text)
        assert [name for name, _ in events] == ["part", "part", "done"]
        done = json.loads(events[-1][1])["html"]
        assert all(json.loads(data)["html"] in done for name, data in events if name == "part")

    visit(house(store, tmp_path), story)


def test_another_browser_sees_nothing_of_it(store: Database, tmp_path: Path) -> None:
    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me, other, nobody = browser(), browser(), browser()
        await me.get("/")
        await other.get("/")
        row = (await me.post("/ask", data={"text": "mine alone", "key": "k1"}, headers=SCRIPT)).json()["row"]
        await me.get(f"/events/{row}")
        assert (await other.get(f"/events/{row}")).status_code == 404
        assert (await nobody.get(f"/events/{row}")).status_code == 403
        assert "mine alone" not in (await other.get("/")).text
        theirs = {"text": "mine alone", "key": "k1"}
        assert (await other.post("/ask", data=theirs, headers=SCRIPT)).json()["row"] != row

    visit(house(store, tmp_path), story)


def test_another_page_cannot_act_and_another_name_for_this_machine_is_a_stranger(store: Database, tmp_path: Path) -> None:
    thinker = Thinker()

    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        await me.get("/")
        for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
            for address in ("/ask", "/new", "/feedback"):
                assert (await me.post(address, data={"text": "x", "key": "k"}, headers=headers)).status_code == 403
        assert (await me.get("/", headers={"host": "evil.example"})).status_code == 403
        assert (await me.post("/ask", data={"text": "x"}, headers={"host": "evil.example"})).status_code == 403

    visit(house(store, tmp_path, thinker), story)
    assert thinker.asked == []


def test_elsewhere_a_signed_link_lets_in_and_nothing_else_does(store: Database, tmp_path: Path) -> None:
    from datetime import timedelta

    from bot.adapters.web.app import sessions_for

    thinker = Thinker()
    built = house(store, tmp_path, thinker, env="production", web_secret="s" * 32)

    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        assert (await me.get("/")).status_code == 403
        assert (await me.get("/enter?key=nonsense")).status_code == 403
        key = sessions_for(built.settings).link("north", "leader", utc_now() + timedelta(days=1))
        entered = await me.get(f"/enter?key={key}")
        cookie = entered.headers["set-cookie"]
        assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=lax"))
        assert (await me.get("/")).status_code == 200
        await me.post("/ask", data={"text": "hello", "key": "k"})

    visit(built, story, peer="10.0.0.7", base="https://bot.example.org")
    assert thinker.asked == ["hello"]


def test_production_without_a_secret_keeps_the_door_closed(store: Database, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SIGNPOST_WEB_SECRET"):
        routes(house(store, tmp_path, env="production"))


@pytest.mark.parametrize("data", [{}, {"text": "   "}, {"text": "x" * 4001}, {"action": "y" * 4001}])
def test_an_empty_or_endless_question_is_refused_in_words(store: Database, tmp_path: Path, data: dict[str, str]) -> None:
    thinker = Thinker()

    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        await me.get("/")
        refused = await me.post("/ask", data={"key": "k", **data}, headers=SCRIPT)
        assert refused.status_code == 422
        assert refused.json()["problem"]
        assert (await me.post("/ask", data={"key": "k", **data})).status_code == 303
        huge = await me.post("/ask", content=b"text=" + b"x" * 100_000, headers=SCRIPT)
        assert huge.status_code == 422

    visit(house(store, tmp_path, thinker), story)
    assert thinker.asked == []


def test_a_failure_is_an_apology_on_the_page_with_its_incident(store: Database, tmp_path: Path) -> None:
    def fail(_: Message) -> None:
        raise RuntimeError

    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        await me.get("/")
        await me.post("/ask", data={"text": "May I?", "key": "k"})
        apology = soup(await me.get("/")).select_one(".apology")
        assert apology is not None
        assert re.search(r"incident [0-9a-f]{8}", apology.get_text())

    visit(house(store, tmp_path, Thinker(before=fail)), story)


def test_over_the_limit_the_page_says_so(store: Database, tmp_path: Path) -> None:
    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        await me.get("/")
        for n in range(3):
            await me.post("/ask", data={"text": f"q{n}", "key": f"k{n}"})
        replies = [turn.get_text() for turn in soup(await me.get("/")).select(".reply")]
        assert "re: q0" in replies[0]
        assert "minute" in replies[1]
        assert "limit" in replies[2]

    visit(house(store, tmp_path, limit_person=1), story)


def test_a_new_conversation_is_empty_and_the_person_stays_the_same(store: Database, tmp_path: Path) -> None:
    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        await me.get("/")
        await me.post("/ask", data={"text": "one", "key": "k"})
        identity = me.cookies["signpost_id"]
        await me.post("/new")
        assert soup(await me.get("/")).select(".turn") == []
        assert me.cookies["signpost_id"] == identity

    visit(house(store, tmp_path), story)


def test_feedback_is_taken_with_a_reason_and_only_for_answers_that_exist(store: Database, tmp_path: Path) -> None:
    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        await me.get("/")
        await me.post("/ask", data={"text": "one", "key": "k"})
        reply = soup(await me.get("/")).select_one(".reply")
        assert reply is not None
        answer = str(reply["id"]).removeprefix("a")
        given = {"answer": answer, "verdict": "down", "reason": "outdated"}
        assert (await me.post("/feedback", data=given, headers=SCRIPT)).json()["said"]
        thanked = await me.post("/feedback", data={**given, "verdict": "up"})
        assert thanked.status_code == 303
        for wrong in ({"answer": "nothing"}, {"verdict": "sideways"}, {"reason": "<script>"}):
            assert (await me.post("/feedback", data={**given, **wrong}, headers=SCRIPT)).status_code == 404

    visit(house(store, tmp_path), story)
    with store.reading() as connection:
        found = connection.exec_driver_sql("SELECT helpful, reason FROM feedback").fetchall()
    assert found == [(1, "")]


def test_hostile_words_are_shown_and_never_run(store: Database, tmp_path: Path) -> None:
    words = '<script>alert(1)</script><img src=x onerror=alert(1)>" onfocus="x'

    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        await me.get("/")
        await me.post("/ask", data={"text": words, "key": '"><b>'})
        page = soup(await me.get("/?open=%3Cscript%3E.1&thanks=%3Cscript%3E"))
        assert words in page.select_one(".asked").get_text()  # type: ignore[union-attr]
        assert [tag.get("src") for tag in page.select("script")] == ["/static/signpost.js"]
        assert page.select("[onfocus], [onerror], [style]") == []

    visit(house(store, tmp_path), story)


@pytest.mark.parametrize(("wanted", "language"), [("es-MX,en;q=0.8", "es"), ("fr,es", "en"), ("en", "en"), ("", "en")])
def test_the_page_speaks_the_language_the_browser_asks_for(store: Database, tmp_path: Path, wanted: str, language: str) -> None:
    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        page = soup(await browser().get("/", headers={"accept-language": wanted}))
        assert page.html["lang"] == language  # type: ignore[index]

    visit(house(store, tmp_path), story)


def test_only_the_three_static_files_are_served(store: Database, tmp_path: Path) -> None:
    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        for name in ("signpost.css", "signpost.js", "signpost.svg"):
            assert (await me.get(f"/static/{name}")).status_code == 200
        for name in ("..%2fapp.py", "app.py", "signpost.css%00"):
            assert (await me.get(f"/static/{name}")).status_code in (404, 400)

    visit(house(store, tmp_path), story)


def test_a_cited_answer_opens_its_passage_beside_it(shared_app: object, tmp_path: Path) -> None:
    from bot.app import App

    assert isinstance(shared_app, App)
    built = House(
        shared_app.settings,
        shared_app.database,
        Inbox(shared_app.database, shared_app.turn, settings_for(tmp_path), utc_now),
    )

    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        await me.get("/")
        await me.post("/ask", data={"text": "When did the amended COPPA rule take effect?", "key": "k"})
        page = soup(await me.get("/"))
        link = str(page.select_one(".words a.cite")["href"])  # type: ignore[index]
        opened = soup(await me.get(link)).select_one("#passage")
        assert opened is not None
        assert "23 June 2025" in opened.select_one("mark").get_text()  # type: ignore[union-attr]
        assert "Verified" in opened.get_text()
        assert opened.select_one(".official a")["href"].startswith("https://")  # type: ignore[index,union-attr]
        answer, n = re.findall(r"open=(\w+)\.(\d+)", link)[0]
        assert "<mark>" in (await me.get(f"/passages/{answer}/{n}")).text
        assert (await me.get(f"/passages/{answer}/99")).status_code == 404
        assert (await me.get("/passages/nothing/1")).status_code == 404

    visit(built, story)


def test_what_waits_for_a_person_is_shown_once_when_they_next_open_the_chat_and_can_be_answered(
    store: Database, tmp_path: Path
) -> None:
    thinker = Thinker()

    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me, other = browser(), browser()
        await me.get("/")
        await other.get("/")
        person = f"web:{me.cookies['signpost_id']}"
        reply = Reply(
            Outcome.CLARIFY,
            Handling.ANSWER,
            "Do you still know?",
            "en",
            fixed="lesson.return",
            choices=(Choice("1", "lesson:a"),),
        )
        with store.writing() as connection:
            outbox.put(connection, "k", To.to_person(person), reply, kind="lesson", now=utc_now().timestamp())
        assert "Do you still know?" not in (await other.get("/")).text
        pages = await asyncio.gather(*(me.get("/") for _ in range(4)))
        assert all(page.status_code == 200 for page in pages)
        page = soup(await me.get("/"))
        assert len(page.select("article.turn")) == 1
        assert page.select_one("article.turn h2").get_text() == "Signpost writes"  # type: ignore[union-attr]
        assert page.select_one("article.turn .asked") is None
        button = page.select_one(".choices form")
        fields = {field["name"]: field["value"] for field in button.select("input")}  # type: ignore[union-attr]
        await me.post("/ask", data={**fields, "action": "lesson:a"})
        assert len(soup(await me.get("/")).select("article.turn")) == 2

    visit(house(store, tmp_path, thinker), story)
    assert thinker.asked == ["1"]


def test_what_is_said_unasked_comes_into_the_open_page_once(
    store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.web.app.ARRIVALS", 2)
    monkeypatch.setattr("bot.adapters.web.app.ARRIVALS_LOOK", 0.01)

    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me, other = browser(), browser()
        await me.get("/")
        await other.get("/")
        person = f"web:{me.cookies['signpost_id']}"
        reply = Reply(Outcome.ANSWERED, Handling.ANSWER, "Yes, for drafts.", "en", fixed="handoff.answer")
        with store.writing() as connection:
            outbox.put(connection, "k", To("web", person), reply, kind="handoff", now=utc_now().timestamp(), at_once=True)
        assert "event: said" not in (await other.get("/arrivals")).text
        stream = (await me.get("/arrivals?after=0")).text
        [(row, data)] = re.findall(r"id: (\d+)\nevent: said\ndata: (.*)\n", stream)
        assert "Yes, for drafts." in json.loads(data)["html"]
        assert "event: said" not in (await me.get(f"/arrivals?after={row}")).text
        assert "event: said" not in (await me.get("/arrivals", headers={"last-event-id": row})).text
        assert soup(await me.get("/")).get_text().count("Yes, for drafts.") == 1
        assert (await browser().get("/arrivals")).status_code == 403

    visit(house(store, tmp_path), story)


def test_a_page_of_ones_own_offers_checks_and_lessons_and_leads_into_the_conversation(store: Database, tmp_path: Path) -> None:
    thinker = Thinker()

    @dataclass
    class Offering(House):
        def home_choices(self, person: Person, language: str) -> tuple[Choice, ...]:
            return (Choice(f"Readiness check for {person.id.split(':')[0]}", f"check:begin:any@{language}"),)

    async def story(browser: Callable[[], httpx.AsyncClient]) -> None:
        me = browser()
        assert soup(await me.get("/")).select_one("a[href='/own']") is not None
        page = soup(await me.get("/own"))
        form = page.select_one("form")
        assert form is not None
        button = form.select_one("button")
        assert button is not None
        assert button.get_text() == "Readiness check for web"
        fields = {str(field["name"]): str(field["value"]) for field in form.select("input")}
        posted = await me.post("/ask", data={**fields, "action": str(button["value"])})
        assert posted.status_code == 303
        assert "re: Readiness check" in (await me.get(posted.headers["location"])).text

    plain = house(store, tmp_path, thinker)
    visit(Offering(plain.settings, plain.database, plain.inbox), story)
    assert len(thinker.asked) == 1
