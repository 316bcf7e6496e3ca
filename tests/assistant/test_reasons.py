"""Why an answer came out as it did is said in words, in the reader's language."""

from __future__ import annotations

import json

from bot import prompts
from bot.assistant.reasons import in_words
from bot.knowledge.shipped import data_file


def test_every_signal_that_has_a_weight_has_words_in_both_languages() -> None:
    weights = json.loads(data_file("decision", "weights.json").read_text(encoding="utf-8"))
    for kind in ("keyed", "keyless"):
        for name in weights[kind]["signals"]:
            for language in ("en", "es"):
                assert in_words([f"{name} +1.00"], language), (name, language)


def test_what_spoke_for_an_answer_comes_before_what_spoke_against_and_like_signals_are_one() -> None:
    said = in_words(["length -0.55", "vote_10 +0.40", "vote_20 +0.44", "coverage_text -0.31"], "en")
    words = {name: group.en for group in prompts.signals().signals for name in group.names}
    assert said == f"for an answer: {words['vote_*']}; against: {words['length']}, {words['coverage_*']}"


def test_a_signal_of_an_older_release_is_passed_over() -> None:
    assert in_words(["gone_since +2.00"], "en") == ""
    assert in_words([], "es") == ""
