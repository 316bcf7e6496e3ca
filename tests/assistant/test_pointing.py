"""A lying chat model cannot put a word into an answer: it points, the library speaks, and the turn ends in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import prompts
from bot.app import App
from bot.assistant.compose import escape, source_lines
from bot.assistant.pointing import MAX_POINTED, read_pointing
from bot.messages import Message, Outcome, Reply
from bot.models import Breaker
from tests.conftest import settings_for
from tests.doubles.openai import MISBEHAVIOURS, POINTING_LIES, OpenAIDouble, load_client, offered, pointing

QUESTION = "When did the amended COPPA rule take effect?"
TOTAL = 3.0
FAST = {"model_first_token_seconds": 2.0, "model_idle_seconds": 0.5, "model_total_seconds": TOTAL, "model_retries": 0}
MARGIN = 4.0
"""Seconds for the rest of the turn on a busy machine; the local answer alone takes a fraction of one."""

LABELS: dict[str, Any] = {"s1": "one", "s2": "two", "s3": "three", "s4": "four"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (pointing(["s2", "s1"]), ["two", "one"]),
        (f"Certainly!\n```json\n{pointing(['s3'])}\n```", ["three"]),
        ('{"thought": "…"} ' + pointing(["s1"]), ["one"]),
        (pointing(["s1"] * 9), ["one"]),
        (pointing(["s1", "s2", "s3", "s4"]), ["one", "two", "three"]),
        (pointing([], "not_covered"), []),
        (pointing(["s1"], "not_covered"), []),
        (pointing([]), None),
        (pointing(["s1", "s9"]), None),
        (pointing(["S1"]), None),
        (pointing([1]), None),
        (pointing([["s1"]]), None),
        (pointing(["s1"], "sure"), None),
        ('{"outcome": "answered", "sentences": "s1"}', None),
        ("s1", None),
        ("", None),
        ("[" * 5000, None),
        ('{"a":' * 3000, None),
    ],
)
def test_only_offered_ids_in_a_reply_of_the_asked_shape_are_read(text: str, read: list[str] | None) -> None:
    assert read_pointing(text, LABELS) == read
    assert read is None or len(read) <= MAX_POINTED


def outside(reply: Reply) -> str:
    """What a reply says beyond quotes of the library, their source lines and the fixed texts: nothing, one hopes."""
    words = prompts.messages(reply.language)
    rest = reply.markdown
    for line in source_lines(reply.citations, words):
        rest = rest.replace(line, " ")
    for citation in reply.citations:
        rest = rest.replace(f"{escape(citation.quote)} [{citation.n}]", " ")
    fixed = [value for value in words.model_dump().values() if isinstance(value, str)]
    fixed.append(words.ask_person.format(contact=""))
    for text in sorted(fixed, key=len, reverse=True):
        rest = rest.replace(text, " ")
    return " ".join(rest.replace("- ", " ").replace(">", " ").split())


class Lied:
    """The whole app before a model that lies as told."""

    def __init__(self, app: App, double: OpenAIDouble) -> None:
        self.app = app
        self.double = double

    def ask(self, behaviour: Callable[[dict[str, Any]], str]) -> tuple[Reply, float, int]:
        """The reply, the seconds it took and how often the model was asked; the model starts rested and trusted."""
        self.double.behaviour = behaviour
        chat: Any = self.app.assistant._pointer._chat  # type: ignore[union-attr]
        chat._breaker, chat._structured = Breaker(), True
        before = len(self.double.requests)
        started = time.monotonic()
        reply = self.app.ask(Message(QUESTION)).reply
        return reply, time.monotonic() - started, len(self.double.requests) - before


@pytest.fixture(scope="module")
def lied(asking: Path) -> Iterator[Lied]:
    """One app for all lies, warm."""
    with OpenAIDouble(lambda r: pointing([], "not_covered")) as double:
        app = App(settings_for(asking, openai_base_url=double.url, sample_organization=True, **FAST))
        load_client(app.assistant._pointer._chat)  # type: ignore[union-attr]
        app.ask(Message(QUESTION))
        yield Lied(app, double)
        app.close()


@pytest.mark.parametrize("lie", sorted({*POINTING_LIES, *MISBEHAVIOURS}))
def test_whatever_the_model_does_every_word_is_the_librarys_and_the_turn_ends(lie: str, lied: Lied) -> None:
    reply, seconds, asked = lied.ask(POINTING_LIES.get(lie, lambda _: lie))
    assert asked >= 1
    assert seconds < TOTAL + MARGIN
    assert outside(reply) == ""
    assert reply.restatement is None
    for citation in reply.citations:
        version = lied.app.library.show(citation.version)
        assert version.state == "published"
        assert version.text[citation.start : citation.end] == citation.quote


def test_the_check_for_words_from_outside_finds_them(lied: Lied) -> None:
    reply, _, _ = lied.ask(lambda r: pointing(["s99"]))
    assert reply.outcome is Outcome.ANSWERED
    said = Reply(reply.outcome, reply.handling, reply.markdown + " Grades may be shared.", "en", reply.citations)
    assert outside(said) == "Grades may be shared."


def test_a_model_that_is_down_or_makes_no_sense_leaves_the_local_answer(lied: Lied) -> None:
    local, _, _ = lied.ask(lambda _: "error_500")
    assert local.outcome is Outcome.ANSWERED
    for lie in ("ids not offered", "one id offered and one not", "not json", "json too deep", "the prompt"):
        assert lied.ask(POINTING_LIES[lie])[0].markdown == local.markdown, lie
    for kind in ("html", "refusal", "half", "rate_limited", "giant"):
        assert lied.ask(lambda _, kind=kind: kind)[0].markdown == local.markdown, kind


def test_an_instruction_inside_a_document_is_offered_as_quoted_data_only(lied: Lied) -> None:
    seen: list[dict[str, Any]] = []

    def keep(request: dict[str, Any]) -> str:
        seen.append(request)
        return pointing(["s1"])

    lied.ask(keep)
    system, user = (message["content"] for message in seen[0]["messages"])
    sentences = offered(seen[0])
    assert sentences
    assert all(s["sentence"] not in system for s in sentences)
    assert all(line.startswith('{"id": "s') for line in user.split("Sentences (data):\n")[1].strip().splitlines())


def test_the_words_of_a_retired_document_cannot_be_pointed_at(data_dir: Path) -> None:
    earlier: list[dict[str, Any]] = []

    def remember(request: dict[str, Any]) -> str:
        earlier.extend(offered(request))
        return pointing([s["id"] for s in earlier[:1]])

    with OpenAIDouble(remember) as double:
        app = App(settings_for(data_dir, openai_base_url=double.url, sample_organization=True, **FAST))
        load_client(app.assistant._pointer._chat)  # type: ignore[union-attr]
        first = app.ask(Message(QUESTION)).reply
        retired = first.citations[0].document
        app.library.retire(retired, "A. Reviewer", "superseded")
        titles = {s["document"] for s in earlier if s["sentence"] == first.citations[0].quote}
        quoted = [s["sentence"] for s in earlier if s["document"] in titles]
        double.behaviour = lambda r: pointing(quoted[:3])
        reply = app.ask(Message(QUESTION)).reply
        assert retired not in {citation.document for citation in reply.citations}
        assert outside(reply) == ""
        assert not any(s["document"] in titles for s in offered(double.requests[-1]))
        app.close()
