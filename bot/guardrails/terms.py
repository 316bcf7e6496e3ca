"""Words of the published documents that a reader of names would take for a person's: products, programs, an organization's own
coinages. What a library speaks of is not hidden from those who ask about it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.guardrails.gazetteer import CITED, OFFICES, gazetteer
from bot.guardrails.tokens import Token, tokens

_ADDRESS = re.compile(r"://|@|\w\.\w|[_=/]\w")


def terms(texts: Iterable[str]) -> frozenset[str]:
    """Words that are capitalised, of no list of names and no dictionary, and never part of what may be a person's name (behind
    a title, beside another such word, cited). Folded as :class:`~bot.guardrails.tokens.Token` folds them."""
    found: set[str] = set()
    persons: set[str] = set()
    for text in texts:
        text = " ".join("." if _ADDRESS.search(word) else word for word in text.split())
        words = tokens(text)
        named = [match.span() for pattern in (OFFICES, CITED) for match in pattern.finditer(text)]
        for i, token in enumerate(words):
            if not _of_no_list(token):
                continue
            beside = [w for w in words[max(0, i - 1) : i + 2] if w is not token and _side_by_side(text, w, token)]
            person = any(a <= token.start < b for a, b in named) or any(w.capital and _unknown(w) for w in beside)
            (persons if person else found).add(token.low)
    return frozenset(found - persons)


def _of_no_list(token: Token) -> bool:
    known = gazetteer()
    listed = token.low in known.given or token.low in known.family
    return token.capital and len(token.low) > 3 and not listed and _unknown(token)


def _unknown(token: Token) -> bool:
    """Whether a word is none of the dictionary's, nor an acronym."""
    return token.low not in gazetteer().words and not token.text.isupper()


def _side_by_side(text: str, one: Token, other: Token) -> bool:
    first, second = sorted((one, other), key=lambda token: token.start)
    return not text[first.end : second.start].strip()
