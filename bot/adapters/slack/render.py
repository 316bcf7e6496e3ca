"""Reply to Slack messages: pure, within every limit of ``limits``. Called by ``send``.

A reply is one message; a longer one is divided after sentences into several, each complete and balanced in itself. Buttons
stand on the last. The words are rich text, so nothing in a quote, a title or a question can mention, link or format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot import prompts
from bot.adapters import markdown_tree as tree
from bot.adapters.slack import actions, rich
from bot.adapters.slack.limits import (
    BLOCKS,
    BUTTON_LABEL,
    BUTTON_TEXT,
    BUTTON_VALUE,
    BUTTONS,
    TEXT,
    TOTAL,
    escape,
    fitting,
    shorten,
    weight,
)
from bot.knowledge.sentences import sentences
from bot.messages import Choice, Outcome, Reply

Json = dict[str, Any]

PERSON = "person"
"""The choice that reaches a person; it has a button of its own."""
SHORT_LABEL = 24
"""Longer labels of choices stand in the numbered text, and their buttons carry the number."""
BODY = TOTAL - 3_000
"""Characters of words in one message; the rest is for its buttons."""
BODY_BLOCKS = BLOCKS - 12


@dataclass(frozen=True)
class Post:
    """One message: ``text`` for notifications and screen readers, ``blocks`` for everyone else."""

    text: str
    blocks: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Frame:
    """What stands around the words: which answer it is, and which buttons make sense where it is shown."""

    answer: str = ""
    why: bool = False
    person: bool = True
    feedback: bool = True
    share: bool = False
    lead: str = ""


def frame_for(reply: Reply, answer: str, *, share: bool = False) -> Frame:
    """The buttons of a reply. A fixed text, such as that of a crisis, is not judged or explained; a question back is not."""
    answers = bool(reply.citations) or reply.outcome is Outcome.NOT_COVERED
    judged = bool(answer) and not reply.fixed and answers and reply.outcome is not Outcome.CLARIFY
    offered = any(choice.value == PERSON for choice in reply.choices)
    reached = (reply.fixed or "").startswith("handoff.")
    return Frame(
        answer=answer,
        why=judged,
        person=offered or judged or not (reply.choices or reached),
        feedback=judged,
        share=share and bool(reply.citations),
    )


def posts(reply: Reply, frame: Frame) -> tuple[Post, ...]:
    """The messages that say ``reply``, in order."""
    words = prompts.messages(reply.language)
    blocks = body(reply)
    tail = buttons(reply, frame, words)
    parts = _parts(rich.blocks(rich.pieces(blocks)), said(tail))
    lead = [section(frame.lead)] if frame.lead else []
    made = []
    for n, part in enumerate(parts, 1):
        head = lead if n == 1 else [note(words.door_continued.format(n=n, of=len(parts)))]
        more = tail if n == len(parts) else []
        text = "\n\n".join(filter(None, (frame.lead, tree.text(blocks)))) if n == 1 else _says(part)
        made.append(Post(spoken(text), tuple(head + part + more)))
    return tuple(made)


def body(reply: Reply) -> tuple[tree.Block, ...]:
    """The words of a reply, with a numbered list of its choices where the text does not already name them all."""
    blocks = tree.parse(reply.markdown, {c.n for c in reply.citations})
    listed = _listed(reply, tree.text(blocks))
    return (*blocks, listed) if listed else blocks


def _numbered(reply: Reply) -> list[tuple[int, Choice]]:
    """The choices with the numbers by which they can be typed, without the one that has a button of its own and boxes."""
    return [(n, choice) for n, choice in enumerate(reply.choices, 1) if choice.value != PERSON and not choice.box]


def _listed(reply: Reply, said: str) -> tree.Items | None:
    """The choices as numbered text. Beside citations there is none: there a typed number opens a quote, and the
    suggestions stand on their buttons in full."""

    def line(choice: Choice) -> str:
        label = tree.clean(" ".join(choice.label.split()))
        describes = tree.clean(" ".join(choice.describes.split()))
        return f"{label}: {describes}" if describes and label != describes else label

    choices = [choice for _, choice in _numbered(reply)]
    shown = " ".join(said.split())
    spoken_of = all(tree.clean(" ".join((c.describes or c.label).split())) in shown for c in choices)
    if not choices or reply.citations or spoken_of or all(_short(c) and not c.describes for c in choices):
        return None
    return tree.Items(1, tuple((tree.Paragraph((tree.Text(line(choice) or "-"),)),) for choice in choices))


def _short(choice: Choice) -> bool:
    label = tree.clean(choice.label).strip()
    return 0 < weight(label) <= SHORT_LABEL and "\n" not in label


def _parts(blocks: list[tuple[Json, int]], tail: int) -> list[list[Json]]:
    """Blocks in groups that each fit one message; the last leaves room for ``tail`` characters of buttons."""
    parts: list[list[Json]] = [[]]
    total = 0
    for block, heavy in blocks:
        if parts[-1] and (total + heavy > BODY or len(parts[-1]) >= BODY_BLOCKS):
            parts.append([])
            total = 0
        parts[-1].append(block)
        total += heavy
    if parts[-1] and total + tail > TOTAL - 500:
        parts.append([])
    return parts


def said(element: Any) -> int:
    """Characters of every text and address in blocks, at worst."""
    if isinstance(element, dict):
        own = sum(weight(element[key]) for key in ("text", "url", "alt_text") if isinstance(element.get(key), str))
        return own + sum(said(value) for value in element.values() if isinstance(value, (dict, list)))
    return sum(said(one) for one in element)


def _says(part: list[Json]) -> str:
    """The words of blocks, for the top-level text of a later part."""
    found: list[str] = []

    def walk(element: Any) -> None:
        if isinstance(element, list):
            for one in element:
                walk(one)
            return
        if element.get("type") == "link":
            found.append(element["text"] if element["text"] == element["url"] else f"{element['text']} ({element['url']})")
        elif isinstance(element.get("text"), str):
            found.append(element["text"])
        for key in ("elements", "rows"):
            walk(element.get(key, []))
        if str(element.get("type", "")).startswith("rich_text_"):
            found.append("\n")

    walk(part)
    return "".join(found).strip()


def spoken(text: str) -> str:
    """Top-level text: escaped, at most :data:`TEXT` characters, cut after a sentence where it must be cut."""
    text = text.strip() or "-"
    if weight(text) <= TEXT:
        return escape(text)
    room = fitting(text, TEXT - 1)
    ends = [end for _, end in sentences(text[:room]) if end < room]
    cut = ends[-1] if ends and ends[-1] > room // 2 else room
    return escape(text[:cut].rstrip() + "…")


def section(text: str) -> Json:
    """A short line of fixed words."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": escape(text), "verbatim": True}}


