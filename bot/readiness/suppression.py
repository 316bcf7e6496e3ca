"""Decides which figures of a group may be shown, so that no small group can be read or computed. Pure functions.

Within a round: primary and complementary suppression (``prompts/readiness/instrument.yaml``; the practice of education
agencies, https://lbstat.dpi.wi.gov). Across rounds: two published rounds together are a graph whose nodes are their
published cells and whose edges are people; whatever anyone can compute by adding and subtracting published figures is a
cut of that graph, so a round is safe beside an earlier one when no cut is crossed by one to ``minimum - 1`` people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

from bot.errors import NotAllowed

MINIMUM = 5
"""People in the smallest group that is ever shown. It can be raised, never lowered."""

_REST = "\0rest"
"""The cell that remains when the shown splits are taken from the parent."""

Respondents = Mapping[str, tuple[str, Hashable]]
"""A person's key to their split and whatever stands for their answers: equal means unchanged."""


@dataclass(frozen=True)
class Disclosure:
    """What may be shown: the parent (the whole group) and these splits."""

    parent: bool
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Earlier:
    """A round that is already published: who was in it, by key, and what was shown."""

    people: Respondents
    disclosed: Disclosure


def minimum_group(wanted: int) -> int:
    """``wanted`` as the minimum in force. Raises NotAllowed below five."""
    if wanted < MINIMUM:
        raise NotAllowed(f"the smallest group shown can be raised above {MINIMUM}, never lowered")
    return wanted


def disclose(splits: Mapping[str, int], minimum: int = MINIMUM, withheld: Collection[str] = ()) -> Disclosure:
    """What may be shown of one round, taken alone.

    :param splits: people by split; together they are the parent.
    :param withheld: splits hidden for another reason (all answered alike, or hidden in the overall figure).
    """
    if sum(splits.values()) < minimum:
        return Disclosure(False, ())
    if len(splits) < 2:
        return Disclosure(True, ())  # a single split is the parent by another name
    names = list(splits)
    hidden = {name for name in names if splits[name] < minimum or name in withheld}
    while hidden and len(hidden) < len(names) and (len(hidden) < 2 or sum(splits[name] for name in hidden) < minimum):
        hidden.add(min((name for name in names if name not in hidden), key=lambda name: (splits[name], names.index(name))))
    return Disclosure(True, tuple(name for name in names if name not in hidden))


def _cell(split: str, disclosed: Disclosure) -> str | None:
    if split in disclosed.shown:
        return split
    return _REST if disclosed.parent else None


def exposes(now: Respondents, shown: Disclosure, earlier: Earlier, minimum: int = MINIMUM, *, moves_hide: bool = False) -> bool:
    """Whether figures of both rounds, added and subtracted in any way, isolate one to ``minimum - 1`` people.

    :param moves_hide: do not count a combination that only tells by how much unknown people, who stayed in their split,
        changed their answers. The answers of nobody in particular can be computed from it.
    """
    edges: Counter[tuple[str | None, str | None, bool]] = Counter()
    for key in {**earlier.people, **now}:
        here, there = now.get(key), earlier.people.get(key)
        edges[
            _cell(here[0], shown) if here else None,
            _cell(there[0], earlier.disclosed) if there else None,
            here is not None and there is not None and here[1] == there[1],
        ] += 1
    cells = {("now", a) for a, _, _ in edges if a is not None} | {("then", b) for _, b, _ in edges if b is not None}
    bit = {node: 1 << n for n, node in enumerate(sorted(cells))}
    counted = [
        (bit.get(("now", a or ""), 0), bit.get(("then", b or ""), 0), same, a == b, people)
        for (a, b, same), people in edges.items()
    ]
    for inside in range(1, 1 << len(bit)):
        crossing = named = 0
        for now_bit, then_bit, same, stayed, people in counted:
            left, right = inside & now_bit != 0, inside & then_bit != 0
            if (left != right) if same else (left or right):
                crossing += people
                named += people if left != right or not stayed else 0
                if crossing >= minimum:
                    break
        if 0 < crossing < minimum and (named or not moves_hide):
            return True
    return False


def disclose_again(
    now: Respondents, earlier: Sequence[Earlier], minimum: int = MINIMUM, splits: Sequence[str] = ()
) -> Disclosure:
    """What may be shown of a round when earlier ones are out. Nothing, when nothing would be safe.

    Tries everything the round alone allows, then without its smallest splits, then the parent alone.

    :param splits: every split in order, including those nobody answered from.
    """
    counts = dict.fromkeys([*splits, *sorted({split for split, _ in now.values()})], 0)
    for split, _ in now.values():
        counts[split] += 1
    alone = disclose(counts, minimum)
    if not alone.parent:
        return alone
    smallest_first = sorted(alone.shown, key=lambda name: (counts[name], alone.shown.index(name)))
    for dropped in range(len(smallest_first) + 1):
        kept = disclose(counts, minimum, [name for name in counts if name not in smallest_first[dropped:]])
        wanted = alone if dropped == 0 else kept
        if not any(exposes(now, wanted, before, minimum) for before in earlier):
            return wanted
    return Disclosure(False, ())


def people_from_counts(splits: Mapping[str, int], tag: str = "") -> dict[str, tuple[str, Hashable]]:
    """Respondents when only counts are known, at the worst: the same people as before gave the same answers, and only the
    difference in number joined or left."""
    return {f"{tag}{name}/{n}": (name, None) for name, people in splits.items() for n in range(people)}


def band(people: int) -> tuple[int, int | None]:
    """A count as it may be said: (5, 9) below ten, then (rounded down to fives, None)."""
    return (MINIMUM, 9) if people < 10 else (people - people % 5, None)


def similar(answers: Sequence[Hashable]) -> bool:
    """Whether everyone, or all but one, gave the same answer, so that a number would tell what each of them said."""
    return bool(answers) and max(Counter(answers).values()) >= len(answers) - 1
