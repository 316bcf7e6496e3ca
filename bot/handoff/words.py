"""What is said on the way to a person and back, and which typed words ask for one. Data in ``prompts/handoff/``."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from bot import prompts

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
LANGUAGES = ("en", "es")

LONGEST = 80
"""Characters beyond which a message is more than a call for a person."""


class Words(BaseModel):
    """The texts in one language. ``{braces}`` are filled in by ``bot.handoff.cards``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    language: Text
    helpers: Text
    soon: Text
    within: Text
    offer: Text
    offer_twice: Text
    named: Text
    unnamed: Text
    change: Text
    never_mind: Text
    which_question: Text
    which_name: Text
    dropped: Text
    sent: Text
    sent_named: Text
    waiting: Text
    another: Text
    withdraw: Text
    withdrawn: Text
    not_yours: Text
    gone: Text
    closed_already: Text
    answer: Text
    about: Text
    persons_words: Text
    resolved: Text
    not_yet: Text
    write_back: Text
    resolved_noted: Text
    not_yet_noted: Text
    write_now: Text
    passed_on: Text
    unreachable: Text
    try_again: Text
    unanswered: Text
    closed: Text
    ask: Text
    ask_named: Text
    ask_unnamed: Text
    ask_before: Text
    ask_before_answered: Text
    ask_how: Text
    ask_how_mention: Text
    maybe_above: Text
    role: Text
    relayed: Text
    hidden: Text
    show_name: Text
    hide_name: Text
    name_shown: Text
    name_hidden: Text
    name_unknown: Text
    guidance: Text
    guidance_about: Text
    answer_box: Text
    answer_send: Text
    close: Text
    reopen: Text
    closed_here: Text
    closed_quietly: Text
    reopened: Text
    is_closed: Text
    asker_gone: Text
    undelivered: Text
    remind: Text
    asker_writes: Text
    asker_resolved: Text
    asker_not_yet: Text
    asker_withdrew: Text
    no_answer_yet: Text
    drafted: Text
    drafted_already: Text
    stop: tuple[Text, ...]
    people: tuple[Text, ...]
    reach: tuple[Text, ...]


@cache
def words(language: str) -> Words:
    """The texts in ``language``; English where it is not spoken. Raises FormatError naming file and line."""
    name = f"handoff/{language if language in LANGUAGES else 'en'}.yaml"
    return prompts.validated(Words, name)


def bare(text: str) -> str:
    """Typed words without case, punctuation and extra spaces."""
    return " ".join(re.sub(r"[^\w\s'’]", " ", text.casefold()).split())


def asks_for_person(text: str) -> str:
    """The language in which a short message asks for a person and nothing else; empty when it does not."""
    if len(text) > LONGEST:
        return ""
    said = bare(text).split()
    for language in LANGUAGES:
        known = words(language)
        if said and set(said) & set(known.people) and set(said) <= {*known.people, *known.reach}:
            return language
    return ""


def stops(text: str) -> bool:
    """Whether a typed message means "never mind"."""
    said = bare(text)
    return any(said == bare(word) for language in LANGUAGES for word in words(language).stop)
