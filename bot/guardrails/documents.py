"""Scans a document for what speaks to an assistant instead of a reader. Pure; intake calls ``review`` with what a reader of
files produced, and a document with a finding that holds waits until a reviewer has acknowledged it.

What readers see is held for a command that it gives, by a pattern (``addressing``) or by the fitted reader (``commanding``); a
sentence that describes or quotes such a command, or a prompt printed for a class, is not. What readers do not see is held for
much less: nobody can judge it but the reviewer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from bot.guardrails import addressing, commanding, features, views
from bot.knowledge.blocks import Extract, Finding

MOST = 50
"""Findings shown of one document; a reviewer needs no more to hold it."""
EXCERPT = 160
"""Characters of an excerpt."""
LEAST = 8
"""Characters of the shortest sentence that is read for a command."""
EARLIER = 900
"""Characters in which talk of attacks makes an example of a quoted command that follows."""
PROSE = 6
"""Words from which hidden text is prose rather than a label."""


@dataclass(frozen=True)
class Block:
    """A piece of a document: its text, where it stands ('page 3'), whether readers see it, and whether it is running text."""

    text: str
    where: str
    visible: bool = True
    running: bool = True

    @cached_property
    def disguises(self) -> list[tuple[str, str]]:
        """The disguises of the whole and of each of its sentences: one alone may be written backwards."""
        pieces = dict.fromkeys([self.text, *sentences(self.text)])
        found = dict.fromkeys(view for piece in pieces for view in views.disguised(piece))
        return [(name, view) for name, view in found if name != "leet" or len(_LEET_WORD.findall(self.text)) >= 3]


_LINK_TRICK = re.compile(
    r"!\[[^\]]*\]\(\s*(?:https?:)?//[^)]*[?&][^)]*\)|\b(?:javascript|vbscript|data:text)[:/][^\s]{8,}", re.IGNORECASE
)
_CARRIES = re.compile(
    r"[?&#/][^?&#]*(?:[{}\[\]$]|%7b|%5b|<|\b(?:conversation|chat|question|prompt|user_?(?:data|input|message)|history|context|answer|secret|leak|exfil\w*)=)",
    re.IGNORECASE,
)
"""An address made to be filled in by whoever writes the answer."""


def review(extract: Extract, read: features.Read | None = None) -> tuple[Finding, ...]:
    """Everything a reviewer must look at in a file as it was read: what its words say to an assistant, and its unseen parts,
    judged. Notes of the reader that hold nothing back (encoding, tracked changes) are kept at the end. Without ``read``
    fewer unforeseen wordings are found."""
    found = list(scan(_visible(extract), read))
    found += [
        finding
        for name, value in extract.properties.items()
        for finding in scan([Block(value, f"file's own {name}", running=False)])
        if name != "language"
    ]
    notes: list[Finding] = []
    deleted = 0
    for part in extract.findings:
        if part.kind in ("hidden_text", "comment", "markup", "link", "tracked_change"):
            found += _unseen(part)
            deleted += part.kind == "tracked_change"
        else:
            notes.append(part)
    if deleted:
        notes.append(Finding("tracked_change", "whole file", f"{deleted} tracked deletions were left out"))
    return (*dict.fromkeys(found[:MOST]), *notes)


def scan(blocks: Iterable[Block], read: features.Read | None = None) -> tuple[Finding, ...]:
    """Everything a reviewer must look at, in the document's order."""
    known = list(blocks)
    told = _told(known, read)
    found: list[Finding] = []
    before = earlier = ""
    for block in known:
        found += _in_block(block, before, earlier, told)
        before = views.folded(views.clean(block.text))[-300:] if block.visible else ""
        earlier = f"{earlier} {before}"[-EARLIER:]
        if len(found) >= MOST:
            break
    return tuple(found[:MOST])


def _told(blocks: list[Block], read: features.Read | None) -> set[str]:
    """The sentences of visible running text that the fitted reader takes for commands."""
    running = [block for block in blocks if block.visible and block.running]
    seen = dict.fromkeys(s for block in running for s in sentences(views.clean(block.text)) if len(s) >= LEAST)
    for block in running:
        apart = len(_APART.findall(block.text)) >= LETTERS_APART
        for name, view in block.disguises:
            if name in _WRITTEN_OTHERWISE and (name != "spaced" or (apart and " " in view)):
                seen[view] = None
    return {s for s, command in zip(seen, commanding.commands(list(seen), read), strict=True) if command}


