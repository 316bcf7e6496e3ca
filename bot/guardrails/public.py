"""What stays in a text though it looks like a name: public people, products and places, schools and laws, and staff."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.guardrails.cues import FUNCTION, PERSONAL, STRONG, cue
from bot.guardrails.gazetteer import (
    CITED,
    COINED,
    DATED,
    KIN_AFTER,
    KIN_BEFORE,
    LOCATED,
    OFFICES,
    PRODUCTS,
    ROLES,
    SCHOOLS,
    gazetteer,
    posts,
    public_names,
)
from bot.guardrails.views import unaccented

Span = tuple[int, int]


@dataclass
class Standing:
    """``firm`` spans stay; ``doubtful`` ones are given names as well (Jordan, Austin, Claude); ``titled`` ones are a family's."""

    firm: list[Span] = field(default_factory=list)
    doubtful: list[Span] = field(default_factory=list)
    titled: list[Span] = field(default_factory=list)


_OF_A_CHILD = re.compile(
    r"\b(?:(?:student(?: body| council| government)?|asb|peer|club)\s+(?:vice[ -])?(?:president|aide|assistant|tutor|mentor|"
    r"captain|treasurer|secretary|leader|helper)|class\s+(?:vice[ -])?(?:president|treasurer|captain))\s*$",
    re.IGNORECASE,
)
"""Posts that children hold: who stands behind one is no staff."""


def standing(text: str) -> Standing:
    """What stays of a text whose look-alike letters are drawn as Latin ones."""
    found = Standing()
    plain = unaccented(text)
    same = plain if len(plain) == len(text) else text.lower()
    kept = [m.span() for m in public_names().finditer(same) if _stays(text, m)]
    kept += [m.span() for m in SCHOOLS.finditer(text)]
    found.firm += [m.span() for pattern in (CITED, LOCATED, COINED, DATED) for m in pattern.finditer(text)]
    staff = _staff(text)
    found.titled, kept = staff.titled, kept + staff.doubtful
    found.firm += staff.firm
    for start, end in kept:
        doubtful = text[start:end].isalpha() and unaccented(text[start:end]) in gazetteer().given
        (found.doubtful if doubtful else found.firm).append((start, end))
    return found


def _staff(text: str) -> Standing:
    """Who is named by title, post or department, and what is said to be a product: surely, or where the name alone decides."""
    found = Standing()
    for match in OFFICES.finditer(text):
        if match.group("low") and unaccented(match.group("low")) in FUNCTION:
            continue
        end = match.end() - 2 * match.group().endswith("'s")
        if _OF_A_CHILD.search(text[: match.start()] + re.split(r"\s", match.group(), maxsplit=1)[0]):
            continue
        if KIN_AFTER.match(text[end:]) or KIN_BEFORE.search(text[: match.start()]):
            name = match.start() + len(re.split(r"\.?\s", match.group(), maxsplit=1)[0])
            found.titled.append((name, end))
            found.firm.append((match.start(), name))
        else:
            found.doubtful.append((match.start(), end))
    behind, before = posts()
    named = [m for pattern in (ROLES, behind) for m in pattern.finditer(text)]
    named = [m for m in named if not _OF_A_CHILD.search(text[: m.start("name")])]
    found.doubtful += [m.span("name") for m in named if not _owns_a_childs(text, m.end("name"))]
    said = [(m, "name") for m in before.finditer(text)]
    said += [(m, "name" if m["name"] else "said") for m in PRODUCTS.finditer(text)]
    found.firm += [m.span(name) for m, name in said if not cue("child", "before").search(text[: m.start(name)])]
    return found


def staff(text: str) -> list[Span]:
    """Where a text names staff, in order: nothing that is told of a child covers them."""
    found = _staff(text)
    return sorted(found.firm + found.doubtful)


def _owns_a_childs(text: str, end: int) -> bool:
    """Whether the name that ends here owns what a child owns."""
    return bool(re.match(r"'s\s+", text[end:])) and bool(PERSONAL.match(text[end + 2 :].lstrip()))


def _stays(text: str, match: re.Match[str]) -> bool:
    """A public name stays unless a child's cue stands around it: 'Jordan Smith', 'my student Austin'."""
    start, end = match.span()
    words = re.split(r"[ -]", unaccented(match.group()))
    if len(words) == 1 and words[0] in gazetteer().family and _behind_a_given_name(text, start, end):
        return False
    if words[0] not in gazetteer().given:
        return True
    before, after = text[max(0, start - 24) : start].rstrip(), text[end : end + 24]
    if len(words) > 1:
        return not cue("child", "before").search(before)
    following = re.match(r"\s+([A-Z][\w'-]+)", after)
    if following and unaccented(following.group(1)) in gazetteer().family and text[start].isupper():
        return False
    if cue("child", "before").search(before) or cue("named", "before").search(before):
        return False
    if text[start].isupper() and STRONG.match(after):
        return False
    owned = re.match(r"'s\s+(\w+)", after)
    things = ("data", "name", "voice", "account", "info")
    return not (owned and cue("owned", "after").search(owned.group(1)) and owned.group(1).lower() not in things)


def _behind_a_given_name(text: str, start: int, end: int) -> bool:
    """'Diego Salinas', 'Salinas, Diego': a family name that is a place's or a company's as well."""
    before = re.search(r"([A-ZÀ-Þ][\w'-]+)[ \t]+$", text[:start])
    after = re.match(r",[ \t]?([A-ZÀ-Þ][\w'-]+)", text[end:])
    return any(part is not None and unaccented(part.group(1)) in gazetteer().given for part in (before, after))
