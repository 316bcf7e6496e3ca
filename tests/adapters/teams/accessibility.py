"""What makes an Adaptive Card usable by everyone, as a check: labels, error messages, fallbacks, alternative texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def problems(card: dict[str, Any]) -> list[str]:
    """Everything wrong with a card, in words; empty when it is fine. Sources: the Adaptive Cards schema 1.5 and the
    accessibility tips for cards (an input's question is its label, order follows the document, nothing by colour alone)."""
    found = []
    if card.get("type") != "AdaptiveCard" or card.get("version") != "1.5":
        found.append("not an Adaptive Card 1.5")
    if not str(card.get("fallbackText", "")).strip():
        found.append("no fallbackText")
    names = []
    for element in _walk(card):
        kind = str(element.get("type", ""))
        if kind == "Image" and not str(element.get("altText", "")).strip():
            found.append("a picture without altText")
        if kind.startswith("Input."):
            names.append(element.get("id"))
            if not str(element.get("label", "")).strip():
                found.append("an input without a label")
            if element.get("isRequired") and not element.get("errorMessage"):
                found.append("a required input without an error message")
            if any(not str(choice.get("title", "")).strip() for choice in element.get("choices", [])):
                found.append("a choice without words")
        if kind.startswith("Action.") and not str(element.get("title", "")).strip():
            found.append("a button without words")
        if kind == "ActionSet" and len(element["actions"]) > 6:
            found.append("more than six buttons in a row")
        if kind == "TextBlock" and not element.get("wrap"):
            found.append("text that is cut off")
        if kind in ("TextBlock", "TextRun") and not str(element.get("text", "")):
            found.append("an empty text")
        if kind == "Action.OpenUrl" and not element["url"].startswith(("https://", "http://")):
            found.append("a link that is not a web address")
    if len(set(names)) != len(names):
        found.append("two inputs of one name")
    return found


def _walk(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)
