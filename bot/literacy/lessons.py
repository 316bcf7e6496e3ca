"""The lessons: their shape, their rules, and reading them from ``prompts/lessons/``. Called once at start.

``docs/lessons.md`` describes the files. Errors name file and line.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bot import prompts
from bot.errors import FormatError
from bot.yaml_files import line_of, parsed

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=40)]
Fit = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(?:#[a-z0-9-]+)?$")]
Language = Literal["en", "es"]

LANGUAGES: tuple[Language, ...] = ("en", "es")
RETURN_DAYS = (2, 7, 21)
"""Days after a lesson on which a question comes back. Spaced questions beat one sitting (Kerfoot 2010, a trial with 724
doctors in training); growing or even gaps make no difference (Latimier 2021, a meta-analysis of 29 studies)."""

MARKER = re.compile(r"\[(\d+)\]")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where a sentence comes from: a numbered fact of a library document, or an address outside the library.

    ``seen`` says how an address was seen when the lesson was checked, as in the library's own notes."""

    name: Line
    document: str = ""
    section: str = ""
    fact: int | None = Field(default=None, ge=1)
    url: str = ""
    seen: Literal["official", "copy", "secondary"] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if bool(self.document) == bool(self.url):
            raise ValueError("a source is a document with section and fact, or a url")
        if self.document and not (self.section and self.fact):
            raise ValueError("a document needs its section and the number of the fact")
        if self.url and (not re.fullmatch(r"https://[^\s<>\"']+", self.url) or self.seen is None):
            raise ValueError("a url is an https address and says how it was seen")
        return self


class Option(_Strict):
    """An answer one can choose, and what is said when it is chosen."""

    say: Line
    then: Line


class Question(_Strict):
    """A quiz question."""

    ask: Line
    options: tuple[Option, ...] = Field(min_length=3, max_length=3)


class ReturnQuestion(_Strict):
    """A question asked days later, in new words; ``because`` explains the answer."""

    ask: Line
    options: tuple[Line, ...] = Field(min_length=3, max_length=3)
    because: Line


class Words(_Strict):
    """A lesson in one language. ``draft`` stays true until a named reviewer approves the text (``bot.literacy.reviews``)."""

    title: Line
    objective: Line
    names: tuple[Line, ...]
    messages: tuple[Line, ...] = Field(min_length=3, max_length=3)
    quiz: tuple[Question, ...] = Field(min_length=2, max_length=2)
    returns: tuple[ReturnQuestion, ...] = Field(min_length=3, max_length=3)
    draft: bool = False
    written_by: str = "Signpost starter lessons"


class Answers(_Strict):
    """Which option is right, counted from 1; the same in every language."""

    quiz: tuple[int, ...] = Field(min_length=2, max_length=2)
    returns: tuple[int, ...] = Field(min_length=3, max_length=3)


