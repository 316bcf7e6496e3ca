"""Any reply becomes messages within every documented limit, whole, balanced, and unable to ping anyone."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings

from bot.adapters import markdown_tree as tree
from bot.adapters.slack import render, stream
from bot.adapters.slack.render import Post, frame_for
from bot.messages import Choice, Handling, Outcome, Reply
from tests.adapters.slack.house import answer, citation
from tests.adapters.slack.replies import replies
from tests.doubles.slack import characters, links, refusal, units, words

CALM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
LONG = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


def posts(reply: Reply, **changes: Any) -> tuple[Post, ...]:
    """The messages of a reply."""
    return render.posts(reply, frame_for(reply, "answer1", **changes))


def body_blocks(post: Post) -> list[dict[str, Any]]:
    """The blocks that carry the reply's words."""
    return [block for block in post.blocks if block["type"] in ("rich_text", "table")]


def check(reply: Reply) -> None:
    """Everything that must hold for any reply."""
    made = posts(reply, share=True)
    blocks = tree.parse(reply.markdown, {c.n for c in reply.citations})
    for post in made:
        assert refusal({"text": post.text, "blocks": list(post.blocks)}, text_limit=4_000) == ""
        assert characters(list(post.blocks)) <= 12_000
        assert post.text.strip()
        assert all(characters(block) <= 3_000 for block in body_blocks(post))
    sent = json.dumps([post.blocks for post in made], ensure_ascii=False) + "".join(post.text for post in made)
    # 16: nothing that Slack could take for a mention or broadcast leaves in one piece.
    assert not re.search(r"<[!@#]", re.sub(r'"value": "(\\.|[^"\\])*"', "", sent))
    # 14: every link in is a link out, in order, and no other.
    assert [url for post in made for url in links(body_blocks(post))] == list(tree.links(blocks))
    # Every word stands there, in order.
    shown = re.sub(r"\W", "", "".join(words(body_blocks(post)) for post in made))
    expected = re.sub(r"\W", "", "".join(_said(block) for block in blocks))
    assert shown.startswith(expected)


def _said(block: tree.Block) -> str:
    """A block's words without the marks of lists, whose numbers are not text in Slack."""
    match block:
        case tree.Items(_, items):
            return "".join(_said(part) for item in items for part in item)
        case tree.Quote(children):
            return "".join(tree.text([part]) for part in children)
        case tree.Paragraph(children) | tree.Heading(_, children):
            return _line(children)
        case tree.Table(rows):
            return "".join(_line(cell) for row in rows for cell in row)
    return tree.text([block])


def _line(children: tuple[tree.Inline, ...]) -> str:
    out = ""
    for part in children:
        match part:
            case tree.Link(_, inner):
                out += tree.plain(inner)
            case tree.Strong(inner) | tree.Emphasis(inner) | tree.Strike(inner):
                out += _line(inner)
            case _:
                out += tree.plain((part,))
    return out


@CALM
@given(replies())
def test_13_14_16_any_reply_is_within_every_limit_with_all_links_and_inert(reply: Reply) -> None:
    check(reply)


@LONG
@given(replies(long=True))
def test_13_long_replies_are_divided_within_every_limit(reply: Reply) -> None:
    check(reply)


def test_13_a_long_answer_is_divided_after_sentences_and_never_before_its_citation() -> None:
    text = "\n\n".join(f"Sentence number {n} of this long answer says something about schools. [1]" for n in range(400))
    made = posts(answer(text))
    assert len(made) > 1
    for post in made:
        said = words(body_blocks(post)).strip()
        assert said.startswith("Sentence number")
        assert said.endswith("[1]")
    assert sum(words(body_blocks(post)).count("[1]") for post in made) == 400
    assert [block["type"] for block in made[0].blocks][-1] == "rich_text"
    assert made[-1].blocks[-1]["type"] == "context_actions"


def test_one_paragraph_longer_than_a_block_is_cut_at_sentences() -> None:
    text = " ".join(f"This is sentence {n} and it has some words in it. [1]" for n in range(200))
    blocks = [block for post in posts(answer(text)) for block in body_blocks(post)]
    assert len(blocks) > 1
    for block in blocks:
        assert words(block).strip().endswith("[1]")
        assert words(block).strip().startswith("This is sentence")


def test_15_a_hostile_title_is_a_working_button() -> None:
    reply = answer(citations=(citation(title="COPPA |\n<!channel> <https://evil.example|rule> > & end"),))
    button = next(b for b in posts(reply)[0].blocks if b["type"] == "actions")["elements"][0]
    assert button["value"] == "open:answer1:1"
    assert "\n" not in button["text"]["text"]
    assert "<!" not in button["text"]["text"]
    assert button["accessibility_label"].startswith("Open quote 1 in its place: COPPA |")


def test_17_every_part_of_divided_code_is_a_block_of_its_own() -> None:
    made = posts(answer("```\n" + "\n".join(f"line {n} = value" for n in range(2_000)) + "\n```"))
    elements = [e for post in made for block in body_blocks(post) for e in block["elements"]]
    assert {e["type"] for e in elements} == {"rich_text_preformatted"}
    assert "".join(words(e) + "\n" for e in elements).split() == " ".join(f"line {n} = value" for n in range(2_000)).split()


def test_14_signs_of_other_formats_are_shown_as_they_are() -> None:
    reply = answer("Use \\<br\\> and &amp;quot; here, see <https://a.org/x_(y)?b=1&c=2> now.")
    post = posts(reply)[0]
    assert words(body_blocks(post)).startswith("Use <br> and &quot; here, see https://a.org/x_(y)?b=1&c=2 now.")
    assert links(list(post.blocks)) == ["https://a.org/x_(y)?b=1&c=2"]
    assert post.text.startswith("Use &lt;br&gt; and &amp;quot; here")


