"""A restatement is shown only when rules find in it what its source says, and nothing else; whatever the model returns."""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.assistant.restating import Restater, faithful
from bot.assistant.restating.asking import read_restatements, sift
from bot.assistant.restating.spanish import english_of
from bot.errors import ModelUnavailable
from bot.knowledge.passages import split
from bot.knowledge.shipped import data_file
from bot.knowledge.starter import read_document
from bot.models import ChatModel, Completion, Form
from tests.conftest import settings_for
from tests.doubles.openai import MISBEHAVIOURS, RESTATING_LIES, OpenAIDouble, asked_to_restate, load_client, restating
from tests.evals.restating import Pair, pairs, share

TOOK_EFFECT = "The amended COPPA rule took effect on 23 June 2025."
VENDOR = (
    "A vendor that receives student PII under FERPA must not pass it on without consent and may use it only for the purpose "
    "it was given for."
)
SOURCES = [TOOK_EFFECT, VENDOR, "A minor under CIPA means anyone under 17, while COPPA uses under 13."]
FAST = {"model_first_token_seconds": 0.6, "model_idle_seconds": 0.4, "model_total_seconds": 1.2, "model_retries": 0}


@cache
def labelled() -> list[Pair]:
    return pairs()


def test_the_labelled_pairs_come_verbatim_from_every_document_and_the_halves_share_no_sentence() -> None:
    rows = labelled()
    assert len(rows) >= 400
    sentences: dict[str, set[str]] = {}
    for path in sorted(data_file("documents").glob("*.md")):
        front, extract, _ = read_document(path)
        text, _, statements = split(front.id, front.title, extract.blocks)
        sentences[path.stem] = {text[s.start : s.end] for s in statements}
    for half in ("fit", "held"):
        assert {r.document for r in rows if r.half == half} == set(sentences)
    assert [r.source for r in rows if r.source not in sentences[r.document]] == []
    assert {r.source for r in rows if r.half == "fit"}.isdisjoint(r.source for r in rows if r.half == "held")


def test_of_restatements_never_tuned_on_few_unfaithful_ones_pass_and_most_faithful_ones_do() -> None:
    let, unfaithful = share(labelled(), half="held", faithful=False)
    kept, of = share(labelled(), half="held", faithful=True)
    assert let / unfaithful <= 0.10
    assert kept / of >= 0.5


def test_no_unfaithful_spanish_restatement_passes() -> None:
    wrong = [r.restated for r in labelled() if r.language == "es" and not r.faithful and r.ok]
    assert wrong == []


@pytest.mark.parametrize(
    ("said", "ok"),
    [
        ("On June 23, 2025 the amended COPPA rule came into effect.", True),
        ("The changed COPPA rule took effect on 2025-06-23.", True),
        ("The amended COPPA rule took effect on 22 June 2025.", False),
        ("The amended COPPA rule took effect by 23 June 2025 in all schools.", False),
        ("The amended COPPA rule will take effect on 23 June 2025.", False),
        ("The amended COPPA rule never took effect on 23 June 2025.", False),
        ("The amended FERPA rule took effect on 23 June 2025.", False),
        ("The amended COPPA rule took effect on 23 June 2025 and bans chatbots.", False),
    ],
)
def test_dates_may_change_their_form_and_nothing_else(said: str, ok: bool) -> None:
    assert faithful(TOOK_EFFECT, said).ok is ok


