"""Reply to activities: text with citations and labels, and a card with what can be done. Pure; called by ``send``.

Facts of the platform are in :mod:`bot.adapters.teams.limits`; the shapes of labels and citations follow Teams' page
"AI-generated content": one root entity ``https://schema.org/Message`` a message, numbers equal to ``[n]`` in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot import prompts
from bot.adapters.markdown_tree import Block, Emphasis, Paragraph, Text, marks, parse, text
from bot.adapters.teams import cards, limits, markdown
from bot.messages import Choice, Citation, Reply

Activity = dict[str, Any]

TEXT_BYTES = 36_000
"""Bytes of a part's text as UTF-16: less than half the budget, since citations and a card come with it."""
LEAST_TEXT_BYTES = 1_000


def render(reply: Reply, answer_id: str, *, personal: bool, asker: str = "", budget: int = limits.BUDGET) -> list[Activity]:
    """The messages that say ``reply``, in order, each within ``budget`` bytes. ``asker`` is who may press its choices.

    ``personal`` is a chat of one: only there are suggestions shown as such."""
    blocks = parse(reply.markdown, {citation.n for citation in reply.citations})
    most = min(TEXT_BYTES, budget // 2)
    while True:
        made = _messages(reply, blocks, answer_id, personal=personal, asker=asker, most=most)
        if most <= LEAST_TEXT_BYTES or all(limits.payload_bytes(activity) <= budget for activity in made):
            return made
        most //= 2


def _messages(reply: Reply, blocks: Sequence[Block], answer_id: str, *, personal: bool, asker: str, most: int) -> list[Activity]:
    words = prompts.messages(reply.language)
    runs = markdown.parts(blocks, most, limits.text_bytes)
    made = []
    for number, run in enumerate(runs, 1):
        if number > 1:
            said = words.door_continued.format(n=number, of=len(runs))
            run = (Paragraph((Emphasis((Text(said),)),)), *run)
        made.append(_message(reply, run, words))
    last = made[-1]
    if suggested := _suggested(reply, personal=personal):
        last["suggestedActions"] = suggested
    elif card := cards.under(reply, answer_id, asker):
        last["attachments"] = [cards.attachment(card)]
    if cards.rated(reply):
        last["channelData"] = {"feedbackLoop": {"type": "default"}}
    return made


def _message(reply: Reply, blocks: Sequence[Block], words: prompts.Messages) -> Activity:
    activity: Activity = {
        "type": "message",
        "textFormat": "markdown",
        "text": markdown.write(blocks) or "…",
        "summary": limits.shorten(text(blocks), limits.SUMMARY) or "Signpost",
        "locale": reply.language,
    }
    if entity := _entity(reply, blocks, words):
        activity["entities"] = [entity]
    return activity


def first_words(reply: Reply) -> str:
    """The beginning of a reply's Markdown that its first message also begins with, for a stream; "" where it is short."""
    blocks = parse(reply.markdown, {citation.n for citation in reply.citations})
    first = markdown.parts(blocks, TEXT_BYTES, limits.text_bytes)[0]
    return markdown.write(first[:1]) if len(first) > 1 else ""


def _entity(reply: Reply, blocks: Sequence[Block], words: prompts.Messages) -> dict[str, Any] | None:
    """The one root entity: who made the text, what it cites, how it may be shared."""
    by_number = {citation.n: citation for citation in reply.citations}
    shown = [by_number[n] for n in dict.fromkeys(marks(blocks)) if n in by_number][: limits.CITATIONS]
    entity: dict[str, Any] = {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
        "@id": "",
    }
    if reply.fixed is None:
        entity["additionalType"] = ["AIGeneratedContent"]
    if shown:
        entity["citation"] = [_claim(citation, words) for citation in shown]
    if any(citation.level == "local" for citation in shown):
        entity["usageInfo"] = {
            "type": "https://schema.org/Message",
            "@type": "CreativeWork",
            "name": words.door_own_document,
            "description": words.door_own_document_about,
        }
    return entity if reply.fixed is None or shown else None


def _claim(citation: Citation, words: prompts.Messages) -> dict[str, Any]:
    source = ", ".join(part for part in (citation.title, citation.publisher) if part)
    level = getattr(words, citation.level, "")
    keywords = [limits.shorten(word, limits.KEYWORD) for word in (level, citation.published) if word]
    appearance: dict[str, Any] = {
        "@type": "DigitalDocument",
        "name": limits.shorten(source, limits.NAME) or citation.document or f"[{citation.n}]",
        "abstract": limits.shorten(citation.quote, limits.ABSTRACT) or f"[{citation.n}]",
    }
    if url := limits.web(citation.url):
        appearance["url"] = url
    if keywords:
        appearance["keywords"] = keywords[: limits.KEYWORDS]
    return {"@type": "Claim", "position": citation.n, "appearance": appearance}


def _suggested(reply: Reply, *, personal: bool) -> dict[str, Any] | None:
    """Suggestions above the box, for a few choices that are sent as they read. Teams shows three, in personal chats, and none
    beside a card."""
    if not personal or not reply.choices or len(reply.choices) > limits.SUGGESTED:
        return None
    if reply.citations or reply.picture is not None or any(choice.value != choice.label for choice in reply.choices):
        return None
    return suggestions(reply.choices)


def suggestions(choices: Sequence[Choice]) -> dict[str, Any]:
    """Suggested actions that send their own words."""
    actions = [
        {"type": "imBack", "title": limits.shorten(choice.label, limits.SUGGESTION), "value": choice.label}
        for choice in choices[: limits.SUGGESTED]
    ]
    return {"to": [], "actions": actions}
