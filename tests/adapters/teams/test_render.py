"""Rendering: whatever a reply holds, the messages keep Teams' limits, all words and links, and are usable by everyone."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.adapters import markdown_tree as tree
from bot.adapters.teams import cards, limits, markdown
from bot.adapters.teams.render import first_words, render
from bot.knowledge.opening import Opened
from bot.messages import Choice, Handling, Outcome, Picture, Reply
from tests.adapters.teams.accessibility import problems
from tests.adapters.teams.conftest import answer, citation, plain
from tests.doubles.teams import TeamsDouble, utf16

HOSTILE = (
    "<at>Everyone</at>", "<script>alert(1)</script>", "**bold**", "*it*", "_u_", "`code`", "``a`b``", "~~gone~~",
    "[1]", "[2]", "[99]", "[link](https://example.org/a_(b)?x=1&y=2)", "<https://example.org/path_with_under>",
    "[x](javascript:alert(1))", "![pic](https://example.org/p.png)", "# heading", "- item", "1. one", "> quote",
    "```\ncode `x`\n```", "| a | b |\n|---|---|\n| c | d |", "&amp; &lt;at&gt;", "\\*escaped\\*",
    "{{DATE(2026-01-01T00:00:00Z)}}", "${expression}", "مرحبا بالعالم", "שלום",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\U0001f44d\U0001f3fd", "e\u0301", "\u202e evil", "\x00\x07",
    "a" * 700, "word " * 300, "Sentence one. Sentence two! Three? ", "***", "---", "===", "+ plus", "2) two", "@Signpost",
    "https://bare.example/x", "mailto:a@b.example", "[m](mailto:a@b.example)", "\t tab", "  \nbreak", "|", "~", "^",
)  # fmt: skip

pieces = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))
paragraphs = st.lists(pieces, min_size=1, max_size=6).map(" ".join)
texts = st.lists(paragraphs, min_size=1, max_size=6).map("\n\n".join)
short = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=120))
citations_of = st.lists(
    st.tuples(short, short, short, st.sampled_from(["local", "state", "national", "unheard_of"])), max_size=24
).map(
    lambda made: tuple(
        citation(n, title=t, publisher=p, quote=q or "q", level=level, url=u)
        for n, (t, p, q, level) in enumerate(made, 1)
        for u in [("https://example.org/d", "", "javascript:alert(1)", "https://e.org/" + "x" * 3000)[n % 4]]
    )
)
choices_of = st.lists(st.tuples(short, short, short), max_size=12).map(
    lambda made: tuple(Choice(label or "x", value or "x", says) for label, value, says in made)
)
replies = st.builds(
    Reply,
    outcome=st.sampled_from(list(Outcome)),
    handling=st.just(Handling.ANSWER),
    markdown=texts,
    language=st.sampled_from(["en", "es"]),
    citations=citations_of,
    choices=choices_of,
    fixed=st.sampled_from([None, "welcome"]),
    picture=st.sampled_from([None, Picture(b"png", "A bar: level 2 of 4")]),
)

SLOW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def shown(text: str) -> tuple[list[str], list[str]]:
    """The links and the words that a reader of a message's Markdown sees."""
    links: list[str] = []
    words: list[str] = []
    for token in MarkdownIt("commonmark", {"html": False}).enable("strikethrough").parse(text):
        if token.type in ("fence", "code_block"):
            words += token.content.split()
        line = ""
        for child in token.children or []:
            if child.type == "link_open":
                links.append(str(child.attrs["href"]))
            line += child.content if child.type in ("text", "code_inline", "text_special") else ""
            line += " " if child.type in ("softbreak", "hardbreak") else ""
        words += line.split()
    return links, words


def outside_code(text: str) -> str:
    """A message's Markdown without its code: a tag there is shown as it is, and without an entity it names nobody."""
    for token in MarkdownIt("commonmark", {"html": False}).parse(text):
        for part in (token, *(token.children or [])):
            if part.type in ("fence", "code_block", "code_inline"):
                for row in part.content.split("\n"):
                    text = text.replace(row, "", 1) if row else text
    return text


