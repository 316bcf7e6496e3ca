"""A person uses Signpost in the Microsoft 365 Agents Playground: welcome, ask, open a quote, judge, a card, a stream, a channel.

The playground renders text, citations, labels and cards with Teams' own components. Screenshots go to the folder named by
``SIGNPOST_TEST_SCREENSHOTS``, where it is set, to be looked at.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import playground as client

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.skipif(bool(client.missing()), reason=client.missing())]

QUESTION = "Do AI detectors work for students who are still learning English?"
PATIENCE = 60_000
"""Milliseconds that a sign may take on a busy machine."""


class Bench:
    """A running Signpost and a playground before it."""

    def __init__(self, url: str, data: Path) -> None:
        self.url = url
        self.data = data

    def rows(self, query: str) -> list[Any]:
        """What the database holds."""
        with sqlite3.connect(f"file:{self.data / 'signpost.db'}?mode=ro", uri=True) as connection:
            return list(connection.execute(query))


@pytest.fixture(scope="module")
def bench(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Signpost with the shipped library and no sign-in, from this machine only, streaming at once."""
    folder = tmp_path_factory.mktemp("teams")
    data = Path(shutil.copytree(prepared, folder / "data"))
    port = client.free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIGNPOST_")},
        "SIGNPOST_DATA_DIR": str(data),
        "SIGNPOST_SAMPLE_ORGANIZATION": "true",
        "SIGNPOST_TEAMS_ANONYMOUS": "true",
        "SIGNPOST_TEAMS_STREAM_AFTER_SECONDS": "0",
        "PYTHONPATH": str(client.ROOT),
    }
    with ExitStack() as stack:
        command = [sys.executable, "-m", "bot", "serve", "--host", "127.0.0.1", "--port", str(port)]
        serving = stack.enter_context(client.running(command, folder / "serve.log", environment))
        client.wait_for(f"http://127.0.0.1:{port}/readyz", serving, 300, b'"ready":true')
        endpoint = f"http://127.0.0.1:{port}/api/messages"
        yield Bench(stack.enter_context(client.playground(endpoint, folder / "playground.log")), data)


@pytest.fixture(scope="module")
def page(bench: Bench) -> Iterator[Any]:
    """The playground in a browser that reaches nothing but this machine."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=client.chromium(), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 1100})
        context.set_default_timeout(PATIENCE)
        near = re.compile(r"^(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|^(data|blob):")
        context.route("**/*", lambda route: route.continue_() if near.match(route.request.url) else route.abort())
        opened = context.new_page()
        opened.goto(bench.url)
        yield opened
        browser.close()


def keep(page: Any, name: str) -> None:
    """A screenshot to look at."""
    target = os.environ.get("SIGNPOST_TEST_SCREENSHOTS")
    if target:
        Path(target).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(target) / f"teams-{name}.png"))


def say(page: Any, text: str) -> None:
    """Type and send."""
    box = page.get_by_role("textbox").last
    box.click()
    box.type(text)
    page.keyboard.press("Enter")


def eventually(page: Any, value: Callable[[], Any]) -> Any:
    """Something that comes to be, while the page goes on."""
    for _ in range(PATIENCE // 200):
        if found := value():
            return found
        page.wait_for_timeout(200)
    raise AssertionError("it did not come to be in time")


def test_the_welcome_offers_prompt_starters(page: Any) -> None:
    page.get_by_text("I answer questions about AI in schools").first.wait_for()
    page.get_by_role("button", name=QUESTION).wait_for()
    shown = page.locator("body").inner_text()
    assert "Every sentence leads to the exact words of a dated document" in shown
    assert not re.search(r"(typing|message) (4\d\d|5\d\d)", shown), "the platform refused something"
    keep(page, "welcome")


def test_a_question_streams_and_ends_with_an_answer_its_citation_and_the_label(page: Any, bench: Bench) -> None:
    say(page, QUESTION)
    log = page.locator("body")
    page.get_by_text("AI generated").first.wait_for()
    page.get_by_role("button", name="Why this answer").last.wait_for()
    shown = log.inner_text()
    assert "Verified 20" in shown
    assert "[1]" in shown
    # The stream is seen in the playground's log: the sign of work was taken as a stream, the final message joined it.
    assert re.search(r"typing 201\s+Looking in the vetted library", shown)
    assert not re.search(r"(typing|message) (4\d\d|5\d\d)", shown)
    assert bench.rows("select count(*) from inbox where state = 'sent' and platform = 'teams'") == [(1,)]
    keep(page, "answer")


def test_a_citation_shows_its_source_on_the_mark(page: Any) -> None:
    mark = page.get_by_text("1", exact=True).first
    mark.scroll_into_view_if_needed()
    source = page.get_by_text("Evidence on AI-writing detectors")
    named = source.count()
    mark.hover()
    assert eventually(page, lambda: source.count() > named), "nothing was shown on the mark"
    keep(page, "citation")


def test_a_quote_opens_in_its_place_and_leads_back(page: Any) -> None:
    page.get_by_role("button", name=re.compile(r"^\[1\]")).last.click()
    page.get_by_text("The words in place").last.wait_for()
    page.get_by_role("button", name="Back to the quotes").last.wait_for()
    keep(page, "quote")
    page.get_by_role("button", name="Back to the quotes").last.click()
    page.get_by_role("button", name="Why this answer").last.wait_for()
    assert page.get_by_text("Unable to reach app").count() == 0


def test_why_this_answer_is_one_press_away(page: Any, bench: Bench) -> None:
    page.get_by_role("button", name="Why this answer").last.click()
    eventually(page, lambda: re.search(r"\b[0-9a-f]{16}\b", page.locator("body").inner_text()))
    told = page.locator("body").inner_text()
    [(answer,)] = bench.rows("select id from answers order by at limit 1")
    assert answer in told, "the reasons name the answer they are of"
    assert "No language model" in told
    keep(page, "why")


def test_a_thumb_is_kept_as_a_verdict(page: Any, bench: Bench) -> None:
    page.get_by_role("button", name=re.compile("like|thumb", re.I)).first.click()
    page.get_by_role("dialog").get_by_role("textbox").fill("Clear and short")
    keep(page, "feedback")
    page.get_by_role("dialog").get_by_role("button", name="Submit").click()
    page.get_by_text("We appreciate your feedback").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    page.get_by_role("dialog").wait_for(state="hidden")
    assert eventually(page, lambda: bench.rows("select helpful, comment from feedback")) == [(1, "Clear and short")]


def test_a_question_with_choices_is_a_card_that_shows_what_was_chosen(page: Any, bench: Bench) -> None:
    say(page, "delete my data")
    page.get_by_role("button", name="No, keep").last.wait_for()
    keep(page, "choices")
    page.get_by_role("button", name="No, keep").last.click()
    page.get_by_text("You chose:").last.wait_for()
    keep(page, "chosen")
    assert page.get_by_text("Unable to reach app").count() == 0


def press(page: Any, beside: str, label: str, then: str) -> None:
    """Press a button of the newest card that has another one ``beside`` it, and wait for what it brings."""
    card = page.locator(".ac-adaptiveCard").filter(has=page.get_by_role("button", name=beside, exact=True)).last
    card.get_by_role("button", name=label, exact=True).click()
    page.get_by_text(then).last.wait_for()


def photographed(page: Any, folder: Path, name: str) -> None:
    """The conversation as a person sees it, without the playground's own panels."""
    page.wait_for_timeout(800)
    page.screenshot(path=str(folder / name), clip={"x": 330, "y": 48, "width": 620, "height": 960})
    assert 10_000 < (folder / name).stat().st_size < 200_000, name


