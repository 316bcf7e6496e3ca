"""How hard a text is to read and how long it takes: published formulas, used by the tests of the lessons' words."""

from __future__ import annotations

import re

WORDS_A_MINUTE = 200.0
"""Silent reading of plain text by adults is about 238 words a minute (Brysbaert 2019); screens and numbers slow it down."""


def words(text: str) -> list[str]:
    """Words as a reader counts them; addresses in angle brackets and numbering marks are no words."""
    bare = re.sub(r"<[^>]*>|\[\d+\]|^\d+\. ", " ", text, flags=re.M)
    return re.findall(r"[^\W_]+(?:[.,'’:-][^\W_]+)*%?", bare)


def syllables_en(word: str) -> int:
    """Vowel groups of an English word, less a silent final e; a number counts as one."""
    low = re.sub(r"[^a-z]", "", word.lower())
    if not low:
        return 1
    groups = len(re.findall(r"[aeiouy]+", low))
    if low.endswith("e") and not low.endswith(("le", "ee")) and groups > 1:
        groups -= 1
    if re.search(r"[^aeioutd]ed$", low) and groups > 1:
        groups -= 1
    return max(groups, 1)


def syllables_es(word: str) -> int:
    """Syllables of a Spanish word: each strong or accented vowel is one, a group of weak vowels is one."""
    low = re.sub(r"(?<=[qg])u(?=[eiéí])", "", word.lower())
    groups = re.findall(r"[aeiouáéíóúü]+", low)
    return max(sum(max(len(re.findall(r"[aeoáéóíú]", group)), 1) for group in groups), 1)


def sentences(text: str) -> int:
    """Sentences and question lines."""
    bare = re.sub(r"\[\d+\]|^\d+\. ", " ", text.replace("U.S.", "US").replace("EE. UU.", "EEUU"), flags=re.M)
    return max(len(re.findall(r"[^.?!]*\w[^.?!]*(?:[.?!]+(?=['\"»)]?(?:\s|$))|$)", bare)), 1)


def grade_en(text: str) -> float:
    """Flesch-Kincaid grade level."""
    found = words(text)
    return 0.39 * len(found) / sentences(text) + 11.8 * sum(map(syllables_en, found)) / len(found) - 15.59


def ease_es(text: str) -> float:
    """Fernandez Huerta's reading ease for Spanish: 60 to 70 is normal, grades 8 and 9; higher is easier."""
    found = words(text)
    return 206.84 - 60 * sum(map(syllables_es, found)) / len(found) - 1.02 * len(found) / sentences(text)


def minutes(text: str) -> float:
    """Reading time in minutes."""
    return len(words(text)) / WORDS_A_MINUTE
