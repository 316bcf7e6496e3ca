"""The list of names as it is looked up: every line is found, nothing else is, and a file that is not as made is refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bot.errors import ConfigurationError, FormatError
from bot.guardrails import screening
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


@pytest.mark.parametrize(
    ("damaged", "line"),
    [
        ("ana g\nbea g\nana f\n", 5),
        ("bea g\nana g\n", 4),
        ("ana g\n\nbea g\n", 4),
        ("ana g\nbea\n", 4),
        ("ana g\nbea g f\n", 4),
        ("ana g\nbe", 4),
        ("", 3),
    ],
)
def test_a_list_that_is_not_as_it_was_made_is_named_with_its_line(damaged: str, line: int) -> None:
    with pytest.raises(FormatError, match=rf"names\.txt:{line}:"):
        Gazetteer(f"# about\n# more\n{damaged}".encode())


def test_what_is_said_about_the_list_is_no_name() -> None:
    known = Gazetteer(b"# given g\nana gw\nanna f\n")
    assert set(known.given) == {"ana"} == set(known.everyday)
    assert "#" not in known.given
    assert "given" not in known.given


def test_a_list_that_is_missing_is_named_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.guardrails.gazetteer.bot.__file__", str(tmp_path / "bot" / "__init__.py"))
    gazetteer.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match=r"names\.txt"):
            screening.check()
    finally:
        gazetteer.cache_clear()
