"""A second scorer, written from the written description of the instrument alone, in another style: integers over a common
denominator, tables typed by hand, no shared code. It exists to disagree with the first one if either is wrong."""

from __future__ import annotations

AREAS = [  # letter, name, how many answers make it count, watched by the floor rule, place in the order of ties
    ("a", "understanding", 1, False, 5),
    ("b", "strategy", 2, False, 6),
    ("c", "partners", 1, False, 4),
    ("d", "students", 1, True, 3),
    ("e", "rules", 1, True, 2),
    ("f", "data_tools", 2, True, 1),
]
SIZE = {"a": 2, "b": 4, "c": 2, "d": 2, "e": 2, "f": 3}
PULSE = "a1 b1 c2 d1 e1 f1".split()
SIDES = {
    "offense_defense": ("b2 b3 b4 d2", "d1 e1 e2 f1 f2", 3, 100, 150),
    "system_classroom": ("b2 e2 f1 f2 f3", "b3 d1 d2 e1", 3, 100, 150),
    "improve_rethink": ("b2 b3", "b4 d2", 2, 150, None),
}
COMMON = 720720  # divisible by every number of answers that can occur


def _average(numbers: list[int]) -> int:
    return sum(numbers) * (COMMON // len(numbers))


def _band(total: int, parts: int = 1) -> int:
    """Stage of total/parts, in hundredths compared by cross-multiplication."""
    for stage, hundredths in ((4, 325), (3, 250), (2, 175)):
        if total * 100 >= hundredths * COMMON * parts:
            return stage
    return 1


def independent(form: str, answers: dict[str, object]) -> dict[str, object]:
    """Stage, capped, dimensions as (numerator over COMMON), balance and next move."""
    asked = PULSE if form == "pulse" else [f"{letter}{n}" for letter, *_ in AREAS for n in range(1, SIZE[letter] + 1)]
    given = {name: int(answers[name]) for name in asked if isinstance(answers.get(name), int)}  # type: ignore[call-overload]
    averages: dict[str, int] = {}
    for letter, name, enough, _, _ in AREAS:
        mine = [value for key, value in given.items() if key[0] == letter]
        if len(mine) >= (1 if form == "pulse" else enough):
            averages[name] = _average(mine)
    if form == "pulse":
        stage = _band(_average(list(given.values()))) if len(given) >= 4 else None
    else:
        stage = _band(sum(averages.values()), len(averages)) if len(averages) >= 4 and len(given) >= 9 else None
    alarms: list[tuple[int, int, str, str]] = []
    for letter, name, _, watched, place in AREAS:
        mine = [value for key, value in given.items() if key[0] == letter]
        low = watched and name in averages and averages[name] * 100 < 175 * COMMON
        if low or given.get({"e": "e1", "f": "f1"}.get(letter, "")) == 1:
            alarms.append((_average(mine), place, name, letter))
    capped = bool(alarms) and stage is not None and stage > 2
    pool = alarms or [(averages[n], place, n, letter) for letter, n, _, _, place in AREAS if n in averages]
    following = None
    if pool:
        _, _, name, letter = sorted(pool)[0]
        keys = sorted((value, key) for key, value in given.items() if key[0] == letter)
        following = {"dimension": name, "item": keys[0][1]}
    balance = {}
    if form == "full":
        for label, (left, right, enough, lean, strong) in SIDES.items():
            one = [given[k] for k in left.split() if k in given]
            two = [given[k] for k in right.split() if k in given]
            if min(len(one), len(two)) < enough:
                balance[label] = "none"
                continue
            gap = _average(one) - _average(two)
            side = "a" if gap > 0 else "b"
            if abs(gap) * 100 < lean * COMMON:
                balance[label] = "even"
            elif strong is not None and abs(gap) * 100 >= strong * COMMON:
                balance[label] = f"{side}_strong"
            else:
                balance[label] = f"{side}_lean"
    return {
        "stage": 2 if capped else stage,
        "capped": capped,
        "dimensions": {name: averages.get(name) for _, name, *_ in AREAS},
        "balance": balance,
        "next": following,
    }
