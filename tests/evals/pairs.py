"""Messages of further authors: pairs, which the close reader alone learns from, since it reads words in their order, and others.

``tests/evals/policy/pairs.jsonl``: ``{"rule", "told", "answer"}``, two messages of one build; what one tells or asks for is
decided by the rule, the other is to be answered. Staff tell of a danger, and ask for what they should not, in passing, beside
an ordinary question, and of many a trouble in the same words, so words alone decide neither: readers that only count them did
worse with these. ``fresh.jsonl``: messages of all kinds, with the rule that decides. Part of what each author wrote was set apart
before anyone read it: ``pairs_held*.jsonl``, ``fresh_held*.jsonl``.
"""

from __future__ import annotations

import json
from pathlib import Path

from bot.guardrails import classifier
from bot.guardrails.evaluation import file_cases

FOLDER = Path(__file__).parent / "policy"
BESIDE = 40
"""Words kept on either side of where two long messages differ: the reader is trained on texts whose middle is cut out, and that
must not be what decides."""


def pairs() -> list[tuple[str, str]]:
    """(text, class) of both messages of every pair."""
    lines = (FOLDER / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    found = []
    for pair in map(json.loads, lines):
        told, answer = around(pair["told"], pair["answer"])
        found += [(told, pair["rule"]), (answer, classifier.ANSWER)]
    return found


def around(told: str, answer: str) -> tuple[str, str]:
    """Two messages, each from ``BESIDE`` words before the first in which they differ to as many behind the last."""
    one, other = told.split(" "), answer.split(" ")
    same = list(zip(one, other, strict=False))
    before = next((i for i, (a, b) in enumerate(same) if a != b), len(same))
    behind = next((i for i, (a, b) in enumerate(zip(reversed(one), reversed(other), strict=False)) if a != b), len(same))
    start, left = max(before - BESIDE, 0), max(min(behind, len(same) - before) - BESIDE, 0)
    return " ".join(one[start : len(one) - left]), " ".join(other[start : len(other) - left])


def fresh() -> list[tuple[str, str]]:
    """(text, class) of every fresh message."""
    return [(case.text, case.rule or classifier.ANSWER) for case in file_cases(FOLDER / "fresh.jsonl")]
