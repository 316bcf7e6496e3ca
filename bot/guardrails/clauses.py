"""Judges the clauses of a message one by one: a crisis or a request told in passing, beside a plain question or in a long text,
is lost when only the whole is weighed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial

from bot.guardrails import classifier, features
from bot.guardrails.context import Context, Decision
from bot.guardrails.judging import LONG as ORDINARY
from bot.guardrails.judging import Seen, by_pattern, decided, see
from bot.guardrails.reader import reader
from bot.guardrails.reading import halved
from bot.messages import Handling

_BREAK = re.compile(
    r"(?<=[.!?。！？؟;…])\s+|(?<=[。！？])|(?<=[\u4e00-\u9fff][?!])|\n+|\s+[-–—]+\s+|(?<=[,，،])\s*(?=\S)"
    r"|\s+(?=(?:also|but|btw|anyway|ps|because|while|when|pero|además|también|mais|aussi|parce)\b)",
    re.IGNORECASE,
)
SHORT, LONG, STEP, MOST = 4, 30, 22, 80
"""Words below which a clause stays with its neighbour; above which it is cut, every so many words; how many clauses are read: a
text of more is read in pieces of equal length instead, to its end."""

LEAST = {Handling.CRISIS: 0.78, Handling.REFUSE_UNSAFE: 0.92, Handling.INJECTION: 0.965, Handling.REFUSE_MISUSE: 0.965}
"""How likely a clause must be one of these, in the order in which they decide. More than of a whole message: many are read, and
each has lost what stands around it."""

PLAIN = 0.9
"""What the close reader alone takes for a plain clause with so much belief is not weighed further: no other reader could outweigh
it."""

SURELY, SAFELY = 0.98, 0.001
"""Of a text of ordinary length: from what belief in a plain question, and below what belief in a crisis, its clauses are not
read. Of messages that a clause rightly decided, none was so sure."""


def needless(whole: Seen) -> bool:
    """Whether the whole leaves no doubt that reading clause by clause could raise."""
    sure = whole.chance(Handling.ANSWER) > SURELY and whole.chance(Handling.CRISIS) < SAFELY
    return sure and whole.belief.embedded and len(whole.text.encode()) <= ORDINARY


def clauses(text: str) -> list[str]:
    """The clauses of a text, in order; none when it has only one."""
    found: list[str] = []
    for piece in _BREAK.split(text):
        if found and min(_length(found[-1]), _length(piece)) < SHORT:
            found[-1] = f"{found[-1]} {piece.strip()}".strip()
        elif piece.strip():
            found.append(piece.strip())
    cut = [part for piece in found for part in _cut(piece, LONG)]
    if len(cut) > MOST:
        cut = _cut(text, max(LONG, len(text.split()) * LONG // (STEP * (MOST - 1)) + 1))
    return cut if len(cut) > 1 else []


def _length(text: str) -> int:
    """Words of a text; two characters count for one where no spaces are written."""
    return max(len(text.split()), len(re.findall("[\u3040-\u30ff\u4e00-\u9fff]", text)) // 2)


def _cut(text: str, long: int) -> list[str]:
    """Pieces of ``long`` words, each beginning with the end of the one before."""
    words, step = text.split(), long * STEP // LONG
    if len(words) <= long:
        return [text]
    return [" ".join(words[begin : begin + long]) for begin in range(0, len(words) - (long - step), step)]


@dataclass(frozen=True)
class Weighed:
    """The clauses of a message that needed a second thought, by number, and how many there are in all."""

    seen: tuple[tuple[int, Seen], ...] = ()
    total: int = 0


def weigh(text: str, context: Context) -> Weighed:
    """Read the clauses of a redacted text; those that are plainly plain are left out."""
    parts = clauses(text)
    doubtful = halved(partial(_doubtful, context), parts)
    seen = tuple((number, see(part, part, context)) for number, part in enumerate(parts, 1) if doubtful[number - 1])
    return Weighed(seen, len(parts))


def judge(weighed: Weighed) -> Decision | None:
    """The first, by ``LEAST``'s order, that a pattern or the classifier finds in a clause."""
    for handling, least in LEAST.items():
        for number, clause in weighed.seen:
            decision = by_pattern(clause, handling) or _likely(clause, handling, least)
            if decision is not None:
                return replace(decision, reasons=(f"clause {number} of {weighed.total}", *decision.reasons))
    return None


def _doubtful(context: Context, part: str) -> bool:
    """Whether a clause is weighed at all. Without the embedder only patterns can tell."""
    if context.read is None:
        return any(features.marks(part.lower()).values())
    try:
        _, states = context.read(part)
        close = reader()
        return float(close.read(states)[0][close.classes.index(classifier.ANSWER)]) < PLAIN
    except Exception:  # a failing embedder leaves the patterns
        return True


def _likely(clause: Seen, handling: Handling, least: float) -> Decision | None:
    name = clause.belief.rules.get(handling)
    chance = clause.chance(handling)
    if name is None or name not in clause.rules or not clause.belief.embedded or chance < least:
        return None
    return decided(clause.rules[name], f"classifier {handling.value} {chance:.2f} >= {least:.2f}")
