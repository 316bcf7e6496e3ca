"""The instrument: questions, levels, moves and rules, read once from ``prompts/readiness/``. Errors name file and line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from bot import prompts
from bot.errors import FormatError
from bot.yaml_files import line_of, parsed

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Exact = Annotated[Fraction, BeforeValidator(lambda value: Fraction(str(value)))]
FormName = Literal["pulse", "full"]
Level = Literal[1, 2, 3, 4]
Answers = dict[str, int | None]
"""Item to chosen level, or None for "not sure". An item that is not there was not answered."""

LEVELS: tuple[Level, ...] = (1, 2, 3, 4)
LANGUAGES = ("en", "es")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Form(_Part):
    """A form: its items in order and the minutes it is said to take."""

    items: tuple[Text, ...]
    minutes: int


class Dimension(_Part):
    """A dimension: its items, how many must be answered, and whether the floor rule watches it."""

    items: tuple[Text, ...]
    min_answered: int = Field(ge=1)
    guardrail: bool


class FullRule(_Part):
    """What a stage of the full form needs."""

    min_dimensions: int
    min_items: int


class PulseRule(_Part):
    """What an early read needs."""

    min_items: int


class Floor(_Part):
    """The floor rule."""

    below: Exact
    critical_items: tuple[Text, ...]
    at_most: Level


class Scoring(_Part):
    """Numbers of the scoring."""

    full: FullRule
    pulse: PulseRule
    stages_from: tuple[Exact, Exact, Exact, Exact]
    floor: Floor
    strength_from: Exact
    pulse_strength_level: Level
    tie_order: tuple[Text, ...]


class Balance(_Part):
    """One balance reading: the items of both sides and the differences at which a lean is said."""

    a: tuple[Text, ...]
    b: tuple[Text, ...]
    min_each: int
    lean: Exact
    strong: Exact | None


class Gap(_Part):
    """When leaders and school staff are said to differ."""

    people: int
    threshold: Exact


class GroupRules(_Part):
    """Rules of group rounds."""

    min_group: int = Field(ge=5)
    named_roles_min_group: int
    window_days: int
    decimals_from: int
    max_reminders: int
    role_groups: dict[Text, Literal["leaders", "school"]]
    school_levels: tuple[Text, ...]
    gap: Gap


class SelfTrend(_Part):
    """Rules of comparing with oneself."""

    min_days: int
    overall: Exact


class GroupTrend(_Part):
    """Rules of comparing two rounds; thresholds by the smaller number of people, at least."""

    min_days: int
    overall: dict[int, Exact]
    dimension: dict[int, Exact]
    line_from_rounds: int


class Trend(_Part):
    """Rules of trends."""

    self: SelfTrend
    group: GroupTrend


class Expected(_Part):
    """What a worked example comes to."""

    stage: Level | None
    capped: bool
    next: tuple[Text, Text]
    balance: dict[Text, Text]


class Example(_Part):
    """A worked example of the scoring."""

    name: Text
    form: FormName
    answers: dict[Text, Literal[1, 2, 3, 4, "ns"]]
    expect: Expected


class GroupExample(_Part):
    """A worked example of suppression."""

    splits: dict[Text, int]
    shown: tuple[Text, ...]


class Rules(_Part):
    """``instrument.yaml``: everything that is not words."""

    id: Text
    version: Text
    wording_version: Text
    status: Text
    forms: dict[FormName, Form]
    carry_over_days: int
    resume_days: int
    retake_days: int
    dimensions: dict[Text, Dimension]
    scoring: Scoring
    balance: dict[Text, Balance]
    balance_both_low_below: Exact
    group: GroupRules
    trend: Trend
    look_up: dict[Text, Text]
    never_say: dict[Text, tuple[Text, ...]]
    examples: tuple[Example, ...]
    group_examples: tuple[GroupExample, ...]

    def dimension_of(self, item: str) -> str:
        """The dimension an item belongs to."""
        return next(name for name, dimension in self.dimensions.items() if item in dimension.items)


class Stage(_Part):
    """A stage's name and its one-line meaning."""

    name: Text
    means: Text


class BalanceText(_Part):
    """Words of one balance reading."""

    label: Text
    a: Text
    b: Text
    a_heavy: Text
    b_heavy: Text


class Move(_Part):
    """One thing to do this month, who to involve, and how one knows it is done."""

    do: Text
    who: Text
    done_when: Text


class Item(_Part):
    """A question in one language."""

    ask: Text
    levels: dict[Level, Text]
    who_knows: Text
    topic: Text
    moves: dict[Level, Move]

    @property
    def wording(self) -> str:
        """A short hash of what a person read when they answered."""
        body = "\0".join([self.ask, *(self.levels[level] for level in LEVELS)])
        return hashlib.sha256(body.encode()).hexdigest()[:8]


class Texts(_Part):
    """``texts.LANGUAGE.yaml``: the instrument's words."""

    language: Text
    forms: dict[FormName, Text]
    levels: dict[Level, Text]
    stages: dict[Level, Stage]
    dimensions: dict[Text, Text]
    balance: dict[Text, BalanceText]
    items: dict[Text, Item]


