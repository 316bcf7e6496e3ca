"""Slack's message format becomes the words a person sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.slack import incoming
from bot.adapters.slack.limits import escape
from tests.doubles.slack import ANN, BOT_USER, message, press


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (f"<@{BOT_USER}> hello", "hello"),
        (f"hey <@{BOT_USER}|signpost>, hello", "hey , hello"),
        ("ask <@U0BEN> about <#C01|general>", "ask @someone about #general"),
        ("<!channel> <!here|here> <!subteam^S01|@staff>", "@channel @here @staff"),
        ("see <https://x.org/a?b=1&amp;c=2|the page> or <https://y.org>", "see the page or https://y.org"),
        ("write <mailto:a@b.org|a@b.org>", "write a@b.org"),
        ("5 &lt; 6 &amp;&amp; 7 &gt; 6", "5 < 6 && 7 > 6"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
        ("", ""),
    ],
)
def test_slacks_format_becomes_plain_words(raw: str, said: str) -> None:
    assert incoming.plain(raw, BOT_USER) == said


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=200))
def test_what_a_person_typed_comes_through_as_typed(typed: str) -> None:
    assert incoming.plain(escape(typed), BOT_USER).split() == typed.split()


@pytest.mark.parametrize("broken", [{}, {"event": None}, {"event": {}}, {"event": {"type": "message", "user": 5, "ts": []}}])
def test_a_broken_event_is_nothing(broken: dict[str, object]) -> None:
    assert incoming.heard(broken, BOT_USER) is None


def test_a_thread_of_its_own_is_no_thread() -> None:
    said = incoming.heard(message("x", "1.1", thread_ts="1.1"), BOT_USER)
    assert said is not None
    assert said.thread == ""


def test_a_press_names_person_place_and_value() -> None:
    given_press = incoming.pressed(press("a.b", "v", "1.2", "C01", ANN, message={"thread_ts": "1.1"}))
    assert (given_press.person, given_press.channel, given_press.ts, given_press.thread, given_press.value) == (
        f"slack:T01:{ANN}",
        "C01",
        "1.2",
        "1.1",
        "v",
    )


def test_an_empty_press_is_nothing_and_breaks_nothing() -> None:
    assert incoming.pressed({}).action == ""
