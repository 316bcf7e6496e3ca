"""Measures the check of plain-words restatements on ``restatements.jsonl``: run ``python -m tests.evals.restating``.

A pair is a sentence of the library and a restatement, labelled faithful or not. ``fit`` was used to write the rules and
word lists, ``held`` was written before them and only ever counted. Prints, by half and language, the share of faithful
restatements kept and of unfaithful ones let through, with 95 % Wilson intervals; with ``--failures`` the fit half's too.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bot.assistant.evaluation import wilson
from bot.assistant.restating import faithful

PAIRS = Path(__file__).with_name("restatements.jsonl")


@dataclass(frozen=True)
class Pair:
    """One labelled pair and what the check said."""

    document: str
    source: str
    restated: str
    faithful: bool
    why: str
    language: str
    half: str
    ok: bool
    reason: str


def pairs() -> list[Pair]:
    """All pairs, checked."""
    out = []
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        verdict = faithful(row["source"], row["restated"], row["language"])
        out.append(Pair(**row, ok=verdict.ok, reason=verdict.reason))
    return out


def share(rows: list[Pair], *, half: str, faithful: bool, language: str | None = None) -> tuple[int, int]:
    """How many of the pairs of one kind the check lets pass, of how many."""
    mine = [r for r in rows if r.half == half and r.faithful == faithful and language in (None, r.language)]
    return sum(r.ok for r in mine), len(mine)


def main() -> None:
    """Print the figures."""
    rows = pairs()
    for half in ("fit", "held"):
        for language in (None, "en", "es"):
            for kind, name in ((True, "faithful kept"), (False, "unfaithful let through")):
                hits, of = share(rows, half=half, faithful=kind, language=language)
                low, high = wilson(hits, of)
                print(f"{half:5} {language or 'all':4} {name:23} {hits:4} of {of:4} = {hits / of:.3f} [{low:.3f}, {high:.3f}]")
        reasons = Counter(r.reason.split(":")[0] for r in rows if r.half == half and r.faithful and not r.ok)
        print(f"{half:5} dropped by: {', '.join(f'{reason} {n}' for reason, n in reasons.most_common())}")
    if "--failures" in sys.argv:
        for row in rows:
            if row.half == "fit" and row.ok != row.faithful:
                print(f"\n{'dropped' if row.faithful else 'let through'}: {row.reason}\n  {row.source}\n  {row.restated}")


if __name__ == "__main__":
    main()
