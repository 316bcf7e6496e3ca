"""The words of a text as the name readers see them: where they stand, folded, and whether they own what follows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.guardrails.views import unaccented

_TOKEN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ]+(?:['-][A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ]+)*")
_ELIDED = re.compile(r"[dljncstm]'|qu'|(?:[LNC]|Qu)'|[DJSTM]'(?=[a-zà-ÿ]|[A-ZÀ-Þ]+$)")
"""An elided French article or pronoun; D'Andre and T'Shawn stay whole."""
_LETTERS = str.maketrans("đøłıðħŧ", "dolidht")


@dataclass(frozen=True)
class Token:
    """A word at ``text[start:end]``; ``low`` is lower case without accents, ``possessive`` that 's stood behind it."""

    text: str
    low: str
    start: int
    end: int
    possessive: bool

    @property
    def capital(self) -> bool:
        """Whether it starts with a capital."""
        return self.text[0].isupper()


def plain(text: str) -> str:
    """Lower case without accents, also for letters that carry a stroke; the length may change."""
    return unaccented(text).translate(_LETTERS).replace("æ", "ae").replace("œ", "oe").replace("ß", "ss")


def tokens(text: str) -> list[Token]:
    """The Latin words of a text, without 's and without elided articles."""
    found = []
    for match in _TOKEN.finditer(text):
        word, start = match.group(), match.start()
        possessive = word[-2:].lower() == "'s"
        if possessive:
            word = word[:-2]
        bound = _ELIDED.match(word)
        if bound and len(word) > bound.end() + 1:
            word, start = word[bound.end() :], start + bound.end()
        if word:
            found.append(Token(word, plain(word), start, start + len(word), possessive))
    return found
