"""The small words that steer a sentence: negation, duty, quantity, condition, comparison, 'and' and 'or'. Pure.

Each must be answered on the other side by a word of its kind that bears on the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.assistant.restating.alignment import Aligned, Side


def _cues(side: Side, names: Sequence[str]) -> list[int]:
    return [n for n, unit in enumerate(side.units) if unit.kind == "cue" and unit.key in names]


def _target(side: Side, place: int) -> int | None:
    """The nearest content unit a cue bears on: the next in its part, else the one before."""
    part, clause = side.units[place].part, side.units[place].clause
    after = [n for n in side.content if n > place and side.units[n].clause == clause]
    if after and (side.units[after[0]].part == part or after[0] - place <= 4):
        return after[0]
    before = [n for n in side.content if n < place and side.units[n].part == part]
    return before[-1] if before else (after[0] if after else None)


_BEFORE_ITS_NOUN = frozenset({"no", "nothing", "none", "nobody", "against"})
"""Negations that stand before what a 'not' would stand after: 'no school must', 'a school need not'."""


def _reach(side: Side, places: Sequence[int], width: int, back: int) -> set[int]:
    """Content within ``width`` content units of a cue, in its clause."""
    out: set[int] = set()
    for place in places:
        clause = side.units[place].clause
        after = [n for n in side.content if n > place and side.units[n].clause == clause][:width]
        in_part = [n for n in after if side.units[n].part == side.units[place].part]
        if side.units[place].written.lower() in _BEFORE_ITS_NOUN:
            in_part = []
        reach_back = back if back > 2 or not in_part else 0
        before = [n for n in side.content if n < place and side.units[n].clause == clause]
        out.update(after, before[len(before) - reach_back :] if reach_back else [])
    return out


_STANDS_FOR = {
    "must": ("must", "must soft", "due"),
    "should": ("should", "should soft", "due"),
    "may": ("may", "may soft"),
    "bar": ("bar",),
    "due": ("due", "due soft", "must", "should", "will", "plan"),
    "plan": ("plan", "due"),
    "will": ("will", "due", "due soft", "plan"),
    "not": ("not", "bar", "without"),
    "without": ("without", "not", "unless", "bar"),
    "all": ("all", "all soft"),
    "most": ("most",),
    "nearly all": ("nearly all",),
    "nearly none": ("nearly none",),
    "some": ("some",),
    "few": ("few",),
    "only": ("only", "only soft"),
    "if": ("if", "if soft", "unless", "only"),
    "unless": ("unless", "without"),
    "before": ("before", "before soft"),
    "after": ("after", "after soft"),
    "more": ("more",),
    "less": ("less",),
    "notonly": ("notonly",),
    "least of": ("least of",),
    "most of": ("most of",),
}
_REACH = {
    **dict.fromkeys(("not", "without", "notonly"), (4, 2)),
    "only": (4, 3),
    "unless": (8, 5),
    **dict.fromkeys(("must", "should", "may", "due", "will"), (6, 6)),
    **dict.fromkeys(("all", "most", "some", "few", "nearly all", "nearly none"), (3, 0)),
}
"""How many content units after and before a word of each kind it may bear on; before only where nothing follows."""
_ONE_WAY = frozenset({"if", "due"})
"""Words that may be added: a condition narrows, and "is to" has other uses; their loss still counts."""


def steering(pair: Aligned) -> str | None:
    """Negation, modality, quantity, comparison and condition words, both ways, each by what it bears on."""
    for name, accepted in _STANDS_FOR.items():
        reason = None
        if name not in _ONE_WAY:
            reason = _steers(pair.said, pair.source, name, accepted, lambda p: pair.links.get(p, []), "added")
        if reason is None:
            reason = _steers(pair.source, pair.said, name, accepted, pair.back, "lost")
        if reason is not None:
            return reason
    return None


def negations(pair: Aligned) -> str | None:
    """As many negations on both sides."""
    said, meant = (len(_cues(side, ("not", "without", "unless"))) for side in (pair.said, pair.source))
    return None if said == meant else f"negations: {said} for {meant}"


def joined(pair: Aligned) -> str | None:
    """'and' stays 'and', 'or' stays 'or'."""

    def joins(side: Side, word: str) -> set[tuple[int, int]]:
        out = set()
        for n, unit in enumerate(side.units):
            if unit.kind == "word" and unit.written.lower() == word:
                left = [m for m in side.content if m < n and side.units[m].clause == unit.clause][-1:]
                right = [m for m in side.content if m > n and side.units[m].clause == unit.clause][:1]
                out |= {(a, b) for a in left for b in right if b - a <= 6}
        return out

    for word, other in (("and", "or"), ("or", "and")):
        meant = joins(pair.source, other)
        for a, b in joins(pair.said, word):
            if any((x, y) in meant or (y, x) in meant for x in pair.links[a] for y in pair.links[b]):
                return f"{other} became {word}"
    return None


def compared(pair: Aligned) -> str | None:
    """What stands after 'than' (or 'preferred ... over') in the source stands after it in the restatement."""

    def than(side: Side) -> int | None:
        return next((n for n, u in enumerate(side.units) if u.kind == "word" and u.written.lower() in ("than", "over")), None)

    here, there = than(pair.said), than(pair.source)
    if here is None or there is None:
        return None
    after = [n for n in pair.said.content if n > here and pair.said.units[n].clause == pair.said.units[here].clause][:4]
    links = [set(pair.links[n]) for n in after if pair.links[n]]
    crossed = [n for n in after if pair.links[n] and all(m < there for m in pair.links[n])]
    if crossed and not any(all(m > there for m in found) for found in links):
        return f"comparison turned: {pair.said.units[crossed[0]].written}"
    return None


def _steers(
    first: Side, second: Side, name: str, accepted: tuple[str, ...], across: Callable[[int], list[int]], what: str
) -> str | None:
    """Why a small word of one side is not answered by the other, or None."""
    others = _cues(second, accepted)
    for place in _cues(first, (name,)):
        target = _target(first, place)
        linked = set(across(target)) & set(second.content) if target is not None else set()
        if _excused(first, second, place, linked, what):
            continue
        if not others:
            return f"{name} {what}"
        if target is None or (name == "must" and _by_requiring(first, second, place, others)):
            continue
        width, back = _REACH.get(name, (4, 5))
        width += 4 * any(second.units[n].key == "unless" for n in others)
        if first.units[place].written.lower() in _BEFORE_ITS_NOUN:
            back = 4
        if linked and not linked & _reach(second, others, width, back):
            return f"{name} {what}: {first.units[target].written}"
    return None


def _excused(first: Side, second: Side, place: int, linked: set[int], what: str) -> bool:
    """Small words that need no answer: the 'not' of a ban, 'may' or 'will' for a mere infinitive, and their like."""
    unit = first.units[place]
    written = unit.written.lower()
    if unit.key == "not":
        return place > 0 and first.units[place - 1].key == "bar"
    if unit.key == "may" and what == "added" and written in ("may", "can"):
        lets = any(u.key == "may" and u.written.lower().startswith(("allow", "let", "permit")) for u in first.units)
        infinitive = any(second.units[n - 1].written.lower() == "to" for n in linked if n)
        return infinitive and not lets and not _bound_by(second, linked)
    if unit.key == "should":
        # "Do not enter" is "you should not enter".
        return second.units[0].written.lower() in ("do", "don't")
    if unit.key == "must":
        return what == "added" and any(u.written.lower() in ("made", "makes") for u in second.units)
    return unit.key == "will" and any(second.units[n - 1].written.lower() == "to" for n in linked if n)


def _by_requiring(first: Side, second: Side, place: int, others: Sequence[int]) -> bool:
    """'The order requires a guide' and 'a guide is required' bear on different sides of the verb."""
    written = [first.units[place].written.lower(), *(second.units[n].written.lower() for n in others)]
    return any(word.startswith("require") for word in written)


def _bound_by(side: Side, places: set[int]) -> bool:
    """Whether any of the places stands under a duty or a ban."""
    duties = _cues(side, ("must", "should", "bar", "due", "will"))
    return bool(places & _reach(side, duties, 4, 3))
