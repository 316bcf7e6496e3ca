"""Hides details of students and families behind typed placeholders, before anything else reads the message.

What stands behind a placeholder is never returned, kept or logged; only kinds and counts leave this module."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from bot.guardrails import circumstances, details, figures, names, public
from bot.guardrails.gazetteer import tool_names
from bot.guardrails.policy import privacy
from bot.guardrails.views import clean

RULE = "privacy.details"

_OF_A_PERSON = ("student id", "student name", "date of birth", "email", "government id", "file name", "link")
_PERSON_BEFORE = ("student name", "student id", "date of birth")
_NAMED = ("student name", "family name", "student id", "case number", "date of birth")
"""Kinds that say a text speaks of one person: found in it, hidden in it before, and for the tagger."""


@dataclass(frozen=True)
class Redacted:
    """``text`` is safe to store, search and send; ``kinds`` counts what was hidden by kind; ``places`` are where the placeholders
    written now stand in it."""

    text: str
    kinds: tuple[tuple[str, int], ...]
    places: tuple[tuple[int, int], ...] = ()


@cache
def placeholders() -> re.Pattern[str]:
    """What stands in for a detail: a kind in brackets."""
    return re.compile(r"\[(?:" + "|".join(re.escape(kind) for kind in privacy().kinds) + r")\]")


def _shaped(text: str, country: str) -> list[details.Found]:
    found = [*details.emails(text), *details.links(text), *details.mentions(text), *details.addresses(text)]
    found += [*details.identifiers(text), *details.phones(text, country), *details.births(text, False)]
    return [*found, *figures.listed(text), *figures.numbered(text)]


def _apart(found: list[details.Found], closed: list[tuple[int, int]]) -> list[details.Found]:
    """Spans that do not overlap, earlier finders first; one that overlaps is kept for the parts that stick out."""
    kept: list[details.Found] = []
    for span in found:
        kept += _around(span, sorted([(a, b) for a, b, _ in kept] + closed))
    return sorted(kept)


def _around(span: details.Found, holes: Iterable[tuple[int, int]]) -> Iterator[details.Found]:
    """The parts of a span beside and between ``holes``, which are in order."""
    start, end, kind = span
    for left, right in holes:
        if left < end and start < right:
            if start < left:
                yield start, left, kind
            start = right
    if start < end:
        yield start, end, kind


def _trimmed(plain: str, found: list[details.Found]) -> list[details.Found]:
    """Spans without the white space at their ends; what is only marks between two others is none."""
    kept = []
    for start, end, kind in found:
        piece = plain[start:end]
        if any(letter.isalnum() for letter in piece):
            kept.append((start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()), kind))
    return kept


def written(plain: str, found: list[details.Found]) -> Redacted:
    """A clean text with its details, in order and none over another, replaced by their kinds."""
    out, places, last = "", [], 0
    for start, end, kind in found:
        out += plain[last:start]
        places.append((len(out), len(out) + len(kind) + 2))
        out += f"[{kind}]"
        last = end
    return Redacted(out + plain[last:], tuple(Counter(kind for _, _, kind in found).items()), tuple(places))


def in_plain(found: list[details.Found], redacted: Redacted, further: list[details.Found]) -> list[details.Found]:
    """Spans of a redacted text, none over a placeholder, as spans of the clean text that was redacted by ``found``."""
    moved = []
    for start, end, kind in further:
        shift = sum(
            (b - a) - (place[1] - place[0]) for (a, b, _), place in zip(found, redacted.places, strict=True) if place[1] <= start
        )
        moved.append((start + shift, end + shift, kind))
    return moved


def spans(plain: str, country: str = "US", terms: frozenset[str] = frozenset()) -> list[details.Found]:
    """The details in a clean text, in order, none over another. ``country`` (ISO code) says whose telephone numbers are local;
    ``terms`` are words that stay though no list knows them."""
    closed = [match.span() for match in placeholders().finditer(plain)]
    blank = placeholders().sub(lambda m: "\ue000" * len(m.group()), plain)
    found = _apart(_shaped(blank, country), closed)
    taken = [(a, b) for a, b, _ in found] + closed
    hidden = blank
    for start, end, _ in found:
        hidden = hidden[:start] + "\ue000" * (end - start) + hidden[end:]
    named = names.find(hidden, taken + details.web_addresses(blank), bool(closed), terms)
    found += [(s.start, s.end, "family name" if s.family else "student name") for s in named]
    person = bool(named) or any(kind in _OF_A_PERSON for _, _, kind in found)
    person = person or any(match.group()[1:-1] in _PERSON_BEFORE for match in placeholders().finditer(plain))
    if person:
        found += [*details.births(blank, True), *details.loose_numbers(blank)]
        found += figures.figures(blank, [(s.start, s.end) for s in named])
    if person or circumstances.of_one(blank):
        found += circumstances.circumstances(blank, [(s.start, s.end) for s in named], person)
    return _trimmed(plain, _apart(found, closed))


def redact(text: str, country: str = "US", terms: frozenset[str] = frozenset()) -> Redacted:
    """Clean a text and hide the details in it that :func:`spans` finds. Redacting twice changes nothing."""
    plain = clean(text)
    return written(plain, spans(plain, country, terms))


def without_standing(text: str, found: list[details.Found]) -> list[details.Found]:
    """Spans of a clean text that are told of a child, with tools, laws and staff left out of them."""
    if not found:
        return found
    stands = sorted([match.span() for match in tool_names().finditer(text)] + public.staff(text))
    return _trimmed(text, [part for span in found for part in _around(span, stands)])


def of_someone(redacted: str) -> bool:
    """Whether a redacted text speaks of someone it named."""
    return any(match.group()[1:-1] in _NAMED for match in placeholders().finditer(redacted))


def notice(kinds: tuple[tuple[str, int], ...], language: str) -> str | None:
    """One line for the asker, naming kinds only; None when nothing was hidden."""
    if not kinds:
        return None
    rule = privacy()
    words = [rule.kinds[kind].get(language, rule.kinds[kind]["en"]) for kind, _ in kinds]  # type: ignore[call-overload]
    joined = "、".join(words) if language == "zh" else "، ".join(words) if language == "ar" else ", ".join(words)
    return str(rule.notices.get(language, rule.notices["en"]).format(kinds=joined))  # type: ignore[call-overload]
