"""Messages that the close reader alone learns from, since it reads words in their order.

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


def pairs() -> list[tuple[str, str]]:
    """(text, class) of both messages of every pair."""
    lines = (FOLDER / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    read = [json.loads(line) for line in lines]
    return [row for pair in read for row in ((pair["told"], pair["rule"]), (pair["answer"], classifier.ANSWER))]


def fresh() -> list[tuple[str, str]]:
    """(text, class) of every fresh message."""
    return [(case.text, case.rule or classifier.ANSWER) for case in file_cases(FOLDER / "fresh.jsonl")]