class Lesson(_Strict):
    """One lesson: dates, sources, answers, and its words in each language."""

    id: Slug
    number: int = Field(ge=1, le=99)
    checked_on: date
    review_by: date
    audience: tuple[Literal["educators", "leaders"], ...] = Field(min_length=1)
    leaders_path: int | None = Field(default=None, ge=1)
    local_rules: bool = False
    needs_reader: str = ""
    ailit: tuple[Literal["Engage", "Create", "Manage", "Shape"], ...]
    unesco: Line
    topics: tuple[Line, ...] = ()
    fits: tuple[Fit, ...] = ()
    sources: dict[int, Source] = Field(min_length=1)
    answers: Answers
    en: Words
    es: Words

    @model_validator(mode="after")
    def _consistent(self) -> Lesson:
        if self.review_by <= self.checked_on:
            raise ValueError("review_by must be after checked_on")
        if not all(1 <= n <= 3 for n in (*self.answers.quiz, *self.answers.returns)):
            raise ValueError("answers count the options from 1")
        for number, (first, second) in enumerate(zip(self.en.messages, self.es.messages, strict=True), 1):
            if MARKER.findall(first) != MARKER.findall(second):
                raise ValueError(f"message {number} cites different sources in en and es")
        cited = {int(n) for message in self.en.messages for n in MARKER.findall(message)}
        if cited != set(self.sources):
            raise ValueError(f"cited {sorted(cited)}, but the sources are {sorted(self.sources)}")
        return self

    def words(self, language: str) -> Words:
        """The words in ``language``; English where there are none."""
        return self.es if language == "es" else self.en

    @cached_property
    def content(self) -> str:
        """A short hash of everything an answer refers to; it changes when a question or its right answer does."""
        asked = [[words.model_dump(include={"quiz", "returns"}) for words in (self.en, self.es)], self.answers.model_dump()]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]

    def text_hash(self, language: str) -> str:
        """SHA-256 of the words a reviewer approves in ``language``, with sources and answers."""
        words = self.words(language).model_dump(exclude={"draft", "written_by"})
        sources = {str(n): source.model_dump() for n, source in self.sources.items()}
        body = json.dumps([words, sources, self.answers.model_dump()], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(body.encode()).hexdigest()

    def past_review(self, today: date) -> bool:
        """Whether the review date has passed."""
        return today > self.review_by

    def held(self, today: date, grace_days: int) -> bool:
        """Whether the lesson is so long past review that it is not given."""
        return today > self.review_by + timedelta(days=grace_days)


@dataclass(frozen=True)
class Catalogue:
    """Every lesson, in order of number."""

    lessons: tuple[Lesson, ...]

    def get(self, identifier: str) -> Lesson | None:
        """The lesson with this id."""
        return next((lesson for lesson in self.lessons if lesson.id == identifier), None)

    def numbered(self, number: int) -> Lesson | None:
        """The lesson with this number."""
        return next((lesson for lesson in self.lessons if lesson.number == number), None)

    def path(self, role: str | None) -> tuple[Lesson, ...]:
        """The order to suggest: by number, or for leaders and admins their short path first."""
        if role not in ("leader", "admin"):
            return self.lessons
        short = [lesson for lesson in self.lessons if lesson.leaders_path is not None]
        short.sort(key=lambda lesson: lesson.leaders_path or 0)
        return (*short, *(lesson for lesson in self.lessons if lesson.leaders_path is None))


def parse(raw: str, where: str) -> Lesson:
    """One lesson from YAML text. Raises FormatError naming ``where:line``."""
    return parsed(Lesson, raw, where)


def read(folder: Path, label: str = "prompts/lessons") -> Catalogue:
    """Every ``NN-id.yaml`` of a folder. Raises FormatError for a broken file, a wrong file name or a number used twice."""
    lessons: list[Lesson] = []
    paths: dict[int, int] = {}
    for path in sorted(folder.glob("*.yaml")):
        raw = path.read_text(encoding="utf-8")
        where = f"{label}/{path.name}"
        lesson = parse(raw, where)
        if path.stem != f"{lesson.number:02d}-{lesson.id}":
            raise FormatError(f"the file should be called {lesson.number:02d}-{lesson.id}.yaml", where=f"{where}:1")
        if any(lesson.number == other.number or lesson.id == other.id for other in lessons):
            raise FormatError("this number or id is used twice", where=f"{where}:{line_of(raw, ('number',))}")
        if lesson.leaders_path is not None:
            if lesson.leaders_path in paths:
                raise FormatError("two lessons share this place", where=f"{where}:{line_of(raw, ('leaders_path',))}")
            paths[lesson.leaders_path] = lesson.number
        lessons.append(lesson)
    if not lessons:
        raise FormatError("there are no lessons", where=f"{label}:1")
    return Catalogue(tuple(sorted(lessons, key=lambda lesson: lesson.number)))


@cache
def catalogue() -> Catalogue:
    """The shipped lessons, validated once."""
    return read(prompts.folder() / "lessons")
