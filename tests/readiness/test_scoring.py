"""Scoring is exactly what the instrument says."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from bot.readiness.instrument import Example, instrument
from bot.readiness.scoring import Score, moves_in_order, score, stage_of, strengths
from tests.readiness.independent_scorer import COMMON, independent

RULES = instrument().rules


def plain(answers: dict[str, object]) -> dict[str, int | None]:
    return {item: None if level == "ns" else int(level) for item, level in answers.items()}  # type: ignore[call-overload]


def same_shape(scored: Score) -> dict[str, object]:
    return {
        "stage": scored.stage,
        "capped": scored.capped,
        "dimensions": {name: None if mean is None else int(mean * COMMON) for name, mean in scored.dimensions.items()},
        "balance": dict(scored.balance),
        "next": None if scored.next is None else {"dimension": scored.next[0], "item": scored.next[1]},
    }


@pytest.mark.parametrize("example", RULES.examples, ids=lambda example: example.name)
def test_every_worked_example_comes_out_as_written(example: Example) -> None:
    scored = score(RULES, example.form, plain(dict(example.answers)))
    assert scored.stage == example.expect.stage
    assert scored.capped == example.expect.capped
    assert scored.next == example.expect.next
    assert scored.balance == example.expect.balance


def test_ten_thousand_random_answer_sets_score_as_an_independent_scorer_does() -> None:
    chance = random.Random(20261125)
    stages: set[object] = set()
    for number in range(10_000):
        form = "pulse" if number % 3 == 0 else "full"
        lean = chance.choice([(1, 1, 1, 1, 1, 1), (5, 1, 1, 1, 1, 0), (0, 1, 3, 3, 0, 1), (1, 1, 1, 1, 8, 8), (0, 0, 1, 9, 0, 0)])
        answers: dict[str, object] = {}
        for item in RULES.forms["full"].items:
            given = chance.choices([1, 2, 3, 4, "ns", None], lean)[0]
            if given is not None:
                answers[item] = given
        scored = same_shape(score(RULES, form, plain(answers)))
        assert scored == independent(form, answers), (form, answers)
        stages.add((scored["stage"], scored["capped"]))
    assert {(1, False), (2, False), (2, True), (3, False), (4, False), (None, False)} <= stages


@pytest.mark.parametrize(
    ("mean", "stage"), [("1", 1), ("1.7499", 1), ("1.75", 2), ("2.5", 3), ("3.2499", 3), ("3.25", 4), ("4", 4)]
)
def test_a_band_holds_its_lower_bound(mean: str, stage: int) -> None:
    assert stage_of(RULES, Fraction(mean)) == stage


def test_not_sure_is_never_counted_as_level_one() -> None:
    answers: dict[str, int | None] = dict.fromkeys(RULES.forms["full"].items, 3)
    answers["e1"] = answers["f1"] = None
    scored = score(RULES, "full", answers)
    assert (scored.stage, scored.capped, scored.to_find_out) == (3, False, ("e1", "f1"))


def test_a_critical_item_fires_even_when_its_dimension_has_too_few_answers() -> None:
    answers: dict[str, int | None] = dict.fromkeys(RULES.forms["full"].items, 4)
    answers.update(f1=1, f2=None, f3=None)
    scored = score(RULES, "full", answers)
    assert scored.dimensions["data_tools"] is None
    assert (scored.stage, scored.capped, scored.next) == (2, True, ("data_tools", "f1"))


def test_strengths_quote_the_two_highest_and_never_a_low_one() -> None:
    answers: dict[str, int | None] = dict.fromkeys(RULES.forms["full"].items, 1)
    assert strengths(RULES, score(RULES, "full", answers)) == []
    answers.update(c1=2, c2=4, f1=3, f2=3, f3=3)
    assert strengths(RULES, score(RULES, "full", answers)) == ["f1", "c2"]
    assert strengths(RULES, score(RULES, "pulse", {"a1": 2, "b1": 1, "c2": 4, "d1": 2})) == ["c2", "d1"]


def test_another_idea_walks_every_answered_item_once_beginning_with_the_move() -> None:
    answers: dict[str, int | None] = {"a1": 3, "b1": 2, "c2": 3, "d1": None, "e1": 3, "f1": 4}
    scored = score(RULES, "pulse", answers)
    assert moves_in_order(RULES, scored) == ["b1", "e1", "c2", "a1", "f1"]