def _visible(extract: Extract) -> Iterator[Block]:
    heading = ""
    for number, block in enumerate(extract.blocks, 1):
        if block.kind == "heading":
            heading = block.text[:60]
        where = f"page {block.page}" if block.page else f"paragraph {number}" + (f", under '{heading}'" if heading else "")
        yield Block(block.text, where)


def _excerpt(text: str, place: tuple[int, int] | None = None) -> str:
    flat = re.sub(r"\s+", " ", views.clean(text)).strip()
    start = max(0, place[0] - 40) if place and place[1] <= len(flat) and len(flat) > EXCERPT else 0
    return flat[start : start + EXCERPT]


def sentences(text: str) -> list[str]:
    """The sentences of a text, as they are judged one by one."""
    return [piece for piece in re.split(r"(?<=[.!?。！？؟])\s+|(?<=[。！？])|\n+", text) if piece.strip()]


_WRITTEN_OTHERWISE = ("leet", "spaced", "reversed", "rot13")
"""Disguises whose words a reader could work out; what they say is read like a sentence."""
_APART = re.compile(r"(?<!\S)\w(?!\S)")
LETTERS_APART = 8
"""Letters that stand alone from which a text may be set apart to hide what it says."""
_LEET_WORD = re.compile(r"\b(?=\w*[a-z])(?=\w*\d\w*[a-z])\w{3,}\b", re.IGNORECASE)


def _disguised(block: Block, told: Set[str] = frozenset()) -> list[Finding]:
    found: list[Finding] = []
    for name, view in block.disguises:
        if name == "invisible" and len(view) >= 8:
            found.append(Finding("hidden_text", block.where, f"invisible characters that spell: {view[:100]}"))
        elif (name in ("base64", "hex") and len(re.findall(r"\w+", view)) >= 4) or (
            name not in ("invisible", "marks") and (view in told or addressing.command(views.folded(view)))
        ):
            found.append(Finding("encoded", block.where, _excerpt(view)))
    if re.search(
        "[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]{3,}|[\u202d\u202e]|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}", block.text
    ):
        found.append(Finding("hidden_text", block.where, "a run of invisible characters"))
    if _LINK_TRICK.search(block.text):
        found.append(Finding("link", block.where, _excerpt(block.text)))
    return found


def _in_block(block: Block, before: str, earlier: str, told: set[str]) -> list[Finding]:
    found = _disguised(block, told)
    clean = views.clean(block.text)
    if not block.visible:
        return found + _concealed(clean, block.where, bool(found))
    for sentence in sentences(clean):
        fold = views.folded(sentence)
        match = addressing.command(fold) or addressing.command(views.folded(re.sub(r"[*_~`|>#]+", "", sentence)))
        if match is None and sentence in told:
            match = (0, len(fold))
        if match and not addressing.taught(sentence, fold, before, earlier) and not addressing.prompting(fold):
            found.append(Finding("instruction", block.where, _excerpt(sentence, match)))
            break
        before = fold
        earlier = f"{earlier} {fold}"[-EARLIER:]
    return found


def _concealed(clean: str, where: str, known: bool) -> list[Finding]:
    """Hidden text: a command, or prose that is no page furniture."""
    fold = views.folded(clean)
    match = addressing.command(fold)
    if match:
        return [Finding("instruction", where, _excerpt(clean, match))]
    prose = len(re.findall(r"\w+", fold)) >= PROSE or len(re.findall("[\u4e00-\u9fff]", fold)) >= 2 * PROSE
    if known or not prose or (addressing.furniture(fold) and addressing.cues(fold) < 4):
        return []
    return [Finding("hidden_text", where, _excerpt(clean))]


def _unseen(part: Finding) -> list[Finding]:
    """What a reader left out, judged by its kind."""
    block = Block(part.excerpt, part.where, visible=False)
    if part.kind == "link":
        tricky = _LINK_TRICK.match(part.excerpt) or _CARRIES.search(unquote(part.excerpt))
        return [Finding("link", part.where, part.excerpt[:EXCERPT])] if tricky else []
    found = _disguised(block)
    clean = views.clean(part.excerpt)
    fold = views.folded(clean)
    if part.kind == "hidden_text":
        return found + _concealed(clean, part.where, bool(found))
    match = addressing.command(fold)
    if match:
        told = addressing.taught(clean, fold, "") and part.kind == "markup"
        return found if told else [*found, Finding("instruction", part.where, _excerpt(clean, match))]
    telling = addressing.orders(fold) or (part.kind == "comment" and addressing.cues(fold) >= 3)
    if telling and not addressing.building(fold) and len(fold.split()) >= PROSE:
        found.append(Finding("comment", part.where, _excerpt(clean)))
    return found
