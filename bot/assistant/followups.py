"""What to ask next: known questions of the statements found beside the ones that were quoted."""

from __future__ import annotations

from bot.knowledge.shelf import Shelf
from bot.messages import Answered, Choice

MOST = 3
"""Suggestions of one answer; Teams shows three."""

LABEL = 75
"""Characters of a button's label that every platform shows; a longer question is cut there and asked in full."""

LONGEST = 140
"""A longer question is no suggestion."""


def follow_ups(answered: Answered, asked: str, shelves: list[Shelf]) -> tuple[Choice, ...]:
    """Up to three questions that the library is known to answer, about what was found near the answer but not quoted.

    Pressing one asks it. They come in the order of the search, one a statement, in the language of the reply.
    """
    quoted = {(c.version, c.start) for c in answered.reply.citations}
    rows = {statement.id: (shelf, statement) for shelf in shelves for statement in shelf.statements}
    seen = {_bare(asked)}
    found: list[Choice] = []
    # A question that leads to a quoted statement has just been answered.
    answered_now = {
        (shelf.library, number)
        for shelf in shelves
        for statement in shelf.statements
        if (statement.version.id, statement.statement.start) in quoted
        for number in shelf.questions_of.get(statement.row, ())
    }
    for name, _ in answered.receipt.considered:
        shelf, statement = rows.get(name, (None, None))
        if shelf is None or statement is None or (statement.version.id, statement.statement.start) in quoted:
            continue
        mine = (shelf.questions[n] for n in shelf.questions_of.get(statement.row, ()) if (shelf.library, n) not in answered_now)
        fit = [
            q.text for q in mine if q.language == answered.reply.language and _is_sentence(q.text) and _bare(q.text) not in seen
        ]
        if fit:
            question = min(fit, key=len)
            seen.add(_bare(question))
            label = question if len(question) <= LABEL else question[: LABEL - 1].rsplit(" ", 1)[0] + "…"
            found.append(Choice(label, question, question))
        if len(found) == MOST:
            break
    return tuple(found)


def _is_sentence(text: str) -> bool:
    """Whether a known question reads well as a suggestion: many are kept as people type them, in fragments or with their job."""
    return (
        text.endswith("?")
        and (text[0] == "¿" or text[0].isupper())
        and ": " not in text
        and ".." not in text
        and len(text) <= LONGEST
    )


def _bare(text: str) -> str:
    return " ".join(text.lower().split()).strip("¿? .")