def test_choices_are_numbered_text_with_labelled_number_buttons() -> None:
    choices = (
        Choice("Our staff have no written plan yet for AI", "level:1"),
        Choice("A plan exists and is being tried", "level:2", "Level 2, Getting started"),
        Choice("Not sure", "level:0"),
    )
    reply = Reply(Outcome.CLARIFY, Handling.ANSWER, "Where do you stand?", "en", choices=choices)
    post = posts(reply)[0]
    buttons = next(b for b in post.blocks if b["type"] == "actions")["elements"]
    assert [b["text"]["text"] for b in buttons] == ["1", "2", "Not sure"]
    assert [b["value"] for b in buttons] == ["level:1", "level:2", "level:0"]
    assert buttons[0]["accessibility_label"] == "1: Our staff have no written plan yet for AI"
    listed = [e for e in post.blocks[0]["elements"] if e["type"] == "rich_text_list"]
    assert listed[0]["style"] == "ordered"
    assert "1. Our staff have no written plan yet for AI" in post.text
    assert "3. Not sure" in post.text


@pytest.mark.parametrize("cited", [False, True])
@pytest.mark.parametrize("label", ["", " ", "\x00", " \u202e\n"])
def test_a_choice_without_visible_words_is_a_button_with_its_number(label: str, cited: bool) -> None:
    reply = answer(citations=(citation(),) if cited else (), choices=(Choice("Yes", "yes"), Choice(label, "v")))
    check(reply)
    button = next(e for b in posts(reply)[-1].blocks for e in b["elements"] if e.get("action_id") == "signpost.choose.2")
    assert button["text"]["text"] == "2"
    assert button["accessibility_label"] == "2"
    described = answer(citations=reply.citations, choices=(Choice("Yes", "yes"), Choice(label, "v", "No, not yet")))
    button = next(e for b in posts(described)[-1].blocks for e in b["elements"] if e.get("action_id") == "signpost.choose.2")
    assert button["accessibility_label"] == "2: No, not yet"


def test_streamed_marks_stay_with_their_sentence_and_a_block_may_begin_with_a_quoted_one() -> None:
    blocks = tree.parse("First. [1] Second. [2]\n\n\\[1\\] quoted. [1] More. [2]", {1, 2})
    assert stream.steps(blocks) == (
        "First. \\[1\\] ",
        "Second. \\[2\\]\n\n",
        "\\[1\\] quoted. \\[1\\] ",
        "More. \\[2\\]",
    )


def test_suggestions_beside_citations_are_whole_buttons_since_a_typed_number_opens_a_quote_there() -> None:
    reply = answer(choices=(Choice("When must our website be accessible?", "When must our website be accessible?"),))
    post = posts(reply)[0]
    assert post.blocks[3]["elements"][0]["text"]["text"] == "When must our website be accessible?"
    assert "1." not in post.text.replace("[1]", "")


def test_a_fixed_text_is_neither_judged_nor_explained_and_a_person_stays_one_tap_away() -> None:
    reply = Reply(Outcome.ROUTED, Handling.CRISIS, "Call 988 now.", "en", fixed="crisis")
    kinds = [b["type"] for b in posts(reply)[0].blocks]
    assert kinds == ["rich_text", "actions"]
    assert [e["value"] for e in posts(reply)[0].blocks[1]["elements"]] == ["person"]


def test_feedback_buttons_name_the_answer_and_carry_labels() -> None:
    element = posts(answer())[0].blocks[-1]["elements"][0]
    assert element["type"] == "feedback_buttons"
    assert element["positive_button"]["value"] == "up:answer1"
    assert element["negative_button"]["value"] == "down:answer1"
    assert element["negative_button"]["accessibility_label"]


def test_a_second_table_becomes_lines_since_a_message_holds_one() -> None:
    table = "| a | b |\n| - | - |\n| 1 | 2 |"
    made = posts(answer(f"{table}\n\nthen\n\n{table}"))
    assert sum(b["type"] == "table" for b in made[0].blocks) == 1
    assert "a | b" in words(list(made[0].blocks))


@CALM
@given(replies())
def test_the_plain_form_says_the_same_within_the_limit(reply: Reply) -> None:
    made = render.without_blocks(reply, frame_for(reply, "answer1"))
    assert all(0 < units(post.text) <= 4_000 for post in made)
    assert not re.search(r"<[!@#]", "".join(post.text for post in made))


@CALM
@given(replies())
def test_streamed_steps_joined_are_the_text_and_carry_no_token(reply: Reply) -> None:
    blocks = tree.parse(reply.markdown, {c.n for c in reply.citations})
    steps = stream.steps(blocks)
    whole = "".join(steps)
    assert not re.search(r"<[!@#]", whole)
    again = tree.parse(whole, {c.n for c in reply.citations})
    assert re.sub(r"\W", "", "".join(map(_said, again))) == re.sub(r"\W", "", "".join(map(_said, blocks)))
    assert [unquote(url) for url in tree.links(again)] == [unquote(url) for url in tree.links(blocks)]
    # A mark stays with the words before it. Only a block may begin with one, as a quoted "[1]" does.
    later = [step for block in blocks for step in stream.steps((block,))[1:]]
    assert not any(re.match(r"\s*\\\[\d{1,3}\\\]", step) for step in later)
