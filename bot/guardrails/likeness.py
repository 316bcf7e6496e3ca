"""How much a word is a person's name, by its letters and by its place in the sentence: a small fitted reader that adds to
the rules of ``names``, for names that stand in no list and names that are everyday words.

Weights: ``knowledge/guardrails/names.npz``, made by ``python -m tests.evals.fit_names`` from sentence frames filled with
listed names. Nothing that is read here is kept."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bot
from bot.guardrails.cues import FUNCTION, PERSON, acronyms, school_words, verbs
from bot.guardrails.gazetteer import Gazetteer, gazetteer
from bot.guardrails.tokens import Token

LETTERS, PLACES = 16_384, 65_536
"""Bins of the hashed letter groups and of the hashed signs of a word's place."""
_EDGES = (-5.0, -3.0, -1.5, -0.5, 0.5, 1.5, 3.0, 5.0)
_GIVEN, _FAMILY, _EVERYDAY, _WORD, _FUNCTION, _SCHOOL, _VERB, _ACRONYM = (1 << n for n in range(8))
_ENDINGS = ("s", "es", "ed", "ing", "ly", "er", "d", "r")


@dataclass(frozen=True)
class Weights:
    """``letters`` (LETTERS,) and ``places`` (PLACES,) with their biases; log odds."""

    letters: NDArray[np.float32]
    letters_bias: float
    places: NDArray[np.float32]
    places_bias: float


@cache
def weights() -> Weights:
    """The shipped weights."""
    path = Path(bot.__file__).parent.parent / "knowledge" / "guardrails" / "names.npz"
    with np.load(path) as stored:
        letters = stored["letters"].astype(np.float32) * stored["letters_step"]
        places = stored["places"].astype(np.float32) * stored["places_step"]
        return Weights(letters, float(stored["letters_bias"]), places, float(stored["places_bias"]))


def groups(low: str) -> list[int]:
    """Bins of the letter groups (1 to 5 long, edges marked) of a folded word."""
    padded = f"<{low}>"
    return [zlib.crc32(padded[i : i + n].encode()) % LETTERS for n in (2, 3, 4, 5) for i in range(max(1, len(padded) - n + 1))]


def looks(low: str) -> float:
    """Log odds that a folded word is a name, by its letters alone; the most name-like part of a hyphenated one."""
    known = weights()

    def one(part: str) -> float:
        found = groups(part)
        return float(known.letters[found].sum()) / float(np.sqrt(len(found))) + known.letters_bias

    return max(one(part) for part in [*re.split(r"['-]", low), low] if part)


def lists(low: str, known: Gazetteer, hidden: Collection[str] = ()) -> int:
    """Which lists a folded word is in, as flags. ``hidden`` words are taken for unlisted (used when fitting)."""
    if low in hidden:
        return 0
    flags = 0
    parts = {low, *re.split(r"['-]", low)} if "-" in low or "'" in low else {low}
    for part in parts:
        flags |= (_GIVEN if part in known.given else 0) | (_FAMILY if part in known.family else 0)
    if low in known.everyday:
        flags |= _EVERYDAY
    if low in FUNCTION:
        flags |= _FUNCTION
    if low in school_words():
        flags |= _SCHOOL
    if low in verbs():
        flags |= _VERB
    if low.upper() in acronyms():
        flags |= _ACRONYM
    words = known.words
    if low.endswith(("bot", "bots", "fake", "fakes")):
        flags |= _WORD
    if "-" in low and not low.startswith(("al-", "el-")):
        ordinary = [p in words or p in FUNCTION or p in school_words() or p.upper() in acronyms() for p in parts if p != low]
        if all(ordinary) or (any(ordinary) and not flags & (_GIVEN | _FAMILY)):
            return (flags & ~(_GIVEN | _FAMILY)) | _WORD
    if low in words or (
        not flags & (_GIVEN | _FAMILY) and any(low.endswith(end) and low[: -len(end)] in words for end in _ENDINGS)
    ):
        flags |= _WORD
    return flags


