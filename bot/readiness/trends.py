"""Change over time, for oneself and for a group, with the instrument's thresholds and words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from bot.readiness.instrument import Answers, Rules
from bot.readiness.scoring import Score

Direction = Literal["up", "down", "flat"]
Why = Literal["days", "wording", "form", "people"]


@dataclass(frozen=True)
class SelfChange:
    """What moved between two checks of one person. ``overall`` only when the change is large enough to say."""

    since: date
    up: tuple[str, ...]
    down: tuple[str, ...]
    same: tuple[str, ...]
    overall: Literal["up", "down", ""]


@dataclass(frozen=True)
class Published:
    """What a trend may know of a published round: exact figures are kept beside it for this alone.

    ``people`` is the number of people in the figures, ``asked`` those invited. ``decimals`` says whether means were shown."""

    form: str
    wording_version: str
    closed: date
    people: int
    asked: int
    decimals: bool
    stage: int | None
    overall: Fraction | None
    dimensions: Mapping[str, Fraction]
    dimension_stages: Mapping[str, int]


def self_change(rules: Rules, before: Score, then: date, now: Score, today: date) -> SelfChange | None:
    """Which items moved since an earlier check of the same form; None when it is too recent or nothing compares."""
    if before.form != now.form or (today - then).days < rules.trend.self.min_days:
        return None
    up, down, same = _moved(before.answers, now.answers)
    if not (up or down or same):
        return None
    overall: Literal["up", "down", ""] = ""
    if before.overall is not None and now.overall is not None:
        change = now.overall - before.overall
        if abs(change) >= rules.trend.self.overall:
            overall = "up" if change > 0 else "down"
    return SelfChange(then, up, down, same, overall)


def _moved(before: Answers, now: Answers) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    pairs = [(item, before.get(item), level) for item, level in now.items()]
    both = [(item, old, new) for item, old, new in pairs if old is not None and new is not None]
    up = tuple(item for item, old, new in both if new > old)
    down = tuple(item for item, old, new in both if new < old)
    return up, down, tuple(item for item, old, new in both if new == old)


def threshold(table: Mapping[int, Fraction], people: int) -> Fraction:
    """The threshold for the smaller number of people of two rounds. Raises ValueError below the smallest key."""
    return table[max(size for size in table if size <= people)]


def not_comparable(rules: Rules, before: Published, now: Published, min_group: int) -> Why | None:
    """Why two rounds cannot be compared; None when they can."""
    if before.form != now.form:
        return "form"
    if before.wording_version != now.wording_version:
        return "wording"
    if (now.closed - before.closed).days < rules.trend.group.min_days:
        return "days"
    if min(before.people, now.people) < min_group:
        return "people"
    return None


def _direction(change: Fraction, limit: Fraction, stages: tuple[int | None, int | None] | None) -> Direction:
    """``stages`` (before, now) are given where only stages were shown: then the stage itself must have changed too."""
    if abs(change) < limit:
        return "flat"
    if stages is not None and (stages[0] is None or stages[1] is None or (stages[1] - stages[0]) * change <= 0):
        return "flat"
    return "up" if change > 0 else "down"


def group_change(rules: Rules, before: Published, now: Published) -> dict[str, Direction]:
    """Likely up, likely down or about the same: "" for the overall figure, then each dimension shown both times."""
    people = min(before.people, now.people)
    coarse = not (before.decimals and now.decimals)
    found: dict[str, Direction] = {}
    if before.overall is not None and now.overall is not None:
        limit = threshold(rules.trend.group.overall, people)
        found[""] = _direction(now.overall - before.overall, limit, (before.stage, now.stage) if coarse else None)
    for name, mean in now.dimensions.items():
        if name in before.dimensions:
            stages = (before.dimension_stages[name], now.dimension_stages[name]) if coarse else None
            limit = threshold(rules.trend.group.dimension, people)
            found[name] = _direction(mean - before.dimensions[name], limit, stages)
    return found
