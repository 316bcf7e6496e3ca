"""What weighed in a decision, in plain words. Called by the doors' "why this answer". Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot import prompts


def in_words(pushes: Sequence[str], language: str) -> str:
    """``pushes`` as a receipt keeps them (``"cross +1.20"``: a signal and its log-odds) as one clause: what spoke for an answer,
    then what against it, the weightiest first. Empty when nothing is known."""
    data = prompts.signals()
    leaning = data.es if language == "es" else data.en
    sums: dict[str, float] = {}
    for push in pushes:
        name, _, weight = push.rpartition(" ")
        words = _words(name, language)
        if words:
            sums[words] = sums.get(words, 0.0) + float(weight)
    order = sorted(sums, key=lambda words: -abs(sums[words]))
    ways = ((leaning.for_, [w for w in order if sums[w] > 0]), (leaning.against, [w for w in order if sums[w] < 0]))
    return "; ".join(way.format(what=", ".join(told)) for way, told in ways if told)


def _words(name: str, language: str) -> str:
    for group in prompts.signals().signals:
        if any(name == n or (n.endswith("*") and name.startswith(n[:-1])) for n in group.names):
            return group.es if language == "es" else group.en
    return ""
