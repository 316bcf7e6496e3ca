"""Someone who adds and subtracts published figures in every way, to read the answers of a few. Knows nothing of the rules."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from bot.readiness.suppression import Disclosure


def rank(rows: list[list[int]]) -> int:
    """Rank over the rationals."""
    matrix = [[Fraction(value) for value in row] for row in rows]
    found = 0
    for column in range(len(matrix[0]) if matrix else 0):
        pivot = next((r for r in range(found, len(matrix)) if matrix[r][column]), None)
        if pivot is None:
            continue
        matrix[found], matrix[pivot] = matrix[pivot], matrix[found]
        for r in range(len(matrix)):
            if r != found and matrix[r][column]:
                factor = matrix[r][column] / matrix[found][column]
                matrix[r] = [x - factor * y for x, y in zip(matrix[r], matrix[found], strict=True)]
        found += 1
    return found


def attack(published: list[dict[str, int]], people: dict[str, frozenset[str]], minimum: int) -> bool:
    """Whether some linear combination of published sums concerns one to ``minimum - 1`` people.

    ``published`` are figures as {kind of answer: 0/1}; ``people`` tells whose answers a kind is. A combination that lives
    only in a set of kinds exists exactly when leaving those kinds out lowers the rank."""
    kinds = sorted(people)
    rows = [[figure.get(kind, 0) for kind in kinds] for figure in published]
    if not rows:
        return False
    full = rank(rows)
    small = [k for k in kinds if 0 < len(people[k]) < minimum]
    for size in range(1, len(small) + 1):
        for chosen in combinations(small, size):
            if len(frozenset().union(*(people[k] for k in chosen))) >= minimum:
                continue
            rest = [[row[kinds.index(k)] for k in kinds if k not in chosen] for row in rows]
            if (rank(rest) if rest[0] else 0) < full:
                return True
    return False


def figures(now: dict[str, tuple[str, object]], shown: Disclosure) -> list[dict[tuple[str, object], int]]:
    """The published sums of a round, each over (person, answers)."""
    sums = [{(key, answers): 1 for key, (split, answers) in now.items() if split == name} for name in shown.shown]
    if shown.parent:
        sums.append({(key, answers): 1 for key, (_, answers) in now.items()})
    return sums


def attack_rounds(rounds: list[tuple[dict[str, tuple[str, object]], Disclosure]], minimum: int = 5) -> bool:
    """Everything published in all rounds, attacked at once; atoms with the same pattern are one kind."""
    published = [figure for people, shown in rounds for figure in figures(people, shown)]
    atoms = sorted({atom for figure in published for atom in figure}, key=repr)
    owners: dict[str, set[str]] = {}
    columns: dict[str, tuple[int, ...]] = {}
    for atom in atoms:
        pattern = tuple(figure.get(atom, 0) for figure in published)
        twin = tuple(tuple(f.get(other, 0) for f in published) for other in atoms if other[0] == atom[0] and other != atom)
        name = repr((pattern, sorted(twin))) if twin else repr(pattern)
        columns[name] = pattern
        owners.setdefault(name, set()).add(atom[0])
    rows = [{name: columns[name][n] for name in columns} for n in range(len(published))]
    return attack(rows, {name: frozenset(keys) for name, keys in owners.items()}, minimum)
