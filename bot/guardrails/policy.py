"""The policy as data: rules, lines, concepts and examples of ``prompts/policy/``, validated; errors name file and line."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationInfo, field_validator

from bot import prompts
from bot.errors import FormatError
from bot.messages import Handling
from bot.yaml_files import ModelT, parsed

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Language = Literal["en", "es", "fr", "zh", "ar"]
FAMILIES = ("crisis", "unsafe", "misuse", "injection", "scope", "smalltalk")
"""Files of rules, in the order in which they decide."""


_UNREAD = "patterns are compiled where they are used"
"""Validation context of the shipped files: every start would otherwise compile every pattern twice."""


def as_pattern(value: str, info: ValidationInfo) -> str:
    """``value``, once it is known to be a pattern. Raises ValueError."""
    return value if info.context == _UNREAD else _checked(value)


def _checked(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a pattern: {error}") from None
    return value


class Rule(BaseModel):
    """One rule: what it protects, who owns it, what is said, and the patterns that may never miss.

    Patterns are read on folded text (see ``views.folded``). ``certain`` decides alone; ``likely`` lowers what the
    classifier must be sure of. A ``hard`` rule cannot be switched off by an organization."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z_]+$")]
    version: int
    handling: Handling
    protects: Text
    owner: Text
    hard: bool
    texts: dict[Language, Text]
    topics: tuple[Text, ...] = ()
    guidance: dict[Language, Text] = {}
    certain: tuple[str, ...] = ()
    likely: tuple[str, ...] = ()

    @field_validator("certain", "likely")
    @classmethod
    def _patterns(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return tuple(as_pattern(item, info) for item in value)

    @field_validator("texts")
    @classmethod
    def _languages(cls, value: dict[str, str]) -> dict[str, str]:
        if "en" not in value:
            raise ValueError("needs a text in English")
        return value


class Family(BaseModel):
    """A file of rules."""

    model_config = ConfigDict(extra="forbid")

    version: int
    family: Text
    rules: list[Rule]


class Line(BaseModel):
    """A public line of a country and the page of the body that runs it."""

    model_config = ConfigDict(extra="forbid")

    topic: Text
    line: Text
    source: Text


LABELS = frozenset({"emergency", "suicide", "child_abuse", "exploitation", "poison", "local", "contact", "unset", "doubt"})
"""What a crisis text needs words for in every language."""


class Lines(BaseModel):
    """Public lines by country, and the words around them by language."""

    model_config = ConfigDict(extra="forbid")

    version: int
    countries: dict[str, list[Line]]
    labels: dict[Language, dict[str, Text]]

    @field_validator("labels")
    @classmethod
    def _whole(cls, value: dict[Language, dict[str, str]]) -> dict[Language, dict[str, str]]:
        for language, label in value.items():
            missing = sorted(LABELS - set(label))
            if missing:
                raise ValueError(f"'{language}' lacks {', '.join(missing)}")
        return value


class Concepts(BaseModel):
    """Groups of words in five languages that the classifier counts, as patterns on folded text."""

    model_config = ConfigDict(extra="forbid")

    version: int
    concepts: dict[str, str]
    more: dict[str, str] = {}

    @field_validator("concepts", "more")
    @classmethod
    def _compile(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        return {name: as_pattern(pattern, info) for name, pattern in value.items()}

    def whole(self) -> dict[str, str]:
        """Each group's pattern with its further words; words in scripts without spaces are matched as they stand."""
        found = dict(self.concepts)
        for name, pattern in self.more.items():
            words = re.split(r"\|(?![^(]*\))", pattern)
            spaced = "|".join(word for word in words if word.isascii())
            other = [word for word in words if not word.isascii()]
            found[name] = "|".join(filter(None, [found[name], rf"\b(?:{spaced})\b" if spaced else "", *other]))
        return found


class Privacy(BaseModel):
    """Words of the privacy rule: what is said, what stays, and the cues of talk about a person."""

    model_config = ConfigDict(extra="forbid")

    version: int
    id: Text
    owner: Text
    protects: Text
    notices: dict[Language, Text]
    kinds: dict[str, dict[Language, Text]]
    public_people: list[Text]
    keep: list[Text]
    words: dict[str, Text]


class Public(BaseModel):
    """Names of public people, characters, places, products, languages and peoples, and programs, which stay; what staff do
    and where they work, by which their names are known; each list is separated by commas."""

    model_config = ConfigDict(extra="forbid")

    version: int
    people: Text
    characters: Text
    places: Text
    products: Text
    peoples: Text
    programs: Text
    roles: Text
    departments: Text
    desks: Text

    def spellings(self) -> set[str]:
        """Every name of every list."""
        return _separate(self.people, self.characters, self.places, self.products, self.peoples, self.programs)

    def tools(self) -> set[str]:
        """Names of products alone."""
        return _separate(self.products)


def _separate(*lists: str) -> set[str]:
    return {name.strip() for names in lists for name in names.split(",") if name.strip()}


class Outgoing(BaseModel):
    """What may leave."""

    model_config = ConfigDict(extra="forbid")

    version: int
    family: Text
    max_characters: int
    never_say: tuple[str, ...]
    label: dict[Language, Text]
    held: dict[Language, Text]

    @field_validator("never_say")
    @classmethod
    def _patterns(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return tuple(as_pattern(item, info) for item in value)


class Documents(BaseModel):
    """How text in a document speaks to an assistant: groups of patterns on folded text, and the fragments (``%name%``) in
    them."""

    model_config = ConfigDict(extra="forbid")

    version: int
    family: Text
    fragments: dict[str, str]
    patterns: dict[str, tuple[str, ...]]

    def whole(self, group: str) -> tuple[str, ...]:
        """The patterns of a group with their fragments filled in."""
        return tuple(self._filled(item) for item in self.patterns[group])

    def _filled(self, item: str) -> str:
        while (name := re.search(r"%(\w+)%", item)) is not None:
            item = item.replace(name.group(), self.fragments[name.group(1)])
        return _checked(item)


class ExampleFile(BaseModel):
    """Examples on both sides of a rule, one a line. A negative is to be answered unless another file says otherwise."""

    model_config = ConfigDict(extra="forbid")

    rule: Text
    positive: str | dict[str, str]
    negative: str


class Example(BaseModel):
    """One message with the rule it belongs to (None: to be answered) and the rule whose file it stands in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    rule: str | None
    handling: Handling
    beside: str


def validated(model: type[ModelT], path: Path, context: str | None = None) -> ModelT:
    """A YAML file as a model. Raises FormatError naming file and line."""
    name = path.as_posix().split("/prompts/")[-1]
    return parsed(model, path.read_text(encoding="utf-8"), name, context=context)


def folder() -> Path:
    """The shipped policy."""
    return prompts.folder() / "policy"


@cache
def rules() -> dict[str, Rule]:
    """Every rule by id, in the order in which families decide."""
    found: dict[str, Rule] = {}
    for family in FAMILIES:
        for rule in validated(Family, folder() / f"{family}.yaml", _UNREAD).rules:
            found[rule.id] = rule
    return found


@cache
def lines() -> Lines:
    """Public lines by country."""
    return validated(Lines, folder() / "lines.yaml")


@cache
def concepts() -> Concepts:
    """The groups of words the classifier counts."""
    return validated(Concepts, folder() / "concepts.yaml", _UNREAD)


@cache
def privacy() -> Privacy:
    """The privacy rule's words."""
    return validated(Privacy, folder() / "privacy.yaml")


@cache
def public() -> Public:
    """Names that belong to the public."""
    return validated(Public, folder() / "public.yaml")


@cache
def outgoing() -> Outgoing:
    """What may leave."""
    return validated(Outgoing, folder() / "outgoing.yaml", _UNREAD)


def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern of the shipped files. Raises FormatError naming file and line when it is none."""
    try:
        return re.compile(pattern, flags)
    except re.error:
        check()
        raise


@cache
def documents() -> Documents:
    """How documents speak to assistants."""
    return validated(Documents, folder() / "documents.yaml")


def _lines_of(block: str) -> list[str]:
    return [line.strip() for line in block.splitlines() if line.strip()]


def _file_of(rule: str) -> str:
    return "smalltalk" if rule.startswith("smalltalk.") else rule


def _also() -> list[tuple[str, bool, str]]:
    """The lines of ``also.txt``: (rule, whether it is one of the rule's, text). Raises FormatError for an unknown rule."""
    path = folder() / "examples" / "also.txt"
    found: list[tuple[str, bool, str]] = []
    rule, positive = "", True
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("@ "):
            name = line[2:].strip()
            positive = not name.startswith("answer ")
            rule = name.removeprefix("answer ")
            if rule not in rules() and rule != "smalltalk":
                raise FormatError(f"no rule is called '{rule}'", where=f"policy/examples/also.txt:{number}")
        elif line.strip() and not line.startswith("#"):
            found.append((rule, positive, line.strip()))
    return found


def examples() -> list[Example]:
    """Every example of every rule; a negative that is another rule's positive keeps that rule."""
    found: list[Example] = []
    negatives: list[tuple[str, str]] = []
    known = rules()
    for path in sorted((folder() / "examples").glob("*.yaml")):
        if path.stem == "privacy.details":
            continue
        file = validated(ExampleFile, path)
        groups = file.positive if isinstance(file.positive, dict) else {file.rule: file.positive}
        for rule, block in groups.items():
            if rule not in known:
                raise FormatError(f"no rule is called '{rule}'", where=f"policy/examples/{path.name}:1")
            found += [Example(text=t, rule=rule, handling=known[rule].handling, beside=file.rule) for t in _lines_of(block)]
        negatives += [(file.rule, text) for text in _lines_of(file.negative)]
    for rule, is_positive, text in _also():
        if is_positive:
            found.append(Example(text=text, rule=rule, handling=known[rule].handling, beside=_file_of(rule)))
        else:
            negatives.append((rule, text))
    positive = {example.text for example in found}
    found += [
        Example(text=text, rule=None, handling=Handling.ANSWER, beside=beside)
        for beside, text in negatives
        if text not in positive
    ]
    return found


def check() -> None:
    """Validate every file of the policy, each pattern by itself. Raises FormatError naming file and line."""
    for family in FAMILIES:
        validated(Family, folder() / f"{family}.yaml")
    validated(Concepts, folder() / "concepts.yaml")
    validated(Outgoing, folder() / "outgoing.yaml")
    rules()
    lines()
    concepts()
    privacy()
    outgoing()
    for group in documents().patterns:
        documents().whole(group)
    examples()
