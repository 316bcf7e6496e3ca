"""What typed words mean during a check: commands, numbers, levels in their own words. Pure; when unsure it says so."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from rapidfuzz import fuzz

from bot.readiness.instrument import LEVELS, FormName, Instrument, Item

COVERED = 0.75
"""Share of the typed content words that a level must hold before it is offered as a guess."""

NEAR = 85
"""Likeness (0 to 100) at which two words count as the same, so that a typing slip does not matter."""

LONG = 5
"""A single word this long may point at a level."""

_POLITE = re.compile(
    r"\b(please|por favor|can i|could i|may i|i want to|id like to|quiero|puedo|lets|let us|a|the|un|una|el|la)\b"
)


@dataclass(frozen=True)
class Meant:
    """A level, or None for "not sure", and whether it is certain or must be confirmed."""

    level: int | None
    certain: bool


def plain(text: str) -> str:
    """Lower case, no accents, no punctuation, single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w\s]", " ", re.sub("['’]", "", letters)).split())


class Understanding:
    """The phrases of every language, ready for comparison."""

    def __init__(self, instrument: Instrument) -> None:
        self._phrases: dict[str, dict[str, str]] = {}
        for language, sayings in instrument.sayings.items():
            for key, phrases in sayings.understand.items():
                known = self._phrases.setdefault(key, {})
                for phrase in phrases:
                    known.setdefault(plain(phrase), language)
        items = [item for texts in instrument.texts.values() for item in texts.items.values()]
        self._levels = {plain(item.levels[level]) for item in items for level in LEVELS}

    def command(self, text: str, *keys: str) -> str | None:
        """Which of ``keys`` the whole text means, in either language."""
        said = plain(text)
        return next((key for key in keys if said in self._phrases[key]), None)

    def start(self, text: str) -> tuple[FormName | None, str] | None:
        """The form wished for (None: either) and the language, when the text asks for a check and nothing else."""
        said = plain(text)
        bare = " ".join(_POLITE.sub(" ", said).split())
        for key, form in (("pulse", "pulse"), ("full", "full"), ("check", None)):
            for phrase, language in self._phrases[key].items():
                short = " ".join(_POLITE.sub(" ", phrase).split())
                near = len(said) > 12 and fuzz.ratio(bare, short) >= 92
                if said == phrase or bare == short or near:
                    return form, language  # type: ignore[return-value]
        return None

    def is_own(self, text: str) -> bool:
        """Whether the whole text is a command, a number or a level's own words, in either language."""
        if self.start(text) is not None or self.is_number(text):
            return True
        said = plain(text)
        commands = (known for key, known in self._phrases.items() if key not in ("asking", "number_words"))
        return said in self._levels or any(said in known for known in commands)

    def is_question(self, text: str) -> bool:
        """Whether the text asks something, so that it belongs to the assistant."""
        said = plain(text)
        return "?" in text or any(said == w or said.startswith(f"{w} ") for w in self._phrases["asking"])

    def is_number(self, text: str) -> bool:
        """Whether the text is digits only, whatever they are."""
        return re.fullmatch(r"[\d\s.,/#-]*\d[\d\s.,/#-]*", text.strip()) is not None

    def between(self, text: str) -> bool:
        """Whether the text names two levels and neither, such as "between 2 and 3"."""
        return re.fullmatch(r"((maybe|between|quiza|entre) )?(a )?[1-4] (and|or|to|y|o|a) (a )?[1-4]", plain(text)) is not None

    def level(self, text: str, item: Item) -> Meant | None:
        """The level the text names; None when it names none. A number in brackets is a source's."""
        if self.is_question(text) or "[" in text:
            return None
        said = self._bare(plain(text))
        if said in ("1", "2", "3", "4"):
            return Meant(int(said), True)
        for level in LEVELS:
            if said in self._phrases[str(level)] or plain(text) == plain(item.levels[level]):
                return Meant(level, True)
        if said == "5" or said in self._phrases["not_sure"] or plain(text) in self._phrases["not_sure"]:
            return Meant(None, True)
        if any(re.search(rf"\b{re.escape(phrase)}\b", plain(text)) for phrase in self._phrases["not_sure"] if len(phrase) > LONG):
            return Meant(None, False)
        return self._nearest(plain(text), item)

    def _bare(self, said: str) -> str:
        for phrase in sorted(self._phrases["number_words"], key=len, reverse=True):
            said = re.sub(rf"^{re.escape(phrase)} (?=\S)|(?<=\S) {re.escape(phrase)}$", "", said)
        return said

    def _nearest(self, said: str, item: Item) -> Meant | None:
        words = [word for word in said.split() if len(word) > 3 or word in ("no", "one", "hr", "it")]
        if not words or (len(words) == 1 and len(words[0]) < LONG):
            return None
        shares: list[tuple[float, float, int]] = []
        for level in LEVELS:
            own = plain(item.levels[level])
            held = sum(any(fuzz.ratio(word, other) >= NEAR for other in own.split()) for word in words)
            shares.append((held / len(words), fuzz.ratio(said, own), level))
        shares.sort(reverse=True)
        best, second = shares[0], shares[1]
        if best[0] < COVERED or (best[0] == second[0] and best[1] - second[1] < LONG):
            return None
        return Meant(best[2], False)
