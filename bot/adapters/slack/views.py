"""Slack's windows: a quote in its place, why an answer came out so, feedback, channel settings, App Home. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot import prompts
from bot.adapters import markdown_tree as tree
from bot.adapters.slack import actions, rich
from bot.adapters.slack.channels import ANSWERS, MODES, Channel
from bot.adapters.slack.limits import (
    BUTTON_URL,
    BUTTONS,
    HEADER,
    OPTION_TEXT,
    SECTION,
    TOTAL,
    VIEW_BLOCKS,
    VIEW_TITLE,
    fitting,
    weight,
)
from bot.adapters.slack.render import button, note, plain_text, said, section
from bot.knowledge.opening import Opened
from bot.messages import Choice, Reply
from bot.store.conversations import REASONS

Json = dict[str, Any]

AROUND = 3_000
"""Characters of the passage shown before, and after, a quote."""
FACTS = 1_500
"""Characters of dates, verifier and sources under a quote."""
LANGUAGES = {"en": "English", "es": "Español"}


def modal(title: str, blocks: list[Json], words: prompts.Messages, **more: Any) -> Json:
    """A window."""
    return {
        "type": "modal",
        "title": plain_text(title, VIEW_TITLE + 4),
        "close": plain_text(words.door_close, VIEW_TITLE + 4),
        "blocks": blocks[:VIEW_BLOCKS],
        **more,
    }


def header(text: str) -> Json:
    """A heading."""
    return {"type": "header", "text": plain_text(text, HEADER)}


def _rich(*lines: rich.Line) -> list[Json]:
    """Lines of exact text as blocks, each within its limit."""
    pieces = [piece for line in lines for piece in (rich.text_piece("section", part) for part in rich.split(line))]
    return [block for block, _ in rich.blocks(pieces)]


def quote(opened: Opened, words: prompts.Messages) -> Json:
    """A citation opened: the exact words marked inside their passage, then dates, verifier and the official page."""
    before, after = tree.clean(opened.before), tree.clean(opened.after)
    if weight(before) > AROUND:
        before = "…" + before[-fitting(before[::-1], AROUND) :]
    if weight(after) > AROUND:
        after = after[: fitting(after, AROUND)] + "…"
    room = TOTAL - 2 * AROUND - FACTS - rich.LONGEST_URL - 500
    words_quoted = tree.clean(opened.quote)
    passage = (
        rich.Leaf(before),
        rich.Leaf(words_quoted[: fitting(words_quoted, room)], style=frozenset({"bold"})),
        rich.Leaf(after),
    )
    place = ", ".join(filter(None, (opened.heading, words.door_page.format(page=opened.page) if opened.page else "")))
    blocks = [header(opened.title)]
    if place:
        blocks.append(note_line(place))
    blocks += _rich(tuple(leaf for leaf in passage if leaf.text))
    blocks.append({"type": "divider"})
    blocks += _rich(_facts(opened, words))
    if _web(opened.url):
        blocks += _rich((rich.Leaf(opened.url, opened.url),))
        blocks.append({"type": "actions", "elements": [{**button(actions.LINK, words.door_official, "open"), "url": opened.url}]})
    return modal(words.door_quote_title, blocks, words)


def _facts(opened: Opened, words: prompts.Messages) -> rich.Line:
    """Publisher, dates, verifier, whether it is in force, and where the facts come from."""
    dates = words.door_dates.format(
        published=opened.published or words.door_unknown_date,
        verified_on=opened.verified_on or words.door_unknown_date,
        verified_by=opened.verified_by or "-",
        review_by=opened.review_by or words.door_unknown_date,
    )
    facts = [rich.Leaf(f"{tree.clean(opened.publisher)}. {dates}")]
    if opened.state != "published":
        facts.append(rich.Leaf(f"\n{words.door_not_in_force.format(state=opened.state)}", style=frozenset({"bold"})))
    for source in opened.sources:
        line = [rich.Leaf(f"\n{words.door_source.format(locator=tree.clean(source.locator)[:300])} ")]
        if _web(source.url):
            line.append(rich.Leaf(source.url, source.url))
        if sum(leaf.weight for leaf in facts + line) > FACTS:
            break
        facts += line
    return tuple(facts)


def _web(url: str) -> bool:
    return url.startswith(("https://", "http://")) and len(url) <= min(BUTTON_URL, rich.LONGEST_URL)


def note_line(text: str) -> Json:
    """A small line of exact text, shortened to a section's limit."""
    return note(tree.clean(text)[: fitting(text, SECTION // 10)])


def reply(title: str, given: Reply, words: prompts.Messages) -> Json:
    """A reply's words in a window, as far as they fit."""
    blocks: list[Json] = []
    total = 0
    for block, heavy in rich.blocks(rich.pieces(tree.parse(given.markdown, {c.n for c in given.citations}))):
        total += heavy
        if total > TOTAL - 500 or len(blocks) >= VIEW_BLOCKS - 5:
            break
        blocks.append(block)
    return modal(title, blocks or [section("-")], words)


def message(title: str, text: str, words: prompts.Messages) -> Json:
    """A window with one fixed line."""
    return modal(title, [section(text)], words)


def _option(text: str, value: str) -> Json:
    return {"text": plain_text(text, OPTION_TEXT), "value": value}


def _radio(block: str, label: str, options: list[Json], chosen: str | None, hint: str = "") -> Json:
    """Radio buttons with a real label, so that a screen reader says the question with the choices."""
    element: Json = {"type": "radio_buttons", "action_id": block, "options": options}
    initial = next((option for option in options if option["value"] == chosen), None)
    if initial:
        element["initial_option"] = initial
    made: Json = {"type": "input", "block_id": block, "label": plain_text(label, 2_000), "element": element}
    if hint:
        made["hint"] = plain_text(hint, 2_000)
    return made


def feedback(answer: str, words: prompts.Messages) -> Json:
    """The reasons for a thumbs down. There is no free text, so nothing about a student can be written into it."""
    options = [_option(getattr(words, f"door_reason_{reason}"), reason) for reason in REASONS]
    blocks = [_radio("reason", words.door_feedback_question, options, None, words.door_feedback_note)]
    return modal(
        words.door_unhelpful,
        blocks,
        words,
        callback_id=actions.FEEDBACK_FORM,
        private_metadata=json.dumps({"answer": answer}),
        submit=plain_text(words.door_send, VIEW_TITLE + 4),
    )


def settings(team: str, channel: str, now: Channel, local: bool, words: prompts.Messages) -> Json:
    """The settings of a channel. ``local``: the workspace has documents of its own to leave out."""
    modes = [_option(getattr(words, f"door_mode_{mode}"), mode) for mode in MODES]
    answers = [_option(getattr(words, f"door_answers_{who}"), who) for who in ANSWERS]
    blocks = [
        _radio("mode", words.door_settings_mode, modes, now.mode),
        _radio("answers", words.door_settings_answers, answers, now.answers),
    ]
    if local:
        libraries = [_option(words.door_libraries_all, "all"), _option(words.door_libraries_shared, "shared")]
        blocks.append(_radio("libraries", words.door_settings_libraries, libraries, "shared" if now.shared_only else "all"))
    return modal(
        words.door_settings_title,
        blocks,
        words,
        callback_id=actions.SETTINGS_FORM,
        private_metadata=json.dumps({"team": team, "channel": channel}),
        submit=plain_text(words.door_settings_save, VIEW_TITLE + 4),
    )


def chosen(state: Json, block: str) -> str:
    """What was chosen in a form's radio buttons; empty for nothing."""
    element = ((state.get("values") or {}).get(block) or {}).get(block) or {}
    value = (element.get("selected_option") or {}).get("value")
    return value if isinstance(value, str) else ""


def read_settings(state: Json) -> Channel:
    """The settings a form holds; anything unknown counts as the careful choice."""
    mode, answers = chosen(state, "mode"), chosen(state, "answers")
    return Channel(
        mode=next((m for m in MODES if m == mode), "mentions"),
        answers=next((a for a in ANSWERS if a == answers), "private"),
        shared_only=chosen(state, "libraries") == "shared",
    )


@dataclass(frozen=True)
class Recent:
    """An earlier question (redacted, as it is kept) and its answer."""

    question: str
    answer: str
    citations: int


def home(recent: list[Recent], own: tuple[Choice, ...], language: str | None, words: prompts.Messages) -> Json:
    """App Home: what this is, what is kept, your checks and lessons, recent answers, language, your data."""
    blocks = [header("Signpost"), section(words.door_home_what), section(words.door_privacy_first)]
    if own:
        row = [button(f"{actions.HOME}.{n}", c.label, c.value, c.describes) for n, c in enumerate(own[:BUTTONS])]
        blocks += [header(words.door_home_own_title), {"type": "actions", "elements": row}]
    blocks.append(header(words.door_home_recent_title))
    for item in recent:
        text = tree.clean(" ".join(item.question.split()))
        blocks += _rich((rich.Leaf(text[: fitting(text, 300)] or "-"),))
        row = [
            button(f"{actions.CITE}.{n}", f"[{n}]", f"open:{item.answer}:{n}", words.door_open_quote.format(n=n, title=text))
            for n in range(1, min(item.citations, 4) + 1)
        ]
        blocks.append({"type": "actions", "elements": [*row, button(actions.WHY, words.door_why, f"why:{item.answer}")]})
    if not recent:
        blocks.append(section(words.door_home_recent_none))
    blocks += [*_language(language, words), *_data(words)]
    blocks += [header(words.door_home_admin_title), section(words.door_home_admin)]
    return {"type": "home", "blocks": blocks[:VIEW_BLOCKS]}


def _language(language: str | None, words: prompts.Messages) -> list[Json]:
    options = [_option(words.door_home_language_auto, "auto"), *(_option(name, key) for key, name in LANGUAGES.items())]
    select = {
        "type": "static_select",
        "action_id": actions.LANGUAGE,
        "options": options,
        "initial_option": next((o for o in options if o["value"] == language), options[0]),
    }
    return [
        header(words.door_home_language_title),
        {**section(words.door_home_language), "accessory": select},
    ]


def _data(words: prompts.Messages) -> list[Json]:
    forget = button(actions.FORGET, words.door_home_forget, "forget:yes", words.door_home_forget, "danger")
    forget["confirm"] = {
        "title": plain_text(words.door_home_forget, 100),
        "text": plain_text(words.door_home_forget_sure, 300),
        "confirm": plain_text(words.door_home_forget_yes, 30),
        "deny": plain_text(words.door_home_forget_no, 30),
        "style": "danger",
    }
    privacy = button(f"{actions.HOME}.privacy", words.door_home_privacy, "privacy")
    return [
        header(words.door_home_stores_title),
        section(words.door_home_stores),
        {"type": "actions", "elements": [privacy, forget]},
    ]


def size(view: Json) -> int:
    """Characters of a view at worst."""
    return said(view["blocks"])
