"""Checks by rule whether a restatement says what its source says: no model's word is taken for it.

Pure. Every check that fails names its reason; a sentence that fails any is not shown. Called by ``asking``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.assistant.restating.alignment import Aligned, Side, align, words_of
from bot.assistant.restating.claims import Unit, lexicon, stem
from bot.assistant.restating.roles import swapped, turned
from bot.assistant.restating.spanish import english_of
from bot.assistant.restating.steering import compared, joined, negations, steering


@dataclass(frozen=True)
class Verdict:
    """Whether a restatement may be shown, and what it fails by."""

    ok: bool
    reason: str = ""


def added(pair: Aligned) -> str | None:
    """A unit of the restatement that nothing in the source explains."""
    light = lexicon().light
    gone = [m for m in pair.source.content if not pair.back(m) and not _abbreviated(pair, m)]
    shed = [m for m in gone if pair.source.units[m].key not in light]
    for place in pair.said.content:
        unit = pair.said.units[place]
        if pair.links[place] or _approximates(unit, pair.source.units):
            continue
        if unit.kind == "number" and unit.key == "2" and not unit.written.isdigit():
            continue
        if unit.kind == "word" and unit.key in light and not shed:
            continue
        return f"{unit.kind} added: {unit.written}"
    return None


def _approximates(unit: Unit, source: list[Unit]) -> bool:
    """'just over half' for 52 %."""
    if unit.kind != "number" or not unit.share:
        return False
    for other in source:
        if other.kind == "number" and other.share and 0 < abs(float(other.key) - float(unit.key)) <= 3:
            return unit.bounds == {"above" if float(other.key) > float(unit.key) else "below"}
    return False


MAY_LOSE, MUST_KEEP = 0.12, 0.4
"""Shares of the source's content words: may go missing one by one; must be there in all."""

_INSIDE_NAMES = frozenset({"of", "the", "for", "and", "on", "in"})


def lost(pair: Aligned) -> str | None:
    """What the restatement leaves out that it may not: numbers' company, conditions, most of a clause."""
    missing: list[int] = []
    parts: dict[int, list[int]] = {}
    for place in pair.source.content:
        parts.setdefault(pair.source.units[place].part, []).append(place)
    kept = 0
    for part, places in parts.items():
        gone = [p for p in places if not pair.back(p) and not _abbreviated(pair, p)]
        kept += len(places) - len(gone)
        if len(gone) >= 0.66 * len(places) and len(places) >= 2 and _may_go(pair, part):
            continue
        missing += gone
    units = [pair.source.units[p] for p in missing]
    units = [u for u in units if not any(_approximates(said, [u]) for said in pair.said.units)]
    telling = [u for u in units if u.key in lexicon().critical or u.kind != "word"]
    telling += [u for u in units if re.fullmatch(r"[A-Z]{2,}", u.written) and u.key != "ai"]
    if telling:
        return f"lost: {words_of(telling)}"
    if len(units) > max(1, MAY_LOSE * len(pair.source.content)) or kept < MUST_KEEP * len(pair.source.content):
        return f"lost: {words_of(units)}"
    return None


def _may_go(pair: Aligned, part: int) -> bool:
    """Whether a part of the source may be left out whole: it holds no condition, doubt or negation."""
    steering = ("not", "unless", "only", "if", "before", "after", "may", "must", "should", "bar", "notonly")
    units = [u for u in pair.source.units if u.part == part]
    words = {u.key for u in units if u.kind == "word"}
    if any(u.kind == "cue" and u.key in steering for u in units) or words & lexicon().critical:
        return False
    return not words & {stem(w) for w in ("but", "though", "because", "so", "whichever")}


def _abbreviated(pair: Aligned, place: int) -> bool:
    """'Full Name (FN)': either stands for both."""
    units = pair.source.units
    for n, unit in enumerate(units):
        if unit.key != "(" or n + 1 >= len(units) or not re.fullmatch(r"[A-Z](?=\w*[A-Z])\w{1,7}", units[n + 1].written):
            continue
        first = n
        while first > 0 and (units[first - 1].written[:1].isupper() or units[first - 1].written in _INSIDE_NAMES):
            first -= 1
        name = [m for m in range(first, n) if units[m].kind == "word"]
        if not name:
            continue
        if place == n + 1:
            return sum(bool(pair.back(m)) for m in name) >= 0.7 * len(name)
        if place in name:
            return bool(pair.back(n + 1))
    return False


def bounds(pair: Aligned) -> str | None:
    """Numbers keep their bounds: over, under, at least, at most, about."""
    for place, unit in enumerate(pair.said.units):
        if unit.kind != "number" or not pair.links.get(place):
            continue
        wanted = [pair.source.units[m].bounds for m in pair.links[place] if pair.source.units[m].kind == "number"]
        if wanted and unit.bounds not in wanted:
            return f"bound changed: {unit.written}"
    return None


def times(pair: Aligned) -> str | None:
    """Dates keep their sense: by, from, on."""

    def sense(side: Side, place: int) -> str:
        before = {u.written.lower() for u in side.units[max(0, place - 2) : place] if u.kind != "break"}
        kinds = {"by": {"by", "until"}, "from": {"from", "since"}, "on": {"on", "in"}}
        return next((kind for kind, words in kinds.items() if before & words), "")

    for place, unit in enumerate(pair.said.units):
        if unit.kind != "date":
            continue
        said = sense(pair.said, place)
        meant = {sense(pair.source, m) for m in pair.links.get(place, [])}
        if said and meant and "" not in meant and said not in meant and {said, *meant} != {"from", "on"}:
            return f"time changed: {said}"
    return None


CHECKS: tuple[Callable[[Aligned], str | None], ...] = (
    added,
    lost,
    steering,
    negations,
    joined,
    compared,
    bounds,
    times,
    swapped,
    turned,
)
"""In order; the first that objects gives the reason."""


def faithful(source: str, restated: str, language: str = "en") -> Verdict:
    """Whether ``restated`` says what the English ``source`` says, as far as rules can tell; when in doubt, no.

    ``language`` is that of the restatement: English, or Spanish through the word list; any other is not checked and fails.
    """
    if not restated.strip():
        return Verdict(False, "empty")
    if language not in ("en", "es"):
        return Verdict(False, "language without a word list")
    if language == "es":
        restated = english_of(restated)
    pair = align(source, restated)
    for check in CHECKS:
        reason = check(pair)
        if reason is not None:
            return Verdict(False, reason)
    return Verdict(True)
