"""Nothing leaves that is not vetted: links, images, personal data, claims; fixed texts pass by their id alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import prompts
from bot.assistant.compose import escape
from bot.guardrails.context import Context
from bot.guardrails.inspection import inspect
from bot.guardrails.outgoing import objections
from bot.messages import Citation, Handling, Outcome, Reply

CONTEXT = Context(links=("https://studentprivacy.ed.gov/", "https://example.gov/a.pdf"))
REPLY = Reply(Outcome.ANSWERED, Handling.ANSWER, "FERPA covers records. [1](https://studentprivacy.ed.gov/ferpa)", "en")
QUOTE = Citation(
    1,
    "d",
    "d@1",
    "s",
    "p",
    "T",
    "P",
    "https://example.gov/a.pdf",
    "2025",
    "2026",
    "Ann Lee",
    "national",
    "Ask Maria Gonzalez at 312-555-0182.",
    0,
    35,
)


def test_a_clean_reply_passes_unchanged() -> None:
    inspected = inspect(REPLY, CONTEXT)
    assert not inspected.held
    assert inspected.reply.markdown == REPLY.markdown


@pytest.mark.parametrize(
    "bad",
    [
        "[x](http://evil.example/a)",
        "![x](https://studentprivacy.ed.gov/log?q=1)",
        "<img src=https://evil.example/x>",
        "https://evil.example/?q=data",
        "[x](javascript:alert(1))",
        "[x](https://studentprivacy.ed.gov@evil.example/)",
        "[x](https://studentprivacy.ed.gov.evil.example/)",
        "//evil.example/x",
        "[a]: https://evil.example/x",
        "www.evil.example",
    ],
)
def test_strange_links_and_images_are_taken_out(bad: str) -> None:
    inspected = inspect(replace(REPLY, markdown=f"Text. {bad}" if not bad.startswith("[a]") else f"Text.\n{bad}"), CONTEXT)
    assert "evil.example" not in inspected.reply.markdown
    assert "![" not in inspected.reply.markdown
    assert inspected.problems


@pytest.mark.parametrize(
    "text", ["Call Maria Gonzalez at 312-555-0182.", "SSN 123-45-6789", "Your district is FERPA-compliant.", "x" * 7000]
)
def test_personal_data_claims_and_length_hold_a_reply_back(text: str) -> None:
    inspected = inspect(replace(REPLY, markdown=text), CONTEXT)
    assert inspected.held
    assert text not in inspected.reply.markdown


def test_quotes_are_the_librarys_words() -> None:
    reply = replace(REPLY, markdown=f"> {QUOTE.quote}\n\nSource: T, P.", citations=(QUOTE,))
    assert not inspect(reply, CONTEXT).held


def test_a_publisher_with_an_address_in_its_name_holds_nothing_back() -> None:
    publisher = "Brightfield (brightfield.example/schools, Quentin Abara and partners)"
    citation = replace(QUOTE, publisher=publisher, quote="Ask first.")
    shown = f"Ask first. [1]\n\n- [1] National: T, {publisher} (2025)."
    inspected = inspect(replace(REPLY, markdown=shown, citations=(citation,)), CONTEXT)
    assert not inspected.held, inspected.problems
    assert "brightfield.example" not in inspected.reply.markdown
    assert "Ask first." in inspected.reply.markdown


def test_a_bad_restatement_is_dropped_and_the_quotes_stay() -> None:
    reply = replace(REPLY, restatement="Call Maria Gonzalez.", markdown="FERPA covers records. Call Maria Gonzalez.")
    inspected = inspect(reply, CONTEXT)
    assert inspected.reply.restatement is None
    assert "FERPA covers records." in inspected.reply.markdown
    assert "Gonzalez" not in inspected.reply.markdown


def test_a_models_part_is_labelled_once() -> None:
    context = replace(CONTEXT, model="m")
    inspected = inspect(REPLY, context)
    assert len(inspected.reply.notices) == 1
    assert inspect(inspected.reply, context).reply.notices == inspected.reply.notices


def test_a_fixed_text_is_exempt_by_a_known_id_only() -> None:
    text = "Call 312-555-0182, Maria Gonzalez."
    assert not inspect(replace(REPLY, markdown=text, fixed="crisis.self_harm"), CONTEXT).held
    assert not inspect(replace(REPLY, markdown=text, fixed="skill.text"), CONTEXT, frozenset({"skill.text"})).held
    assert inspect(replace(REPLY, markdown=text, fixed="made.up"), CONTEXT).held


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_houses_own_phrases_and_escaped_quotes_are_nobodys_details(language: str) -> None:
    words = prompts.messages(language)
    row = "Contact: Abdi Warsame | Room: 4 *upstairs*"
    for phrase in (words.quoted_in_english, words.differs, words.local, words.national, words.sample):
        shown = f"{escape(row)} [1]\n\n{phrase}"
        reply = replace(REPLY, markdown=shown, language=language, citations=(replace(QUOTE, quote=row),))
        assert objections(reply, CONTEXT) == []
    assert objections(replace(REPLY, markdown=f"{escape(row)} [1]", language=language), CONTEXT) != []
