"""Messages that the close reader alone learns from, since it reads words in their order.

``tests/evals/policy/pairs.jsonl``: ``{"crisis", "kind", "answer"}``, two messages of one build; in one somebody is in danger, in
the other a trouble is told that is none. Staff tell of a danger in passing, beside an ordinary question, and of many a trouble
in the same words, so words alone decide neither: readers that only count them did worse with these. ``fresh.jsonl``: messages
of all kinds by two authors, with the rule that decides. Of every five pairs one, and half of the fresh messages, were set
apart before anyone read them: ``pairs_held.jsonl``, ``fresh_held.jsonl``.
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
    return [row for pair in read for row in ((pair["crisis"], f"crisis.{pair['kind']}"), (pair["answer"], classifier.ANSWER))]


def fresh() -> list[tuple[str, str]]:
    """(text, class) of every fresh message."""
    return [(case.text, case.rule or classifier.ANSWER) for case in file_cases(FOLDER / "fresh.jsonl")]
