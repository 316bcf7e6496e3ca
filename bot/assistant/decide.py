"""Decides whether what was found answers the question, with small fitted models whose weights are data.

One model is for statements that have written question keys (the shipped library), one for those that have none or only
what their headings suggest (a file just taken in). ``knowledge/decision/weights.json`` is written by
``python -m tests.evals.fit``; ``docs/evaluation.md`` says how. Both are shifted so that 0.5 is the operating point.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import ConfigurationError
from bot.knowledge.shipped import data_file

THRESHOLD = 0.5
"""Probability from which an answer is given."""


@dataclass(frozen=True)
class Decider:
    """A logistic model over signals."""

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float

    def _standard(self, signals: dict[str, float]) -> NDArray[np.float64]:
        # A signal that could not be had (no near misses on this shelf) counts as an average one.
        row = np.array([signals.get(name, mean) for name, mean in zip(self.names, self.mean, strict=True)])
        result: NDArray[np.float64] = np.clip((row - self.mean) / self.scale, -6.0, 6.0)
        return result

    def probability(self, signals: dict[str, float]) -> float:
        """In [0, 1]: how likely the best statement answers, 0.5 being where an answer begins."""
        z = float(self._standard(signals) @ self.weights + self.bias)
        return 1.0 / (1.0 + math.exp(-max(min(z, 60.0), -60.0)))

    def leading(self, signals: dict[str, float], count: int = 4) -> list[tuple[str, float]]:
        """The signals that moved the decision most, with the push of each (log-odds)."""
        pushes = self._standard(signals) * self.weights
        order = np.argsort(-np.abs(pushes))[:count]
        return [(self.names[i], float(pushes[i])) for i in order]


@dataclass(frozen=True)
class Deciders:
    """The model for statements with written keys, and the one for those without."""

    keyed: Decider
    keyless: Decider

    def of(self, signals: dict[str, float]) -> Decider:
        """The model that fits what was found."""
        return self.keyed if signals.get("written_keys") else self.keyless


def _decider(data: dict[str, Any]) -> Decider:
    return Decider(
        tuple(data["signals"]),
        np.array(data["mean"]),
        np.array(data["scale"]),
        np.array(data["weights"]),
        float(data["bias"]),
    )


@cache
def deciders() -> Deciders:
    """The shipped weights. Raises ConfigurationError when the file is unusable."""
    try:
        data = json.loads(data_file("decision", "weights.json").read_text(encoding="utf-8"))
        return Deciders(_decider(data["keyed"]), _decider(data["keyless"]))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"knowledge/decision/weights.json is unusable: {error}") from None
