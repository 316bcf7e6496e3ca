"""The shapes of what is known of language (``prompts/language``): names, short forms, small words, what is asked, commands."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from bot.prompts.files import File, Text


class Names(File):
    """Lists of names by kind; each entry's spellings, the usual one first."""

    version: int
    states: list[Text]
    places: list[Text]
    products: list[Text]
    organizations: list[Text]
    exams: list[Text]
    laws: list[Text]


class Glossary(File):
    """Short forms and what they stand for, by language."""

    version: int
    en: dict[str, Text]
    es: dict[str, Text]


class Words(File):
    """Words without a subject and words that tell languages apart, each a list set apart by spaces."""

    version: int
    stop_en: Text
    stop_es: Text
    signs_en: Text
    signs_es: Text
    same_word_names: Text


class Asks(File):
    """Patterns of what questions ask for and statements hold, by kind."""

    version: int
    asks: dict[str, Text]
    holds: dict[str, Text]


class Standing(BaseModel):
    """The words that stand for a hidden detail."""

    model_config = ConfigDict(extra="forbid")

    en: Text
    es: Text


class Placeholders(File):
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


class PlainWords(File):
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


class CommandWords(File):
    """What people type for each command, in one language, set apart by bars."""

    help: Text
    person: Text
    privacy: Text
    why: Text
    thanks: Text
    forget: Text


class Commands(File):
    """The typed commands, by language."""

    version: int
    en: CommandWords
    es: CommandWords