def note(text: str) -> Json:
    """A short line of fixed words, small."""
    return {"type": "context", "elements": [{"type": "plain_text", "text": text, "emoji": False}]}


def plain_text(text: str, most: int) -> Json:
    """A plain text object of at most ``most`` characters; never empty."""
    return {"type": "plain_text", "text": inert(shorten(tree.clean(text), most - 4)) or "-", "emoji": False}


def inert(text: str) -> str:
    """``text`` with mention and broadcast tokens broken by an invisible joiner, for fields that take bare strings."""
    return re.sub("<(?=[!@#])", "<\u2060", text)


def button(action: str, text: str, value: str, label: str = "", style: str = "") -> Json:
    """A button within its limits. ``label`` is what a screen reader says; one without visible words is left out, since
    Slack refuses the whole message for an empty one."""
    made: Json = {"type": "button", "action_id": action, "text": plain_text(text, BUTTON_TEXT), "value": value}
    says = inert(shorten(tree.clean(label), BUTTON_LABEL - 4))
    if says:
        made["accessibility_label"] = says
    if style:
        made["style"] = style
    return made


def buttons(reply: Reply, frame: Frame, words: prompts.Messages) -> list[Json]:
    """Choices, citations that open, and the ways on: why, a person, share, feedback."""
    quotes = [_quote(c.n, c.title, frame.answer, words) for c in reply.citations] if frame.answer else []
    ways = []
    if frame.why:
        ways.append(button(actions.WHY, words.door_why, f"why:{frame.answer}"))
    if frame.person:
        ways.append(button(actions.PERSON, words.door_person, PERSON))
    if frame.share:
        ways.append(button(actions.SHARE, words.door_share, f"share:{frame.answer}"))
    # What to ask next comes after the answer's own ways on; a question back is answered first.
    rows = [quotes, ways, _choices(reply)] if reply.citations else [_choices(reply), ways]
    blocks: list[Json] = []
    for row in rows:
        for begin in range(0, min(len(row), 4 * BUTTONS), BUTTONS):
            blocks.append({"type": "actions", "elements": row[begin : begin + BUTTONS]})
    if frame.feedback:
        blocks.append(_feedback(frame.answer, words))
    return blocks


def _quote(n: int, title: str, answer: str, words: prompts.Messages) -> Json:
    label = words.door_open_quote.format(n=n, title=title)
    return button(f"{actions.CITE}.{n}", f"[{n}] {shorten(tree.clean(title), 40)}", f"open:{answer}:{n}", label)


def _choices(reply: Reply) -> list[Json]:
    made = []
    for n, choice in _numbered(reply):
        label, describes = (tree.clean(words).strip() for words in (choice.label, choice.describes))
        # A label without visible words leaves the number, which can be read, heard and typed.
        whole = bool(label) and (bool(reply.citations) or _short(choice))
        text = label if whole else str(n)
        more = describes if describes != label else ""
        if not whole:
            more = more or label
        says = f"{text}: {more}" if more else text
        # The number means the same as the value, and always fits.
        value = choice.value if 0 < weight(choice.value) <= BUTTON_VALUE else str(n)
        made.append(button(f"{actions.CHOOSE}.{n}", text, value, says))
    return made


def _feedback(answer: str, words: prompts.Messages) -> Json:
    def one(text: str, label: str, value: str) -> Json:
        return {"text": plain_text(text, BUTTON_TEXT), "accessibility_label": shorten(label, BUTTON_LABEL), "value": value}

    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": actions.FEEDBACK,
                "positive_button": one(words.door_helpful, words.door_helpful_label, f"up:{answer}"),
                "negative_button": one(words.door_unhelpful, words.door_unhelpful_label, f"down:{answer}"),
            }
        ],
    }


def without_blocks(reply: Reply, frame: Frame) -> tuple[Post, ...]:
    """The same words as plain text alone, for when a workspace refuses the blocks."""
    text = "\n\n".join(filter(None, (frame.lead, tree.text(body(reply)))))
    parts = []
    while text:
        room = fitting(text, TEXT - 10)
        if room < len(text):
            ends = [end for _, end in sentences(text[:room]) if end < room]
            room = ends[-1] if ends and ends[-1] > room // 2 else room
        parts.append(Post(escape(text[:room].strip()) or "-"))
        text = text[room:].strip()
    return tuple(parts) or (Post("-"),)