def meant(blocks: tuple[tree.Block, ...]) -> tuple[list[str], list[str]]:
    """The links and words of a tree, tables already made lists."""
    links = list(tree.links(blocks))
    words: list[str] = []

    def inline(part: tree.Inline) -> str:
        match part:
            case tree.Text(text) | tree.CodeSpan(text):
                return text
            case tree.Cite(n):
                return f"[{n}]"
            case tree.Break():
                return " "
            case _:
                return "".join(inline(child) for child in part.children)

    def walk(block: tree.Block) -> None:
        match block:
            case tree.Paragraph(children) | tree.Heading(_, children):
                words.extend("".join(inline(child) for child in children).split())
            case tree.Quote(children):
                for child in children:
                    walk(child)
            case tree.Items(_, items):
                for item in items:
                    for child in item:
                        walk(child)
            case tree.Code(text):
                words.extend(text.split())
            case tree.Table():
                listed = markdown.listed(block)
                links.extend([url for url in tree.links((listed,)) if url not in links])
                walk(listed)

    for block in blocks:
        walk(block)
    return links, words


def same(url: str) -> str:
    """An address without its ways of writing."""
    return unquote(url)


HUGE = {
    "one paragraph": "x\n\n" + "y" * 60_000 + " [1]",
    "joined emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 9_000,
    "quotation marks": '"' * 50_000,
    "one item": "- " + "word " * 20_000,
    "a quote": "> " + "word " * 20_000,
    "code": "```\n" + "code line\n" * 5_000 + "```",
    "a table": "| a | b |\n|---|---|\n" + "| cell | other |\n" * 3_000,
    "bold": "**" + "word " * 20_000 + "**",
    "a link": "[" + "word " * 20_000 + "](https://example.org/x)",
    "many links": "[a](https://example.org/x) " * 6_000,
    "many paragraphs": "word\n\n" * 9_000,
    "a million letters": "word " * 200_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_reply_is_split_within_every_limit_and_in_good_time(name: str) -> None:
    started = time.perf_counter()
    check(answer(HUGE[name]), personal=True)
    assert time.perf_counter() - started < 20


@SLOW
@pytest.mark.timeout(600)
@given(reply=replies, personal=st.booleans())
def test_any_reply_becomes_messages_within_every_limit(reply: Reply, personal: bool) -> None:
    check(reply, personal=personal)


def check(reply: Reply, *, personal: bool) -> None:
    """Every promise about the messages of a reply."""
    made = render(reply, "answer01", personal=personal, asker="29:ana")
    service = TeamsDouble.__new__(TeamsDouble)
    service.violations = []
    for activity in made:
        assert limits.payload_bytes(activity) <= limits.BUDGET
        assert utf16(activity) <= 100 * 1024
        assert service._unfit(activity) is None
        assert activity["text"].strip()
        assert activity["summary"].strip()
        for entity in activity.get("entities", []):
            assert entity["type"] == "https://schema.org/Message"
            for claim in entity.get("citation", []):
                assert f"[{claim['position']}]" in activity["text"]
        assert "<at" not in outside_code(activity["text"]).lower()
    assert service.violations == []


@SLOW
@given(source=texts, most=st.sampled_from([500, 1_500, 6_000, 36_000]))
@example(source="[a](https://example.org/a_(b)) **x [b](https://example.org/?a=1&copy=2) y**", most=500)
@example(source="1. one\n2. two\n   - three\n\n   > four", most=500)
def test_all_words_and_links_survive_rendering_and_splitting(source: str, most: int) -> None:
    blocks = tree.parse(source, {1, 2})
    links, words = meant(blocks)
    parts = markdown.parts(blocks, most, limits.text_bytes)
    out_links: list[str] = []
    out_words: list[str] = []
    for part in parts:
        some_links, some_words = shown(markdown.write(part))
        out_links += some_links
        out_words += some_words
    assert {same(url) for url in out_links} == {same(url) for url in links}
    assert not Counter(links) - Counter(dict.fromkeys(links, 10**6))
    # A word may be cut in two where a part ends; letters never go, come or move.
    assert "".join(out_words) == "".join("".join(words).split())


@SLOW
@given(source=texts, most=st.sampled_from([800, 2_000]))
def test_parts_keep_their_weight(source: str, most: int) -> None:
    blocks = tree.parse(source, set())
    for part in markdown.parts(blocks, most, limits.text_bytes):
        written = markdown.write(part)
        if not tree.links(part):
            assert limits.text_bytes(written) <= most * 1.25


@given(text=st.text(max_size=200))
@settings(max_examples=25, deadline=None)
def test_escaped_text_shows_as_exactly_these_characters(text: str) -> None:
    cleaned = " ".join(tree.clean(text).split())
    links, words = shown(markdown.line((tree.Text(cleaned),)))
    assert links == []
    assert " ".join(words) == " ".join(cleaned.split())


@pytest.mark.parametrize("count", [0, 1, 4, 5, 24])
@pytest.mark.parametrize("options", [0, 2, 6, 7, 40])
def test_every_card_is_usable_by_everyone(count: int, options: int) -> None:
    reply = answer(
        "x",
        citations=tuple(citation(n) for n in range(1, count + 1)),
        choices=tuple(Choice(f"Option {n}", f"v{n}", f"Option {n}, in words") for n in range(options)),
        picture=Picture(b"png", "A bar: level 2 of 4"),
    )
    card = cards.under(reply, "answer01", "29:ana")
    assert card is not None
    assert problems(card) == []
    chosen = cards.under(reply, "answer01", chosen="Option 1")
    assert chosen is not None
    assert problems(chosen) == []
    assert problems(cards.whole(reply, tree.parse("x"), "answer01")) == []
    assert problems(cards.unsure("es", "answer01")) == []


def test_a_card_says_all_of_itself_in_its_fallback() -> None:
    reply = answer(choices=(Choice("State", "s", "The state's rule"),), picture=Picture(b"png", "Level 2 of 4"))
    card = cards.under(reply, "answer01")
    assert card is not None
    for words in ("1. State The state's rule", "[1] FERPA and AI", "https://studentprivacy.ed.gov/ai", "Level 2 of 4"):
        assert words in card["fallbackText"]


def opened(**changes: Any) -> Opened:
    """A quote in its place."""
    base: dict[str, Any] = {
        "n": 1, "title": "FERPA", "publisher": "ED", "heading": "Disclosure", "page": 3, "before": "Before. ",
        "quote": "The quote.", "after": " After.", "published": "2025-07-22", "verified_on": "2026-10-01",
        "verified_by": "Rosa", "review_by": "2027-10-01", "url": "https://ed.gov/x", "sources": (),
        "state": "published", "version": "ferpa@1",
    }  # fmt: skip
    return Opened(**{**base, **changes})


def test_a_quote_is_shown_word_for_word_in_its_place() -> None:
    card = cards.quote(opened(quote="**not bold** <at>x</at>"), "answer01", "en")
    passage = next(e for e in card["body"] if any(r.get("highlight") for r in e.get("inlines", [])))
    assert "".join(run["text"] for run in passage["inlines"]) == "Before. **not bold** <at>x</at> After."
    assert [run["text"] for run in passage["inlines"] if run.get("highlight")] == ["**not bold** <at>x</at>"]
    assert problems(card) == []
    assert "2026-10-01 by Rosa" in card["fallbackText"]


@given(before=st.text(max_size=50), quote=st.text(min_size=1, max_size=50), url=short)
@settings(max_examples=25, deadline=None)
def test_a_quote_card_is_usable_whatever_it_quotes(before: str, quote: str, url: str) -> None:
    card = cards.quote(opened(before=before, quote=quote + "x", after="", url=url, published="", review_by=""), "answer01", "es")
    assert problems(card) == []


def test_the_check_of_cards_can_fail() -> None:
    bad = {
        "type": "AdaptiveCard",
        "version": "1.6",
        "body": [
            {"type": "Image", "url": "x"},
            {"type": "Input.Text", "id": "a", "isRequired": True},
            {"type": "TextBlock", "text": "x"},
            {"type": "ActionSet", "actions": [{"type": "Action.Execute", "title": " "}] * 7},
        ],
    }
    assert len(set(problems(bad))) == 8


def test_an_answer_without_a_card_offers_what_is_sent_as_it_reads() -> None:
    choices = (Choice("May I?", "May I?"), Choice("When?", "When?"))
    [activity] = render(plain("Ask me.", choices=choices), "a", personal=True)
    assert [action["value"] for action in activity["suggestedActions"]["actions"]] == ["May I?", "When?"]
    [in_group] = render(plain("Ask me.", choices=choices), "a", personal=False)
    assert "suggestedActions" not in in_group
    assert "attachments" in in_group
    coded = (Choice("State", "ask:state"),)
    [activity] = render(plain("Which?", choices=coded), "a", personal=True)
    assert "suggestedActions" not in activity


def test_a_quote_of_ones_own_organization_is_labelled_so() -> None:
    [activity] = render(answer(citations=(citation(level="local"),)), "a", personal=True)
    assert activity["entities"][0]["usageInfo"]["name"] == "From your organization"
    [activity] = render(answer(), "a", personal=True)
    assert "usageInfo" not in activity["entities"][0]


def test_fixed_texts_carry_no_label_of_ai_and_ask_for_no_verdict() -> None:
    [activity] = render(plain("Call 988."), "a", personal=True)
    assert "entities" not in activity
    assert "channelData" not in activity


def test_a_long_answer_is_cut_at_paragraphs_and_each_part_cites_its_own() -> None:
    text = "\n\n".join(f"Paragraph {n}. " + "word " * 2_000 + f"[{n}]" for n in range(1, 7))
    made = render(answer(text, citations=tuple(citation(n) for n in range(1, 7))), "a", personal=True)
    assert len(made) > 1
    for n, activity in enumerate(made, 1):
        assert [f"[{c['position']}]" in activity["text"] for c in activity["entities"][0]["citation"]]
        assert ("Continued" in activity["text"]) is (n > 1)
    assert "attachments" in made[-1]
    assert all("attachments" not in activity for activity in made[:-1])


def test_what_a_stream_shows_first_is_how_its_message_begins() -> None:
    reply = answer("First *words*. [1]\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nLast.")
    first = first_words(reply)
    assert first == "First *words*. [1]"
    assert render(reply, "a", personal=True)[0]["text"].startswith(first)
    assert first_words(answer("One only. [1]")) == ""


def test_tables_are_read_out_row_by_row() -> None:
    blocks = tree.parse("| Grade | Rule |\n|---|---|\n| 5 | Ask |\n| 6 | Tell |")
    assert markdown.write(blocks) == "- **Grade**: 5; **Rule**: Ask\n- **Grade**: 6; **Rule**: Tell"


def test_links_with_odd_characters_end_where_they_should() -> None:
    assert markdown.address("https://e.org/a_(b)?c=1&copy;=2") == "https://e.org/a_%28b%29?c=1&amp;copy;=2"
    assert re.fullmatch(r"\S+", markdown.address('https://e.org/a b"c<d>'))


def rows_of(*choices: Choice) -> list[list[str]]:
    """The labels of each row of buttons of a question with these choices."""
    card = cards.under(plain("Which?", outcome=Outcome.CLARIFY, choices=choices), "a1")
    assert card is not None
    assert problems(card) == []
    return [[button["title"] for button in e["actions"]] for e in card["body"] if e["type"] == "ActionSet"]


def test_levels_are_a_row_of_buttons_and_what_one_can_do_instead_is_the_next() -> None:
    levels = [Choice(str(n), f"level:{n}", f"{n}. Described in full") for n in range(1, 7)]
    steps = [Choice(word, word) for word in ("Back", "Skip", "Pause", "Stop")]
    assert rows_of(*levels, *steps) == [["1", "2", "3", "4", "5", "6"], ["Back", "Skip", "Pause", "Stop"]]
    assert rows_of(*levels[:2], *steps) == [["1", "2", "Back", "Skip", "Pause", "Stop"]]


@pytest.mark.parametrize(
    "choices",
    [
        [Choice(str(n), str(n), "Described") for n in range(7)],
        [Choice("1", "1", "Described"), *(Choice(f"Step {n}", str(n)) for n in range(7))],
        [Choice("1", "1", "Described"), *(Choice(f"A label that is much too long for a row, {n}", str(n)) for n in range(6))],
    ],
    ids=["seven levels", "seven steps", "long labels"],
)
def test_what_does_not_fit_into_rows_is_a_list_with_one_button(choices: list[Choice]) -> None:
    assert rows_of(*choices) == [["Send"]]