@pytest.mark.parametrize(
    ("source", "said", "ok"),
    [
        ("In the survey, 52% of teens used it.", "In the survey, 52 percent of teens used it.", True),
        ("In the survey, 52% of teens used it.", "In the survey, fifty-two percent of teens used it.", True),
        ("In the survey, 52% of teens used it.", "In the survey, just over half of teens used it.", True),
        ("In the survey, 30% of teens used it.", "In the survey, three in ten teens used it.", True),
        ("In the survey, 52% of teens used it.", "In the survey, just under half of teens used it.", False),
        ("In the survey, 52% of teens used it.", "In the survey, 52 teens used it.", False),
        ("Over 200 people took part.", "More than 200 people took part.", True),
        ("Over 200 people took part.", "Fewer than 200 people took part.", False),
        ("Over 200 people took part.", "About 200 people took part.", False),
        ("It has 12 parts and 3 levels.", "It has 3 parts and 12 levels.", False),
        ("Fines reach 35 million euros.", "Fines reach 35 billion euros.", False),
    ],
)
def test_numbers_keep_their_value_their_bound_and_their_thing(source: str, said: str, ok: bool) -> None:
    assert faithful(source, said).ok is ok


@pytest.mark.parametrize(
    "said",
    [
        VENDOR.replace("must not", "must"),
        VENDOR.replace("must not", "may not need to"),
        VENDOR.replace("must", "should"),
        VENDOR.replace("without consent", "with consent"),
        VENDOR.replace("only ", ""),
        VENDOR.replace("A vendor", "A school"),
        VENDOR.replace("may use", "must use"),
        VENDOR.replace(" without consent", ""),
    ],
)
def test_duty_negation_condition_and_doer_may_not_change(said: str) -> None:
    assert not faithful(VENDOR, said).ok


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("The order required the guide.", "The guide required the order."),
        ("Listening sessions informed the toolkit.", "The toolkit informed listening sessions."),
        ("Talking to AI is easier than talking to parents.", "Talking to parents is easier than talking to AI."),
        ("Adopt AI only when benefits outweigh the risks.", "Adopt AI only when risks outweigh the benefits."),
        ("FERPA is about records and PPRA is about surveys.", "PPRA is about records and FERPA is about surveys."),
        ("A student is 18 or attends college.", "A student is 18 and attends college."),
        ("Most state documents are guidance.", "All state documents are guidance."),
        ("It applies to schools, except for libraries.", "It applies to schools."),
        ("Schools must act before use.", "Schools must act after use."),
        ("Schools with more use report more harm.", "Schools with more use report less harm."),
    ],
)
def test_words_that_are_all_there_may_still_say_something_else(source: str, said: str) -> None:
    assert faithful(source, source).ok
    assert not faithful(source, said).ok


def test_the_passive_is_the_same_claim() -> None:
    assert faithful("The order required the guide.", "The guide was required by the order.").ok
    assert faithful("Safeguards avoided the harm.", "The harm was avoided by safeguards.").ok


def test_spanish_is_read_by_the_word_list_and_other_languages_are_not_shown() -> None:
    assert faithful(TOOK_EFFECT, "La regla COPPA modificada entró en vigor el 23 de junio de 2025.", "es").ok
    assert not faithful(TOOK_EFFECT, "La regla COPPA modificada no entró en vigor el 23 de junio de 2025.", "es").ok
    assert not faithful(TOOK_EFFECT, "La regla COPPA modificada entró en vigor el 23 de julio de 2025.", "es").ok
    assert not faithful(TOOK_EFFECT, "Le règlement COPPA modifié est entré en vigueur le 23 juin 2025.", "fr").ok
    assert english_of("No envía nada.") == "not sends anything."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"sentences": {"1": "a", "2": "b"}}', {1: "a", 2: "b"}),
        ('Here you are:\n```json\n{"sentences": {"1": "a"}}\n```', {1: "a"}),
        ('{"sentences": ["a", "b"]}', {1: "a", 2: "b"}),
        ('{"outcome": "answered", "sentences": ["a", "b"]}', {1: "a", 2: "b"}),
        ('{"sentences": ["a", "b", "c"]}', {}),
        ('{"sentences": {"1": "a", "2": "b', {1: "a"}),
        ('{"sentences": {"7": "a", "1": {"x": 1}, "2": null}}', {}),
        ("[" * 5000, {}),
        ('{"a":' * 3000, {}),
        ("", {}),
    ],
)
def test_a_reply_is_read_as_far_as_it_makes_sense(text: str, found: dict[int, str]) -> None:
    assert read_restatements(text, 2) == found


