"""Hides details of students and families behind typed placeholders, before anything else reads the message.

What stands behind a placeholder is never returned, kept or logged; only kinds and counts leave this module."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from bot.guardrails import circumstances, details, figures, names
from bot.guardrails.policy import privacy
from bot.guardrails.views import clean

RULE = "privacy.details"


@dataclass(frozen=True)
class Redacted:
    """``text`` is safe to store, search and send; ``kinds`` counts what was hidden by kind."""

    text: str
    kinds: tuple[tuple[str, int], ...]


@cache
def placeholders() -> re.Pattern[str]:
    """What stands in for a detail: a kind in brackets."""
    return re.compile(r"\[(?:" + "|".join(re.escape(kind) for kind in privacy().kinds) + r")\]")


def _shaped(text: str, country: str) -> list[details.Found]:
    found = [*details.emails(text), *details.links(text), *details.mentions(text), *details.addresses(text)]
    found += [*details.identifiers(text), *details.phones(text, country), *details.births(text, False)]
    return [*found, *figures.listed(text), *figures.numbered(text)]


def _apart(found: list[details.Found], closed: list[tuple[int, int]]) -> list[details.Found]:
    """Spans that do not overlap, earlier finders first; one that overlaps is kept for the part that sticks out."""
    kept: list[details.Found] = []
    for start, end, kind in found:
        taken = [(a, b) for a, b, _ in kept] + closed
        inside = [(a, b) for a, b in taken if a < end and start < b]
        if not inside:
            kept.append((start, end, kind))
            continue
        left, right = min(a for a, _ in inside), max(b for _, b in inside)
        if start < left:
            kept.append((start, left, kind))
        if end > right:
            kept.append((right, end, kind))
    return sorted(span for span in kept if span[0] < span[1])


def _written(plain: str, spans: list[details.Found]) -> str:
    """The text with its spans replaced by their kinds; white space at a span's ends stays."""
    out, last = [], 0
    for start, end, kind in spans:
        piece = plain[start:end]
        lead = len(piece) - len(piece.lstrip())
        tail = len(piece.rstrip())
        if tail <= lead:
            continue
        out.append(plain[last : start + lead] + f"[{kind}]")
        last = start + tail
    return "".join([*out, plain[last:]])


def redact(text: str, country: str = "US", terms: frozenset[str] = frozenset()) -> Redacted:
    """Clean a text and hide the details in it. ``country`` (ISO code) says whose telephone numbers are local; ``terms`` are
    words that stay though no list knows them. Redacting twice changes nothing."""
    plain = clean(text)
    closed = [match.span() for match in placeholders().finditer(plain)]
    blank = placeholders().sub(lambda m: "\ue000" * len(m.group()), plain)
    found = _apart(_shaped(blank, country), closed)
    taken = [(a, b) for a, b, _ in found] + closed
    hidden = blank
    for start, end, _ in found:
        hidden = hidden[:start] + "\ue000" * (end - start) + hidden[end:]
    named = names.find(hidden, taken + details.web_addresses(blank), bool(closed), terms)
    found += [(s.start, s.end, "family name" if s.family else "student name") for s in named]
    hidden_before = [match.group() for match in placeholders().finditer(plain)]
    person = bool(named) or any(
        kind in ("student id", "student name", "date of birth", "email", "government id", "file name", "link")
        for _, _, kind in found
    )
    person = person or any(kind in ("[student name]", "[student id]", "[date of birth]") for kind in hidden_before)
    if person:
        found += [*details.births(blank, True), *details.loose_numbers(blank)]
        found += figures.figures(blank, [(s.start, s.end) for s in named])
    if person or circumstances.of_one(blank):
        found += circumstances.circumstances(blank, [(s.start, s.end) for s in named], person)
    spans = _apart(found, closed)
    return Redacted(_written(plain, spans), tuple(Counter(kind for _, _, kind in spans).items()))


def notice(kinds: tuple[tuple[str, int], ...], language: str) -> str | None:
    """One line for the asker, naming kinds only; None when nothing was hidden."""
    if not kinds:
        return None
    rule = privacy()
    words = [rule.kinds[kind].get(language, rule.kinds[kind]["en"]) for kind, _ in kinds]  # type: ignore[call-overload]
    joined = "、".join(words) if language == "zh" else "، ".join(words) if language == "ar" else ", ".join(words)
    return str(rule.notices.get(language, rule.notices["en"]).format(kinds=joined))  # type: ignore[call-overload]
