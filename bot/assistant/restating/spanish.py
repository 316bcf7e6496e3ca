"""Reads a Spanish sentence word by word in the English that the check knows, from the reviewed list in ``plain_words.yaml``.

Not a translation: good for comparing numbers, names and the small words, never shown. Called by ``faithfulness``.
"""

from __future__ import annotations

import re
from functools import cache

import snowballstemmer

from bot import prompts
from bot.assistant.restating.claims import HARD, MONTHS, TOKEN
from bot.assistant.understand import plain, unaccented

_SPANISH = snowballstemmer.stemmer("spanish")
_SPANISH_MONTHS = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()
_SPANISH_NUMBERS = "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince".split()
_EMPTY_AFTER_NO = frozenset({"nada", "nadie", "nunca", "ningun", "ninguna", "ninguno"})


@cache
def _spanish() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    entries: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for line in prompts.plain_words().spanish:
        spanish, _, english = line.partition(" = ")
        entries.setdefault(spanish.split()[0], []).append((tuple(spanish.split()), english))
    for found in entries.values():
        found.sort(key=lambda entry: -len(entry[0]))
    return entries


@cache
def _spanish_stems() -> dict[str, str]:
    """One-word entries by stem, for the forms that are not listed; function words are matched only as written."""
    singles = [(line.partition(" = ")[0], line.partition(" = ")[2]) for line in prompts.plain_words().spanish]
    return {str(_SPANISH.stemWord(word)): english for word, english in singles if " " not in word and len(word) >= 6}


def english_of(spanish: str) -> str:
    """A Spanish sentence word by word in the English that the check knows; words it does not know stay as they are."""
    text = plain(spanish)
    for number, month in enumerate(_SPANISH_MONTHS):
        name, any_case = MONTHS[number], re.IGNORECASE
        text = re.sub(rf"(?:\bel )?\b(\d{{1,2}}) de {month} (?:de|del) (\d{{4}})", rf"\1 {name} \2", text, flags=any_case)
        text = re.sub(rf"\b{month} (?:de|del) (\d{{4}})", rf"{name} \1", text, flags=any_case)
    text = re.sub(r"\bpor ciento\b", "%", text, flags=re.IGNORECASE)
    text = re.sub(r"\bEE\.? ?UU\.?", "US", text)
    tokens = TOKEN.findall(text)
    bare = [unaccented(token) for token in tokens]
    out: list[str] = []
    at, denied = 0, False
    while at < len(tokens):
        word = bare[at]
        if tokens[at] in HARD or tokens[at] == ",":
            denied = False
        if denied and word in _EMPTY_AFTER_NO:
            at += 2 if bare[at : at + 2] == ["ninguna", "parte"] else 1
            out.append("anything")
            continue
        phrase = next((e for e in _spanish().get(word, ()) if tuple(bare[at : at + len(e[0])]) == e[0]), None)
        if phrase:
            out.append(phrase[1])
            denied = denied or "no" in phrase[0]
            at += len(phrase[0])
            continue
        if word in _SPANISH_NUMBERS[2:]:
            out.append(str(_SPANISH_NUMBERS.index(word)))
        else:
            out.append(_spanish_stems().get(str(_SPANISH.stemWord(word)), tokens[at]) if tokens[at].islower() else tokens[at])
        at += 1
    return re.sub(r" ([.,;:)])", r"\1", " ".join(out)).replace(" - ", "-")
