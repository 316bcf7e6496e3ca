"""What the guardrails say is plain and short: grade 8 at most, within a budget of words, in English and Spanish."""

from __future__ import annotations

import pytest

from bot.guardrails import policy
from bot.messages import Handling
from tests.literacy.reading import ease_es, grade_en, words

HARDEST = 8.0
"""Flesch-Kincaid grade."""
EASE = 60.0
"""Fernandez Huerta's ease of texts for grades 8 and 9; higher is easier."""
FILLED = {
    "owner": "the academic office",
    "contact": "Call the counselor on duty at 555-0100.",
    "lines": "Emergency: call 911. Suicide and crisis line: call or text 988.",
    "details": "a student's name",
}
BUDGET = {Handling.CRISIS: 110, Handling.SMALLTALK: 80}
"""Words; a crisis text holds its lines and steps, a first reply stays under 80, a refusal is shorter still."""


@pytest.mark.parametrize("rule", list(policy.rules().values()), ids=lambda rule: rule.id)
def test_a_rules_texts_are_plain_and_short(rule: policy.Rule) -> None:
    english, spanish = (rule.texts[language].format(**FILLED).replace(rule.id, "one") for language in ("en", "es"))
    assert grade_en(english) <= HARDEST
    assert ease_es(spanish) >= EASE
    for text in (english, spanish):
        assert len(words(text)) <= BUDGET.get(rule.handling, 60)
        assert "!" not in text


def test_the_texts_of_privacy_and_of_what_was_held_back_are_plain_and_short() -> None:
    said = [policy.outgoing().held["en"], policy.outgoing().label["en"], policy.privacy().notices["en"]]
    for text in said:
        filled = text.format(**{**FILLED, "kinds": "a student's name"})
        assert grade_en(filled) <= HARDEST + 1.0  # one line each: a single long word weighs more
        assert len(words(filled)) <= 40


def test_own_words_longer_than_a_reply_may_be_are_held_back() -> None:
    assert policy.outgoing().max_characters <= 6_000
