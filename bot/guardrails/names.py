"""Recognises people's names in talk about school: a gazetteer, the shape of the words and the cues around them.

Tried before: Presidio with a small spaCy model (finds most, but flags most clean messages, needs 255 MB and destroys words
like FERPA). Names of office holders, vendors, laws, places and courses stay; so do staff addressed by title."""

from __future__ import annotations

import re

from bot.guardrails.cues import (
    AUTHOR,
    BOT,
    FUNCTION,
    INNER,
    LET,
    LOOSE,
    PARTICLES,
    PERSON,
    PERSONAL,
    STRONG,
    THING,
    acronyms,
    cue,
    school_words,
    verbs,
)
from bot.guardrails.gazetteer import gazetteer
from bot.guardrails.initials import NameSpan, initials
from bot.guardrails.likeness import Places
from bot.guardrails.public import standing
from bot.guardrails.scripts import other_scripts
from bot.guardrails.tokens import Token, tokens
from bot.guardrails.views import latinized

INSTRUCTIONS = frozenset({"see", "visit"})
"""Names that far more often tell a reader where to look; a rule must take them for a name."""

LIKELY, STRANGE, WORD, SURE, BESIDE, LEAST, AGAIN = -0.5, -1.2, 0.5, 1.0, -1.0, -3.0, 3.0
"""Log odds from which the fitted reader marks a word: any, an unknown capitalised one, an everyday one in lower case, a public
one, one beside a name; below which the rules are not believed; and how much more is asked of a text read before."""
_GAP = re.compile(r"^[ \t]*$")


