"""Teams' documented limits, and measuring against them. Pure; called by ``render`` and ``cards``.

Sources: learn.microsoft.com/microsoftteams/platform, pages "Agent message size limit" (100 KB as UTF-16 for the whole payload,
inline images aside; 80 KB leaves room), "AI-generated content" (citations), "Suggested actions", "Adaptive Cards in Teams".
"""

from __future__ import annotations

import json
import re
from typing import Any

from bot.adapters.markdown_tree import clean

BUDGET = 80 * 1024
"""Bytes of one payload as UTF-16."""
CITATIONS = 20
NAME = 80
ABSTRACT = 160
KEYWORD = 28
KEYWORDS = 3
SUGGESTED = 3
BUTTONS = 6
"""Actions of one row; more are a list to choose from."""
SHORT = 24
"""Characters of a button that may stand in one of two rows."""
BUTTON_TITLE = 44
"""Characters of a button: a card in a narrow window cuts longer ones off without a sign."""
SUGGESTION = 80
CHOICES = 60
PICTURE_BYTES = 1_000_000
URL = 2_048
SUMMARY = 120
WRITTEN = 4_000

_INLINE_IMAGE = re.compile(r"data:image/\w+;base64,[A-Za-z0-9+/=]+")


def units(text: str) -> int:
    """UTF-16 code units, as the platform counts characters."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def payload_bytes(activity: dict[str, Any]) -> int:
    """The weight of a payload as the platform weighs it."""
    written = _INLINE_IMAGE.sub("", json.dumps(activity, ensure_ascii=False, separators=(",", ":")))
    return len(written.encode("utf-16-le", "surrogatepass"))


def text_bytes(text: str) -> int:
    """What a text adds to a payload."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-16-le", "surrogatepass"))


def shorten(text: str, most: int) -> str:
    """``text`` on one line, cut at a word with an ellipsis where it has more than ``most`` UTF-16 units."""
    line = " ".join(clean(text).split())
    if units(line) <= most:
        return line
    cut = line[: most - 1]
    while units(cut) > most - 1:
        cut = cut[:-1]
    space = cut.rfind(" ")
    # A joined emoji or an accent is not left half.
    kept = (cut[:space] if space > len(cut) // 2 else cut).rstrip().rstrip("\u200d")
    return kept + "…"


def web(url: str) -> str:
    """``url`` where it is a web address of bearable length, else nothing."""
    return url if re.match(r"https?://[^\s/]", url, re.I) and units(url) <= URL else ""