class Places:
    """The words of one text with what surrounds them. ``kept`` are spans that stay; ``doubtful`` ones stay unless the
    place says otherwise."""

    def __init__(
        self,
        text: str,
        words: list[Token],
        kept: list[tuple[int, int]],
        doubtful: list[tuple[int, int]],
        hidden: Collection[str] = (),
        look: Callable[[str], float] = looks,
    ) -> None:
        self.text, self.words, self.look = text, words, look
        known = gazetteer()
        self.flags = [lists(t.low, known, hidden) for t in words]
        self.kept = [any(a < t.end and t.start < b for a, b in kept) for t in words]
        self.doubted = [any(a < t.end and t.start < b for a, b in doubtful) for t in words]
        letters = [c for c in text if c.isalpha()]
        upper = sum(c.isupper() for c in letters)
        self.manner = "shout" if upper > 0.6 * max(1, len(letters)) else "low" if upper == 0 else "mixed"
        self.person = bool(PERSON.search(text))
        self.cases = [self._case(i) for i in range(len(words))]
        self.looked: dict[int, str] = {}

    def _case(self, i: int) -> str:
        t = self.words[i]
        if len(t.text) == 1:
            return "i" if t.capital else "1"
        if t.text.isupper():
            return "l" if self.manner == "shout" else "U"
        if not t.capital:
            return "l" if t.text.islower() else "m"
        before = self.text[: t.start].rstrip(" \"'(¿¡")
        return "S" if not before or before[-1] in ".!?:\n" else "T"

    def candidate(self, i: int) -> bool:
        """Whether word i could be a name at all."""
        t, flags = self.words[i], self.flags[i]
        if self.kept[i] or len(t.text) < 2 or re.search(r"'(?:m|ve|d|ll|re|t)$|^[a-z]'[a-z]{1,2}$", t.low):
            return False
        if self.cases[i] in ("T", "S"):
            return not (flags & _FUNCTION) or bool(flags & _GIVEN)
        if self.cases[i] == "U" and (flags & _ACRONYM or (len(t.text) < 4 and not flags & _GIVEN)):
            return False
        if flags & (_FUNCTION | _ACRONYM) or (self.cases[i] != "U" and len(t.text) < 3):
            return False
        return bool(flags & _GIVEN) or not flags & (_WORD | _SCHOOL | _VERB)

    def kind(self, i: int) -> str:
        """The lists of word i, whether it stays, its case and how much it looks like a name."""
        if self.kept[i]:
            return "K"
        return f"{self.flags[i]}{'D' if self.doubted[i] else ''}{self.cases[i]}"

    def _looked(self, i: int) -> str:
        if i not in self.looked:
            value = self.look(self.words[i].low)
            self.looked[i] = str(sum(value > edge for edge in _EDGES))
        return self.looked[i]

    def _word(self, i: int) -> str:
        """Word i as a neighbour: itself when it is a common word, else its kind."""
        if i < 0:
            return "<s>"
        if i >= len(self.words):
            return "</s>"
        if self.kept[i]:
            return "<K>"
        flags = self.flags[i]
        if flags & (_FUNCTION | _WORD | _SCHOOL | _VERB | _EVERYDAY) or (
            not flags & (_GIVEN | _FAMILY) and len(self.words[i].low) < 3
        ):
            return self.words[i].low
        return f"<{'g' if flags & _GIVEN else 'f' if flags & _FAMILY else '?'}{self.cases[i]}>"

    def _gap(self, left: int) -> str:
        """What stands between word ``left`` and the next one: a space, a mark, a number or a placeholder."""
        start = self.words[left].end if left >= 0 else 0
        end = self.words[left + 1].start if left + 1 < len(self.words) else len(self.text)
        between = self.text[start:end]
        if left >= 0 and self.words[left].possessive:
            between = between[2:]
        if "\ue000" in between or "]" in between:
            return "]"
        if any(c.isdigit() for c in between):
            return "9"
        marks = between.strip()
        return marks[0] if marks else " "

    def signs(self, i: int) -> list[str]:
        """What speaks for or against word i being a name."""
        look, kind = self._looked(i), self.kind(i)
        flags, case = self.flags[i], self.cases[i]
        coarse = (
            ("n" if flags & _GIVEN else "f" if flags & _FAMILY else "?")
            + ("w" if flags & (_EVERYDAY | _WORD | _SCHOOL | _FUNCTION) else "")
            + ("D" if self.doubted[i] else "")
            + ("l" if case == "l" else "T")
        )
        left, right = self._gap(i - 1), self._gap(i)
        own = "'s" if self.words[i].possessive else ""
        p1, p2 = left + self._word(i - 1), self._word(i - 2)
        n1, n2 = own + right + self._word(i + 1), self._word(i + 2)
        near = [
            f"k{kind}",
            f"k{kind}{look}",
            f"c{coarse}{look}",
            f"C{case}{look}",
            f"m{self.manner}{coarse}",
            f"P{self.person}{coarse}{look if '?' in coarse else ''}",
            f"o{own}{coarse}",
        ]
        if flags & (_EVERYDAY | _WORD | _SCHOOL | _FUNCTION | _VERB):
            near += [f"w{self.words[i].low}", f"w{self.words[i].low}{case}"]
        places = [f"p{p1}", f"n{n1}", f"pn{p1}|{n1}", f"pp{p2}{p1}", f"nn{n1}{n2}", f"p2{p2}", f"n2{n2}"]
        beside = []
        if i > 0 and left == " " and self.candidate(i - 1):
            beside += [f"bp{self.kind(i - 1)}{self._looked(i - 1)}", f"bpc{self.kind(i - 1)}{coarse}"]
        if i + 1 < len(self.words) and right == " " and not own and self.candidate(i + 1):
            beside += [f"bn{self.kind(i + 1)}{self._looked(i + 1)}", f"bnc{self.kind(i + 1)}{coarse}"]
        return near + places + [f"{coarse}{sign}" for sign in places] + beside

    def bins(self, i: int) -> list[int]:
        """The signs of word i, hashed."""
        return [zlib.crc32(sign.encode()) % PLACES for sign in self.signs(i)]

    def odds(self) -> dict[int, float]:
        """Log odds of every candidate to be (part of) the name of a student or a family member."""
        known = weights()
        return {
            i: float(known.places[self.bins(i)].sum()) + known.places_bias for i in range(len(self.words)) if self.candidate(i)
        }
