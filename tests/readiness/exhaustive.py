"""Every small group of two to four splits, alone and after an earlier round, against the attacker of the tests: minutes, so not a
test but a command: ``python -m tests.readiness.exhaustive [--splits 2 3 4] [--people 8] [--every N]``.

Two and three splits: every two rounds, as the product discloses them. Four splits have forty-three million pairs of rounds, so
they are tried by what matters of a pair: for each split how many people stayed, joined and left (five stands for more: no
combination of at least five people is small), and whether it was shown before and after. That is tried for *any* choice of
shown splits of five people or more, so whatever the order of equal splits makes the product hide is among them. The product
shows a round only where ``exposes`` finds nothing; here the attacker tries all of which it finds nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from itertools import combinations_with_replacement, product

from bot.readiness.suppression import Disclosure, Earlier, Respondents, disclose, disclose_again, exposes, people_from_counts
from tests.readiness.attacker import attack_rounds

MINIMUM = 5

Split = tuple[bool, bool, int, int, int]
"""Shown before, shown after, people who stayed, joined, left."""


def named(counts: tuple[int, ...]) -> dict[str, int]:
    """Counts under the names of splits."""
    return {f"s{n}": people for n, people in enumerate(counts)}


def unsafe_alone(splits: int, most: int) -> tuple[int, int]:
    """Rounds tried and rounds that disclose a small group, with no earlier round."""
    tried = unsafe = 0
    for counts in product(range(most + 1), repeat=splits):
        tried += 1
        people = people_from_counts(named(counts))
        unsafe += attack_rounds([(people, disclose(named(counts), MINIMUM))], MINIMUM)
    return tried, unsafe


def unsafe_pairs(splits: int, most: int, every: int) -> tuple[int, int, int]:
    """Pairs of rounds tried, pairs whose second was shown, and pairs that disclose a small group together.

    Each pair is tried at the worst (who was there before answered the same) and, with it, with fresh answers."""
    tried = shown = unsafe = 0
    names = [f"s{n}" for n in range(splits)]
    for before in product(range(most + 1), repeat=splits):
        old = people_from_counts(named(before))
        earlier = Earlier(old, disclose_again(old, (), MINIMUM, names))
        for after in product(range(most + 1), repeat=splits):
            tried += 1
            if tried % every:
                continue
            same = people_from_counts(named(after))
            for new in (same, {key: (split, "fresh") for key, (split, _) in same.items()}):
                disclosed = disclose_again(new, [earlier], MINIMUM, names)
                shown += disclosed.parent
                if attack_rounds([(dict(old), earlier.disclosed), (new, disclosed)], MINIMUM):
                    unsafe += 1
                    print(f"  unsafe: {before} then {after}: {disclosed}")
    return tried // every, shown, unsafe


def pairs_that_matter(splits: int, most: int) -> Iterator[tuple[Split, ...]]:
    """Every pair of rounds of so many splits, up to what cannot matter, the splits hidden both times taken together."""
    kinds: set[Split] = set()
    hidden: set[Split] = set()
    for before, after in product(range(most + 1), repeat=2):
        stayed, joined, left = min(before, after), max(0, after - before), max(0, before - after)
        people = (min(stayed, MINIMUM), min(joined, MINIMUM), min(left, MINIMUM))
        hidden.add((False, False, *people))
        kinds |= {(True, False, *people)} if before >= MINIMUM else set()
        kinds |= {(False, True, *people)} if after >= MINIMUM else set()
        kinds |= {(True, True, *people)} if min(before, after) >= MINIMUM else set()
    rests: list[set[Split]] = [{(False, False, 0, 0, 0)}]
    for _ in range(splits):
        rests.append({_together(one, other) for one, other in product(rests[-1], hidden)})
    for shown in range(splits + 1):
        for seen in combinations_with_replacement(sorted(kinds), shown):
            for rest in sorted(rests[splits - shown]):
                yield (*seen, rest)


def _together(one: Split, other: Split) -> Split:
    stayed, joined, left = (min(one[n] + other[n], MINIMUM) for n in (2, 3, 4))
    return False, False, stayed, joined, left


def as_rounds(pair: tuple[Split, ...], *, fresh: bool) -> tuple[Earlier, dict[str, tuple[str, object]], Disclosure]:
    """The people of both rounds, and what is shown of each."""
    old: dict[str, tuple[str, object]] = {}
    new: dict[str, tuple[str, object]] = {}
    for n, (_, _, stayed, joined, left) in enumerate(pair):
        old |= {f"{n}/{p}": (f"s{n}", None) for p in range(stayed + left)}
        new |= {f"{n}/{p}": (f"s{n}", "fresh" if fresh else None) for p in range(stayed)}
        new |= {f"{n}/new{p}": (f"s{n}", None) for p in range(joined)}
    before = Disclosure(True, tuple(f"s{n}" for n, split in enumerate(pair) if split[0]))
    return Earlier(old, before), new, Disclosure(True, tuple(f"s{n}" for n, split in enumerate(pair) if split[1]))


def unsafe_whatever_is_shown(splits: int, most: int, every: int) -> tuple[int, int, int]:
    """Pairs tried, pairs that the product would show, and of those the ones that disclose a small group."""
    tried = shown = unsafe = 0
    for pair in pairs_that_matter(splits, most):
        tried += 1
        if tried % every:
            continue
        for fresh in (False, True):
            earlier, new, disclosed = as_rounds(pair, fresh=fresh)
            alone = any(_exposed(people, what) for people, what in ((earlier.people, earlier.disclosed), (new, disclosed)))
            if alone or exposes(new, disclosed, earlier, MINIMUM):
                continue
            shown += 1
            if attack_rounds([(dict(earlier.people), earlier.disclosed), (new, disclosed)], MINIMUM):
                unsafe += 1
                print(f"  unsafe: {pair}, fresh {fresh}")
    return tried // every, shown, unsafe


def _exposed(people: Respondents, what: Disclosure) -> bool:
    """A round that is not shown by itself: what it hides is too small a group."""
    hidden = sum(split not in what.shown for split, _ in people.values())
    return len(people) < MINIMUM or 0 < hidden < MINIMUM


def main() -> None:
    """Print what was tried; leave with 1 where anything was unsafe."""
    parser = argparse.ArgumentParser(prog="python -m tests.readiness.exhaustive", description=__doc__)
    parser.add_argument("--splits", nargs="+", type=int, choices=(2, 3, 4), default=(2, 3, 4))
    parser.add_argument("--people", type=int, default=8, help="most people in a split")
    parser.add_argument("--every", type=int, default=1, help="try every Nth pair of rounds")
    options = parser.parse_args()
    found = 0
    for splits in options.splits:
        begun = time.perf_counter()
        rounds, alone = unsafe_alone(splits, options.people)
        tries = unsafe_pairs if splits < 4 else unsafe_whatever_is_shown
        pairs, shown, together = tries(splits, options.people, options.every)
        found += alone + together
        print(
            f"{splits} splits of 0 to {options.people}: {rounds:,} rounds, {alone} unsafe; {pairs:,} pairs of rounds, each with "
            f"the same and with fresh answers, {shown:,} shown, {together} unsafe; {time.perf_counter() - begun:.0f} s",
            flush=True,
        )
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
