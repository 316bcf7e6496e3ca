"""The fitting half of the question file, and which of it the cross-encoder is not shown."""

from __future__ import annotations

import random
from pathlib import Path

from bot.assistant.evaluation import Case, read_cases

HERE = Path(__file__).parent / "questions"
WHOLE_DOCUMENTS, SHARE = 5, 0.12


def fit_cases() -> list[Case]:
    """Every fitting question."""
    return [case for path in sorted(HERE.glob("fit*.jsonl")) for case in read_cases(path)]


def wordings(cases: list[Case]) -> dict[str, frozenset[str]]:
    """By question, every wording of the same question, itself among them: all are left out of the search while one is weighed."""
    groups: dict[str, set[str]] = {}
    for case in cases:
        if case.group:
            groups.setdefault(case.group, set()).add(case.question)
    return {case.question: frozenset(groups.get(case.group, ())) | {case.question} for case in cases}


def left_out(documents: set[str], case: Case, nearest: str) -> bool:
    """Whether a fitting question is kept from the cross-encoder. ``documents`` are all there are, ``nearest`` the one that the
    best statement found stands in."""
    shuffled = sorted(documents)
    random.Random(5).shuffle(shuffled)
    whole = set(shuffled[:WHOLE_DOCUMENTS])
    told = {nearest, *(document for document, _ in case.gold)}
    return bool(told & whole) or random.Random(case.question).random() < SHARE
