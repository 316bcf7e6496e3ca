"""Names written as initials, which need full stops or a cue beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.guardrails.cues import acronyms


@dataclass(frozen=True)
class NameSpan:
    """A name found at ``text[start:end]``; ``family`` says it is a parent or guardian."""

    start: int
    end: int
    family: bool


_INITIALS = re.compile(r"(?<![A-Za-z\d.])(?:[A-Z]\.[\s-]?){1,2}[A-Z]\.(?![A-Za-z\d])|(?<!\w)[\u0621-\u064a]\. ?[\u0621-\u064a]\.")
_SHORTENED = re.compile(r"(?<![\w.])[A-Z]\. ?[A-ZÀ-Þ][a-zà-ÿ'-]{2,}(?![\w.])")
"""A first name's letter before a family name."""
_BARE_INITIALS = re.compile(
    r"(?<![\w.])[A-Z]{2,3}(?=\s*\(|,?\s+(?:ID|id|DOB|dob|#|grade|age|\d+(?:st|nd|rd|th))|'s\b)|(?<=student "
    r")[A-Z]{2,3}\b|(?<=initials )[A-Z]{2,3}\b|(?<=alumno )[A-Z]{2,3}\b|(?<=estudiante )[A-Z]{2,3}\b"
)
_BORN = re.compile(r"\s*\(?\s*(?:born|dob|d\.o\.b|nacid[oa])\b", re.IGNORECASE)
_NOT_INITIALS = frozenset(
    (
        "US USA UK DC USC CFR PE AI ID EG IE AM PM BS BA MA MS PHD LA NY OK PS EU ED EL RI NC SC NJ SF IA UN MD RN GED PTA UAE LD"
    ).split()
)


def initials(text: str, person_nearby: bool) -> list[NameSpan]:
    """'J.S.', and 'JS' where a cue says it is a student."""
    found = []
    for match in _INITIALS.finditer(text):
        letters = re.sub(r"[^A-Z]", "", match.group())
        if not letters or (letters not in _NOT_INITIALS and (len(letters) == 2 or letters not in acronyms())):
            found.append(NameSpan(match.start(), match.end(), False))
    if person_nearby:
        found += [NameSpan(match.start(), match.end(), False) for match in _SHORTENED.finditer(text)]
    for match in _BARE_INITIALS.finditer(text):
        if (
            match.group() not in acronyms()
            and match.group() not in _NOT_INITIALS
            and (person_nearby or "ID" in text or "student" in text or _BORN.match(text, match.end()))
        ):
            found.append(NameSpan(match.start(), match.end(), False))
    return found
