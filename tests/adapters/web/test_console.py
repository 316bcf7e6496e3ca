"""The console: counts and conditions for those who run Signpost, for nobody else, without a word of what was asked."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from bs4 import BeautifulSoup
from pydantic import SecretStr
from starlette.applications import Starlette

from bot.adapters.web import console
from bot.adapters.web.app import routes, sessions_for
from bot.inbox import ledger
from bot.inbox.ledger import Lease
from bot.store import Database
from bot.store.tables import documents, libraries, versions
from tests.adapters.web.test_app import BASE, House, house, store
from tests.doubles.inbox import act

__all__ = ["store"]
SECRET = "a-secret-of-at-least-32-characters"


def page(built: House, *, peer: str = "127.0.0.1", base: str = BASE, link: str = "", **headers: str) -> httpx.Response:
    """The console as a browser sees it, which may come by a signed link."""

    async def look() -> console.Condition:
        return console.Condition({"web": "open", "teams": "SIGNPOST_TEAMS_APP_ID is not set"}, ("<the reason>",))

    async def visit() -> httpx.Response:
        asgi = Starlette(routes=[*console.routes(built, look), *routes(built)])
        transport = httpx.ASGITransport(asgi, client=(peer, 5))
        async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
            if link:
                assert (await client.get(f"/enter?key={link}")).status_code == 303
            assert (await client.post("/console")).status_code == 405
            return await client.get("/console")

    return asyncio.run(visit())


def signed(built: House, role: str | None) -> str:
    return sessions_for(built.settings).link(None, role, datetime.now(UTC) + timedelta(days=1))


def facts(response: httpx.Response) -> dict[str, str]:
    page = BeautifulSoup(response.text, "html.parser")
    return {row.dt.text: row.dd.text for row in page.select("dl div")}


def fill(store: Database) -> None:
    today = datetime.now(UTC).date()
    with store.writing() as connection:
        connection.execute(libraries.insert().values(id="base", name="base"))
        rows = [
            ("published", today - timedelta(1)),
            ("published", today),
            ("in_review", None),
            ("draft", None),
            ("retired", None),
        ]
        for n, (state, review_by) in enumerate(rows):
            about = {"library": "base", "title": "A secret title", "origin": "file", "created_at": "2026-01-01"}
            connection.execute(documents.insert().values(id=f"d{n}", **about))
            empty = {"content_hash": "", "front_matter": {}, "text": "words", "blocks": [], "findings": [], "source_sha256": ""}
            made = {"author": "Ann Lee", "created_at": "2026-01-01", "review_by": review_by and review_by.isoformat()}
            connection.execute(versions.insert().values(id=f"d{n}@1", document=f"d{n}", number=1, state=state, **empty, **made))
        accepted = ledger.claim(connection, [act(f"m{n}", "a private question") for n in range(3)], Lease("x", 1.0, 1.0))
        ledger.mark(connection, accepted[0].row_id, 0, state="failed")
        ledger.mark(connection, accepted[1].row_id, 0, state="sent")


def test_it_shows_doors_and_counts_and_no_word_of_what_anybody_wrote(store: Database, tmp_path: Path) -> None:
    fill(store)
    shown = page(house(store, tmp_path))
    assert shown.status_code == 200
    found = facts(shown)
    assert found["web"] == "Open"
    assert "SIGNPOST_TEAMS_APP_ID" in found["teams"]
    assert (found["In force"], found["Past their review date"]) == ("2", "1")
    assert (found["Waiting for review"], found["Drafts"]) == ("1", "1")
    assert (found["Waiting for an answer"], found["Answered"], found["Failed, kept for you"]) == ("1", "1", "1")
    for word in ("private question", "secret title", "Ann Lee", "test:ann", "<the reason>"):
        assert word not in shown.text
    assert "&lt;the reason&gt;" in shown.text


def test_it_is_one_accessible_page_that_changes_nothing(store: Database, tmp_path: Path) -> None:
    text = page(house(store, tmp_path)).text
    document = BeautifulSoup(text, "html.parser")
    assert document.html is not None
    assert document.html["lang"] == "en"
    assert len(document.select("main")) == len(document.select("h1")) == 1
    assert not document.select("form, script, button, input")
    assert all(image.has_attr("alt") for image in document.select("img"))
    assert not re.search(r"\son\w+=|style=", text)


def test_it_speaks_spanish(store: Database, tmp_path: Path) -> None:
    shown = page(house(store, tmp_path), **{"accept-language": "es"})
    assert facts(shown)["web"] == "Abierta"


@pytest.mark.parametrize(
    ("peer", "base", "headers"),
    [
        ("10.0.0.9", BASE, {}),
        ("127.0.0.1", "http://chat.example.org", {}),
        ("127.0.0.1", BASE, {"x-forwarded-for": "10.0.0.9"}),
    ],
)
def test_a_stranger_is_told_to_ask_for_a_link(
    store: Database, tmp_path: Path, peer: str, base: str, headers: dict[str, str]
) -> None:
    refused = page(house(store, tmp_path), peer=peer, base=base, **headers)
    assert refused.status_code == 403
    assert not facts(refused)


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("leader", 403), ("educator", 403), (None, 403)])
def test_elsewhere_it_opens_for_an_administrators_link_alone(
    store: Database, tmp_path: Path, role: str | None, status: int
) -> None:
    built = house(store, tmp_path, web_secret=SecretStr(SECRET), env="production")
    assert page(built, peer="10.0.0.9", base="https://chat.example.org", link=signed(built, role)).status_code == status
    # In production this machine is no exception: a proxy on it may bring anybody.
    assert page(built).status_code == 403
