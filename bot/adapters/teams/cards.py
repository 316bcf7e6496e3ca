"""Adaptive Cards 1.5 for this door: buttons under a reply, a quote in its place, a choice that was made. Pure.

Every card says all of itself in ``fallbackText``, every input has a label and an error message, every picture a text, and
untrusted words go into text runs, which know no markup. Verbs are what :mod:`bot.adapters.teams.app` understands.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

from bot import prompts
from bot.adapters.markdown_tree import Block, clean, text
from bot.adapters.teams import limits
from bot.knowledge.opening import Opened
from bot.messages import Choice, Citation, Outcome, Reply

OPEN, BACK, CHOOSE, STATE, SHOW = "signpost.open", "signpost.back", "signpost.choose", "signpost.state", "signpost.show"
PICKED, WRITTEN = "picked", "written"
"""Ids of the list's and the box's input, in the data of a pressed button."""
QUOTE_BUTTONS = 4

Card = dict[str, Any]
Element = dict[str, Any]


def attachment(card: Card) -> dict[str, Any]:
    """The card as an activity carries it."""
    return {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}


def under(reply: Reply, answer_id: str, asker: str = "", chosen: str = "") -> Card | None:
    """What can be done with a reply: its choices, its quotes, why, a person, and its picture. None when there is nothing.

    ``chosen`` is the label of the choice that was pressed: the choices are gone then, and the card says which it was."""
    words = prompts.messages(reply.language)
    choices = [choice for choice in reply.choices if not _beside(choice) and not choice.box]
    many = bool(choices) and not _rows(choices) and not chosen
    body: list[Element] = []
    if reply.picture is not None:
        body.append(_picture(reply.picture.png, reply.picture.alt))
    body += [element for choice in reply.choices if choice.box for element in _box(choice, answer_id, words)]
    if chosen:
        body.append(line(words.door_chosen.format(label=limits.shorten(chosen, 200))))
    elif choices:
        body += _choices(choices, answer_id, words, once=settles(reply))
    if reply.citations:
        body += [line(words.door_hint, subtle=True), *_quotes(reply.citations, answer_id, words, listed=not many)]
    if more := _more(reply, answer_id, words):
        body.append({"type": "ActionSet", "actions": more[: limits.BUTTONS]})
    if not body:
        return None
    card = made(body, _fallback(reply, words, chosen))
    if asker and choices and not chosen and settles(reply):
        # Teams asks again for this person's view when the message is shown, so a pressed card stays pressed.
        action = execute(words.door_choose, STATE, {"a": answer_id})
        card["refresh"] = {"action": action, "userIds": [asker]}
    return card


def quote(opened: Opened, answer_id: str, language: str) -> Card:
    """A quote in its place: the words around it, its dates and verifier, the official page, the way back."""
    words = prompts.messages(language)
    unknown = words.door_unknown_date
    dates = words.door_dates.format(
        published=opened.published or unknown,
        verified_on=opened.verified_on or unknown,
        verified_by=opened.verified_by or "-",
        review_by=opened.review_by or unknown,
    )
    before, after = clean(opened.before), clean(opened.after)
    passage = [run(before), run(opened.quote, highlight=True, weight="Bolder"), run(after)]
    heading = " › ".join(part for part in (opened.title, opened.heading) if part)
    actions = [execute(words.door_back, BACK, {"a": answer_id})]
    if url := limits.web(opened.url):
        actions.append({"type": "Action.OpenUrl", "title": words.door_official, "url": url})
    body = [
        title(words.door_quote_title),
        runs([run(heading, weight="Bolder")]),
        runs([piece for piece in passage if piece["text"]]),
        runs([run(" ".join(part for part in (opened.publisher, dates) if part), isSubtle=True)]),
        {"type": "ActionSet", "actions": actions},
    ]
    said = f"{words.door_quote_title}\n{heading}\n\n{before}{opened.quote}{after}\n\n{opened.publisher} {dates}\n{opened.url}"
    return made(body, said)


def whole(reply: Reply, blocks: Iterable[Block], answer_id: str) -> Card:
    """A reply's whole text in a card, with what can be done with it."""
    said = text(blocks)
    below = under(reply, answer_id)
    paragraphs = [runs([run(part)]) for part in said.split("\n\n") if part.strip()]
    return made([*paragraphs, *(below["body"] if below else [])], said)