class Reader:
    """Reads one text for names; ``spans`` is what it found."""

    def __init__(self, text: str, taken: list[tuple[int, int]], again: bool = False, terms: frozenset[str] = frozenset()) -> None:
        """``taken`` spans are hidden already; ``again`` says that the text was read before, so only sure names are new;
        ``terms`` are words that are no names here."""
        self.text = text
        self.drawn = latinized(text)
        self.tokens = tokens(self.drawn)
        self.wary = AGAIN if again else 0.0
        self.known = gazetteer()
        self.person = bool(PERSON.search(self.drawn))
        kept = standing(self.drawn)
        self.titled = kept.titled
        self.firm = [*taken, *kept.firm, *self._no_names(terms)]
        self.doubtful = kept.doubtful
        self.closed = [*self.firm, *self.doubtful]
        self.marked: dict[int, int] = {}
        self.shouting = sum(c.isupper() for c in text) > 0.6 * max(1, sum(c.isalpha() for c in text))

    def _no_names(self, terms: frozenset[str]) -> list[tuple[int, int]]:
        """Where a text that speaks of no child has words known to be no names, unless one does what a person does."""
        if self.person or cue("child", "any").search(self.drawn):
            return []
        known = [i for i, t in enumerate(self.tokens) if t.low in terms and not t.possessive and not self._person_verb(i)]
        return [(self.tokens[i].start, self.tokens[i].end) for i in known if not STRONG.match(self.drawn[self.tokens[i].end :])]

    def _open(self, i: int) -> bool:
        token = self.tokens[i]
        return i not in self.marked and not any(a < token.end and token.start < b for a, b in self.closed)

    def _next(self, i: int) -> int | None:
        """The token right after token i with only white space (or an initial's full stop) between."""
        if i + 1 >= len(self.tokens) or self.tokens[i].possessive:
            return None
        between = self.drawn[self.tokens[i].end : self.tokens[i + 1].start]
        initial = len(self.tokens[i].text) == 1 and between in (". ", ".", ".-")
        return i + 1 if _GAP.match(between) or initial else None

    def _before(self, i: int, size: int = 30) -> str:
        return self.drawn[max(0, self.tokens[i].start - size) : self.tokens[i].start].rstrip(" \t\"'(,:;-#")

    def _after(self, i: int) -> str:
        token = self.tokens[i]
        rest = self.drawn[token.end :]
        return re.sub(r"^(?:'s)?[\s\"'(),:;-]*", "", rest)[:40]

    def _strange(self, i: int) -> bool:
        """A capitalised word that is no known everyday word, acronym or function word."""
        t = self.tokens[i]
        if re.search(r"'(?:m|ve|d|ll|re|t)$", t.low):
            return False
        plain = not any(c.isupper() for c in t.text[1:]) or bool(INNER.fullmatch(t.text))
        return t.capital and len(t.text) > 1 and t.low not in FUNCTION and t.text.upper() not in acronyms() and plain

    def _starts_sentence(self, i: int) -> bool:
        before = self.drawn[: self.tokens[i].start].rstrip(" \"'(¿¡")
        return not before or before[-1] in ".!?:\n"

    def _mark(self, i: int, family: bool = False) -> None:
        """Take token i and everything beside it that belongs to the name."""
        kind = 2 if family else 1
        self.marked[i] = kind
        if i > 0 and self._leads(i - 1):
            self.marked[i - 1] = kind
        j, steps = self._next(i), 0
        while j is not None and steps < 4 and self._open(j) and self._follows(j):
            self.marked[j] = kind
            j, steps = self._next(j), steps + 1
        self._list(i, kind)

    def _leads(self, left: int) -> bool:
        """Whether an unknown capitalised word before a found name is its first part."""
        token = self.tokens[left]
        if self._open(left) and self._next(left) == left + 1 and len(token.text) == 1 and self.drawn[token.end] == ".":
            return token.capital and self.tokens[left + 1].capital
        strange = self._open(left) and self._next(left) == left + 1 and self._strange(left) and not self.shouting
        plain = self._dictionary(token.low) or token.low in self.known.everyday or self._starts_sentence(left)
        return strange and not plain and self.tokens[left + 1].capital

    def _follows(self, j: int) -> bool:
        """Whether token j, right after a name, belongs to it: a particle, an initial, a further name."""
        t = self.tokens[j]
        name = t.low in self.known.given or t.low in self.known.family
        if t.low in PARTICLES:
            k = self._next(j)
            if k is None or not self._open(k):
                return False
            after = self.tokens[k]
            known = after.low in self.known.family or after.low in self.known.given
            return known and (after.capital or t.low not in ("y", "e", "el", "le", "la"))
        if t.capital and len(t.text) == 1:
            return t.text not in ("I", "A")
        if t.capital and not self.shouting and self._strange(j) and (name or not cue("verbs", "after").search(t.low)):
            return True
        word = t.low in self.known.everyday or t.low in FUNCTION or len(t.low) <= 2
        said = cue("verbs", "after").search(t.text) or cue("owned", "after").search(t.text)
        return name and not word and not said

    def _list(self, i: int, kind: int) -> None:
        """'Maria, Jose and Grace': names listed beside a found one."""
        last = i
        while last + 1 < len(self.tokens) and last + 1 in self.marked:
            last += 1
        for _ in range(6):
            nxt = self._listed(last)
            if nxt is None:
                return
            self.marked[nxt] = kind
            after = self._next(nxt)
            while after is not None and self._open(after) and self._surname(after):
                self.marked[after] = kind
                nxt, after = after, self._next(after)
            last = nxt

    def _surname(self, i: int) -> bool:
        t = self.tokens[i]
        initial = len(t.text) == 1 and t.text not in ("I", "A")
        return t.capital and (initial or t.low in self.known.family or self._strange(i))

    def _listed(self, last: int) -> int | None:
        """The given name that a comma or an 'and' ties to the name ending at token ``last``."""
        nxt = last + 1
        if nxt >= len(self.tokens):
            return None
        between = self.drawn[self.tokens[last].end : self.tokens[nxt].start]
        if self.tokens[nxt].low in ("and", "y", "et", "or", "e") and nxt + 1 < len(self.tokens):
            nxt += 1
        elif not re.fullmatch(r"\s*[,/&+]\s*", between):
            return None
        t = self.tokens[nxt]
        said = self._person_verb(nxt) and len(t.low) > 3 and t.low not in FUNCTION
        given = t.low in self.known.given and (t.capital or t.low not in self.known.everyday or said)
        return nxt if self._open(nxt) and given else None

    def read(self) -> list[NameSpan]:
        """Every name of the text."""
        odds = Places(self.drawn, self.tokens, self.firm, self.doubtful).odds()
        for i in range(len(self.tokens)):
            if self._open(i):
                family = self._is_name(i)
                told = self._titled(i) or self._of_a_family(i)
                if family is not None and (told or odds.get(i, LEAST) >= LEAST):
                    self._mark(i, family)
        self._fitted(odds)
        self._rows()
        self._again()
        return self._spans()

    def _rows(self) -> None:
        """'Jones 88, Patel 71': names of a list in which each has a score behind it. Half of them at least must be known."""
        row: list[int] = []
        for i in range(len(self.tokens) + 1):
            scored = i < len(self.tokens) and self.tokens[i].capital and self._scored(i)
            if i < len(self.tokens) and len(self.tokens[i].text) == 1:
                continue  # the letter of a mark
            if scored and (not row or i - row[-1] <= 2):
                row.append(i)
                continue
            known = [
                j
                for j in row
                if j in self.marked or self.tokens[j].low in self.known.family or self.tokens[j].low in self.known.given
            ]
            if len(row) > 1 and 2 * len(known) >= len(row):
                self.marked.update((j, 1) for j in row if self._open(j))
            row = [i] if scored else []

    def _scored(self, i: int) -> bool:
        """Whether a word that is none of school talk has a score behind it and then a mark or the end."""
        behind = re.match(
            r"[ :=-]{1,3}(?:\d{1,3}(?:[.,]\d)?%?|[ABC][12]|[A-DF][+-]?) ?(?:[,;|/\n.]|$)", self.drawn[self.tokens[i].end :]
        )
        return behind is not None and self._strange(i) and not self._dictionary(self.tokens[i].low)

    def _fitted(self, odds: dict[int, float]) -> None:
        """What the fitted reader takes for a name, and the words beside a name that it half believes."""
        for i, value in odds.items():
            doubted = any(a <= self.tokens[i].start and self.tokens[i].end <= b for a, b in self.doubtful)
            word = not self.tokens[i].capital and self.tokens[i].low in self.known.everyday
            strange = self._strange(i) and not self._starts_sentence(i) and not self._dictionary(self.tokens[i].low)
            least = SURE if doubted else WORD if word else STRANGE if strange and not self.shouting else LIKELY
            if i not in self.marked and value >= least + self.wary and self.tokens[i].low not in INSTRUCTIONS:
                self.marked[i] = 2 if cue("parent", "before").search(self._before(i)) else 1
                self._list(i, self.marked[i])
        self._beside(odds)

    def _beside(self, odds: dict[int, float]) -> None:
        """Initials beside names, and half believed words between or beside them."""
        for i, t in enumerate(self.tokens):
            before, after = i - 1 in self.marked and self._next(i - 1) == i, i + 1 in self.marked and self._next(i) == i + 1
            dotted = self.drawn[t.end : t.end + 1] == "."
            initial = t.capital and len(t.text) == 1 and self._open(i)
            if initial and ((after and dotted) or (before and (dotted or t.text not in ("A", "I")))):
                self.marked[i] = self.marked[i - 1 if before else i + 1]
        for i in [*odds, *reversed(odds)]:
            beside = [j for j in (i - 1, i + 1) if j in self.marked and self._next(min(i, j)) == max(i, j)]
            if i not in self.marked and beside and odds[i] >= BESIDE + self.wary:
                self.marked[i] = self.marked[beside[0]]

    def _is_name(self, i: int) -> bool | None:
        """Whether a name starts at token i: None, or whether it is a family member's."""
        t = self.tokens[i]
        given = t.low in self.known.given
        if self._titled(i):
            return True
        month = t.capital and given and bool(cue("child", "before").search(self._before(i)))
        if len(t.text) < 2 or t.text in acronyms() or (t.low in FUNCTION and not month and not (self._named(i) and t.capital)):
            return None
        if t.low in verbs() and not (t.capital and given):
            return None
        before = self._before(i)
        if BOT.search(self.drawn[max(0, t.start - 40) : t.start]):
            return None
        if AUTHOR.search(before) and not cue("child", "any").search(before):
            return None
        parent = bool(cue("parent", "before").search(before))
        if self._of_a_family(i):
            return True
        if self._cued(i, parent) or self._paired(i) or self._owned(i) or self._unknown(i):
            return parent
        if given and t.low not in self.known.everyday:
            return self._alone(i, parent)
        person = t.capital and not self._starts_sentence(i) and self._person_verb(i)
        if given and person and not LOOSE.match(self._after(i)):
            return parent
        family_name = t.low in self.known.family and t.low not in self.known.everyday
        return parent if family_name and person and not self.shouting else None

    def _titled(self, i: int) -> bool:
        """A family's name behind its title: 'Mrs. Patel, his mother'."""
        t = self.tokens[i]
        return t.low not in FUNCTION and any(a < t.start and t.end <= b for a, b in self.titled)

    def _cued(self, i: int, parent: bool) -> bool:
        """A name by what stands before it (named, student, mom) or by what a child does after it."""
        t = self.tokens[i]
        given, family_name = t.low in self.known.given, t.low in self.known.family
        everyday = t.low in self.known.everyday
        if self._named(i) and (t.capital or given):
            return True
        if t.capital and (given or (family_name and not everyday)) and STRONG.match(self.drawn[t.end :]):
            return True
        if not (parent or cue("child", "before").search(self._before(i))):
            return False
        colon = self.drawn[: t.start].rstrip().endswith(":")
        title = self._dictionary(t.low) or everyday
        known = given or family_name
        return (known or not (colon or title)) and (self._strange(i) or (given and not everyday))

    def _of_a_family(self, i: int) -> bool:
        """'the Hargrove boy', 'the Nguyens', 'Jimenez family': a family name for a child or a family."""
        t = self.tokens[i]
        word = self._dictionary(t.low) or t.low in self.known.everyday or t.low in FUNCTION
        if not t.capital or t.possessive or word:
            return False
        the = bool(re.search(r"\b(?:the|los|las|les)$", self._before(i), re.IGNORECASE))
        if the and t.low.endswith("s") and t.low[:-1] in self.known.family and not self._dictionary(t.low[:-1]):
            return True
        child = r"(?:boys?|girls?|kids?|twins?|brothers?|sisters?|siblings|children|family|household|parents)\b"
        return (the or t.low in self.known.family) and bool(re.match(child, self._after(i)))

    def _paired(self, i: int) -> bool:
        """A given name with a family name, an unknown capitalised word or an initial behind it; or 'Family, Given'."""
        t = self.tokens[i]
        given, everyday = t.low in self.known.given, t.low in self.known.everyday
        j = self._next(i)
        second = self.tokens[j] if j is not None and self._open(j) else None
        if given and second is not None and j is not None:
            pair = second.low in self.known.family or second.low in self.known.given
            if pair and self._full(t, second, everyday):
                return True
            if t.capital and not everyday and second.capital and self._strange(j) and not self.shouting:
                return True
            if t.capital and second.capital and len(second.text) == 1 and second.text not in ("I", "A"):
                return True
        turned = t.low in self.known.family and t.capital and not everyday and re.match(r",\s*[A-Z]", self.drawn[t.end :])
        return bool(turned) and i + 1 < len(self.tokens) and self.tokens[i + 1].low in self.known.given

    def _owned(self, i: int) -> bool:
        """'Xochitl's IEP': a capitalised word that owns what a child owns."""
        t = self.tokens[i]
        after = self._after(i)
        if t.possessive and not t.capital and t.low in self.known.given and len(t.low) > 2:
            return bool(PERSONAL.match(after))
        if not (t.possessive and t.capital and cue("owned", "after").search(after)):
            return False
        if t.low in self.known.given:
            return True
        family_name = t.low in self.known.family and t.low not in self.known.everyday
        return self._strange(i) and (family_name or (not self._dictionary(t.low) and bool(PERSONAL.match(after))))

    def _named(self, i: int) -> bool:
        before = self._before(i, 40)
        found = cue("named", "before").search(before)
        return (
            bool(found)
            and bool(
                cue("child", "any").search(self.drawn)
                or cue("parent", "any").search(self.drawn)
                or "name" in found.group().lower()
            )
            if found
            else False
        )

    def _dictionary(self, low: str) -> bool:
        """Whether a word is one: of school talk, or of the three languages, also in the plural or with an ending."""
        known = self.known.words
        return (
            low in school_words()
            or low in known
            or any(low.endswith(end) and low[: -len(end)] in known for end in ("s", "es", "ed", "ing", "ly", "er"))
        )

    def _unknown(self, i: int) -> bool:
        """A capitalised word of no language and no list that does what a person does, or owns what a child owns, in a
        text about a child: most likely a name."""
        t = self.tokens[i]
        if not self._strange(i) or len(t.text) < 3 or self._dictionary(t.low) or t.low in self.known.everyday or self.shouting:
            return False
        after = self._after(i)
        if t.possessive:
            return bool(cue("owned", "after").search(after)) and (bool(PERSONAL.match(after)) or self.person)
        if STRONG.match(self.drawn[t.end :]):
            return True
        said = self._person_verb(i) and not LOOSE.match(after) and not THING.match(after)
        beside = re.search(
            r"\b(?:for|about|with|help|let|ask|tell|gave|give|sobre|con|para|pour|avec)$", self._before(i), re.IGNORECASE
        )
        if LET.search(self._before(i)) and not re.match(r"(?:have|has)\b", after):
            return True
        return self.person and bool(said or beside)

    def _full(self, first: Token, second: Token, everyday: bool) -> bool:
        if second.low in FUNCTION or cue("verbs", "after").fullmatch(second.low):
            return False
        if first.capital and second.capital:
            return not (everyday and second.low in self.known.everyday and self._dictionary(second.low))
        lower = not first.capital and not everyday and second.low not in self.known.everyday
        return lower and len(second.low) > 2 and len(first.low) > 2

    def _alone(self, i: int, parent: bool) -> bool | None:
        t = self.tokens[i]
        place = re.search(r"\b(?:in|en|near|à|from)$", self._before(i)) and not self._person_verb(i) and not t.possessive
        if place:
            return None
        if t.capital and not self.shouting:
            if len(t.low) <= 3 and self._starts_sentence(i) and not self._person_verb(i) and not t.possessive:
                return None
            return parent if self._strange(i) else None
        before = self._before(i)
        if (
            len(t.low) < 3
            or self._dictionary(t.low)
            or re.search(r"\b(?:el|la|los|un|una|the|an?|le|les|du)$", before, re.IGNORECASE)
        ):
            return None
        if len(t.low) >= 5 and not re.search(r"\b(?:in|en|near)$", before):
            return parent
        cue = (
            re.search(
                r"(?:\b(?:for|about|with|and|that|my|of|to|is|was|like|ask|tell|let|if|y|con|de|sobre|si|pour|avec|hey)|[,(])$",
                before,
                re.IGNORECASE,
            )
            or not before
        )
        if t.possessive or self._person_verb(i) or (cue and len(t.low) >= 4) or self.shouting:
            return parent
        return None

    def _person_verb(self, i: int) -> bool:
        return bool(cue("verbs", "after").search(self._after(i)))

    def _again(self) -> None:
        """The same name anywhere else in the text."""
        lows = {self.tokens[i].low for i in self.marked if len(self.tokens[i].low) > 2}
        kinds = {self.tokens[i].low: kind for i, kind in self.marked.items()}
        for i, t in enumerate(self.tokens):
            if t.low not in lows or not self._open(i):
                continue
            if t.capital or (t.low not in self.known.everyday and t.low not in FUNCTION):
                self.marked[i] = kinds[t.low]

    def _spans(self) -> list[NameSpan]:
        spans: list[NameSpan] = []
        for i in sorted(self.marked):
            t = self.tokens[i]
            end = t.end + (1 if len(t.text) == 1 and self.drawn[t.end : t.end + 1] == "." else 0)
            if spans and i - 1 in self.marked and re.fullmatch(r"[\s.]*", self.drawn[spans[-1].end : t.start]):
                spans[-1] = NameSpan(spans[-1].start, end, spans[-1].family)
            else:
                spans.append(NameSpan(t.start, end, self.marked[i] == 2))
        return spans


def find(text: str, taken: list[tuple[int, int]], again: bool = False, terms: frozenset[str] = frozenset()) -> list[NameSpan]:
    """Every name in a cleaned text. ``taken`` are spans already hidden; ``again`` says that some of them were before; ``terms``
    are no names."""
    reader = Reader(text, taken, again, terms)
    spans = reader.read()
    person = bool(spans) or bool(cue("child", "any").search(text))
    other = [NameSpan(start, end, False) for start, end in other_scripts(text)]
    lettered = [s for s in initials(text, person) if not any(a < s.end and s.start < b for a, b in reader.firm)]
    return sorted([*spans, *lettered, *other], key=lambda span: span.start)
