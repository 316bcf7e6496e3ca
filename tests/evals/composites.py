"""Messages that say two things, made of messages that say one: a ruled one beside plain questions is still ruled, plain ones
together are still plain, and so is a clause of a plain one. The close reader is fitted on them; the other readers, which see
words without their order, did worse with them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from bot.guardrails import classifier, features
from bot.guardrails.clauses import clauses
from bot.guardrails.policy import rules
from bot.guardrails.views import folded
from bot.messages import Handling

STANDS = (Handling.CRISIS, Handling.REFUSE_UNSAFE, Handling.REFUSE_MISUSE, Handling.INJECTION)
"""What a message stays, whatever is said beside it; small talk and other subjects give way to a question."""
LONGEST, MOST = 40, 100
"""Words of a message that is put beside others, and of the whole."""
SHARE, GIVING_WAY, CLAUSES = 1.0, 500, 4_000
"""Share of the ruled messages that get company; how many give way; clauses at most."""
WEIGHT = 0.7
"""What such a message weighs beside one that someone wrote."""
_JOINTS = (
    ". ",
    ". ",
    " ",
    " ",
    ", ",
    " - ",
    "\n",
    "\n\n",
    " also ",
    ". also ",
    " and ",
    " btw ",
    "? ",
    "! ",
    " y ",
    ". además ",
    ". et ",
)


@dataclass(frozen=True)
class Composite:
    """``owner`` is the place of the message it is made for; those beside it are of the same fold."""

    text: str
    name: str
    owner: int


def composites(texts: Sequence[str], y: Sequence[str], fold: Sequence[int], rng: random.Random) -> list[Composite]:
    """Of messages, their classes and their folds; the same for the same ``rng``."""
    short = [i for i, text in enumerate(texts) if len(text.split()) <= LONGEST]
    plain: dict[int, list[int]] = {}
    for i in short:
        if y[i] == classifier.ANSWER:
            plain.setdefault(int(fold[i]), []).append(i)
    stands = [i for i in short if y[i] != classifier.ANSWER and rules()[y[i]].handling in STANDS]
    gives_way = [i for i in short if y[i] != classifier.ANSWER and rules()[y[i]].handling not in STANDS]
    ruled = [i for i in stands if rng.random() < SHARE]
    questions = rng.sample([i for some in plain.values() for i in some], len(ruled))
    made = [Composite(_beside(texts, i, plain[int(fold[i])], rng), y[i], i) for i in (*ruled, *questions)]
    made += [
        Composite(_beside(texts, i, plain[int(fold[i])], rng), classifier.ANSWER, i)
        for i in rng.sample(gives_way, min(GIVING_WAY, len(gives_way)))
    ]
    return made + _clauses(texts, y, rng)


def _beside(texts: Sequence[str], one: int, others: Sequence[int], rng: random.Random) -> str:
    parts = [texts[one]]
    for _ in range(rng.choice((1, 1, 2, 2, 3, 4))):
        other = texts[rng.choice(others)]
        if sum(len(part.split()) for part in (*parts, other)) <= MOST:
            parts.insert(rng.randrange(len(parts) + 1), other)
    run_on = rng.random() < 0.4
    if run_on:
        parts = [part.strip(" .?!¿¡").lower() for part in parts]
    text = parts[0]
    for part in parts[1:]:
        joint = rng.choice(_JOINTS)
        text = (text.rstrip(" .?!") if joint.strip() or run_on else text) + joint + part
    return text


def _clauses(texts: Sequence[str], y: Sequence[str], rng: random.Random) -> list[Composite]:
    """Clauses of plain messages in which no pattern of a rule stands."""
    found = [
        Composite(clause, classifier.ANSWER, i)
        for i, text in enumerate(texts)
        if y[i] == classifier.ANSWER
        for clause in clauses(text)
        if not any(features.marks(folded(clause)).values())
    ]
    return rng.sample(found, min(CLAUSES, len(found)))
