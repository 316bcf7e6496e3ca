"""Splits plain text into sentences with exact character offsets, so that a quote can be found where it stands."""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof sr jr st vs etc e.g i.e cf al approx inc ltd co corp art sec fig vol pp p ch ed eds est dept gov "
    "rep sen u.s u.k u.n a.m p.m jan feb mar apr jun jul aug sep sept oct nov dec ph.d m.ed b.a".split()
)

_BOUNDARY = re.compile(r"[.!?…。！？؟]+[\"'”’)\]]*(?=\s|$)|\n{2,}")


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    mark = match.group()
    if not mark.startswith("."):
        return True
    before = text[: match.start()]
    rest = text[match.end() :].lstrip()
    word = before[before.rfind(" ") + 1 :].lstrip("(\"'“‘[").lower()
    if word in ("no", "nos") and rest[:1].isdigit():
        return False
    if word in _ABBREVIATIONS or re.fullmatch(r"[a-z](\.[a-z])*", word):
        # "the U.S. Department" goes on; "in the U.S. Schools must" is rare enough to keep together.
        return not rest
    if rest and rest[0].islower():
        return False
    # A list label such as "1." or "IV." at the very start belongs to what follows.
    return not re.fullmatch(r"\s*(\d{1,3}|[ivxlc]+|[a-z])", before.lower())


def sentences(text: str) -> list[tuple[int, int]]:
    """Offsets ``(start, end)`` of the sentences of ``text``, in order, without surrounding white space."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        if not _ends_sentence(text, match):
            continue
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(text)))
    trimmed: list[tuple[int, int]] = []
    for begin, end in spans:
        piece = text[begin:end]
        stripped = piece.strip()
        if stripped and any(character.isalnum() for character in stripped):
            lead = len(piece) - len(piece.lstrip())
            trimmed.append((begin + lead, begin + lead + len(stripped)))
    return trimmed
