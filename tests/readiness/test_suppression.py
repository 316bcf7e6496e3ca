"""No published figures let anyone compute a small group: every small case is tried by an attacker with linear algebra."""

from __future__ import annotations

import random
from itertools import combinations_with_replacement, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import NotAllowed
from bot.readiness.instrument import GroupExample, instrument
from bot.readiness.suppression import (
    Disclosure,
    Earlier,
    band,
    disclose,
    disclose_again,
    exposes,
    minimum_group,
    people_from_counts,
    similar,
)
from tests.readiness import exhaustive
from tests.readiness.attacker import attack_rounds


def alone_is_safe(counts: tuple[int, ...], minimum: int = 5) -> bool:
    splits = {f"s{n}": people for n, people in enumerate(counts)}
    return not attack_rounds([(people_from_counts(splits), disclose(splits, minimum))], minimum)


@pytest.mark.parametrize("example", instrument().rules.group_examples, ids=repr)
def test_every_worked_group_example_comes_out_as_written(example: GroupExample) -> None:
    assert disclose(example.splits) == Disclosure(True, example.shown)


@pytest.mark.parametrize("splits", [2, 3, 4])
def test_no_single_round_of_up_to_eight_people_a_split_discloses_a_small_group(splits: int) -> None:
    counts = combinations_with_replacement(range(9), splits) if splits == 4 else product(range(9), repeat=splits)
    unsafe = [case for case in counts if not alone_is_safe(case)]
    assert unsafe == []


def test_the_attacker_finds_what_hiding_one_split_alone_gives_away() -> None:
    people = people_from_counts({"cabinet": 6, "principals": 12, "technology": 3})
    assert attack_rounds([(people, Disclosure(True, ("cabinet", "principals")))])
    assert not attack_rounds([(people, Disclosure(True, ("principals",)))])


def both(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[Earlier, dict[str, tuple[str, object]], Disclosure]:
    old = people_from_counts({f"s{n}": people for n, people in enumerate(before)})
    new = people_from_counts({f"s{n}": people for n, people in enumerate(after)})
    names = [f"s{n}" for n in range(len(before))]
    earlier = Earlier(old, disclose_again(old, (), splits=names))
    return earlier, new, disclose_again(new, [earlier], splits=names)


def test_no_two_rounds_of_two_splits_disclose_a_small_group() -> None:
    shown = 0
    for before in product(range(9), repeat=2):
        for after in product(range(9), repeat=2):
            earlier, new, disclosed = both(before, after)
            shown += disclosed.parent
            assert not attack_rounds([(dict(earlier.people), earlier.disclosed), (new, disclosed)]), (before, after)
    assert shown > 1_000


@pytest.mark.parametrize(("splits", "tries"), [(3, 2_500), (4, 1_200)])
def test_no_two_rounds_of_more_splits_disclose_a_small_group(splits: int, tries: int) -> None:
    chance = random.Random(splits)
    for _ in range(tries):
        before = tuple(chance.randrange(9) for _ in range(splits))
        after = tuple(max(0, min(8, n + chance.choice([0, 0, 0, -1, 1, -3, 4]))) for n in before)
        earlier, new, disclosed = both(before, after)
        assert not attack_rounds([(dict(earlier.people), earlier.disclosed), (new, disclosed)]), (before, after)


def test_a_published_split_does_not_fill_in_for_one_hidden_later() -> None:
    before = people_from_counts({"cabinet": 5, "principals": 7, "technology": 9})
    earlier = Earlier(before, disclose_again(before, ()))
    after = people_from_counts({"cabinet": 4, "principals": 7, "technology": 9})
    alone = disclose({"cabinet": 4, "principals": 7, "technology": 9})
    assert alone == Disclosure(True, ("technology",))
    assert exposes(after, alone, earlier)  # 20 - 9 - the 7 known from before = 4
    assert not disclose_again(after, [earlier]).parent


def test_a_round_with_fresh_answers_is_shown_although_one_person_left() -> None:
    before = people_from_counts({"cabinet": 6, "principals": 12})
    earlier = Earlier(before, disclose_again(before, ()))
    after = {key: (split, f"new {key}") for key, (split, _) in before.items() if key != "cabinet/0"}
    assert disclose_again(after, [earlier]) == Disclosure(True, ("cabinet", "principals"))


PEOPLE = st.dictionaries(
    st.integers(0, 23).map(lambda n: f"p{n:02d}"), st.tuples(st.sampled_from("abc"), st.integers(0, 1)), max_size=24
)


@settings(max_examples=250, deadline=None)
@given(PEOPLE, PEOPLE, PEOPLE, st.sampled_from([5, 6, 8]))
def test_three_rounds_with_joiners_leavers_movers_and_deletions_are_safe_two_by_two(
    first: dict[str, tuple[str, object]],
    second: dict[str, tuple[str, object]],
    third: dict[str, tuple[str, object]],
    minimum: int,
) -> None:
    published: list[tuple[dict[str, tuple[str, object]], Disclosure]] = []
    for people in (first, second, third):
        disclosed = disclose_again(people, [Earlier(p, d) for p, d in published], minimum, "abc")
        for earlier in published:
            assert not attack_rounds([earlier, (people, disclosed)], minimum)
        # Someone erases themselves: their key becomes a nobody's, the published figures stay.
        gone = {f"gone {key}" if key.endswith("3") else key: value for key, value in people.items()}
        published.append((gone, disclosed))


def test_the_minimum_can_be_raised_and_never_lowered() -> None:
    assert minimum_group(8) == 8
    with pytest.raises(NotAllowed):
        minimum_group(4)
    assert disclose({"a": 6, "b": 12}, 8) == Disclosure(True, ())


def test_counts_are_said_in_bands() -> None:
    assert [band(n) for n in (5, 9, 10, 14, 17, 25)] == [(5, 9), (5, 9), (10, None), (10, None), (15, None), (25, None)]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12))
def test_similar_answers_are_those_with_at_most_one_other(levels: list[int]) -> None:
    assert similar(levels) == any(sum(other != level for other in levels) <= 1 for level in levels)


def test_no_two_rounds_disclose_a_small_group_whatever_was_shown_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    tried, shown, unsafe = exhaustive.unsafe_whatever_is_shown(2, 8, 29)
    assert tried > 100
    assert shown > 50
    assert unsafe == 0
    monkeypatch.setattr(exhaustive, "exposes", lambda *_: False)
    assert exhaustive.unsafe_whatever_is_shown(2, 8, 29)[2] > 0, "the attacker sees what would be shown without the rule"
