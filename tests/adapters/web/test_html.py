"""What reaches the page: every character escaped, every link a real one, every quote marked where it stands."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.markdown_tree import parse
from bot.adapters.web import view
from bot.adapters.web.html import html
from bot.messages import Answered, Choice, Citation, Handling, Outcome, Receipt, Reply

TAGS = set("p h3 h4 h5 h6 blockquote ul ol li pre code div table thead tbody tr th td hr br strong em s a span mark".split())
HOSTILE = st.sampled_from(
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](https://evil.example/a)b",
        "![i](https://evil.example/p.png)",
        "<img src=x onerror=alert(1)>",
        "[1]",
        "**b** _i_ `c`",
        "| a | b |\n|---|---|\n| <b> | [1] |",
        "> quote\n> [2]",
        '" onmouseover="x',
        "&lt;b&gt;",
        "- [1] State: title\n- [2] State: other",
    ]
)
MARKDOWN = st.lists(HOSTILE | st.text(max_size=20), max_size=8).map("\n\n".join)


def shown(markdown: str) -> BeautifulSoup:
    made = html(parse(markdown, frozenset({1, 2})), lambda n: f'<a class="cite" href="/?open=a.{n}">{n}</a>', "new tab")
    return BeautifulSoup("".join(made), "html.parser")


@settings(deadline=None)
@given(MARKDOWN)
def test_no_text_makes_markup_of_its_own(markdown: str) -> None:
    soup = shown(markdown)
    assert {tag.name for tag in soup.find_all()} <= TAGS
    for tag in soup.find_all():
        assert not any(name.startswith("on") or name in ("style", "src") for name in tag.attrs)
        href = str(tag.get("href", "/"))
        assert href.startswith(("/?open=", "http://", "https://", "mailto:", "tel:")) or href == "/"


def test_a_link_names_its_host_and_what_is_no_link_stays_text() -> None:
    soup = shown("[official page](https://evil.example/x) and [run](javascript:x) and <https://ed.gov/a>")
    assert [a["href"] for a in soup.find_all("a")] == ["https://evil.example/x", "https://ed.gov/a"]
    assert "(evil.example)" in soup.get_text()
    assert "(ed.gov)" not in soup.get_text()


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co")) | st.just("\n"), max_size=80)


@settings(deadline=None)
@given(before=PLAIN, quote=PLAIN, after=PLAIN)
def test_the_marked_words_are_the_quote_and_the_rest_is_the_passage(before: str, quote: str, after: str) -> None:
    soup = BeautifulSoup(str(view.marked(before, quote, after)), "html.parser")
    bare = re.compile(r"\s+")
    assert bare.sub("", "".join(mark.get_text() for mark in soup.find_all("mark"))) == bare.sub("", quote)
    assert bare.sub("", soup.get_text()) == bare.sub("", before + quote + after)


def citation(n: int, **changes: object) -> Citation:
    known = {
        "document": "d",
        "version": "d@1",
        "section": "s",
        "passage": "p",
        "title": "A <b>title</b>",
        "publisher": "P",
        "url": "https://ed.gov/x",
        "published": "2025",
        "verified_on": "2026-01-02",
        "verified_by": "Ben",
        "level": "state",
        "quote": "q",
        "start": 0,
        "end": 1,
        **changes,
    }
    return Citation(n, **known)  # type: ignore[arg-type]


def test_the_texts_own_list_of_sources_gives_way_to_cards_and_other_lists_stay() -> None:
    text = "First. [1]\n\nSecond. [2]\n\n- keep me\n\n- [1][2] State: A title, P (2025). Verified. <https://ed.gov/x>"
    reply = Reply(Outcome.ANSWERED, Handling.ANSWER, text, "en", (citation(1), citation(2)), (Choice("l", "v"),))
    made = view.reply(Answered(reply, Receipt("abc", {"base": 1}, None, "v", {})), 3, "en")
    page = "".join(made.parts)
    assert "keep me" in page
    assert "Verified" not in page
    assert page.count('class="cite"') == 2
    assert [source.numbers for source in made.sources] == [(1, 2)]
    assert made.verdict


def test_an_address_that_is_no_web_address_is_not_linked() -> None:
    found = view.sources((citation(1, url="javascript:alert(1)"),), *words())
    assert found[0].url == ""


def words() -> tuple:  # type: ignore[type-arg]
    from bot import prompts

    return prompts.messages("en"), prompts.web_words("en")