def test_a_full_check_by_buttons_ends_with_its_picture_and_a_move(page: Any, bench: Bench, tmp_path: Path) -> None:
    pictures = client.ROOT / "docs" / "pictures" if os.environ.get("SIGNPOST_TEST_PICTURES") else tmp_path
    say(page, "check")
    press(page, "Quick pulse", "Mini check", "Question 1 of 15")
    levels = ("3", "2", "Not sure", "2", "3", "1", "2", "Not sure", "3", "2", "4", "2", "1", "3", "2")
    for number, level in enumerate(levels, 1):
        page.get_by_role("button", name="Skip", exact=True).wait_for()
        if number == 4:
            photographed(page, pictures, "teams-check-question.png")
        then = f"Question {number + 1} of {len(levels)}" if number < len(levels) else "Please keep in mind"
        press(page, "Skip", level, then)
    page.wait_for_function("() => [...document.images].some(i => i.complete && i.naturalWidth === 1080)")
    picture = page.locator("img[alt*='of 4']").last
    picture.scroll_into_view_if_needed()
    assert picture.get_attribute("alt").count(" of 4") == 6, "the picture's text names six levels"
    photographed(page, pictures, "teams-check-result.png")
    page.get_by_role("button", name="Another idea").wait_for()
    assert page.get_by_text("Unable to reach app").count() == 0
    assert bench.rows("select count(*) from readiness_checks where state = 'finished'") == [(1,)]


def test_a_channel_hears_nothing_until_it_is_mentioned(page: Any, bench: Bench) -> None:
    page.get_by_text("General").first.click()
    page.get_by_text("I am here when you mention me.").first.wait_for()
    keep(page, "channel")
    asked = bench.rows("select count(*) from inbox")
    say(page, "just talking among ourselves")
    page.get_by_text("just talking among ourselves").first.wait_for()
    box = page.get_by_role("textbox").last
    box.click()
    box.type("@")
    page.get_by_role("menuitem", name="Test Bot").click()
    box.type(" May I paste student essays into ChatGPT?")
    page.keyboard.press("Enter")
    # Only the mention was heard: one more act, and it is answered in the thread.
    [(count,)] = asked
    assert eventually(page, lambda: bench.rows("select 1 from inbox where state = 'sent' and conversation like '%messageid%'"))
    assert bench.rows("select count(*) from inbox") == [(count + 1,)]
    page.get_by_role("button", name="Why this answer").last.wait_for()
    keep(page, "channel-answer")
    assert not re.search(r"typing 405", page.locator("body").inner_text())
    assert page.get_by_text("Unable to reach app").count() == 0