def unsure(language: str, answer_id: str) -> Card:
    """The button under the note that an answer may not have arrived."""
    words = prompts.messages(language)
    button = execute(words.door_show_answer, SHOW, {"a": answer_id})
    return made([{"type": "ActionSet", "actions": [button]}], words.door_maybe_sent)


def notice(words: str) -> Card:
    """One sentence."""
    return made([line(words)], words)


def made(body: Sequence[Element], said: str) -> Card:
    """A card with its body and what it says in all."""
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "fallbackText": clean(said).strip()[:8_000] or "Signpost",
        "body": list(body),
    }


def title(words: str) -> Element:
    """A heading, named as such to screen readers. Fixed words only: this element reads markup."""
    return {"type": "TextBlock", "text": words, "style": "heading", "weight": "Bolder", "size": "Medium", "wrap": True}


def line(words: str, *, subtle: bool = False) -> Element:
    """A line of exactly these words."""
    return runs([run(words, isSubtle=True) if subtle else run(words)])


def runs(pieces: Sequence[Element]) -> Element:
    """A paragraph of text runs."""
    return {"type": "RichTextBlock", "inlines": list(pieces)}


def run(words: str, **style: object) -> Element:
    """Exactly these characters."""
    return {"type": "TextRun", "text": clean(words), **style}


def execute(label: str, verb: str, data: dict[str, Any], says: str = "") -> Element:
    """A button. ``says`` is what a screen reader adds to a short label; a label that had to be cut says itself in full."""
    title = limits.shorten(label, limits.BUTTON_TITLE) or "…"
    button = {"type": "Action.Execute", "title": title, "verb": verb, "data": data, "associatedInputs": "none"}
    says = says or (label if title.endswith("…") and not label.endswith("…") else "")
    return {**button, "tooltip": limits.shorten(says, 300)} if says else button


def settles(reply: Reply) -> bool:
    """Whether one choice ends the choosing, as in a question. What to ask next, under an answer, stays."""
    return reply.outcome is Outcome.CLARIFY


def _beside(choice: Choice) -> bool:
    """Whether a choice is about the reply (why, a person) and not an answer to it."""
    return choice.value.partition(":")[0] in ("why", "person")


def choice_data(answer_id: str, choice: Choice, *, once: bool) -> dict[str, Any]:
    """What a choice's button carries. ``once``: however often it is pressed, it is one act."""
    return {"a": answer_id, "v": choice.value, "l": choice.label, "once": once}


def _picture(png: bytes, alt: str) -> Element:
    if len(png) > limits.PICTURE_BYTES:
        return line(alt)
    url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return {"type": "Image", "url": url, "altText": " ".join(clean(alt).split())[:2_000], "size": "Stretch"}


def _choices(choices: Sequence[Choice], answer_id: str, words: prompts.Messages, *, once: bool) -> list[Element]:
    if rows := _rows(choices):
        return [{"type": "ActionSet", "actions": [_choose(choice, answer_id, once=once) for choice in row]} for row in rows]
    offered = choices[: limits.CHOICES]
    said = [limits.shorten(choice.describes, 200) or limits.shorten(choice.label, 200) for choice in offered]
    listed = [{"title": title or f"{n}.", "value": str(n)} for n, title in enumerate(said)]
    data = {"a": answer_id, "vs": [c.value for c in offered], "ls": [c.label for c in offered], "once": once}
    return _pick(PICKED, words.door_choose, listed, words, execute(words.door_send, CHOOSE, data))


def _choose(choice: Choice, answer_id: str, *, once: bool) -> Element:
    return execute(choice.label, CHOOSE, choice_data(answer_id, choice, once=once), choice.describes)


