"""Reads the data files in ``prompts/``: messages, prompts, glossary, names. Validated once; errors name file and line."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

import bot
from bot.errors import FormatError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _File(BaseModel):
    """What every data file has in common. Its validator is built when a file is first read: most commands read few."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class DemoQuestion(_File):
    """A question of the demo and whose behalf it is asked on."""

    text: Text
    organization: Text | None = None


class Demo(_File):
    """What ``signpost demo`` asks and says at the end."""

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


class Names(_File):
    """Lists of names by kind; each entry's spellings, the usual one first."""

    version: int
    states: list[Text]
    places: list[Text]
    products: list[Text]
    organizations: list[Text]
    exams: list[Text]
    laws: list[Text]


class Glossary(_File):
    """Short forms and what they stand for, by language."""

    version: int
    en: dict[str, Text]
    es: dict[str, Text]


class Words(_File):
    """Words without a subject and words that tell languages apart, each a list set apart by spaces."""

    version: int
    stop_en: Text
    stop_es: Text
    signs_en: Text
    signs_es: Text
    same_word_names: Text


class Asks(_File):
    """Patterns of what questions ask for and statements hold, by kind."""

    version: int
    asks: dict[str, Text]
    holds: dict[str, Text]


class Standing(BaseModel):
    """The words that stand for a hidden detail."""

    model_config = ConfigDict(extra="forbid")

    en: Text
    es: Text


class Placeholders(_File):
    """How a question is read where details were hidden, by kind of detail; ``beside`` kinds are left out next to others."""

    version: int
    words: dict[str, Standing]
    beside: tuple[str, ...]


class SignalWords(BaseModel):
    """Signals that mean the same to a reader; a name that ends in ``*`` stands for all that begin so."""

    model_config = ConfigDict(extra="forbid")

    names: tuple[Text, ...]
    en: Text
    es: Text


class Leaning(BaseModel):
    """How a sentence says what spoke for an answer and what against it; each has a place for ``what``."""

    model_config = ConfigDict(extra="forbid")

    for_: Text = Field(alias="for")
    against: Text


class Signals(BaseModel):
    """What weighs in the decision to answer, in words."""

    model_config = ConfigDict(extra="forbid")

    version: int
    en: Leaning
    es: Leaning
    signals: tuple[SignalWords, ...]


class PlainWords(_File):
    """What a plain-words restatement may say instead of a source's words, and the small words that must not change."""

    version: int
    same: list[Text]
    phrases: list[Text]
    forms: list[Text]
    fillers: Text
    verbs: Text
    light: Text
    critical: Text
    cues: dict[Text, Text]
    bounds: dict[Text, Text]
    spanish: list[Text]


class Messages(_File):
    """Fixed texts shown to people, by name, in one language. ``{braces}`` are filled in by the caller."""

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
    apology: Text
    limited: Text
    help: Text
    privacy_kept: Text
    privacy_where: Text
    privacy_sealed: Text
    privacy_seen_personal: Text
    privacy_seen_channel: Text
    privacy_slack: Text
    privacy_teams: Text
    privacy_web: Text
    privacy_terminal: Text
    privacy_records: Text
    privacy_model: Text
    privacy_no_model: Text
    privacy_person: Text
    privacy_delete: Text
    thanks: Text
    forget_sure: Text
    forget_yes: Text
    forget_no: Text
    forgotten: Text
    forget_held: Text
    forgotten_nothing: Text
    forgotten_left: Text
    forgotten_messages: Text
    forgotten_lines: Text
    forgotten_ratings: Text
    forgotten_handoffs: Text
    forgotten_checks: Text
    forgotten_lessons: Text
    forgotten_settings: Text
    forgotten_stays: Text
    stays_record: Text
    stays_holds: Text
    stays_totals: Text
    stays_slack: Text
    stays_teams: Text
    stays_backups: Text
    kept: Text
    nothing_before: Text
    no_such_quote: Text
    why_outcome: Text
    why_reasons: Text
    crisis_notice: Text
    why_model: Text
    why_no_model: Text
    why_code: Text
    place_of: Text
    door_why: Text
    door_person: Text
    door_open_quote: Text
    door_helpful: Text
    door_helpful_label: Text
    door_unhelpful: Text
    door_unhelpful_label: Text
    door_feedback_question: Text
    door_feedback_note: Text
    door_reason_wrong: Text
    door_reason_outdated: Text
    door_reason_off_topic: Text
    door_reason_unclear: Text
    door_reason_other: Text
    door_thanks: Text
    door_send: Text
    door_close: Text
    door_quote_title: Text
    door_quote_gone: Text
    door_dates: Text
    door_unknown_date: Text
    door_official: Text
    door_continued: Text
    door_working: Text
    door_working_steps: Text
    door_looking: Text
    door_share: Text
    door_shared: Text
    door_shared_done: Text
    door_share_failed: Text
    door_off: Text
    door_apology: Text
    door_settings_title: Text
    door_settings_save: Text
    door_settings_mode: Text
    door_mode_off: Text
    door_mode_mentions: Text
    door_mode_listening: Text
    door_settings_answers: Text
    door_answers_public: Text
    door_answers_private: Text
    door_settings_libraries: Text
    door_libraries_all: Text
    door_libraries_shared: Text
    door_settings_saved: Text
    door_settings_refused: Text
    door_settings_place: Text
    door_home_what: Text
    door_home_stores_title: Text
    door_home_stores: Text
    door_home_own_title: Text
    door_home_recent_title: Text
    door_home_recent_none: Text
    door_home_language_title: Text
    door_home_language: Text
    door_home_language_auto: Text
    door_home_data_title: Text
    door_home_privacy: Text
    door_home_forget: Text
    door_home_forget_sure: Text
    door_home_forget_yes: Text
    door_home_forget_no: Text
    door_home_admin_title: Text
    door_home_admin: Text
    door_share_local: Text
    door_page: Text
    door_source: Text
    door_not_in_force: Text
    door_answer_gone: Text
    door_privacy_first: Text
    door_prompts_title: Text
    door_prompt_1: Text
    door_prompt_2: Text
    door_prompt_3: Text
    door_back: Text
    door_hint: Text
    door_pick_quote: Text
    door_open_one: Text
    door_pick_missing: Text
    door_write_first: Text
    door_choose: Text
    door_chosen: Text
    door_maybe_sent: Text
    door_ask_again: Text
    door_show_answer: Text
    door_own_document: Text
    door_own_document_about: Text
    door_welcome_group: Text
    door_press_failed: Text


