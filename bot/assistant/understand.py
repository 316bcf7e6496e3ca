"""Reads a question: its language, its words with spelling mended, the names and numbers in it, its parts.

Pure functions of the question, the conversation and the vocabulary of what is published.
"""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby

from bot import prompts
from bot.knowledge.lexical_index import words
from bot.memory import give_back
from bot.messages import Utterance


@dataclass(frozen=True)
class Name:
    """A name found in a text: the kind of thing, its usual spelling."""

    kind: str
    usual: str


@dataclass(frozen=True)
class Understood:
    """A question ready for search. ``text`` is what was asked, mended; ``expanded`` adds the library's words."""

    asked: str
    text: str
    expanded: str
    language: str
    terms: tuple[str, ...]
    names: tuple[Name, ...]
    numbers: tuple[str, ...]
    mended: tuple[tuple[str, str], ...] = ()
    leans: bool = False


@cache
def stop_words(language: str | None = None) -> frozenset[str]:
    """Words of a language that carry no subject; of every language when none is named."""
    data = prompts.words()
    return frozenset({"en": data.stop_en, "es": data.stop_es}.get(language or "", f"{data.stop_en} {data.stop_es}").split())


@cache
def _signs(language: str) -> frozenset[str]:
    data = prompts.words()
    return frozenset((data.signs_es if language == "es" else data.signs_en).split())


def plain(text: str) -> str:
    """Normalise to NFKC, without invisible characters, white space folded."""
    folded = unicodedata.normalize("NFKC", text)
    visible = "".join(c if unicodedata.category(c) not in ("Cf", "Cc") else " " if c.isspace() else "" for c in folded)
    return re.sub(r"\s+", " ", visible).strip()


def unaccented(text: str) -> str:
    """Lower case without accents."""
    lower = text.lower()
    if lower.isascii():
        return lower
    return "".join(c for c in unicodedata.normalize("NFD", lower) if not unicodedata.combining(c))


def language_of(text: str) -> str:
    """'es' when the function words are Spanish, else 'en'."""
    tokens = words(text)
    spanish = sum(token in _signs("es") for token in tokens) + 2 * len(re.findall(r"[¿¡ñ]", text.lower()))
    english = sum(token in _signs("en") for token in tokens)
    return "es" if spanish > english and (spanish > 1 or len(tokens) <= 3) else "en"


@cache
def _name_patterns() -> tuple[tuple[re.Pattern[str], dict[str, Name]], ...]:
    """One pattern for spellings that stand in any case, one for short or everyday ones that must stand as written."""
    data = prompts.names()
    everyday = prompts.words().same_word_names.split()
    loose: dict[str, Name] = {}
    exact: dict[str, Name] = {}
    for kind in ("states", "places", "products", "organizations", "exams", "laws"):
        for entry in getattr(data, kind):
            spellings = [part.strip() for part in entry.split(" = ")]
            name = Name(kind, spellings[0])
            for spelling in spellings:
                if len(spelling.replace(".", "")) <= 3 or spelling in everyday:
                    exact.setdefault(spelling, name)
                else:
                    loose.setdefault(spelling.lower(), name)
    return (_any_of(loose), loose), (_any_of(exact), exact)


def _any_of(spellings: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])")


def names_in(text: str) -> tuple[Name, ...]:
    """The known names a text carries, each once; where spellings overlap, the longest counts."""
    (any_case, loose), (as_written, exact) = _name_patterns()
    # A tenth of the time of a pattern that ignores case. Letter by letter, so that places in both texts are the same.
    lower = "".join(low if len(low := c.lower()) == 1 else c for c in text) if not text.isascii() else text.lower()
    found: dict[Name, None] = {}
    rest, last = [], 0
    for match in any_case.finditer(lower):
        found[loose[match.group()]] = None
        rest += [text[last : match.start()], " " * (match.end() - match.start())]
        last = match.end()
    rest.append(text[last:])
    found.update((exact[match.group()], None) for match in as_written.finditer("".join(rest)))
    return tuple(found)


def numbers_in(text: str) -> tuple[str, ...]:
    """Numbers of a text without separators or trailing marks: '1,190' is '1190', '45%' is '45'."""
    found = [number.replace(",", "").rstrip(".") for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]
    return tuple(dict.fromkeys(found))


