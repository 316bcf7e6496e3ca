"""Slack's documented limits, with a margin where the platform's own count is not known. Lengths are counted as Slack is
most likely to count at worst: UTF-16 units of the escaped text.

Sources: docs.slack.dev/reference/block-kit (blocks, elements, views), docs.slack.dev/reference/methods/chat.postMessage and
chat.update, and slack-sdk's validators; the sum over blocks is undocumented (bolt-js issue 2509 saw 13,200).
"""

from __future__ import annotations

import re
import unicodedata

BLOCKS = 50
VIEW_BLOCKS = 100
TOTAL = 12_000
"""Characters over all blocks of one message."""
SECTION = 3_000
"""Characters of one section; kept for every block of rich text too."""
HEADER = 150
TEXT = 4_000
"""Top-level text: chat.update refuses more, chat.postMessage recommends no more."""
MARKDOWN = 12_000
BUTTON_TEXT = 75
BUTTON_LABEL = 75
BUTTON_VALUE = 2_000
BUTTON_URL = 3_000
BUTTONS = 25
"""Elements of one actions block."""
ALT = 2_000
OPTION_TEXT = 75
TABLE_ROWS = 100
TABLE_CELLS = 20
VIEW_TITLE = 24
VIEW_METADATA = 3_000
PROMPTS = 4
EVENT_AGE = 300
"""Seconds a signed request stays acceptable (docs.slack.dev/authentication/verifying-requests-from-slack)."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape(text: str) -> str:
    """Text that Slack shows as exactly these characters in its message format: only ``& < >`` are special there."""
    return re.sub("[&<>]", lambda match: _ENTITIES[match[0]], text)


def weight(text: str) -> int:
    """The length of ``text`` at worst: UTF-16 units after escaping."""
    extra = sum(1 for character in text if ord(character) > 0xFFFF)
    return len(text) + extra + 4 * text.count("&") + 3 * text.count("<") + 3 * text.count(">")


def _joins(character: str) -> bool:
    """Whether a character belongs to the one before it (accents, joiners, variation selectors, skin tones)."""
    return (
        unicodedata.combining(character) != 0
        or character in "\u200c\u200d\ufe0e\ufe0f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or unicodedata.category(character) in ("Mn", "Me", "Mc")
    )


def fitting(text: str, most: int) -> int:
    """How many characters of ``text`` fit in ``most``, without cutting a character from what modifies it."""
    total = 0
    for position, character in enumerate(text):
        total += weight(character)
        if total > most:
            while position > 1 and (_joins(text[position]) or text[position - 1] == "\u200d"):
                position -= 1
            return max(position, 1)
    return len(text)


def shorten(text: str, most: int) -> str:
    """``text`` on one line, cut at a word with an ellipsis where it does not fit in ``most``."""
    line = " ".join(text.split())
    if weight(line) <= most:
        return line
    cut = line[: fitting(line, most - 1)]
    space = cut.rfind(" ")
    return (cut[:space] if space > len(cut) // 2 else cut).rstrip() + "…"
