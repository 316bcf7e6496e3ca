"""Reading time and grade of texts, for tests: words a minute of adults (Brysbaert 2019) and Flesch and Kincaid's grade (1975)."""

from __future__ import annotations

import re

WORDS_A_MINUTE = 238
DECIDE_SECONDS = 5


def words(text: str) -> list[str]:
    return re.findall(r"[A-Za-zÀ-ÿ0-9][\w'’-]*", text)


def seconds(text: str) -> float:
    """Time to read a text silently."""
    return 60 * len(words(text)) / WORDS_A_MINUTE


def syllables(word: str) -> int:
    """Vowel groups, less a silent e: right for most English words, within one for nearly all."""
    low = re.sub(r"[^a-z]", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", low))
    if low.endswith("e") and not low.endswith(("le", "ee")) and groups > 1:
        groups -= 1
    if low.endswith(("ed", "es")) and not low.endswith(("ted", "ded", "ses", "zes", "ces", "ges", "les")) and groups > 1:
        groups -= 1
    return max(1, groups)


def grade(text: str) -> float:
    """Flesch-Kincaid grade; a line of a list counts as a sentence."""
    sentences = [s for s in re.split(r"[.!?:;]\s|[.!?:;]?\n|[.!?]$", text + "\n") if words(s)]
    all_words = words(text)
    return 0.39 * len(all_words) / len(sentences) + 11.8 * sum(map(syllables, all_words)) / len(all_words) - 15.59