@pytest.mark.parametrize(
    "body",
    [
        f"{TOOK_EFFECT} https://evil.example",
        "[The amended COPPA rule took effect on June 23, 2025](https://evil.example)",
        "The amended COPPA rule took effect on June 23, 2025.<script>",
        "The amended COPPA rule\ntook effect on June 23, 2025.",
        TOOK_EFFECT * 5,
        TOOK_EFFECT,
    ],
)
def test_markup_links_floods_and_mere_copies_are_not_restatements(body: str) -> None:
    kept, dropped = sift([TOOK_EFFECT], {1: body}, "en")
    assert kept == {}
    assert list(dropped) == [1]


class Says:
    """A chat model that says one thing."""

    name = "double:says"

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked: list[tuple[str, str]] = []

    def deadline(self) -> float:
        return time.monotonic() + 12

    def complete(self, system: str, user: str, form: Form, until: float | None = None) -> Completion:
        self.asked.append((system, user))
        if self.text is None:
            raise ModelUnavailable("down")
        return Completion(self.text, {"input": 1, "output": 1})


def test_what_passes_is_shown_with_its_number_and_the_rest_is_dropped_with_its_reason() -> None:
    chat = Says(restating({"1": "On June 23, 2025 the amended COPPA rule came into effect.", "2": "Vendors may do anything."}))
    restated = Restater(chat).restate(SOURCES, "en")
    assert restated.text == "On June 23, 2025 the amended COPPA rule came into effect. [1]"
    assert list(restated.dropped) == [2]
    ((system, user),) = chat.asked
    assert "plain words in English" in system
    assert [json.loads(line)["sentence"] for line in user.splitlines()] == SOURCES


def test_with_nothing_left_or_no_model_or_no_word_list_there_is_no_restatement() -> None:
    assert Restater(Says("{}")).restate(SOURCES, "en").text is None
    assert Restater(Says(None)).restate(SOURCES, "en").text is None
    silent = Says(restating({"1": "x"}))
    assert Restater(silent).restate(SOURCES, "fr").text is None
    assert silent.asked == []


@pytest.fixture(scope="module")
def _client_loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Load the client's modules once, so that no test's deadline is spent on that."""
    with OpenAIDouble(lambda _: restating({})) as double:
        load_client(ChatModel(settings_for(tmp_path_factory.mktemp("client"), openai_base_url=double.url)))


@pytest.mark.usefixtures("_client_loaded")
@pytest.mark.parametrize("lie", sorted({**RESTATING_LIES, **dict.fromkeys(MISBEHAVIOURS)}))
def test_no_lie_about_a_restatement_is_shown_and_every_one_ends_in_time(lie: str, tmp_path: Path) -> None:
    behaviour: Any = RESTATING_LIES.get(lie, lambda _: lie)
    with OpenAIDouble(behaviour) as double:
        chat = ChatModel(settings_for(tmp_path, openai_base_url=double.url, **FAST))
        chat._chat()
        restater = Restater(chat)
        faithful(TOOK_EFFECT, TOOK_EFFECT)
        started = time.monotonic()
        restated = restater.restate(SOURCES, "en")
        assert time.monotonic() - started < FAST["model_total_seconds"] + 2
        assert len(double.requests) >= 1
        assert restated.text is None, restated.sentences


def test_a_truthful_model_is_shown(tmp_path: Path) -> None:
    def truthful(request: dict[str, Any]) -> str:
        assert set(asked_to_restate(request).values()) == {TOOK_EFFECT}
        return restating({"1": "The changed COPPA rule has been in effect since June 23, 2025."})

    with OpenAIDouble(truthful) as double:
        chat = ChatModel(settings_for(tmp_path, openai_base_url=double.url))
        restated = Restater(chat).restate([TOOK_EFFECT], "en")
        assert restated.text == "The changed COPPA rule has been in effect since June 23, 2025. [1]"
        assert restated.tokens["output"] > 0
