"""Takes out of a reply every link, image and tag that is not vetted, however it is written. Called by the outgoing inspection.

A reply is read as a client would read it: without invisible characters, with full-width and look-alike marks as plain ones, with
entities decoded. What is cut is cut from the text itself, so that everything else, quotes above all, stays as it was."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from markdown_it import MarkdownIt

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_LOOKS = (("∶꞉ː˸։", ":"), ("⁄∕⧸╱", "/"), ("․。｡", "."), ("⟨‹〈", "<"), ("⟩›〉", ">"))
_MARKS = {ord(character): plain for characters, plain in _LOOKS for character in characters}
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_PLAIN = re.compile(r"[\t\n -%'-\[\]-~]+")
"""A run of ASCII in which every character stands for itself."""
_ESCAPED = re.compile(r"\\[!-/:-@\[-`{-~]")

_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?")
_TAG = re.compile(r"</?(?![a-zA-Z][a-zA-Z0-9+.-]*:)[a-zA-Z][^>]{0,4000}>|<!--.*?(?:-->|$)|<[!?][^>]*>", re.DOTALL)
"""A tag or a comment, not an address between angle brackets."""
_LINK = re.compile(r"\[([^\[\]]*)\]\(\s*<?([^)\s>]*)>?[^)]*\)")
_DEFINITION = re.compile(r"^[ >]{0,8}\[[^\]\n]+\]:[ \t]*\n?[ \t]*\S+.*$", re.MULTILINE)
_ADDRESS = re.compile(
    r"<?(?:\b[a-z][a-z0-9+.-]{1,20}:[\\/]{2}|\b(?:javascript|vbscript|data|mailto|tel|sms|blob|file|https?|ftp):(?=\S)"
    r"|(?<![:\w])//(?=[\w\[])|//(?=(?:[\w-]+\.)+\w{2,24})|\bwww\.(?=\S)|(?<![\w/.])(?:[\w-]+\.)+[^\W\d_]{2,24}(?::\d+)?/(?=\S))"
    r"[^\s<>\"')\]]+>?",
    re.IGNORECASE,
)
"""Anything a client may make a link of: an address with its scheme, without one, with 'www.', or a host with a path."""
_SCHEMES = ("https://", "http://")
_PARSER = MarkdownIt("commonmark", {"html": True})

Spans = list[tuple[int, int]]


def vetted(url: str, links: tuple[str, ...]) -> bool:
    """Whether an address is on the allow list: the same address, or below an entry that ends in '/'."""
    plain = url.strip("<>").rstrip(".,;:!?")
    if not plain.isascii() or not plain.lower().startswith(_SCHEMES) or "\\" in plain or "@" in plain.split("/", 3)[2]:
        return False
    return any(
        plain in (link, link.rstrip("/")) or plain.rstrip("/") == link or (link.endswith("/") and plain.startswith(link))
        for link in links
    )


def stripped(text: str, links: tuple[str, ...]) -> tuple[str, list[str]]:
    """The text without images, tags and links that are not vetted, and what was taken out. Words of a link stay."""
    problems: list[str] = []
    for _ in range(6):  # cutting one thing can bring another together
        before = text
        text = _cut(text, problems, links)
        if text == before:
            break
    if _left(text, links):
        problems.append("markup removed")
        text = re.sub(r"[\[\]<>()!]", "", text)
        text = _without(
            text, problems, "link removed", _ADDRESS, _reading(text, escapes=False), lambda found: vetted(found, links)
        )
    return text, list(dict.fromkeys(problems))


def _cut(text: str, problems: list[str], links: tuple[str, ...]) -> str:
    for pattern, problem in ((_IMAGE, "image removed"), (_TAG, "markup removed"), (_DEFINITION, "markup removed")):
        text = _without(text, problems, problem, pattern, _reading(text, escapes=True))
    return _unaddressed(_unlinked(text, problems, links), problems, links)


def _unaddressed(text: str, problems: list[str], links: tuple[str, ...]) -> str:
    reading = _reading(text, escapes=False)
    return _without(text, problems, "link removed", _ADDRESS, reading, lambda found: vetted(found, links))


@lru_cache(8)
def _reading(text: str, *, escapes: bool) -> tuple[str, Spans]:
    """The text as a client reads it, and where each of its characters stands. With ``escapes`` an escaped mark is no mark;
    without, it is the character it shows. The same text is read several times a reply."""
    shown: list[str] = []
    places: Spans = []
    position = 0
    while position < len(text):
        if plain := _PLAIN.match(text, position):
            shown.append(plain.group())
            places += [(i, i + 1) for i in range(position, plain.end())]
            position = plain.end()
            continue
        entity, escaped = _ENTITY.match(text, position), _ESCAPED.match(text, position)
        if entity:
            piece, end = html.unescape(entity.group()), entity.end()
        elif escaped:
            piece, end = "\0" if escapes else text[position + 1], escaped.end()
        else:
            piece, end = text[position], position + 1
        for character in unicodedata.normalize("NFKC", piece) if piece != "\n" else piece:
            if not _UNSEEN.match(character):
                shown.append(_MARKS.get(ord(character), character))
                places.append((position, end))
        position = end
    return "".join(shown), places


def _without(
    text: str,
    problems: list[str],
    problem: str,
    pattern: re.Pattern[str],
    reading: tuple[str, Spans],
    good: Callable[[str], bool] | None = None,
) -> str:
    """The text without what the pattern finds in its reading, unless the text there is ``good`` (as nothing is by default)."""
    shown, places = reading
    pieces, last = [], 0
    for match in pattern.finditer(shown):
        start, end = places[match.start()][0], places[match.end() - 1][1]
        if start < last or (good and good(_ESCAPED.sub(lambda m: m.group()[1], text[start:end]))):
            continue
        pieces.append(text[last:start])
        problems.append(problem)
        last = end
    return "".join([*pieces, text[last:]])


def _unlinked(text: str, problems: list[str], links: tuple[str, ...]) -> str:
    """Links that are not vetted become their words."""
    shown, places = _reading(text, escapes=True)
    pieces, last = [], 0
    for match in _LINK.finditer(shown):
        start, end = places[match.start()][0], places[match.end() - 1][1]
        target = text[places[match.start(2)][0] : places[match.end(2) - 1][1]] if match.group(2) else ""
        if start < last or (target and vetted(_ESCAPED.sub(lambda m: m.group()[1], target), links)):
            continue
        words = text[places[match.start(1)][0] : places[match.end(1) - 1][1]] if match.group(1) else ""
        pieces += [text[last:start], words]
        problems.append("link removed")
        last = end
    return "".join([*pieces, text[last:]])


def _left(text: str, links: tuple[str, ...]) -> bool:
    """Whether a Markdown parser still finds a link, an image or a tag that is not vetted."""
    for block in _PARSER.parse(text):
        if block.type == "html_block":
            return True
        for token in block.children or ():
            if token.type in ("image", "html_inline"):
                return True
            if token.type == "link_open" and not vetted(str(token.attrGet("href") or ""), links):
                return True
    return False
