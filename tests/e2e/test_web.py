"""The web chat in a real browser: asked, streamed, opened, judged, with the keyboard, without the script, and checked by axe."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not os.environ.get("SIGNPOST_TEST_SERVICES"), reason="needs Chromium and axe; .ci/run installs them"),
    pytest.mark.timeout(600),
]

ROOT = Path(__file__).parent.parent.parent
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync"
).split()
QUESTION = "When did the amended COPPA rule take effect?"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


def axe_source() -> Path:
    """axe-core, as ``.ci/run`` installs it from ``tests/e2e/browser``."""
    found = ROOT / ".venv" / "node" / "node_modules" / "axe-core" / "axe.min.js"
    assert found.exists(), "axe-core is not installed; .ci/run shows how"
    return found


@pytest.fixture(scope="module")
def base(asking: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server over the shipped library."""
    folder = tmp_path_factory.mktemp("web") / "data"
    shutil.copytree(asking, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "SIGNPOST_DATA_DIR": str(folder), "SIGNPOST_LIMIT_PERSON": "0"}
    process = subprocess.Popen([sys.executable, "-m", "bot", "serve", "--port", str(port)], cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        limit = time.monotonic() + 300
        while time.monotonic() < limit:
            try:
                if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        else:
            raise AssertionError("the server did not become ready")
        yield address
    finally:
        process.terminate()
        assert process.wait(60) in (0, -15), "the server ends when told to, after finishing what it accepted"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "Chromium is not installed"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


def opened(browser: Any, base: str, **options: Any) -> Any:
    """A fresh visitor's page, which fails the test on any script error or blocked asset."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, "locale": "en-US", **options})
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.problems = problems
    page.goto(base)
    return page


def ask(page: Any, text: str = QUESTION) -> None:
    before = page.locator(".turn").count()
    page.fill("#question", text)
    page.keyboard.press("Enter")
    page.locator(".turn").nth(before).locator(".after").wait_for(timeout=60_000, state="attached")


def checked(page: Any) -> None:
    """No finding of axe on the page as it stands."""
    page.wait_for_timeout(700)  # colours are measured once the fading-in is over
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe_source().read_text(encoding="utf-8"))
    result = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
    found = [(v["id"], [node["html"][:160] for node in v["nodes"]]) for v in result["violations"]]
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_view_is_accessible_in_light_and_dark_on_desk_and_phone(browser: Any, base: str, scheme: str, width: int) -> None:
    page = opened(browser, base, color_scheme=scheme, viewport={"width": width, "height": 860})
    checked(page)
    ask(page)
    checked(page)
    page.locator(".words .cite").first.click()
    page.wait_for_selector("#passage mark")
    checked(page)
    page.keyboard.press("Escape")
    page.locator("details.down summary").first.click()
    checked(page)
    ask(page, "zxqv blorp?")
    checked(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    assert page.problems == []


def test_all_of_it_works_with_the_keyboard_alone_and_focus_comes_back(browser: Any, base: str) -> None:
    page = opened(browser, base)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "question"
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    page.locator(".turn .sources").wait_for(timeout=60_000)
    assert page.evaluate("document.activeElement.id") == "question"
    page.locator(".words .cite").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#passage mark")
    assert page.evaluate("document.activeElement.closest('#passage') !== null")
    assert "23 June 2025" in page.locator("#passage mark").inner_text()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('.words .cite')")
    assert page.locator("#passage").is_hidden()
    page.locator(".choose button").first.focus()
    page.keyboard.press("Enter")
    page.locator(".turn").nth(1).locator(".after").wait_for(timeout=60_000, state="attached")
    assert page.problems == []


def test_a_verdict_with_a_reason_and_the_reasons_behind_an_answer(browser: Any, base: str) -> None:
    page = opened(browser, base)
    ask(page)
    page.locator("details.down summary").click()
    page.get_by_label("It is out of date").check()
    page.get_by_role("button", name="Send").click()
    page.locator(".thanks").wait_for()
    page.get_by_role("button", name="Why this answer").click()
    page.locator(".turn").nth(1).locator(".after").wait_for(timeout=60_000, state="attached")
    assert "base" in page.locator(".turn").nth(1).inner_text()
    page.get_by_role("button", name="Ask a person").first.click()
    page.locator(".turn").nth(2).locator(".after").wait_for(timeout=60_000, state="attached")
    assert "person" in page.locator(".turn").nth(2).locator(".reply").inner_text().lower()
    page.reload()
    assert page.locator(".turn").count() == 3
    page.get_by_role("button", name="New conversation").click()
    page.locator(".welcome").wait_for()
    assert page.locator(".turn").count() == 0


def test_a_double_click_and_a_reload_ask_once(browser: Any, base: str) -> None:
    page = opened(browser, base)
    page.locator(".welcome button").first.dblclick()
    page.locator(".turn .after").first.wait_for(timeout=60_000, state="attached")
    page.reload()
    assert page.locator(".turn").count() == 1


def test_without_javascript_everything_can_still_be_done(browser: Any, base: str) -> None:
    page = opened(browser, base, java_script_enabled=False)
    page.fill("#question", QUESTION)
    page.get_by_role("button", name="Ask", exact=True).click()
    for _ in range(30):
        if page.locator(".turn .sources").count():
            break
        page.goto(base)
    page.locator(".words .cite").first.click()
    assert "23 June 2025" in page.locator("#passage mark").inner_text()
    page.get_by_role("link", name="Close").click()
    assert page.locator("#passage").is_hidden()
    page.locator("details.down summary").click()
    page.get_by_role("button", name="Send").click()
    assert page.locator(".thanks").count() == 1
    page.locator(".choose button").first.click()
    assert page.locator(".turn").count() == 2


def test_the_page_asks_nothing_of_any_other_host(browser: Any, base: str) -> None:
    page = opened(browser, base)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    ask(page)
    page.locator(".words .cite").first.click()
    page.wait_for_selector("#passage mark")
    assert asked
    assert all(url.startswith(base) for url in asked)


def test_pictures_for_the_documents(browser: Any, base: str, tmp_path: Path) -> None:
    """Taken on every run; with ``SIGNPOST_TEST_PICTURES=1`` they become the documents' own."""
    folder = ROOT / "docs" / "pictures" if os.environ.get("SIGNPOST_TEST_PICTURES") else tmp_path
    page = opened(browser, base, color_scheme="light", viewport={"width": 1100, "height": 720})
    ask(page)
    page.locator(".words .cite").first.click()
    page.wait_for_selector("#passage mark")
    page.wait_for_timeout(800)
    page.screenshot(path=str(folder / "web-desk.png"))
    phone = opened(browser, base, color_scheme="dark", viewport={"width": 390, "height": 844}, device_scale_factor=1.5)
    ask(phone, "Do AI detectors work for students who are still learning English?")
    phone.wait_for_timeout(800)
    phone.screenshot(path=str(folder / "web-phone.png"))
    for name in ("web-desk.png", "web-phone.png"):
        assert 10_000 < (folder / name).stat().st_size < 200_000, name


def press(page: Any, label: str) -> None:
    """Press a button of the newest reply and wait for what it brings."""
    before = page.locator(".turn").count()
    page.locator(".turn").last.get_by_role("button", name=label).first.click()
    page.locator(".turn").nth(before).locator(".after").wait_for(timeout=60_000, state="attached")


def photographed(page: Any, folder: Path, name: str) -> None:
    """The page as a visitor sees it, once the fading-in is over."""
    page.wait_for_timeout(800)
    page.screenshot(path=str(folder / name))
    assert 10_000 < (folder / name).stat().st_size < 200_000, name


def test_a_pulse_check_by_buttons_on_a_phone_and_its_result_on_a_desk(browser: Any, base: str, tmp_path: Path) -> None:
    folder = ROOT / "docs" / "pictures" if os.environ.get("SIGNPOST_TEST_PICTURES") else tmp_path
    shape = {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "device_scale_factor": 1.5}
    page = opened(browser, base, **shape)
    ask(page, "check")
    press(page, "Quick pulse")
    for number, answer in enumerate(("3.", "2.", "Not sure", "3.", "1.", "2."), 1):
        newest = page.locator(".turn").last
        assert f"Question {number} of 6" in newest.inner_text()
        assert newest.get_by_role("button").count() >= 8, "five answers, skip, pause and stop"
        if number == 2:
            checked(page)
            photographed(page, folder, "check-question-phone.png")
        press(page, answer)
    newest = page.locator(".turn").last
    picture = newest.locator("img.picture")
    page.wait_for_function("[...document.querySelectorAll('img.picture')].every(i => i.complete && i.naturalWidth === 1080)")
    assert "of 4" in str(picture.get_attribute("alt"))
    checked(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    photographed(page, folder, "check-result-phone.png")
    newest.screenshot(path=str(tmp_path / "check-result-whole.png"))
    press(page, "Another idea")
    assert page.problems == []
    page.set_viewport_size({"width": 1100, "height": 900})
    page.reload()
    desk = page.locator(".turn:has(img.picture)")
    assert desk.count() == 1, "the result stays in the conversation"
    desk.locator("img.picture").scroll_into_view_if_needed()
    page.wait_for_timeout(800)
    desk.screenshot(path=str(tmp_path / "check-result-desk.png"))


def test_a_full_check_by_buttons_with_a_pause_and_a_change_of_mind(browser: Any, base: str, tmp_path: Path) -> None:
    page = opened(browser, base, color_scheme="light", viewport={"width": 1100, "height": 900})
    ask(page, "check")
    press(page, "Mini check")
    for number in range(1, 16):
        assert f"Question {number} of 15" in page.locator(".turn").last.inner_text()
        if number == 6:
            press(page, "Back")
            assert "Question 5 of 15" in page.locator(".turn").last.inner_text()
            press(page, "4.")
            assert "Question 6 of 15" in page.locator(".turn").last.inner_text()
            press(page, "Pause")
            page.reload()
            ask(page, "resume")
            assert "Question 6 of 15" in page.locator(".turn").last.inner_text(), "it goes on where it was left"
        press(page, "Not sure" if number % 7 == 3 else f"{1 + number % 4}.")
    newest = page.locator(".turn").last
    page.wait_for_function("[...document.querySelectorAll('img.picture')].every(i => i.complete && i.naturalWidth === 1080)")
    assert str(newest.locator("img.picture").get_attribute("alt")).count(" of 4") == 6, "the picture's text names six levels"
    checked(page)
    assert page.problems == []
    newest.screenshot(path=str(tmp_path / "full-check-result.png"))
    text = newest.inner_text()
    for part in ("This month", "Please keep in mind", "Look again"):
        assert part.lower() in text.lower(), part