def _rows(choices: Sequence[Choice]) -> list[Sequence[Choice]]:
    """Choices as rows of buttons: one row where they fit; two where their labels are short, first those that stand for longer
    words (the levels of a question), then the rest (skip, pause); none where a list serves better."""
    if len(choices) <= limits.BUTTONS:
        return [choices]
    if any(limits.units(choice.label) > limits.SHORT for choice in choices):
        return []
    first = [choice for choice in choices if choice.describes]
    rest = [choice for choice in choices if not choice.describes]
    return [row for row in (first, rest) if row] if max(len(first), len(rest)) <= limits.BUTTONS else []


def _box(choice: Choice, answer_id: str, words: prompts.Messages) -> list[Element]:
    """A box to write in, and the button that sends what is written."""
    box = {
        "type": "Input.Text",
        "id": WRITTEN,
        "label": choice.box,
        "isMultiline": True,
        "maxLength": limits.WRITTEN,
        "isRequired": True,
        "errorMessage": words.door_write_first,
    }
    button = execute(choice.label, CHOOSE, {"a": answer_id, "v": choice.value, "box": True}, choice.describes)
    return [box, {"type": "ActionSet", "actions": [{**button, "associatedInputs": "auto"}]}]


def _quotes(citations: Sequence[Citation], answer_id: str, words: prompts.Messages, *, listed: bool) -> list[Element]:
    """A button a quote; a list where there are many. One list a card: a required input would hold up the other's button."""
    if len(citations) > QUOTE_BUTTONS and listed:
        titles = [{"title": limits.shorten(f"[{c.n}] {c.quote}", 120), "value": str(c.n)} for c in citations[: limits.CHOICES]]
        return _pick("n", words.door_pick_quote, titles, words, execute(words.door_open_one, OPEN, {"a": answer_id}))
    buttons = [
        execute(
            f"[{c.n}] {c.quote}",
            OPEN,
            {"a": answer_id, "n": c.n},
            words.door_open_quote.format(n=c.n, title=c.title),
        )
        for c in citations[:QUOTE_BUTTONS]
    ]
    return [{"type": "ActionSet", "actions": buttons}]


def _pick(name: str, label: str, listed: list[dict[str, str]], words: prompts.Messages, button: Element) -> list[Element]:
    chooser = {
        "type": "Input.ChoiceSet",
        "id": name,
        "label": label,
        "choices": listed,
        "style": "compact" if len(listed) > 8 else "expanded",
        "isRequired": True,
        "errorMessage": words.door_pick_missing,
    }
    return [chooser, {"type": "ActionSet", "actions": [{**button, "associatedInputs": "auto"}]}]


def _more(reply: Reply, answer_id: str, words: prompts.Messages) -> list[Element]:
    """What can be asked about a reply: those it names itself, and under a searched answer always why and a person."""
    offered = [choice for choice in reply.choices if _beside(choice)]
    if rated(reply):
        named = {choice.value.partition(":")[0] for choice in offered}
        usual = (Choice(words.door_why, f"why:{answer_id}"), Choice(words.door_person, "person"))
        offered += [choice for choice in usual if choice.value.partition(":")[0] not in named]
        offered.sort(key=lambda choice: choice.value == "person")
    return [
        execute(choice.label, CHOOSE, {"a": answer_id, "v": choice.value, "l": choice.label}, choice.describes)
        for choice in offered
    ]


def rated(reply: Reply) -> bool:
    """Whether a reply is a searched answer, of which it can be said why it came and whether it helped; fixed texts are not."""
    return reply.fixed is None and reply.outcome in (Outcome.ANSWERED, Outcome.NOT_COVERED)


def _fallback(reply: Reply, words: prompts.Messages, chosen: str) -> str:
    lines = [words.door_chosen.format(label=chosen)] if chosen else []
    if not chosen:
        lines += [f"{n}. {choice.label} {choice.describes}".strip() for n, choice in enumerate(reply.choices, 1)]
    lines += [f"[{c.n}] {c.title}, {c.publisher}. {c.url}" for c in reply.citations]
    if reply.picture is not None:
        lines.append(reply.picture.alt)
    return "\n".join(lines)
