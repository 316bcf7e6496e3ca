import pytest

from bot.errors import FormatError
from bot.knowledge.document import parse_front_matter

GOOD = """---
id: a-page
title: A page
publisher: Someone
jurisdiction: Ohio
kind: guidance
published: 2026-01
sections:
- id: one
  questions:
  - fact: 1
    en: [What is one]
---

# A page

## One {#one}

One is one.[^1]

[^1]: section 1 <https://example.org/one> (official)
"""


def test_a_good_document_is_read_with_its_sources() -> None:
    front, body = parse_front_matter(GOOD, where="a.md")
    assert front.level == "state"
    assert front.sources[1].url == "https://example.org/one"
    assert "[^1]:" not in body


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("kind: guidance", "kind: rumour", 6, "kind"),
        ("published: 2026-01", "published: soon", 7, "published"),
        ("- id: one", "- id: One Two", 9, "sections.0.id"),
        ("title: A page", "title: ''", 3, "title"),
        ("publisher: Someone", "publisher: Someone\ncolour: red", 5, "colour"),
        ("kind: guidance", "kind: [guidance", 7, "YAML"),
        ("(official)", "(hearsay)", 21, "source note"),
    ],
)
def test_an_error_names_the_file_and_the_line(old: str, new: str, line: int, says: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_front_matter(GOOD.replace(old, new), where="a.md")
    assert caught.value.where == f"a.md:{line}"
    assert says in caught.value.message
