"""The list of names as it is looked up: every line is found, nothing else is, and a file that is not as made is refused."""

from __future__ import annotations

import random

import pytest

from bot.errors import ConfigurationError
from bot.guardrails.gazetteer import Gazetteer, gazetteer


def test_every_name_is_found_and_no_name_that_only_begins_or_ends_like_one() -> None:
    known = gazetteer()
    for names in (known.given, known.family, known.everyday, known.words):
        listed = set(names)
        assert len(listed) > 1_000
        assert all(name in names for name in listed)
        for name in random.Random(1).sample(sorted(listed), 500):
            assert all((other in names) == (other in listed) for other in (name[:-1], name[1:], name + "x", name + " g"))


@pytest.mark.parametrize("strange", ["", " ", "\n", "g", "\ud800", "maria g", "maria\n", "李" * 40])
def test_what_is_no_name_is_not_found(strange: str) -> None:
    assert strange not in gazetteer().given


@pytest.mark.parametrize("damaged", ["ana g\nbea g\nana f\n", "ana g\n\nbea g\n", "ana g\nbea"])
def test_a_list_that_is_not_sorted_or_is_cut_is_named(damaged: str) -> None:
    with pytest.raises(ConfigurationError, match=r"names\.txt"):
        Gazetteer(damaged.encode())