class WebWords(_File):
    """The words of the web chat's pages, in one language."""

    version: int
    language: Text
    name: Text
    tagline: Text
    skip: Text
    new: Text
    conversation: Text
    empty_title: Text
    empty_text: Text
    suggested: Text
    ask_label: Text
    ask_hint: Text
    ask_button: Text
    own_text: Text
    you_asked: Text
    we_say: Text
    you_chose: Text
    answer: Text
    working: Text
    sources: Text
    open_quote: Text
    next: Text
    choose: Text
    not_covered: Text
    nearest: Text
    refused: Text
    routed: Text
    clarify: Text
    new_tab: Text
    official: Text
    published: Text
    verified: Text
    verified_by: Text
    review_by: Text
    page: Text
    rests_on: Text
    seen_official: Text
    seen_copy: Text
    seen_secondary: Text
    not_in_force: Text
    not_kept: Text
    over_limit: Text
    privacy: Text
    help: Text
    lost: Text
    blank: Text
    too_long: Text
    ready: Text
    opened: Text
    verdict: Text
    no_entry_title: Text
    no_entry_text: Text
    wrong_place_title: Text
    wrong_place_text: Text
    missing_title: Text
    missing_text: Text
    back: Text
    console_title: Text
    console_text: Text
    console_no_entry: Text
    console_doors: Text
    console_open: Text
    console_ready: Text
    console_not_ready: Text
    console_library: Text
    console_published: Text
    console_past_review: Text
    console_in_review: Text
    console_drafts: Text
    console_messages: Text
    console_waiting: Text
    console_answered: Text
    console_failed: Text
    console_change: Text


class CommandWords(_File):
    """What people type for each command, in one language, set apart by bars."""

    help: Text
    person: Text
    privacy: Text
    why: Text
    thanks: Text
    forget: Text


class Commands(_File):
    """The typed commands, by language."""

    version: int
    en: CommandWords
    es: CommandWords


class Instructions(_File):
    """What the chat model is told. ``version`` is recorded with every answer it took part in."""

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
def placeholders() -> Placeholders:
    """What stands for hidden details in a search."""
    return _validated(Placeholders, "language/placeholders.yaml")


@cache
def signals() -> Signals:
    """What weighs in the decision to answer."""
    return _validated(Signals, "language/signals.yaml")


@cache
def plain_words() -> PlainWords:
    """The lists behind the check of plain-words restatements."""
    return _validated(PlainWords, "language/plain_words.yaml")


@cache
def web_words(language: str) -> WebWords:
    """The words of the web chat in ``language``; English where it is not spoken."""
    name = f"web/{language}.yaml"
    return _validated(WebWords, name if (folder() / name).exists() else "web/en.yaml")


@cache
def commands() -> Commands:
    """The typed commands."""
    return _validated(Commands, "language/commands.yaml")


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
    commands()
    glossary()
    demo()
    instructions()
    for path in sorted((folder() / "messages").glob("*.yaml")):
        messages(path.stem)
    for path in sorted((folder() / "web").glob("*.yaml")):
        web_words(path.stem)
