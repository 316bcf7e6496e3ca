"""What a group's round comes to, with everything that could point at a person left out. Pure; published once, then frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from bot.readiness.instrument import Rules
from bot.readiness.scoring import Score, stage_of
from bot.readiness.suppression import Disclosure, Earlier, Respondents, band, disclose, disclose_again, exposes, similar
from bot.readiness.trends import Published

OVERALL = ""
"""The name of the overall figure among dimensions, and of the whole group among splits."""


@dataclass(frozen=True)
class Respondent:
    """One person's latest check of the round. ``cell`` is their role group or school level."""

    key: str
    cell: str
    score: Score


@dataclass(frozen=True)
class Before:
    """An earlier published round: its people (cell and scored answers; None where erased), and what was shown of each figure."""

    people: dict[str, tuple[str, Score | None]]
    shown: dict[str, Disclosure]


@dataclass(frozen=True)
class Cell:
    """One published number: the stage, from ten people on the mean to one decimal; "similar" instead of any number."""

    stage: int | None
    mean: str | None
    similar: bool


@dataclass(frozen=True)
class Figures:
    """Everything shown of the whole group (``name`` empty) or of one split, by dimension; "" is overall."""

    name: str
    people: tuple[int, int | None]
    cells: dict[str, Cell]


@dataclass(frozen=True)
class GroupResult:
    """A published round. ``exact`` (means as "n/d" of the whole group) is kept for trends and never shown."""

    min_group: int
    held: bool
    rate_at_least: int
    figures: tuple[Figures, ...]
    hidden: tuple[str, ...]
    spread: tuple[int, int, int] | None
    not_sure: int | None
    gap: tuple[str, ...]
    shown: dict[str, tuple[bool, tuple[str, ...]]]
    exact: dict[str, str]
    people: int

    def frozen(self) -> dict[str, Any]:
        """As kept in SQL."""
        return asdict(self)


def thaw(kept: dict[str, Any]) -> GroupResult:
    """A kept result."""
    figures = tuple(
        Figures(f["name"], tuple(f["people"]), {name: Cell(**cell) for name, cell in f["cells"].items()}) for f in kept["figures"]
    )
    shown = {name: (parent, tuple(splits)) for name, (parent, splits) in kept["shown"].items()}
    spread = tuple(kept["spread"]) if kept["spread"] else None
    rest = {"figures": figures, "shown": shown, "spread": spread, "hidden": tuple(kept["hidden"]), "gap": tuple(kept["gap"])}
    return GroupResult(**{**kept, **rest})


def value_of(score: Score, figure: str) -> Fraction | None:
    """A person's overall mean, or that of a dimension."""
    return score.overall if figure == OVERALL else score.dimensions[figure]


def _contributions(people: dict[str, tuple[str, Score | None]], figure: str, now: dict[str, Score]) -> Respondents:
    """Who counted in a figure and with what answers. Answers no longer kept are taken as unchanged, which is the worst."""
    found: dict[str, tuple[str, object]] = {}
    for key, (cell, score) in people.items():
        known = score or now.get(key)
        if known is None:
            found[key] = (cell, None)
        elif value_of(known, figure) is not None:
            items = sorted(known.answers.items())
            found[key] = (cell, tuple(items) if figure == OVERALL else str(value_of(known, figure)))
    return found


class _Round:
    """The figures of one round being computed."""

    def __init__(self, rules: Rules, people: Sequence[Respondent], splits: Sequence[str], minimum: int) -> None:
        self.rules = rules
        self.minimum = minimum
        self.splits = tuple(splits)
        self.people = [p for p in people if p.score.overall is not None]
        self.scores = {p.key: p.score for p in self.people}
        self.cells = {p.key: (p.cell, p.score) for p in self.people}

    def values(self, figure: str, split: str | None = None) -> list[Fraction]:
        """The people's means of a figure."""
        found = (value_of(p.score, figure) for p in self.people if split is None or p.cell == split)
        return [value for value in found if value is not None]

    def similar(self, figure: str, split: str | None = None) -> bool:
        """Whether all but one, or all, gave the same answers: in a pulse the same level, else the same exact mean."""
        return similar(self.values(figure, split))

    def disclose(self, figure: str, allowed: Disclosure, earlier: Sequence[Before]) -> Disclosure:
        """Which numbers of a figure may be shown, within what may be shown of the round."""
        counts = {split: len(self.values(figure, split)) for split in self.splits}
        alike = {split for split in self.splits if self.similar(figure, split)}
        outside = {split for split in self.splits if split not in allowed.shown}
        parent = allowed.parent and sum(counts.values()) >= self.minimum and not self.similar(figure)
        if parent:
            found = disclose(counts, self.minimum, alike | outside)
        else:
            # Without the parent there is nothing to subtract from.
            big = (s for s in self.splits if counts[s] >= self.minimum and s not in alike | outside)
            found = Disclosure(False, tuple(big))
        now = _contributions({**self.cells}, figure, {})
        for candidate in (found, Disclosure(found.parent, ())):
            if not any(
                exposes(
                    now,
                    candidate,
                    Earlier(_contributions(b.people, figure, self.scores), b.shown.get(figure, Disclosure(False, ()))),
                    self.minimum,
                    moves_hide=figure != OVERALL,
                )
                for b in earlier
            ):
                return candidate
        return Disclosure(False, ())


