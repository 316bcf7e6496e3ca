"""Lays a restatement beside its source: which of its units can stand for which of the source's. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.assistant.restating.claims import Unit, lexicon, read, stem

_PREFIX = re.compile(r"^(un|in|im|dis|non|ir)(\w{3,})$")


@dataclass(frozen=True)
class Side:
    """One text, read. ``content`` are the places of units that carry meaning."""

    units: list[Unit]
    content: list[int]


@dataclass(frozen=True)
class Aligned:
    """Source and restatement, and which places of the source each place of the restatement can stand for."""

    source: Side
    said: Side
    links: dict[int, list[int]]

    def back(self, place: int) -> list[int]:
        """Places of the restatement that stand for a place of the source."""
        return [said for said, sources in self.links.items() if place in sources]


def same_word(first: str, second: str) -> bool:
    """Whether two stems may stand for one another."""
    if first == second:
        return True
    if min(len(first), len(second)) >= 4:
        common = next((n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second)))
        rest = len(first) - common, len(second) - common
        if common >= 5 or (common >= 4 and (min(rest) == 0 or max(rest) == 1)):
            return True
    groups = lexicon().groups
    return bool(groups.get(first, frozenset()) & groups.get(second, frozenset()))


def same_unit(said: Unit, source: Unit) -> bool:
    """Whether a unit of a restatement can stand for one of the source."""
    if said.kind == source.kind == "word":
        return same_word(said.key, source.key)
    if said.kind == source.kind == "number":
        return said.key == source.key and said.share == source.share
    if said.kind == source.kind == "date":
        return source.key.startswith(said.key)
    if said.kind == "number" and source.kind == "date":
        return source.key.startswith(f"{said.key}-")
    return False


def _content(units: list[Unit]) -> list[int]:
    fillers = lexicon().fillers
    return [n for n, u in enumerate(units) if u.kind in ("number", "date") or (u.kind == "word" and u.key not in fillers)]


def _split_prefixes(units: list[Unit], others: set[str]) -> list[Unit]:
    """'unsafe' read as 'not safe' where the other side speaks of 'safe'."""
    out: list[Unit] = []
    own = {unit.key for unit in units}
    optional = stem("voluntary")
    for unit in units:
        if unit.kind == "word" and unit.key == optional and optional not in others:
            out += [Unit("cue", key, unit.written, unit.clause, unit.part) for key in ("not", "must")]
            continue
        match = _PREFIX.match(unit.written.lower()) if unit.kind == "word" else None
        bare = stem(match[2]) if match else ""
        known = any(same_word(bare, other) for other in others if len(other) > 2)
        if match and known and unit.key not in others and bare not in own:
            out.append(Unit("cue", "not", unit.written, unit.clause, unit.part))
            out.append(Unit("word", bare, unit.written, unit.clause, unit.part))
        else:
            out.append(unit)
    return out


def _merged(units: list[Unit]) -> list[Unit]:
    """'may not', 'must not' and 'no X may' are one ban, with the negation kept beside it."""
    out: list[Unit] = []
    for unit in units:
        last = out[-1] if out else None
        if unit.key == "not" and unit.kind == "cue" and last and last.kind == "cue" and last.key in ("may", "must"):
            out[-1] = Unit("cue", "bar", f"{last.written} {unit.written}", last.clause, last.part)
            out.append(unit)
        elif unit.kind == "cue" and unit.key == "may" and any(_denies(u, unit.part) for u in out[-3:]):
            out.append(Unit("cue", "bar", unit.written, unit.clause, unit.part))
        else:
            out.append(unit)
    return out


def _denies(unit: Unit, part: int) -> bool:
    return unit.kind == "cue" and unit.key == "not" and unit.part == part


def align(source: str, restated: str) -> Aligned:
    """Read both texts and link their units."""
    a, b = read(source), read(restated)
    keys_a, keys_b = {u.key for u in a}, {u.key for u in b}
    a, b = _merged(_split_prefixes(a, keys_b)), _merged(_split_prefixes(b, keys_a))
    side_a, side_b = Side(a, _content(a)), Side(b, _content(b))
    words_a = [n for n, u in enumerate(a) if u.kind in ("word", "number", "date")]
    links = {n: [m for m in words_a if same_unit(b[n], a[m])] for n, u in enumerate(b) if u.kind in ("word", "number", "date")}
    return Aligned(side_a, side_b, links)


def words_of(units: Sequence[Unit]) -> str:
    return " ".join(unit.written for unit in units)
