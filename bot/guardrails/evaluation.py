"""Measures the policy: labels, per-rule precision and recall with Wilson intervals, a confusion table, and privacy."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import FormatError
from bot.guardrails import policy, privacy
from bot.messages import Handling

PRIVACY = ("details_hidden", "words_destroyed")
_DETAIL = re.compile(r"\[\[(.*?)\]\]")


@dataclass(frozen=True)
class Case:
    """A message and what should happen: a handling, a rule where one is named, strings that must not survive, and words
    that must."""

    text: str
    handling: Handling
    rule: str | None = None
    details: tuple[str, ...] = ()
    beside: str = ""
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What happened to a case."""

    case: Case
    handling: Handling
    rule: str | None
    text: str


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share."""
    if total == 0:
        return 0.0, 1.0
    z, share = 1.96, hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, middle - half), min(1.0, middle + half)


def privacy_cases() -> list[Case]:
    """The privacy rule's examples: details in [[brackets]] must vanish, the rest must stay."""
    file = policy.validated(policy.ExampleFile, policy.folder() / "examples" / "privacy.details.yaml")
    assert isinstance(file.positive, str)
    found = []
    for line in file.positive.splitlines():
        if line.strip():
            details = tuple(_DETAIL.findall(line))
            text = _DETAIL.sub(r"\1", line.strip())
            found.append(Case(text, Handling.ANSWER_REDACTED, privacy.RULE, details, privacy.RULE))
    found += [Case(line.strip(), Handling.ANSWER, None, (), privacy.RULE) for line in file.negative.splitlines() if line.strip()]
    return found


def example_cases() -> list[Case]:
    """Every example of the policy."""
    return [Case(e.text, e.handling, e.rule, (), e.beside) for e in policy.examples()] + privacy_cases()


def file_cases(path: Path) -> list[Case]:
    """Rows of {"text", "handling"} (and "details": strings that must vanish, "keep": that must not) from a JSONL file.

    Raises FormatError."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            details, keep = tuple(row.get("details") or ()), tuple(row.get("keep") or ())
            found.append(Case(row["text"], Handling(row["handling"]), row.get("rule"), details, "", keep))
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f'expected {{"text", "handling"}}: {error}', where=f"{path.name}:{number}") from None
    return found


def run(cases: Iterable[Case], judge: Callable[[str], tuple[Handling, str | None, str]]) -> list[Result]:
    """Put every case through ``judge`` (text to handling, rule, safe text)."""
    return [Result(case, *judge(case.text)) for case in cases]


def survives(detail: str, text: str) -> bool:
    """Whether a detail, or any long part of it, is still to be read in ``text`` beside its placeholders."""
    low = privacy.placeholders().sub(" ", text).lower()
    parts = [part for part in re.split(r"[\s,]+", detail.lower()) if len(part) >= 4]
    return (
        detail.lower() in low
        if len(detail) < 4
        else detail.lower() in low or any(re.search(rf"(?<!\w){re.escape(p)}(?!\w)", low) for p in parts)
    )


def _share(hits: int, total: int) -> dict[str, float | int | list[float]]:
    low, high = wilson(hits, total)
    return {
        "value": round(hits / total, 4) if total else 0.0,
        "interval": [round(low, 4), round(high, 4)],
        "hits": hits,
        "of": total,
    }


def report(results: list[Result]) -> dict[str, Any]:
    """The figures of a run."""
    labels = [h.value for h in Handling]
    confusion = {a: dict.fromkeys(labels, 0) for a in labels}
    for r in results:
        confusion[r.case.handling.value][r.handling.value] += 1
    by_label = {}
    for label in labels:
        gold = sum(confusion[label].values())
        said = sum(confusion[a][label] for a in labels)
        if gold or said:
            by_label[label] = {
                "recall": _share(confusion[label][label], gold),
                "precision": _share(confusion[label][label], said),
            }
    by_rule = {}
    for rule in sorted({r.case.rule for r in results if r.case.rule}):
        mine = [r for r in results if r.case.rule == rule]
        said_rule = [r for r in results if r.rule == rule]
        by_rule[rule] = {
            "recall": _share(sum(r.handling is r.case.handling for r in mine), len(mine)),
            "precision": _share(sum(r.handling is r.case.handling for r in said_rule), len(said_rule)),
        }
    answers = {Handling.ANSWER, Handling.ANSWER_REDACTED}
    legitimate = [r for r in results if r.case.handling in answers]
    refused = {Handling.REFUSE_MISUSE, Handling.REFUSE_UNSAFE}
    refusals = [r for r in results if r.case.handling in refused]
    detailed = [r for r in results if r.case.details]
    kept = [(word, r.text) for r in results if r.handling is not Handling.CRISIS for word in r.case.keep]
    not_crisis = [r for r in results if r.case.handling is not Handling.CRISIS]
    return {
        "cases": len(results),
        "labels_right": _share(sum(r.handling is r.case.handling for r in results), len(results)),
        "crisis_false_alarms": _share(sum(r.handling is Handling.CRISIS for r in not_crisis), len(not_crisis)),
        "legitimate_refused": _share(sum(r.handling not in answers for r in legitimate), len(legitimate)),
        "misuse_and_unsafe_refused": _share(sum(r.handling in refused | {Handling.CRISIS} for r in refusals), len(refusals)),
        "details_hidden": _share(sum(not any(survives(d, r.text) for d in r.case.details) for r in detailed), len(detailed)),
        "words_destroyed": _share(sum(word.lower() not in text.lower() for word, text in kept), len(kept)),
        "by_label": by_label,
        "by_rule": by_rule,
        "confusion": confusion,
    }


def as_text(figures: dict[str, Any], wrong: list[Result]) -> str:
    """The report for people."""
    lines = []
    for name in ("labels_right", "crisis_false_alarms", "legitimate_refused", "misuse_and_unsafe_refused", *PRIVACY):
        share = figures[name]
        low, high = share["interval"]
        lines.append(
            f"{name.replace('_', ' '):28} {share['value']:.3f}  [{low:.3f}, {high:.3f}]  {share['hits']} of {share['of']}"
        )
    lines.append("")
    lines.append(f"{'rule':30} {'recall':>24} {'precision':>24}")
    for rule, pair in figures["by_rule"].items():
        cells = [
            f"{pair[k]['value']:.3f} [{pair[k]['interval'][0]:.2f}, {pair[k]['interval'][1]:.2f}] n={pair[k]['of']}"
            for k in ("recall", "precision")
        ]
        lines.append(f"{rule:30} {cells[0]:>24} {cells[1]:>24}")
    confusion = figures["confusion"]
    used = [label for label in confusion if any(confusion[label].values())]
    lines += ["", "expected (rows) and decided (columns)", f"{'':16}" + "".join(f"{label[:9]:>10}" for label in confusion)]
    lines += [f"{label:16}" + "".join(f"{confusion[label][other]:>10}" for other in confusion) for label in used]
    if wrong:
        counts = Counter((r.case.handling.value, r.handling.value) for r in wrong)
        lines += ["", "most frequent mistakes: " + "; ".join(f"{a} as {b} {n}" for (a, b), n in counts.most_common(6))]
    return "\n".join(lines)
