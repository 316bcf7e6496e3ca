"""Scores a check: pure functions over exact fractions, as ``prompts/readiness/instrument.yaml`` says. No model takes part."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from bot.readiness.instrument import Answers, FormName, Rules

Reading = Literal["even", "a_lean", "a_strong", "b_lean", "b_strong", "none"]


@dataclass(frozen=True)
class Score:
    """What the answers come to. Means are exact, on 1 to 4; None where too little was answered.

    ``raw_stage`` is before the floor rule. ``floor`` names what made the rule fire: a dimension, or a critical item."""

    form: FormName
    answers: Answers
    dimensions: dict[str, Fraction | None]
    overall: Fraction | None
    raw_stage: int | None
    stage: int | None
    floor: str | None
    balance: dict[str, Reading]
    both_low: tuple[str, ...]
    next: tuple[str, str] | None

    @property
    def capped(self) -> bool:
        """Whether the floor rule changed the stage."""
        return self.stage != self.raw_stage

    @property
    def to_find_out(self) -> tuple[str, ...]:
        """Items answered "not sure", in the form's order."""
        return tuple(item for item, level in self.answers.items() if level is None)


def stage_of(rules: Rules, mean: Fraction) -> int:
    """The stage (1 to 4) of a mean; lower bounds are included."""
    return sum(1 for bound in rules.scoring.stages_from if mean >= bound)


def _mean(values: list[int]) -> Fraction:
    return Fraction(sum(values), len(values))


def _levels(answers: Answers, items: tuple[str, ...]) -> list[int]:
    return [level for item in items if (level := answers.get(item)) is not None]


def _dimension_means(rules: Rules, form: FormName, answers: Answers) -> dict[str, Fraction | None]:
    means: dict[str, Fraction | None] = {}
    for name, dimension in rules.dimensions.items():
        levels = _levels(answers, dimension.items)
        needed = 1 if form == "pulse" else dimension.min_answered
        means[name] = _mean(levels) if len(levels) >= needed else None
    return means


def _overall(rules: Rules, form: FormName, answers: Answers, means: dict[str, Fraction | None]) -> Fraction | None:
    levels = _levels(answers, rules.forms[form].items)
    if form == "pulse":
        return _mean(levels) if len(levels) >= rules.scoring.pulse.min_items else None
    scored = [mean for mean in means.values() if mean is not None]
    needed = rules.scoring.full
    if len(scored) < needed.min_dimensions or len(levels) < needed.min_items:
        return None
    return sum(scored, Fraction(0)) / len(scored)


def _triggers(rules: Rules, answers: Answers, means: dict[str, Fraction | None]) -> dict[str, tuple[Fraction, str]]:
    """Guardrail dimensions that fire the floor rule, each with its mean and what fired it: the dimension or an item.

    A critical item at level 1 fires for its dimension even when too few answers score that dimension."""
    fired: dict[str, tuple[Fraction, str]] = {}
    for name, dimension in rules.dimensions.items():
        mean = means[name]
        critical = next((i for i in rules.scoring.floor.critical_items if i in dimension.items and answers.get(i) == 1), None)
        if dimension.guardrail and mean is not None and mean < rules.scoring.floor.below:
            fired[name] = (mean, name)
        elif critical is not None:
            fired[name] = (mean if mean is not None else _mean(_levels(answers, dimension.items)), critical)
    return fired


def _lowest(rules: Rules, means: dict[str, Fraction]) -> str | None:
    order = rules.scoring.tie_order
    return min(means, key=lambda name: (means[name], order.index(name)), default=None)


def _lowest_item(answers: Answers, items: tuple[str, ...]) -> str:
    answered = [(level, n) for n, item in enumerate(items) if (level := answers.get(item)) is not None]
    return items[min(answered)[1]]


def _reading(rules: Rules, name: str, answers: Answers) -> tuple[Reading, bool]:
    """The reading, and whether both sides are low."""
    rule = rules.balance[name]
    a, b = _levels(answers, rule.a), _levels(answers, rule.b)
    if len(a) < rule.min_each or len(b) < rule.min_each:
        return "none", False
    low = rules.balance_both_low_below
    both_low = _mean(a) < low and _mean(b) < low
    difference = _mean(a) - _mean(b)
    if abs(difference) < rule.lean:
        return "even", both_low
    strong = rule.strong is not None and abs(difference) >= rule.strong
    if difference > 0:
        return ("a_strong" if strong else "a_lean"), both_low
    return ("b_strong" if strong else "b_lean"), both_low


def score(rules: Rules, form: FormName, answers: Answers) -> Score:
    """Score ``answers``. Items outside the form are left out; items not answered count as "not sure" does: not at all."""
    kept: Answers = {item: answers[item] for item in rules.forms[form].items if item in answers}
    means = _dimension_means(rules, form, kept)
    overall = _overall(rules, form, kept, means)
    raw = stage_of(rules, overall) if overall is not None else None
    fired = _triggers(rules, kept, means)
    worst = _lowest(rules, {name: mean for name, (mean, _) in fired.items()})
    stage = raw if raw is None or worst is None else min(raw, rules.scoring.floor.at_most)
    lowest = worst or _lowest(rules, {name: mean for name, mean in means.items() if mean is not None})
    readings = {name: _reading(rules, name, kept) for name in rules.balance} if form == "full" else {}
    return Score(
        form=form,
        answers=kept,
        dimensions=means,
        overall=overall,
        raw_stage=raw,
        stage=stage,
        floor=fired[worst][1] if worst is not None else None,
        balance={name: reading for name, (reading, _) in readings.items()},
        both_low=tuple(name for name, (_, low) in readings.items() if low),
        next=(lowest, _lowest_item(kept, rules.dimensions[lowest].items)) if lowest is not None else None,
    )


def strengths(rules: Rules, scored: Score) -> list[str]:
    """The items (at most two) whose chosen level is quoted as a strength, best first.

    Full form: the best item of each of the two highest dimensions that score high enough. Pulse: the two highest items."""
    order = rules.scoring.tie_order
    least = Fraction(rules.scoring.pulse_strength_level) if scored.form == "pulse" else rules.scoring.strength_from
    high = [(mean, name) for name, mean in scored.dimensions.items() if mean is not None and mean >= least]
    high.sort(key=lambda pair: (-pair[0], order.index(pair[1])))
    best: list[str] = []
    for _, name in high[:2]:
        items = [item for item in rules.dimensions[name].items if scored.answers.get(item) is not None]
        best.append(max(items, key=lambda item: scored.answers[item] or 0))
    return best


def moves_in_order(rules: Rules, scored: Score) -> list[str]:
    """Items whose move fits, the next move first, then the weakest answered items by dimension, for "another idea"."""
    if scored.next is None:
        return []
    order = rules.scoring.tie_order
    ranked: list[tuple[Fraction, int, int, int, str]] = []
    for name, dimension in rules.dimensions.items():
        levels = _levels(scored.answers, dimension.items)
        for n, item in enumerate(dimension.items):
            level = scored.answers.get(item)
            if level is not None:
                ranked.append((_mean(levels), order.index(name), level, n, item))
    ranked.sort()
    first = scored.next[1]
    return [first, *(item for *_, item in ranked if item != first)]
