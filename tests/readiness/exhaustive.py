"""Every small group of two to four splits, alone and after an earlier round, against the attacker of the tests: minutes to hours,
so not a test but a command: ``python -m tests.readiness.exhaustive [--splits 2 3 4] [--people 8] [--every N]``."""

from __future__ import annotations

import argparse
import sys
import time
from itertools import combinations_with_replacement, product

from bot.readiness.suppression import Earlier, disclose, disclose_again, people_from_counts
from tests.readiness.test_suppression import attack_rounds

MINIMUM = 5


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

    Each pair is tried at the worst (who was there before answered the same) and, with it, with fresh answers. In four splits the
    earlier round's counts are taken in rising order, since the names of splits carry no meaning."""
    tried = shown = unsafe = 0
    names = [f"s{n}" for n in range(splits)]
    befores = product(range(most + 1), repeat=splits) if splits < 4 else combinations_with_replacement(range(most + 1), splits)
    for before in befores:
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
        pairs, shown, together = unsafe_pairs(splits, options.people, options.every)
        found += alone + together
        print(
            f"{splits} splits of 0 to {options.people}: {rounds:,} rounds, {alone} unsafe; {pairs:,} pairs of rounds, each with "
            f"the same and with fresh answers, {shown:,} shown, {together} unsafe; {time.perf_counter() - begun:.0f} s",
            flush=True,
        )
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
