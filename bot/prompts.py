"""Reads the data files in ``prompts/``: messages, prompts, glossary, names. Validated once; errors name file and line."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

import bot
from bot.errors import FormatError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class DemoQuestion(BaseModel):
    """A question of the demo and whose behalf it is asked on."""

    model_config = ConfigDict(extra="forbid")

    text: Text
    organization: Text | None = None


class Demo(BaseModel):
    """What ``signpost demo`` asks and says at the end."""

    model_config = ConfigDict(extra="forbid")

    version: int
    questions: list[DemoQuestion]
    closing: Text


def folder() -> Path:
    """The shipped ``prompts/`` folder, in a checkout or an installed wheel."""
    return Path(bot.__file__).parent.parent / "prompts"


def read_yaml(name: str) -> dict[str, Any]:
    """A data file as a mapping. Raises FormatError naming file and line."""
    path = folder() / name
    raw = path.read_text(encoding="utf-8")
    try:
        data = yaml.load(raw, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise FormatError(
            str(getattr(error, "problem", error)), where=f"prompts/{name}:{(mark.line if mark else 0) + 1}"
        ) from None
    if not isinstance(data, dict):
        raise FormatError("expected 'name: value' lines", where=f"prompts/{name}:1")
    return data


class Names(BaseModel):
    """Lists of names by kind; each entry's spellings, the usual one first."""

    model_config = ConfigDict(extra="forbid")

    version: int
    states: list[Text]
    places: list[Text]
    products: list[Text]
    organizations: list[Text]
    exams: list[Text]
    laws: list[Text]


class Glossary(BaseModel):
    """Short forms and what they stand for, by language."""

    model_config = ConfigDict(extra="forbid")

    version: int
    en: dict[str, Text]
    es: dict[str, Text]


class Words(BaseModel):
    """Words without a subject and words that tell languages apart, each a list set apart by spaces."""

    model_config = ConfigDict(extra="forbid")

    version: int
    stop_en: Text
    stop_es: Text
    signs_en: Text
    signs_es: Text
    same_word_names: Text


class Asks(BaseModel):
    """Patterns of what questions ask for and statements hold, by kind."""

    model_config = ConfigDict(extra="forbid")

    version: int
    asks: dict[str, Text]
    holds: dict[str, Text]


class Messages(BaseModel):
    """Fixed texts shown to people, by name, in one language. ``{braces}`` are filled in by the caller."""

    model_config = ConfigDict(extra="forbid")

    version: int
    language: Text
    not_covered: Text
    not_covered_near: Text
    ask_person: Text
    ask_person_unset: Text
    clarify: Text
    neither: Text
    source: Text
    verified: Text
    local: Text
    state: Text
    national: Text
    international: Text
    framework: Text
    research: Text
    about: Text
    sample: Text
    secondary: Text
    past_review: Text
    withheld: Text
    differs: Text
    quoted_in_english: Text
    part: Text
    restated: Text
    model_note: Text


class Instructions(BaseModel):
    """What the chat model is told. ``version`` is recorded with every answer it took part in."""

    model_config = ConfigDict(extra="forbid")

    version: int
    pointing: Text
    question: Text
    restating: Text


ModelT = TypeVar("ModelT", bound=BaseModel)


def _validated(model: type[ModelT], name: str) -> ModelT:
    try:
        return model.model_validate(read_yaml(name))
    except ValidationError as error:
        problem = error.errors()[0]
        key = str(problem["loc"][0])
        lines = (folder() / name).read_text(encoding="utf-8").splitlines()
        line = next((i for i, text in enumerate(lines, 1) if text.startswith(f"{key}:")), 1)
        place = ".".join(str(part) for part in problem["loc"])
        raise FormatError(f"{place}: {problem['msg']}", where=f"prompts/{name}:{line}") from None


@cache
def names() -> Names:
    """The names people ask about."""
    return _validated(Names, "language/names.yaml")


@cache
def glossary() -> Glossary:
    """Staff's short forms."""
    return _validated(Glossary, "language/glossary.yaml")


@cache
def words() -> Words:
    """Stop words and function words."""
    return _validated(Words, "language/words.yaml")


@cache
def asks() -> Asks:
    """What questions ask for."""
    return _validated(Asks, "language/asks.yaml")


@cache
def demo() -> Demo:
    """The demo's questions."""
    return _validated(Demo, "demo.yaml")


@cache
def messages(language: str) -> Messages:
    """The fixed texts in ``language``; English where a language has none."""
    name = f"messages/{language}.yaml"
    return _validated(Messages, name if (folder() / name).exists() else "messages/en.yaml")


@cache
def instructions() -> Instructions:
    """The chat model's instructions."""
    return _validated(Instructions, "model/pointing.yaml")


@cache
def version() -> str:
    """A short hash over every prompt file, recorded with each answer."""
    digest = hashlib.sha256()
    for path in sorted(folder().rglob("*.yaml")):
        digest.update(path.relative_to(folder()).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def check() -> None:
    """Validate every file; called at start. Raises FormatError."""
    names()
    words()
    asks()
    glossary()
    demo()
    instructions()
    for path in sorted((folder() / "messages").glob("*.yaml")):
        messages(path.stem)
