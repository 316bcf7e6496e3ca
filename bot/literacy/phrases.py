"""What the lessons say around their own words, and how typed words are understood. Data in ``prompts/lessons/texts/``."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints
from rapidfuzz import fuzz

from bot import prompts
from bot.literacy.lessons import LANGUAGES, Catalogue, Language, Lesson

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Word = Literal["next", "back", "stop", "later", "resume", "delete", "keep", "start", "remind", "again"]
Asked = Literal["list", "advise", "delete_all", "lesson"]

WORDS: tuple[Word, ...] = ("next", "back", "stop", "later", "resume", "delete", "keep", "start", "remind", "again")
WHOLE: tuple[Literal["list", "advise", "delete_all"], ...] = ("list", "advise", "delete_all")

LONGEST = 200
"""Characters beyond which typed words are a message and not a command or an option."""

NEAR = 88.0
"""How alike (0 to 100) typed words and an option must be to count as that option; the next best must be 8 behind."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Buttons(_Strict):
    """Short labels."""

    next: Text
    back: Text
    later: Text
    stop: Text
    start: Text
    lessons: Text
    remind: Text
    resume: Text
    delete: Text
    keep: Text
    again: Text
    home_resume: Text
    home_delete: Text


class Typed(_Strict):
    """The words that mean each command, as people type them, without accents."""

    next: tuple[Text, ...]
    back: tuple[Text, ...]
    stop: tuple[Text, ...]
    later: tuple[Text, ...]
    resume: tuple[Text, ...]
    delete: tuple[Text, ...]
    keep: tuple[Text, ...]
    start: tuple[Text, ...]
    remind: tuple[Text, ...]
    again: tuple[Text, ...]
    list: tuple[Text, ...]
    advise: tuple[Text, ...]
    delete_all: tuple[Text, ...]


class Phrases(_Strict):
    """The frame's texts in one language. ``{braces}`` are filled in by ``bot.literacy.cards``."""

    version: int
    language: Language
    heading: Text
    heading_question: Text
    draft_mark: Text
    go_on: Text
    go_on_question: Text
    answer_how: Text
    sources: Text
    list_head: Text
    list_finished: Text
    list_held: Text
    list_leaders: Text
    privacy: Text
    advise_first: Text
    advise_next: Text
    advise_none: Text
    done: Text
    done_next: Text
    done_pace: Text
    done_all: Text
    done_remind: Text
    reminders_on: Text
    reminders_later: Text
    stopped: Text
    stopped_reminders: Text
    later: Text
    nothing_open: Text
    delete_ask: Text
    deleted: Text
    delete_kept: Text
    kept_answer: Text
    updated: Text
    return_head: Text
    return_how: Text
    return_right: Text
    return_wrong: Text
    return_again: Text
    private_only: Text
    private_only_list: Text
    past_review: Text
    held: Text
    reader_wanted: Text
    local_rules: Text
    local_rules_unset: Text
    aside: Text
    aside_question: Text
    suggestion: Text
    suggestion_button: Text
    crisis_line: Text
    readers: dict[str, Text]
    buttons: Buttons
    words: Typed
    openings: tuple[Text, ...]
    fillers: tuple[Text, ...]
    praise: tuple[Text, ...]


@cache
def phrases(language: str) -> Phrases:
    """The frame in ``language``; English where there is none. Raises FormatError naming file and line."""
    name = f"lessons/texts/{language if language in LANGUAGES else 'en'}.yaml"
    return prompts.validated(Phrases, name)


def folded(text: str) -> str:
    """Lower case, without accents and punctuation, single spaces: what typed words are compared by."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w\s%-]", " ", plain.replace("'", "")).split())


@cache
def _typed(language: str) -> dict[str, frozenset[str]]:
    """The words of each command, folded once."""
    return {name: frozenset(map(folded, said)) for name, said in phrases(language).words.model_dump().items()}


@cache
def _openings(language: str) -> tuple[str, ...]:
    """The openings before a topic, folded, the longest first."""
    return tuple(sorted((folded(opening) + " " for opening in phrases(language).openings), key=len, reverse=True))


@dataclass(frozen=True)
class Request:
    """A message that asks for lessons whatever is going on: the list, advice, erasure, or one lesson."""

    asked: Asked
    language: Language
    lesson: str = ""


def request(text: str, lessons: Catalogue) -> Request | None:
    """What a typed message asks of the lessons by itself, or None when it is for someone else.

    Only whole phrases count, and a topic counts only when every word of it names a lesson, so that a question
    about lesson plans or about bias in hiring stays a question."""
    said = folded(text)
    if not said or len(said) > LONGEST:
        return None
    for language in LANGUAGES:
        for asked in WHOLE:
            if said in _typed(language)[asked]:
                return Request(asked, language)
    for language in LANGUAGES:
        for opening in _openings(language):
            if said.startswith(opening):
                lesson = named(said.removeprefix(opening), lessons, language)
                if lesson is not None:
                    return Request("lesson", language, lesson.id)
    return None


def named(topic: str, lessons: Catalogue, language: Language) -> Lesson | None:
    """The lesson a topic names: its number, its title, or words that all belong to its names."""
    topic = folded(topic)
    if len(topic) > LONGEST:
        return None
    if topic.isdigit():
        return lessons.numbered(int(topic))
    best: tuple[int, int, Lesson] | None = None
    fillers = {folded(word) for word in phrases(language).fillers}
    for lesson in lessons.lessons:
        words = lesson.words(language)
        names = [folded(name) for name in (words.title, lesson.id.replace("-", " "), *words.names)]
        if topic in names:
            return lesson
        tokens = [token for token in topic.split() if token not in fillers]
        known = {token for name in names for token in name.split()} - fillers
        if tokens and all(token in known for token in tokens):
            # More of the topic's words inside one name is a better fit; then the lower number.
            fit = max(sum(token in name.split() for token in tokens) for name in names)
            if best is None or fit > best[0]:
                best = (fit, -lesson.number, lesson)
    return best[2] if best else None


def word(text: str) -> tuple[Word, Language] | None:
    """The command a bare word means while lessons wait for one, and the language it was typed in."""
    said = folded(text)
    for language in LANGUAGES:
        for name in WORDS:
            if said in _typed(language)[name]:
                return name, language
    return None


def option(text: str, options: tuple[str, ...]) -> int | None:
    """Which option (from 1) was typed: its number, its letter, its words, or words very like them; None when unclear."""
    said = folded(text)
    if not said or len(said) > LONGEST:
        return None
    if said.isdigit():
        return int(said) if 1 <= int(said) <= len(options) else None
    if len(said) == 1 and said in "abcdef"[: len(options)]:
        return "abcdef".index(said) + 1
    labels = [folded(label) for label in options]
    if said in labels:
        return labels.index(said) + 1
    starts = [n for n, label in enumerate(labels, 1) if len(said) >= 2 and label.startswith(said + " ")]
    if len(starts) == 1:
        return starts[0]
    scores = sorted(((fuzz.ratio(said, label), n) for n, label in enumerate(labels, 1)), reverse=True)
    if len(said) >= 4 and scores[0][0] >= NEAR and scores[0][0] - scores[1][0] >= 8:
        return scores[0][1]
    return None


def check() -> None:
    """Validate the frame in every language; called at start. Raises FormatError."""
    for language in LANGUAGES:
        phrases(language)
