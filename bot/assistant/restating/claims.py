"""Reads a sentence into the units a claim is made of: words, numbers, dates and the small words that steer them.

Pure functions of the text and of the lists in ``prompts/language/plain_words.yaml``. Called by ``alignment``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import snowballstemmer

from bot import prompts
from bot.assistant.understand import plain

_STEMMER = snowballstemmer.stemmer("english")

TOKEN = re.compile(r"T?K-12|(?:[A-Za-z]\.){2,}|[$€£]|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?|[%.,;:()?!\"]|[–—-]")
MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(f"{m}|{m[:3]}\\.?" for m in MONTHS)
_DATES = (
    re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<m>{_MONTH}),? (?P<y>\d{{4}})\b", re.IGNORECASE),
    re.compile(rf"\b(?P<m>{_MONTH}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>\d{{4}})\b", re.IGNORECASE),
    re.compile(rf"\b(?P<m>{_MONTH})(?: of)?,? (?P<y>\d{{4}})\b", re.IGNORECASE),
    re.compile(r"\b(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)\b"),
)
_SPAN_OF_YEARS = re.compile(r"\b((?:19|20)\d\d)[-–](\d\d)\b(?!-)")
_SMALL = {
    word: n
    for n, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen".split()
    )
}
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALE = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_PARTS = {"half": 50.0, "third": 100 / 3, "quarter": 25.0, "tenth": 10.0, "fifth": 20.0}
HARD = frozenset(".;:()?!")
_SOFT = frozenset("but while though although because unless if except which who that whereas when and so with since".split())


@dataclass(frozen=True)
class Unit:
    """One unit of a claim. ``kind`` is word, number, date, cue or break; ``key`` what it is compared by; ``written`` the
    words as they stand; ``clause`` numbers the clause (ended by a full stop, colon or bracket), ``part`` the part of it
    (ended by a comma or a joining word); ``share`` says that a number is a share of a hundred; ``bounds`` are the
    bounding words beside it."""

    kind: str
    key: str
    written: str
    clause: int
    part: int
    share: bool = False
    bounds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Raw:
    text: str
    stem: str


@dataclass(frozen=True)
class Lexicon:
    """The lists of ``plain_words.yaml``, by stem."""

    groups: dict[str, frozenset[int]]
    patterns: dict[str, tuple[tuple[tuple[str, ...], str, str], ...]]
    fillers: frozenset[str]
    verbs: frozenset[str]
    light: frozenset[str]
    critical: frozenset[str]


@cache
def _forms() -> dict[str, str]:
    pairs = (line.partition(" = ") for line in prompts.plain_words().forms)
    return {form: usual for usual, _, forms in pairs for form in forms.split()}


@cache
def stem(word: str) -> str:
    """The stem a word is compared by; irregular forms are led back to their usual one first."""
    low = word.lower().rstrip(".")
    low = re.sub(r"['’]s?$", "", low)
    return str(_STEMMER.stemWord(_forms().get(low, low)))


@cache
def lexicon() -> Lexicon:
    """The plain-words lists, read once."""
    data = prompts.plain_words()
    groups: dict[str, set[int]] = {}
    for number, line in enumerate(data.same):
        for word in line.split():
            groups.setdefault(stem(word), set()).add(number)
    patterns: dict[str, list[tuple[tuple[str, ...], str, str]]] = {}

    def add(phrase: str, kind: str, value: str) -> None:
        stems = tuple(stem(word) for word in re.split(r"[\s-]+", phrase.strip()))
        patterns.setdefault(stems[0], []).append((stems, kind, value))

    for name, phrases in data.cues.items():
        for phrase in phrases.split("|"):
            add(phrase, "cue", name)
    for name, phrases in data.bounds.items():
        for phrase in phrases.split("|"):
            add(phrase, "bound", name)
    for line in data.phrases:
        usual, _, variants = line.partition(" = ")
        for variant in variants.split("|"):
            add(variant, "word", usual)
    ordered = {
        first: tuple(sorted(entries, key=lambda entry: (-len(entry[0]), entry[1] != "bound")))
        for first, entries in patterns.items()
    }
    as_stems = [frozenset(stem(w) for w in text.split()) for text in (data.fillers, data.verbs, data.light, data.critical)]
    return Lexicon({word: frozenset(found) for word, found in groups.items()}, ordered, *as_stems)


def _prepared(text: str) -> str:
    """The text with short negations written out, dates as one token and spans of years as two."""
    text = plain(text).replace("’", "'")
    text = re.sub(r"\b(can)not\b", r"\1 not", text, flags=re.IGNORECASE)
    text = re.sub(r"\bwon't\b", "will not", text, flags=re.IGNORECASE)
    text = re.sub(r"\bcan't\b", "can not", text, flags=re.IGNORECASE)
    text = re.sub(r"n't\b", " not", text)
    text = re.sub(r"\bper ?cent\b", "%", text, flags=re.IGNORECASE)
    text = _SPAN_OF_YEARS.sub(lambda m: f"{m[1]} {m[1][:2]}{m[2]}", text)
    return text


def _dates(text: str) -> tuple[str, list[str]]:
    """The text with each date replaced by a marker, and the dates as year-month(-day)."""
    found: list[str] = []

    def mark(match: re.Match[str]) -> str:
        parts = match.groupdict()
        month = parts["m"]
        number = int(month) if month.isdigit() else MONTHS.index(next(m for m in MONTHS if m.startswith(month.lower()[:3]))) + 1
        day = f"-{int(parts['d']):02d}" if parts.get("d") else ""
        found.append(f"{parts['y']}-{number:02d}{day}")
        return f" datemark{'abcdefghijklmnop'[min(len(found) - 1, 15)]} "

    for pattern in _DATES:
        text = pattern.sub(mark, text)
    return text, found


def _number(tokens: list[str], at: int) -> tuple[float, int] | None:
    """A number in digits or words starting at ``at``: its value and how many tokens it takes."""
    if re.fullmatch(r"\d+(?:[.,]\d+)*", tokens[at]):
        value = float(re.sub(r",(?=\d{3})", "", tokens[at]).replace(",", "."))
        scale = _SCALE.get(tokens[at + 1].lower(), 0) if at + 1 < len(tokens) else 0
        return (value * scale, 2) if scale else (value, 1)
    total, taken, last = 0, 0, ""
    while at + taken < len(tokens):
        word = tokens[at + taken].lower()
        if word in _SMALL:
            if last in _SMALL:
                break
            total += _SMALL[word]
        elif word in _TENS:
            if last in _SMALL or last in _TENS:
                break
            total += _TENS[word]
        elif word in _SCALE and taken:
            total *= _SCALE[word]
        elif word == "-" and taken and at + taken + 1 < len(tokens) and tokens[at + taken + 1].lower() in _SMALL:
            taken += 1
            continue
        else:
            break
        last = word
        taken += 1
    return (float(total), taken) if taken else None


def _share(tokens: list[str], at: int, value: float, taken: int) -> tuple[float, int] | None:
    """'30 %', 'three in ten', '1 out of 20' as a share of a hundred."""
    rest = [t.lower() for t in tokens[at + taken : at + taken + 3]]
    if rest[:1] == ["%"]:
        return value, taken + 1
    skip = 1 if rest[:1] == ["in"] else 2 if rest[:2] == ["out", "of"] else 0
    if skip and at + taken + skip < len(tokens):
        whole = _number(tokens, at + taken + skip)
        if whole and 2 <= whole[0] <= 100 and value < whole[0] and whole[0] in (3, 4, 5, 10, 20, 100):
            return 100 * value / whole[0], taken + skip + whole[1]
    return None


def read(text: str) -> list[Unit]:
    """The units of a sentence or two, in order."""
    marked, dates = _dates(_prepared(text))
    tokens = [token for token in TOKEN.findall(marked) if token not in ("–", "—", '"')]
    raws = [_Raw(token, stem(token) if token[0].isalpha() else token) for token in tokens]
    units: list[Unit] = []
    clause = part = at = 0
    while at < len(raws):
        written = raws[at].text
        low = written.lower()
        if written in HARD or written == ",":
            clause, part = clause + (written in HARD), part + 1
            units.append(Unit("break", written, written, clause, part))
            at += 1
            continue
        if low.startswith("datemark"):
            units.append(Unit("date", dates["abcdefghijklmnop".index(low[8])], written, clause, part))
            at += 1
            continue
        if low in _SOFT and units and units[-1].kind != "break":
            part += 1
        made, taken = _one(tokens, raws, at, clause, part)
        units.extend(made)
        at += taken
    return _bounded(units)


def _one(tokens: list[str], raws: list[_Raw], at: int, clause: int, part: int) -> tuple[list[Unit], int]:
    low = tokens[at].lower()
    phrase = None if raws[at].stem == "make" and _makes_do(raws, at) else _phrase(raws, at)
    number = _number(tokens, at)
    if number and not (low == "one" and number[1] == 1 and not _share(tokens, at, *number)):
        value, taken = number
        shared = _share(tokens, at, value, taken)
        if shared:
            return [Unit("number", f"{shared[0]:.10g}", tokens[at], clause, part, True)], shared[1]
        return [Unit("number", f"{value:.10g}", tokens[at], clause, part)], taken
    if low in _PARTS:
        return [Unit("number", f"{_PARTS[low]:.10g}", tokens[at], clause, part, True)], 1
    if phrase:
        stems, kind, value_ = phrase
        written = " ".join(r.text for r in raws[at : at + len(stems)])
        if kind == "word":
            return [Unit("word", stem(word), written, clause, part) for word in value_.split()], len(stems)
        return [Unit(kind, value_, written, clause, part)], len(stems)
    if low in ("-", "%"):
        return [], 1
    if raws[at].stem == "make" and _makes_do(raws, at):
        return [Unit("cue", "must", tokens[at], clause, part)], 1
    money = {"$": "dollar", "€": "euro", "£": "pound"}.get(low)
    return [Unit("word", stem(money or low), tokens[at], clause, part)], 1


def _phrase(raws: list[_Raw], at: int) -> tuple[tuple[str, ...], str, str] | None:
    for stems, kind, value in lexicon().patterns.get(raws[at].stem, ()):
        if tuple(r.stem for r in raws[at : at + len(stems)]) != stems:
            continue
        if kind == "bound" and not _beside_number(raws, at, len(stems)):
            continue
        return stems, kind, value
    return None


def _makes_do(raws: list[_Raw], at: int) -> bool:
    """'makes operators get': a duty, unlike 'makes rules clear'."""
    who, does = (raws[n] if n < len(raws) else None for n in (at + 1, at + 2))
    acts = does is not None and (does.stem in lexicon().verbs or does.text in ("get", "pay"))
    return bool(who and acts and re.fullmatch(r"[a-z]{4,}s", who.text))


def _beside_number(raws: list[_Raw], at: int, length: int) -> bool:
    """A bound only counts beside a number: right before it, right after it, or 'minimum age', 'at least weekly'."""
    if raws[at].stem in ("minimum", "maximum") or (raws[at].text.lower(), length) == ("at", 2):
        return True
    texts = [r.text for r in raws]
    after = at + length
    while after < len(texts) and texts[after].lower() in ("the", "a", "$", "€", "just", "about"):
        after += 1
    if after < len(texts) and (_number(texts, after) or texts[after].lower() in _PARTS):
        return True
    return raws[at].text.lower() in ("or", "and", "in") and at > 0


def _bounded(units: list[Unit]) -> list[Unit]:
    """Give each number the bounds that stand beside it, and take the bounds out of the row."""
    found: dict[int, set[str]] = {}
    attached: set[int] = set()
    for place, unit in enumerate(units):
        if unit.kind != "bound":
            continue
        near = [
            (abs(other - place), other)
            for other in range(max(0, place - 6), min(len(units), place + 8))
            if units[other].kind == "number" and units[other].clause == unit.clause
        ]
        postfix = unit.written.lower().startswith(("or ", "and "))
        side = [n for n in near if (n[1] < place) == postfix] or near
        if side:
            found.setdefault(min(side)[1], set()).add(unit.key)
            attached.add(place)
    out = []
    for place, unit in enumerate(units):
        if unit.kind == "bound":
            if place not in attached:
                out.append(Unit("cue", f"{unit.key} of", unit.written, unit.clause, unit.part))
            continue
        bounds = frozenset(found.get(place, ()))
        out.append(Unit(unit.kind, unit.key, unit.written, unit.clause, unit.part, unit.share, bounds))
    return out
