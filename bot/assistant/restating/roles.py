"""Who does what to whom, and what goes with what: words that are all there but have changed places. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.assistant.restating.alignment import Aligned, Side
from bot.assistant.restating.claims import Unit, lexicon


def _options(pair: Aligned, place: int) -> list[int]:
    """What a place can stand for: the very same word where there is one."""
    key = pair.said.units[place].key
    exact = [m for m in pair.links[place] if pair.source.units[m].key == key]
    return exact or [m for m in pair.links[place] if m in set(pair.source.content)]


def _chosen(pair: Aligned) -> dict[int, int]:
    """One source place for each place of the restatement, taking repeated words in the order that keeps neighbours."""
    chosen: dict[int, int] = {}
    for place in pair.said.content:
        options = _options(pair, place)
        if len(options) == 1:
            chosen[place] = options[0]
    for place in pair.said.content:
        options = _options(pair, place)
        if len(options) > 1:
            near = [chosen[n] for n in pair.said.content if n in chosen and abs(n - place) <= 4]
            chosen[place] = min(options, key=lambda m: (sum(min(abs(m - o), 9) for o in near), m))
    return chosen


def _weights(side: Side, places: Sequence[int]) -> dict[tuple[int, int], float]:
    """How closely each two of the places stand together: 1 for neighbours, less across a comma, none across a full stop."""
    out: dict[tuple[int, int], float] = {}
    for i, first in enumerate(places):
        for j in range(i + 1, min(i + 6, len(places))):
            second = places[j]
            a, b = side.units[first], side.units[second]
            distance = (j - i) + 1.5 * min(b.part - a.part, 3) + 2.0 * (b.clause != a.clause)
            weight = (2.0 if distance == 1 and a.kind == "number" and b.kind == "word" else 1.0) / distance
            out[first, second] = out[second, first] = weight
    return out


SWAP_GAIN = 0.7
"""How much nearer an exchange must bring the two texts; fitted on the fitting half of ``tests/evals/restatements.jsonl``."""


def swapped(pair: Aligned) -> str | None:
    """Two words that have changed places: exchanging them would bring the restatement nearer to the source."""
    chosen = _chosen(pair)
    row = [n for n in pair.said.content if n in chosen]
    said = _weights(pair.said, row)
    meant = _weights(pair.source, pair.source.content)

    def fit(place: int, as_source: int, without: int) -> float:
        return sum(
            weight * meant.get((as_source, chosen[other]), 0.0)
            for (here, other), weight in said.items()
            if here == place and other != without and chosen[other] != as_source
        )

    for i, first in enumerate(row):
        for second in row[i + 1 :]:
            a, b = chosen[first], chosen[second]
            kinds = pair.said.units[first].kind, pair.said.units[second].kind
            if a == b or kinds[0] != kinds[1] or pair.source.units[a].key == pair.source.units[b].key:
                continue
            if _same_phrase(pair, first, second, a, b):
                continue
            now = fit(first, a, second) + fit(second, b, first)
            then = fit(first, b, second) + fit(second, a, first)
            if then > now + SWAP_GAIN:
                return f"changed places: {pair.said.units[first].written}, {pair.said.units[second].written}"
    return None


def _same_phrase(pair: Aligned, first: int, second: int, a: int, b: int) -> bool:
    """Words of one phrase in both texts ('the priority on AI', 'the AI priority'), or a verb and a noun: no exchange."""
    one, other = pair.said.units[first], pair.said.units[second]
    if one.kind != "word":
        return False
    if (one.key in lexicon().verbs) != (other.key in lexicon().verbs) or _named(one) != _named(other):
        return True
    return abs(first - second) <= 3 and abs(a - b) <= 3 and pair.source.units[a].part == pair.source.units[b].part


def _named(unit: Unit) -> bool:
    return unit.written[:1].isupper() and unit.key not in ("ai", "usa", "k-12")


_BE = frozenset({"is", "are", "was", "were", "be", "been"})


def turned(pair: Aligned) -> str | None:
    """A doer and a done-to that changed places around their verb."""
    for place, unit in enumerate(pair.said.units):
        if not _acts(unit) or not place or _is_noun(pair.said, place):
            continue
        if unit.kind == "cue":
            verbs = [n for n, u in enumerate(pair.source.units) if u.kind == "cue" and _acts(u)]
        else:
            verbs = pair.links[place]
        if any(_exchanged(pair, place, meant) for meant in verbs if not _is_noun(pair.source, meant)):
            return f"turned around: {unit.written}"
    return None


def _acts(unit: Unit) -> bool:
    if unit.kind == "cue":
        return unit.written.lower().startswith("require")
    return unit.kind == "word" and unit.key in lexicon().verbs


def _exchanged(pair: Aligned, place: int, meant: int) -> bool:
    """Whether the nearest doer of a verb is done to in the source, and the source's doer done to here."""
    (doers, done_to), (source_doers, source_done_to) = _sides(pair.said, place), _sides(pair.source, meant)
    left = {m for n in doers[-1:] for m in pair.links[n]}
    right = {m for n in done_to[:2] for m in pair.links[n]}
    theirs = {n for m in source_doers[-1:] for n in pair.back(m)}
    if left & set(source_doers) or not left & set(source_done_to):
        return False
    if theirs & set(done_to) and not theirs & set(doers):
        return True
    return bool(right & set(source_doers)) and not right & set(source_done_to)


def _is_noun(side: Side, place: int) -> bool:
    """Whether a word that can be a verb is used as a noun or a participle here."""
    units = side.units
    before = units[place - 1].written.lower() if place else ""
    if units[place].written.lower().endswith(("tion", "ment")):
        return True
    if before in ("a", "an", "the", "of", "in", "on", "its", "their", "own", "by", "get", "no", "his", "her"):
        return True
    after = units[place + 1].written.lower() if place + 1 < len(units) else ""
    helped = {u.written.lower() for u in units[max(0, place - 3) : place]} & {*_BE, "has", "have", "had"}
    participle = units[place].written.lower().endswith("ed") and after in ("in", "by", "on", "from", "to", "with")
    return participle and not helped


def _sides(side: Side, verb: int) -> tuple[list[int], list[int]]:
    """Doers and done-tos of a verb: left and right of it, the other way round in the passive."""
    units = side.units
    words = [n for n in side.content if units[n].kind == "word" and units[n].clause == units[verb].clause]
    left, right = [n for n in words if n < verb], [n for n in words if n > verb]
    before = {u.written.lower() for u in units[max(0, verb - 3) : verb] if u.kind != "break"}
    participle = units[verb].written.lower().split()[0].endswith(("ed", "en", "n", "t", "id"))
    by = next((n for n in range(verb + 1, min(verb + 8, len(units))) if units[n].written.lower() == "by"), None)
    helped = before & _BE or by == verb + 1
    if participle and helped:
        doers = [n for n in words if by is not None and n > by]
        return doers, left
    return left, right