@cache
def _glossary_pattern(language: str) -> tuple[re.Pattern[str], dict[str, str]]:
    entries = {key.lower(): value for key, value in getattr(prompts.glossary(), language).items()}
    choice = "|".join(re.escape(key) for key in sorted(entries, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{choice})(?![\w-])", re.IGNORECASE), entries


def expand(text: str, language: str) -> str:
    """The text with each short form's meaning after it."""
    if language not in ("en", "es"):
        return text
    pattern, entries = _glossary_pattern(language)
    return pattern.sub(lambda m: f"{m.group()} ({entries[m.group().lower()]})", text)


class Vocabulary:
    """The words of what is published, with how often; mends spelling against them."""

    def __init__(self, texts: Iterable[str]) -> None:
        counts: dict[str, int] = {}
        total = 0
        for text in texts:
            total += 1
            for word in set(words(text)):
                counts[word] = counts.get(word, 0) + 1
        self.counts = counts
        self.total = max(total, 1)
        self._frequent = [word for word, count in counts.items() if count >= 2 and len(word) >= 4]

    def mend(self, text: str, language: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Replace words unknown to the library and to the language by a near word of the library."""
        changes: list[tuple[str, str]] = []

        def fix(match: re.Match[str]) -> str:
            word = match.group()
            low = word.lower()
            if len(low) < 4 or low in self.counts or not low.isalpha() or _known(low, language):
                return word
            near = self._nearest(low)
            if near is None:
                return word
            changes.append((word, near))
            return near

        return re.sub(r"[^\W\d_]+", fix, text), tuple(changes)

    def _nearest(self, word: str) -> str | None:
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        limit = 1 if len(word) <= 6 else 2
        found = process.extract(word, self._frequent, scorer=DamerauLevenshtein.distance, score_cutoff=limit, limit=8)
        same_start = [(w, d) for w, d, _ in found if w[0] == word[0] and abs(len(w) - len(word)) <= limit]
        if not same_start:
            return None
        return min(same_start, key=lambda pair: (pair[1], -self.counts[pair[0]]))[0]


@cache
def _dictionary(language: str) -> dict[str, str]:
    """The words of pyspellchecker's list of a language by their first two letters, as lines: a few hundred strings are a
    tenth of a set of words in memory."""
    with gzip.open(str(files("spellchecker") / "resources" / f"{language}.json.gz"), "rt", encoding="utf-8") as stream:
        found = sorted(json.loads(stream.read().lower()))
    grouped = {start: "\n".join(("", *group, "")) for start, group in groupby(found, lambda word: word[:2])}
    del found
    give_back()
    return grouped


def _known(word: str, language: str) -> bool:
    return f"\n{word}\n" in _dictionary(language if language in ("en", "es") else "en").get(word[:2], "")


_LEANING = re.compile(
    r"^(?:and|but|so|or|also|then|ok|okay|what about|how about|what if|same|y|pero|entonces|tambien)\b"
    r"|\b(?:it|its|that|this|those|these|they|them|he|she|there|ones?|eso|esto|ellos|ella|ese|esa)\b",
    re.IGNORECASE,
)


_POINTS_BACK = re.compile(r"^(?:and|but|or|y|pero)\b|\b(?:it|its|that|this|they|them|those|eso|esto)\b", re.IGNORECASE)


def leans_on_history(text: str) -> bool:
    """Whether a question needs the turn before it: it opens like a continuation, points back, or is very short."""
    tokens = words(text)
    content = [t for t in tokens if t not in stop_words()]
    return (bool(_LEANING.search(text)) and len(tokens) <= 16) or len(content) <= 3


@cache
def _hidden() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A hidden detail, and one that only says more of the person beside it."""
    data = prompts.placeholders()
    kinds, beside = ("|".join(map(re.escape, names)) for names in (data.words, data.beside))
    one = rf"\[(?:{kinds})\]"
    return re.compile(rf"\[({kinds})\]"), re.compile(rf"\s*\((?:{one}[\s,;]*)+\)|(?<=\])[\s,;]+\[(?:{beside})\]")


def readable(text: str, language: str) -> str:
    """A question with plain words in place of the details that the guardrails hid ("[student name]": a student)."""
    if "[" not in text:
        return text
    one, more = _hidden()
    words = prompts.placeholders().words

    def said(match: re.Match[str]) -> str:
        stands = words[match.group(1)]
        return stands.es if language == "es" else stands.en

    return one.sub(said, more.sub("", text))


def understand(question: str, history: tuple[Utterance, ...], vocabulary: Vocabulary) -> Understood:
    """Read one question in its conversation."""
    asked = plain(question)
    language = language_of(asked)
    text, mended = vocabulary.mend(readable(asked, language), language)
    leans = bool(history) and leans_on_history(text)
    expanded = expand(text, language)
    stop = stop_words()
    terms = tuple(dict.fromkeys(w for w in words(unaccented(expanded)) if w not in stop))
    return Understood(asked, text, expanded, language, terms, names_in(text), numbers_in(text), mended, leans)


def parts_of(question: str) -> tuple[str, ...]:
    """The separate questions of a message, at most three; one part when they cannot stand alone."""
    pieces = [piece.strip() for piece in re.findall(r"[^?]*\?", question)]
    tail = question[question.rfind("?") + 1 :].strip()
    standing = [p for p in pieces if len([w for w in words(p) if w not in stop_words()]) >= 2 and not _POINTS_BACK.search(p)]
    if not 2 <= len(pieces) <= 3 or len(standing) < len(pieces) or len(words(tail)) > 4:
        return (question,)
    return tuple(pieces)