class Sayings(_Part):
    """``messages.LANGUAGE.yaml``: what is said around the questions, and what typed words mean."""

    language: Text
    say: dict[Text, Text]
    label: dict[Text, Text]
    role_groups: dict[Text, Text]
    school_levels: dict[Text, Text]
    understand: dict[Text, tuple[Text, ...]]


@dataclass(frozen=True)
class Instrument:
    """The whole, validated. ``content`` is a hash of each language's words, for approvals."""

    rules: Rules
    texts: dict[str, Texts]
    sayings: dict[str, Sayings]
    content: dict[str, str]

    def say(self, language: str, key: str, /, **values: object) -> str:
        """A fixed text with its braces filled in."""
        return self.sayings[language].say[key].format(**values)


class _File:
    """One YAML file that can say on which line a value stands."""

    def __init__(self, folder: Path, name: str) -> None:
        self.where = f"prompts/readiness/{name}"
        self.raw = (folder / name).read_text(encoding="utf-8")

    def error(self, message: str, *path: int | str) -> FormatError:
        """A FormatError at the value ``path`` leads to, or as near as it exists."""
        return FormatError(f"{'.'.join(map(str, path))}: {message}", where=f"{self.where}:{line_of(self.raw, path)}")


PartT = TypeVar("PartT", bound=_Part)


def _read(folder: Path, name: str, model: type[PartT]) -> tuple[PartT, _File]:
    file = _File(folder, name)
    return parsed(model, file.raw, file.where), file


def _same(file: _File, what: str, found: Iterable[Any], wanted: Iterable[Any]) -> None:
    """Both hold the same names; the first that does not is named at its line."""
    have, want = list(found), list(wanted)
    for name in have:
        if name not in want:
            raise file.error("is not known", *what.split("."), name)
    for name in want:
        if name not in have:
            raise file.error(f"{name} is missing", *what.split("."))


def _check_rules(rules: Rules, file: _File) -> None:
    items = [item for dimension in rules.dimensions.values() for item in dimension.items]
    if len(items) != len(set(items)):
        raise file.error("an item stands in two dimensions", "dimensions")
    _same(file, "forms.full.items", rules.forms["full"].items, items)
    for name in rules.forms["pulse"].items:
        if name not in items:
            raise file.error(f"{name} is not known", "forms", "pulse", "items")
    if sorted(rules.dimension_of(item) for item in rules.forms["pulse"].items) != sorted(rules.dimensions):
        raise file.error("the pulse asks one item of each dimension", "forms", "pulse", "items")
    _same(file, "look_up", rules.look_up, items)
    _same(file, "scoring.tie_order", rules.scoring.tie_order, rules.dimensions)
    if list(rules.scoring.stages_from) != sorted(set(rules.scoring.stages_from)):
        raise file.error("must rise", "scoring", "stages_from")
    for name, balance in rules.balance.items():
        for item in (*balance.a, *balance.b):
            if item not in items:
                raise file.error(f"{item} is not known", "balance", name)
    for name in rules.scoring.floor.critical_items:
        if name not in items:
            raise file.error(f"{name} is not known", "scoring", "floor", "critical_items")


def _check_texts(rules: Rules, texts: Texts, file: _File) -> None:
    _same(file, "dimensions", texts.dimensions, rules.dimensions)
    _same(file, "balance", texts.balance, rules.balance)
    _same(file, "items", texts.items, rules.forms["full"].items)
    _same(file, "stages", texts.stages, LEVELS)
    _same(file, "levels", texts.levels, LEVELS)
    for name, item in texts.items.items():
        _same(file, f"items.{name}.levels", item.levels, LEVELS)
        _same(file, f"items.{name}.moves", item.moves, LEVELS)


def _check_sayings(rules: Rules, sayings: Sayings, english: Sayings, file: _File) -> None:
    _same(file, "role_groups", sayings.role_groups, rules.group.role_groups)
    _same(file, "school_levels", sayings.school_levels, rules.group.school_levels)
    for part in ("say", "label", "understand"):
        _same(file, part, getattr(sayings, part), getattr(english, part))
    for key, text in sayings.say.items():
        if set(re.findall(r"\{(\w*)\}", text)) != set(re.findall(r"\{(\w*)\}", english.say[key])):
            raise file.error("its {braces} differ from the English text's", "say", key)


def load(folder: Path) -> Instrument:
    """Read and cross-check every file of the instrument in ``folder``. Raises FormatError naming file and line."""
    rules, rules_file = _read(folder, "instrument.yaml", Rules)
    _check_rules(rules, rules_file)
    texts: dict[str, Texts] = {}
    sayings: dict[str, Sayings] = {}
    content: dict[str, str] = {}
    for language in LANGUAGES:
        words, words_file = _read(folder, f"texts.{language}.yaml", Texts)
        _check_texts(rules, words, words_file)
        around, around_file = _read(folder, f"messages.{language}.yaml", Sayings)
        _check_sayings(rules, around, sayings.get("en", around), around_file)
        for file, said in ((words_file, words.language), (around_file, around.language)):
            if said != language:
                raise file.error(f"must be {language}", "language")
        texts[language], sayings[language] = words, around
        content[language] = hashlib.sha256((words_file.raw + around_file.raw).encode()).hexdigest()[:16]
    return Instrument(rules, texts, sayings, content)


@cache
def instrument() -> Instrument:
    """The shipped instrument."""
    return load(prompts.folder() / "readiness")
