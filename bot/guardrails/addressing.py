"""How text in a document speaks to an assistant instead of a reader. Called by the scan of documents.

The patterns are data (``prompts/policy/documents.yaml``), read on folded text. Some phrases are enough by themselves; most are
honest words that turn suspicious together: someone to whom an order about answers is given, a condition on what a user asks, a
claim to be passed on. Guidance on AI often describes such an attack or prints a prompt for a class; ``taught`` and
``prompting`` tell those apart."""

from __future__ import annotations

import re
from functools import cache

from bot.guardrails.policy import documents
from bot.guardrails.views import folded

Place = tuple[int, int]
"""Start and end in a folded text."""


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{item})" for item in documents().whole(name)), re.MULTILINE)


def command(fold: str) -> Place | None:
    """Where a folded text commands an assistant, or None. A question commands nobody unless it holds a command that stands
    alone with the words to drop what was told."""
    match = _pattern("alone").search(fold)
    if match is not None:
        asks = _pattern("question").search(fold) and not re.search(
            r"\b(?:previous|prior|above|your|system)\b|<\||\[inst", match.group()
        )
        return None if asks else match.span()
    return None if _pattern("question").search(fold) else _together(fold)


def _together(fold: str) -> Place | None:
    """Honest words that make an order to an assistant when they meet in one sentence."""
    told, asked, claim = (_pattern(name).search(fold) for name in ("told", "asked", "claim"))
    machine, address, output = (_pattern(name).search(fold) for name in ("to_machine", "address", "output"))
    if machine and told and (claim or address or _pattern("bad").search(told.group())):
        return machine.span()
    for_whom = claim or address or _pattern("user").search(fold)
    if asked and for_whom and (told or (claim and "question" in asked.group())):
        return asked.span()
    if output and _pattern("added").search(fold) and (address or _pattern("shown").search(fold)):
        return output.span()
    return None


def orders(fold: str) -> bool:
    """Whether a text that nobody sees gives an order about what to say, in words that instructions to assistants share."""
    return _pattern("told").search(fold) is not None and cues(fold) >= 2


def cues(fold: str) -> int:
    """How many different words of instructions to an assistant a folded text holds."""
    return len(set(_pattern("cues").findall(fold)))


def taught(sentence: str, fold: str, before: str, earlier: str = "") -> bool:
    """Whether the sentence speaks about such a command rather than giving one: it tells of attacks, or the command is a
    quotation that it, or the folded text ``before`` it, introduces, or that follows on talk of attacks ``earlier``."""
    if _pattern("attack").search(fold) and not _pattern("opening").match(fold):
        return True
    rest = _pattern("quoted").sub(" ", sentence)
    if rest.count('"') == 1:
        rest = rest.partition('"')[0]  # the quotation goes on in the next sentence
    if rest == sentence or command(folded(rest)) is not None:
        return False
    about = f"{before} {folded(rest)}"
    told = _pattern("attack").search(f"{earlier} {about}") or _pattern("example").search(about)
    return told is not None or before.rstrip().endswith(":")


def prompting(fold: str) -> bool:
    """Whether a text is a prompt that gives an assistant a teaching role, as guidance prints for copying, and nothing worse."""
    role = _pattern("prompt").search(fold)
    return role is not None and command(f"{fold[: role.start()]} {fold[role.end() :]}") is None


def furniture(fold: str) -> bool:
    """Whether hidden text is a label that pages hide for good reasons."""
    return bool(_pattern("furniture").search(fold))


def building(fold: str) -> bool:
    """Whether a comment was left by the program that made the page."""
    return bool(_pattern("building").search(fold))
