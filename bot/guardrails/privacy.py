"""Hides details of students and families behind typed placeholders, before anything else reads the message.

What stands behind a placeholder is never returned, kept or logged; only kinds and counts leave this module."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from bot.guardrails import details, names
from bot.guardrails.policy import privacy
from bot.guardrails.views import clean

RULE = "privacy.details"


@dataclass(frozen=True)
class Redacted:
    """``text`` is safe to store, search and send; ``kinds`` counts what was hidden by kind."""

    text: str
    kinds: tuple[tuple[str, int], ...]


@cache
def _placeholder() -> re.Pattern[str]:
    return re.compile(r"\[(?:" + "|".join(re.escape(kind) for kind in privacy().kinds) + r")\]")


@cache
def _tied() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Details that count only when tied to a person: grades, health, discipline, family."""
    words = privacy().words
    number = (
        r"(?:a |an |un |una |de |el |los |las )?(?P<grade>\d{1,3}(?:\.\d+)?\s?(?:%|percent|/\s?\d{1,3}|points|pts)?|[A-DF][+-]?)"
    )
    course = (
        r"(?:math|algebra|reading|science|english|ela|history|biology|chem\w*|physics|geometry|spanish|gym|pe|"
        r"class|test|quiz|exam|final|midterm|essay|paper|project|period)"
    )
    scored = re.compile(
        rf"\b(?:got|gets|getting|scored?|scoring|made|earned|received|has|have|with|averag\w+|failing|failed|passed|"
        rf"sac[óo]|obtuvo|tiene|calificaci[óo]n(?: de)?|nota(?: de)?|a eu|note de|moyenne de|at)\s+{number}(?=\s+(?:on|"
        rf"in|out|for|average|overall|en|au|aux|dans|at|this|percentile|lexile|de promedio|sur|and|y|\w+ {course})|"
        rf"\s*[.,;!?)]|$)"
        rf"|\b(?:gpa|lexile|map score|rit|iq|sat|act|score|average|promedio|moyenne|percentile)\s*(?:(?:is|of|was|"
        rf"score|:|es|de|at)\s*)*(?P<g2>\d{{1,4}}(?:\.\d+)?(?:\s?%|th)?)"
        rf"|\b(?P<g3>\d(?:\.\d+)?)\s*gpa\b|\b(?P<g4>\d{{1,3}}\s?(?:%|percent))(?=\s+(?:in|on|average|en))|\b(?P<g5>[DF]s?)\s"
        rf"+(?:in|on|en)\s+(?={course})|\b(?P<g6>straight [A-F]'?s|(?:two|three|four|\d) [DF]'?s)\b"
        r"|\bgpa\b[^.\n\d]{0,24}(?P<g10>\d\.\d+)|\b(?P<g11>\d{2,3})\s?(?:wpm|words per minute|lexile)\b"
        r"|(?:考了|得了|分数是|成绩是|成绩|只考)\s*(?P<g7>\d{1,3}\s?分?)|(?:درجة|حصل على|حصلت على|درجته|درجتها)\s*(?P<g8>\d{1,3})"
        r"|\breads? at (?:a |the )?(?P<g9>(?:\d(?:st|nd|rd|th)|first|second|third|fourth|kindergarten)[- ]grade level)",
        re.IGNORECASE,
    )
    other = "多动症|自闭症|抑郁症?|焦虑症?|糖尿病|癫痫|阅读障碍|التوحد|السكري|الاكتئاب|الصرع|فرط الحركة"
    return (
        ("grade detail", scored),
        ("health detail", re.compile(rf"(?<!\w)(?:{words['health']})(?!\w)|{other}", re.IGNORECASE)),
        ("discipline detail", re.compile(rf"(?<!\w)(?:{words['discipline']})(?!\w)", re.IGNORECASE)),
        ("family detail", re.compile(rf"(?<!\w)(?:{words['family_status']})(?!\w)", re.IGNORECASE)),
    )


def _shaped(text: str, country: str) -> list[details.Found]:
    found = [*details.emails(text), *details.links(text), *details.mentions(text), *details.addresses(text)]
    return [*found, *details.identifiers(text), *details.phones(text, country), *details.births(text, False)]


def _apart(found: list[details.Found], closed: list[tuple[int, int]]) -> list[details.Found]:
    """Spans that do not overlap, earlier finders first; one that overlaps is kept for the part that sticks out."""
    kept: list[details.Found] = []
    for start, end, kind in found:
        taken = [(a, b) for a, b, _ in kept] + closed
        inside = [(a, b) for a, b in taken if a < end and start < b]
        if not inside:
            kept.append((start, end, kind))
            continue
        left, right = min(a for a, _ in inside), max(b for _, b in inside)
        if start < left:
            kept.append((start, left, kind))
        if end > right:
            kept.append((right, end, kind))
    return sorted(span for span in kept if span[0] < span[1])


def redact(text: str, country: str = "US") -> Redacted:
    """Clean a text and hide the details in it. Redacting twice changes nothing."""
    plain = clean(text)
    closed = [match.span() for match in _placeholder().finditer(plain)]
    blank = _placeholder().sub(lambda m: "\ue000" * len(m.group()), plain)
    found = _apart(_shaped(blank, country), closed)
    taken = [(a, b) for a, b, _ in found] + closed
    named = names.find(blank, taken)
    found += [(s.start, s.end, "family name" if s.family else "student name") for s in named]
    hidden_before = [match.group() for match in _placeholder().finditer(plain)]
    person = bool(named) or any(
        kind in ("student id", "date of birth", "email", "government id", "file name", "link") for _, _, kind in found
    )
    person = person or any(kind in ("[student name]", "[student id]", "[date of birth]") for kind in hidden_before)
    if person:
        found += [*details.births(blank, True), *details.loose_numbers(blank)]
        found += list(_tied_details(blank))
    spans = _apart(found, closed)
    out, last = [], 0
    for start, end, kind in spans:
        piece = plain[start:end]
        lead = len(piece) - len(piece.lstrip())
        tail = len(piece.rstrip())
        if tail <= lead:
            continue
        out.append(plain[last : start + lead] + f"[{kind}]")
        last = start + tail
    out.append(plain[last:])
    return Redacted("".join(out), tuple(Counter(kind for _, _, kind in spans).items()))


def _tied_details(text: str) -> list[details.Found]:
    found: list[details.Found] = []
    for kind, pattern in _tied():
        for match in pattern.finditer(text):
            groups = [name for name, value in match.groupdict().items() if value]
            found.append((match.start(groups[0]), match.end(groups[0]), kind) if groups else (match.start(), match.end(), kind))
    return found


def notice(kinds: tuple[tuple[str, int], ...], language: str) -> str | None:
    """One line for the asker, naming kinds only; None when nothing was hidden."""
    if not kinds:
        return None
    rule = privacy()
    words = [rule.kinds[kind].get(language, rule.kinds[kind]["en"]) for kind, _ in kinds]  # type: ignore[call-overload]
    joined = "、".join(words) if language == "zh" else "، ".join(words) if language == "ar" else ", ".join(words)
    return str(rule.notices.get(language, rule.notices["en"]).format(kinds=joined))  # type: ignore[call-overload]
