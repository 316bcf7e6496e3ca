"""No link, image or tag leaves that is not the library's own, however it is written; everything else stays as it was."""

from __future__ import annotations

import html
import re
import string
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.assistant.compose import escape
from bot.guardrails.context import Context
from bot.guardrails.inspection import inspect
from bot.guardrails.links import stripped, vetted
from bot.messages import Citation, Handling, Outcome, Reply

LINKS = ("https://studentprivacy.ed.gov/", "https://example.gov/a.pdf")
CONTEXT = Context(links=LINKS)
INVISIBLE = "\u200b\u200d\u2060\ufeff\u00ad\u202e\U000e0061\u180e"
HOSTS = ("evil.example", "studentprivacy.ed.gov.evil.example", "ed.gov@evil.example", "xn--vil-yla.example", "еvil.example")
FRAMES = (
    "{url}",
    "<{url}>",
    "[the guidance]({url})",
    "[the guidance](<{url}> 'title')",
    "![chart]({url})",
    "[![chart]({url})](https://example.gov/a.pdf)",
    "[the guidance][1]\n\n[1]: {url}",
    "[1]: {url} 'x'",
    "> [quoted]({url})",
    "<a href='{url}'>x</a>",
    "<img src={url}>",
    "<img\nsrc='{url}'\nalt=x>",
    "**{url}**",
    "`{url}`",
    "({url})",
    '"{url}"',
    "| a | {url} |",
    "text{url}",
    "[a [b]({url}) c](https://example.gov/a.pdf)",
)


@st.composite
def tricks(draw: st.DrawFn) -> str:
    """A strange address in one of many writings."""
    host = draw(st.sampled_from(HOSTS))
    scheme = draw(st.sampled_from(["https://", "http://", "HTTPS://", "//", "www.", "ftp://", "https:\\\\", ""]))
    url = f"{scheme}{host}/{draw(st.text(string.ascii_letters + string.digits, max_size=6))}?q=data"
    if draw(st.booleans()):
        for _ in range(draw(st.integers(1, 4))):
            at = draw(st.integers(0, len(url)))
            url = url[:at] + draw(st.sampled_from(INVISIBLE)) + url[at:]
    way = draw(st.sampled_from(["plain", "entities", "wide", "escaped", "some entities"]))
    if way == "entities":
        url = "".join(f"&#{ord(c)};" for c in url)
    elif way == "some entities":
        url = url.replace(":", "&colon;").replace("/", "&#x2f;").replace(".", "&period;")
    elif way == "wide":
        url = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in url)
    elif way == "escaped":
        url = escape(url)
    return draw(st.sampled_from(FRAMES)).format(url=url)


STRANGE = re.compile(r"(?:[a-z]+:[\\/]{2}|\bwww\.)\S*vil|(?<!:)//\S*vil|vil\S*\.example[:/]", re.IGNORECASE)


def as_read(text: str) -> str:
    """What a generous client makes of a text: entities decoded, escapes undone, invisible characters out, plain forms."""
    seen = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", html.unescape(text))
    return re.sub(
        "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]",
        "",
        unicodedata.normalize("NFKC", seen),
    )


def targets(text: str) -> list[str]:
    """Every link, image and tag a Markdown parser finds."""
    found = []
    for block in MarkdownIt("commonmark", {"html": True}).parse(text):
        found += [block.content] if block.type == "html_block" else []
        for token in block.children or ():
            if token.type in ("link_open", "image"):
                found.append(str(token.attrGet("href") or token.attrGet("src") or ""))
            elif token.type == "html_inline":
                found.append(token.content)
    return found


@settings(max_examples=600, deadline=None)
@given(tricks(), st.sampled_from(["FERPA covers records. {}", "{}", "> A quote with {} in it.\n\nMore.", "a\n{}\nb"]))
def test_no_strange_address_leaves(trick: str, around: str) -> None:
    reply = Reply(Outcome.ANSWERED, Handling.ANSWER, around.format(trick), "en", notices=(trick,))
    shown = inspect(reply, CONTEXT).reply
    for text in (shown.markdown, *shown.notices):
        assert all(vetted(target, LINKS) for target in targets(text)), text
        assert not STRANGE.search(as_read(text)), text


@settings(max_examples=300, deadline=None)
@given(tricks())
def test_a_quote_with_a_strange_address_and_a_restatement_of_one_do_not_bring_it_out(trick: str) -> None:
    quote = f"Schools keep records. {trick} Ask the office."
    citation = Citation(1, "d", "d@1", "s", "p", "T", "P", LINKS[1], "2025", "2026", "Ann", "national", quote, 0, len(quote))
    reply = Reply(
        Outcome.ANSWERED, Handling.ANSWER, f"{escape(quote)} [1]\n\nIn plain words: {trick}", "en", (citation,), restatement=trick
    )
    shown = inspect(reply, CONTEXT).reply
    assert shown.restatement is None
    assert all(vetted(target, LINKS) for target in targets(shown.markdown)), shown.markdown
    assert not STRANGE.search(as_read(shown.markdown))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200).filter(lambda t: not re.search(r"[<\[!:/&\\]|\.\w", unicodedata.normalize("NFKC", t))))
def test_words_without_links_stay_as_they_were(text: str) -> None:
    kept, problems = stripped(escape(text), LINKS)
    assert kept == escape(text)
    assert not problems


@pytest.mark.parametrize(
    "text",
    [
        "See [the page](https://studentprivacy.ed.gov/ferpa?x=1#a) and <https://example.gov/a.pdf>.",
        "Zero\u200bwidth stays; e.g. and/or 3 < 4, A&amp;B, i.e. \\[1\\] \\<b\\> stay.",
        '> "Verbatim\u00ad quote", p. 4 [1]',
        "https://studentprivacy.ed.gov/, https://example.gov/a.pdf.",
        "Grades K-12/AP; 9:30 to 10:00; ratio 3:1; note: see below.",
    ],
)
def test_vetted_links_and_honest_marks_stay(text: str) -> None:
    assert stripped(text, LINKS) == (text, [])


@pytest.mark.parametrize(
    "url",
    [
        "https://studentprivacy.ed.gov@evil.example/",
        "https://studentprivacy.ed.gov\\@evil.example",
        "https://studentprivacy.ed.gov.evil.example/",
        "https://studentprivacy.еd.gov/",
        "https://studentprivacy.ed.gov\u200b.evil.example/",
        "javascript:https://studentprivacy.ed.gov/",
        "https://example.gov/a.pdf?leak=1",
        "https:/example.gov/a.pdf",
        "//studentprivacy.ed.gov/",
    ],
)
def test_near_addresses_are_strange_ones(url: str) -> None:
    assert not vetted(url, LINKS)


def test_a_link_in_a_held_notice_is_cut_too() -> None:
    reply = Reply(Outcome.ANSWERED, Handling.ANSWER, "Text.", "en", notices=("see www.evil.example/x",))
    assert inspect(replace(reply), CONTEXT).reply.notices == ("see ",)
