import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.sentences import sentences


def split(text: str) -> list[str]:
    return [text[a:b] for a, b in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("The U.S. Department of Education said so. It did.", ["The U.S. Department of Education said so.", "It did."]),
        ("See 34 CFR 99.31(a)(1). Ask Dr. Lee.", ["See 34 CFR 99.31(a)(1).", "Ask Dr. Lee."]),
        ('He said "no." She left.', ['He said "no."', "She left."]),
        ("A fee of $5.50 applies", ["A fee of $5.50 applies"]),
        ("¿Puedo? Sí.", ["¿Puedo?", "Sí."]),
        ("e.g. this one. And that.", ["e.g. this one.", "And that."]),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@given(st.text(max_size=300))
def test_spans_are_ordered_inside_the_text_and_lose_no_word(text: str) -> None:
    spans = sentences(text)
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans))
    kept = "".join(c for a, b in spans for c in text[a:b] if c.isalnum())
    assert kept == "".join(c for c in text if c.isalnum())
