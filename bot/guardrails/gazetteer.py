"""Given and family names of many origins, read once from ``knowledge/guardrails/names.txt``."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import bot
from bot import prompts
from bot.guardrails.policy import privacy
from bot.guardrails.views import unaccented


class Gazetteer:
    """Lookups by folded name: ``given`` and ``family`` names, ``everyday`` names that are also words, ``words`` that are no
    names."""

    def __init__(self, text: str) -> None:
        given, family, everyday, words = set(), set(), set(), set()
        for line in text.splitlines():
            if not line or line[0] == "#":
                continue
            name, _, kinds = line.partition(" ")
            if "g" in kinds:
                given.add(name)
            if "f" in kinds:
                family.add(name)
            if "w" in kinds:
                everyday.add(name)
            if "d" in kinds:
                words.add(name)
        self.given, self.family, self.everyday = frozenset(given), frozenset(family), frozenset(everyday)
        self.words = frozenset(words)


@cache
def gazetteer() -> Gazetteer:
    """The shipped names."""
    path = Path(bot.__file__).parent.parent / "knowledge" / "guardrails" / "names.txt"
    return Gazetteer(path.read_text(encoding="utf-8"))


def _spellings() -> set[str]:
    data = prompts.names()
    found = set(privacy().public_people) | set(privacy().keep)
    for kind in ("states", "places", "products", "organizations", "exams", "laws"):
        for entry in getattr(data, kind):
            found |= {part.strip() for part in entry.split(" = ")}
    return found


@cache
def public_names() -> re.Pattern[str]:
    """Names that stay: public people, vendors, laws, places, courses. Matched on unaccented lower case as whole words."""
    spellings = sorted((unaccented(s) for s in _spellings() if len(s) > 2), key=len, reverse=True)
    return re.compile(r"(?<![\w@-])(?:" + "|".join(re.escape(s) for s in spellings) + r")(?![\w-])(?!@)")


SCHOOLS = re.compile(
    r"(?:[A-Z][\w.'-]*\s+){1,4}(?:Elementary|Middle|High|Junior High|Primary|Charter|Magnet|Preparatory|Schools?|"
    r"Academy|Unified|ISD|"
    r"USD|District|County|University|College|Institute|Foundation|Act|Amendment|Law|Framework|Taxonomy|Award|"
    r"Report|Center|Centre|"
    r"Museum|Library|Press|Times|Post|Journal|Publishing|Education|Learning|Department|Commission|Board)\b(?:\s+(?:Sch"
    r"ool|Schools|District|"
    r"Public Schools|Unified|of [A-Z]\w+))*"
    r"|\b(?:Escuela|Colegio|Liceo|Universidad|Distrito|Ley|École|Collège|Lycée|Université)(?:\s+(?:de|del|"
    r"la|el|du|des))*(?:\s+[A-ZÀ-Þ][\w.'-]*){1,3}"
)
"""Institutions and laws that carry a person's name stay whole."""
OFFICES = re.compile(
    r"\b(?:Secretary|Superintendent|Supt\.?|Senator|Sen\.|Governor|Gov\.|President|Representative|Rep\.|Congress(?:man"
    r"|woman)|Judge|Justice|"
    r"Chancellor|Commissioner|Mayor|Principal|Dr\.?|Prof(?:essor)?\.?|Mr\.?|Ms\.?|Mrs\.?|Miss|Mx\.?|Coach|"
    r"Sr\.|Sra\.|Srta\.|Señora|Señor|Señorita|Profe|Maestr[oa]|Mme|M\.|Monsieur|Madame)"
    r"\s+(?:[A-ZÀ-Þ]\.\s*)?[A-ZÀ-Þ][\w'-]+(?:\s+[A-ZÀ-Þ][\w'-]+)?"
)
"""Titles of staff and office holders; they stay unless a family word stands near."""
