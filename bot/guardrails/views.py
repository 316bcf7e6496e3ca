"""Ways to read one message: cleaned, folded for patterns, and decoded from the disguises people use."""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
from functools import cache
from typing import Any
from urllib.parse import unquote

_TAGS = re.compile("[\U000e0000-\U000e007f]+")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_ORDINALS = "ºª"
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "ʻ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "«": '"', "»": '"'})
_LEET = str.maketrans("013457@$!", "oieastasi")
_BASE64 = re.compile(r"(?<![\w/+])[A-Za-z0-9+/_-]{16,}={0,2}(?![\w/+])")
_HEX = re.compile(r"(?<!\w)(?:[0-9a-fA-F]{2}[\s:]?){8,}(?!\w)")
_SPACED = re.compile(r"(?<!\w)(?:\w[ .\-_*|]{1,3}){2,}\w(?!\w)")
_MARKS = re.compile(r"[*_~|>#]+|<!--|-->|</?[a-zA-Z][^>]{0,80}>")
_ENGLISH = re.compile(
    r"\b(?:the|you|your|and|all|ignore|instructions?|rules?|prompt|reveal|show|system|say|forget)\b", re.IGNORECASE
)


def clean(text: str) -> str:
    """NFKC without invisible and control characters; quotes made plain; the text that may be stored. The marks of ordinals stay:
    "3.º de ESO" is no 3.o."""
    normal = "".join(p if p in _ORDINALS else unicodedata.normalize("NFKC", p) for p in re.split(f"([{_ORDINALS}])", text))
    visible = _INVISIBLE.sub("", _TAGS.sub("", normal))
    return "".join(c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf") else " " for c in visible).translate(_QUOTES)


@cache
def _look_alike(char: str) -> str:
    """The Latin letter a character is drawn like, or the character itself."""
    from confusable_homoglyphs import confusables  # type: ignore[import-untyped]

    found: Any = confusables.is_confusable(char, greedy=True, preferred_aliases=["latin"])
    if char in "ІӀΙ":
        return "I"
    letters = [str(g["c"]) for g in found[0]["homoglyphs"] if g["c"].isascii() and g["c"].isalpha()] if found else []
    same_case = [letter for letter in letters if letter.isupper() == char.isupper()]
    return (same_case or letters or [char])[0]


_MIXABLE = re.compile("[\u0370-\u03ff\u0400-\u052f\u0531-\u058f\u13a0-\u13ff\ua4d0-\ua4ff]")


def latinized(text: str) -> str:
    """Same length: Greek, Cyrillic, Armenian and Cherokee look-alikes in words that also hold Latin letters (or in a text
    that is otherwise Latin) drawn as Latin letters."""
    if not _MIXABLE.search(text):
        return text
    strange = len(_MIXABLE.findall(text))
    latin = sum(c.isascii() and c.isalpha() for c in text)

    def word(match: re.Match[str]) -> str:
        token = match.group()
        mixed = any(c.isascii() and c.isalpha() for c in token)
        return "".join(map(_look_alike, token)) if mixed or latin > 2 * strange else token

    return re.sub(r"\w+", word, text)


def unaccented(text: str) -> str:
    """Lower case without accents (combining marks removed)."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))


_FOLDED = str.maketrans("أإآىºª", "ااايoa", "\u0640\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652")


def folded(text: str) -> str:
    """The form patterns are read on: lower case, no accents or apostrophes, look-alikes as Latin, white space single."""
    plain = unaccented(latinized(text).translate(_FOLDED)).replace("'", "").replace("-", " ").replace("_", " ")
    return re.sub(r"[ \t\r\f\v]+", " ", plain).strip()


def bare(text: str) -> str:
    """Folded without punctuation: what whole-message patterns (greetings, commands) are read on."""
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s]+", " ", folded(text))).strip()


def _base64_views(text: str) -> list[str]:
    found = []
    for match in _BASE64.finditer(text):
        token = match.group().replace("-", "+").replace("_", "/").rstrip("=")
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            continue
        if raw and sum(c.isprintable() or c.isspace() for c in raw) >= 0.95 * len(raw):
            found.append(raw)
    return found


def _hex_views(text: str) -> list[str]:
    found = []
    for match in _HEX.finditer(text):
        try:
            raw = bytes.fromhex(re.sub(r"[\s:]", "", match.group())).decode("utf-8")
        except ValueError:
            continue
        if raw.isprintable():
            found.append(raw)
    return found


def disguised(text: str) -> tuple[tuple[str, str], ...]:
    """(disguise, what it says) for every disguise found in the raw text: invisible tags, base64, hex, rot13, leet, letters
    set apart, reversed text, percent and HTML escapes, and marks between letters. Empty for plain messages."""
    views: list[tuple[str, str]] = []
    tags = "".join(chr(ord(c) - 0xE0000) for run in _TAGS.findall(text) for c in run if 0xE0020 <= ord(c) <= 0xE007E)
    if tags:
        views.append(("invisible", tags))
    plain = clean(text)
    views += [("base64", view) for view in _base64_views(plain)]
    views += [("hex", view) for view in _hex_views(plain)]
    if "%" in plain and unquote(plain) != plain:
        views.append(("percent", unquote(plain)))
    if "&" in plain and html.unescape(plain) != plain:
        views.append(("html", html.unescape(plain)))
    if re.search(r"[a-z][0-9@$!][a-z]|[0-9@$!][a-z]{2}", plain, re.IGNORECASE):
        views.append(("leet", plain.translate(_LEET)))
    if _SPACED.search(plain):
        joined = re.sub(r" {2,}", "\0", plain)
        together = _SPACED.sub(lambda m: re.sub(r"[ .\-_*|]", "", m.group()), joined).replace("\0", " ")
        views.append(("spaced", together))
        views.append(("spaced", re.sub(r"[\s.\-_*|]", "", plain)))
    if _MARKS.search(plain):
        views.append(("marks", _MARKS.sub("", plain)))
    if not _ENGLISH.search(plain) and len(plain) >= 12:
        for name, view in (("rot13", codecs.encode(plain, "rot13")), ("reversed", plain[::-1])):
            if len(_ENGLISH.findall(view)) >= 2:
                views.append((name, view))
    elif re.search(r"\brot ?13\b|\breversed?\b|\bbackwards?\b|\bcaesar\b", plain, re.IGNORECASE):
        views += [("rot13", codecs.encode(plain, "rot13")), ("reversed", plain[::-1])]
    return tuple(views)