def group_result(
    rules: Rules, people: Sequence[Respondent], asked: int, splits: Sequence[str], minimum: int, earlier: Sequence[Before] = ()
) -> GroupResult:
    """Compute what is published of a round.

    :param people: one entry a person; those without enough answers for an overall stage are left out.
    :param asked: how many were invited.
    :param splits: every split of the round in order.
    """
    round_ = _Round(rules, people, splits, minimum)
    count = len(round_.people)
    now = _contributions({**round_.cells}, OVERALL, {})
    before = [
        Earlier(_contributions(b.people, OVERALL, round_.scores), b.shown.get(OVERALL, Disclosure(False, ()))) for b in earlier
    ]
    allowed = disclose_again(now, before, minimum, splits)
    if not allowed.parent:
        return GroupResult(minimum, count >= minimum, 0, (), tuple(splits), None, None, (), {}, {}, count)
    shown = {name: round_.disclose(name, allowed, earlier) for name in (OVERALL, *rules.dimensions)}
    figures = [_figures(round_, OVERALL, shown)]
    figures += [_figures(round_, split, shown) for split in allowed.shown]
    parent_means = {name: round_.values(name) for name in shown if shown[name].parent}
    many = count >= rules.group.decimals_from
    low = band(count)[0]
    return GroupResult(
        min_group=minimum,
        held=False,
        rate_at_least=(100 * low // asked // 10 * 10) if asked else 0,
        figures=tuple(figures),
        hidden=tuple(split for split in splits if split not in allowed.shown),
        spread=_spread(round_) if many else None,
        not_sure=_not_sure(round_) if many else None,
        gap=_gap(round_, shown),
        shown={name: (d.parent, d.shown) for name, d in shown.items()},
        exact={name: _fraction(sum(v, Fraction(0)) / len(v)) for name, v in parent_means.items()},
        people=count,
    )


def _fraction(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def _figures(round_: _Round, split: str, shown: dict[str, Disclosure]) -> Figures:
    cells: dict[str, Cell] = {}
    for name, disclosed in shown.items():
        values = round_.values(name, split or None)
        if disclosed.parent if split == OVERALL else split in disclosed.shown:
            mean = sum(values, Fraction(0)) / len(values)
            decimal = f"{float(round(mean, 1)):.1f}" if len(values) >= round_.rules.group.decimals_from else None
            cells[name] = Cell(stage_of(round_.rules, mean), decimal, False)
        elif len(values) >= round_.minimum and round_.similar(name, split or None):
            cells[name] = Cell(None, None, True)
    people = len(round_.values(OVERALL, split or None))
    return Figures(split, band(people), cells)


def _tens(part: int, whole: int) -> int:
    """A share in hundredths, rounded to the nearest ten."""
    return int(Fraction(10 * part, whole) + Fraction(1, 2)) * 10


def _spread(round_: _Round) -> tuple[int, int, int] | None:
    """Shares at the first, the middle two and the fourth level; none when a share stands for a small group."""
    stages = [stage_of(round_.rules, value) for value in round_.values(OVERALL)]
    bins = [sum(s == 1 for s in stages), sum(s in (2, 3) for s in stages), sum(s == 4 for s in stages)]
    if any(0 < people < round_.minimum for people in bins) or similar(stages):
        return None
    low, middle, high = (_tens(people, len(stages)) for people in bins)
    return low, middle, high


def _not_sure(round_: _Round) -> int:
    answers = [level for p in round_.people for level in p.score.answers.values()]
    return _tens(sum(level is None for level in answers), len(answers))


def _gap(round_: _Round, shown: dict[str, Disclosure]) -> tuple[str, ...]:
    """Dimensions in which a shown group of leaders and a shown group of school staff differ clearly."""
    sides, rule = round_.rules.group.role_groups, round_.rules.group.gap
    found: list[str] = []
    for name in round_.rules.dimensions:
        means: dict[str, list[Fraction]] = {"leaders": [], "school": []}
        for split in shown[name].shown:
            values = round_.values(name, split)
            if split in sides and len(values) >= rule.people:
                means[sides[split]].append(sum(values, Fraction(0)) / len(values))
        if any(abs(a - b) >= rule.threshold for a in means["leaders"] for b in means["school"]):
            found.append(name)
    return tuple(found)


def for_trend(rules: Rules, result: GroupResult, form: str, wording_version: str, closed: date, asked: int) -> Published:
    """The part of a published round that a trend may use."""
    exact = {name: Fraction(value) for name, value in result.exact.items()}
    stages = {name: stage_of(rules, mean) for name, mean in exact.items()}
    return Published(
        form,
        wording_version,
        closed,
        result.people if exact else 0,
        asked,
        result.people >= rules.group.decimals_from,
        stages.get(OVERALL),
        exact.get(OVERALL),
        {name: mean for name, mean in exact.items() if name != OVERALL},
        {name: stage for name, stage in stages.items() if name != OVERALL},
    )
