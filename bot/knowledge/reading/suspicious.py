"""Finds text that speaks to an assistant rather than to a reader, for the reviewer to look at."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from bot.knowledge.blocks import Block, Finding

_PATTERNS = re.compile(
    r"(?:ignore|disregard|forget|override)\W+(?:\w+\W+){0,4}(?:instruction|prompt|rule|guideline|context)s?"
    r"|\b(?:you are|act as|pretend to be)\W+(?:now\W+)?(?:an?\W+)?(?:ai|assistant|chatbot|language model|dan)\b"
    r"|\b(?:system|developer) prompt\b|<\|[a-z_]+\|>|\[/?INST\]|^\s*(?:system|assistant)\s*:"
    r"|\b(?:ai|assistants?|chatbots?|language models?|llms?)\W+(?:must|should|reading this)\W+(?:\w+\W+){0,3}"
    r"(?:say|tell|answer|reply|respond|recommend|state|ignore)"
    r"|\b(?:do not|don't|never) (?:tell|reveal|mention)\W+(?:\w+\W+){0,3}(?:user|reader|anyone|instruction)",
    re.IGNORECASE | re.MULTILINE,
)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]{3,}")


def instruction_findings(blocks: Iterable[Block]) -> tuple[Finding, ...]:
    """A finding for every block that carries an instruction to an assistant or a run of invisible characters."""
    found: list[Finding] = []
    for number, block in enumerate(blocks, 1):
        where = f"page {block.page}" if block.page else f"block {number}"
        text = unicodedata.normalize("NFKC", block.text)
        match = _PATTERNS.search(text)
        if match:
            start = max(match.start() - 40, 0)
            found.append(Finding("instruction", where, text[start : match.end() + 80].strip()))
        if _INVISIBLE.search(block.text):
            found.append(Finding("hidden_text", where, "a run of invisible characters"))
    return tuple(found[:50])
