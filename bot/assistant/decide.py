"""Decides whether what was found answers the question, with a small fitted model whose weights are data.

``knowledge/decision/weights.json`` is written by ``python -m tests.evals.fit``; ``docs/evaluation.md`` says how.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bot.errors import ConfigurationError
from bot.knowledge.embedding import data_file


@dataclass(frozen=True)
class Decider:
    """A logistic model over signals. ``threshold`` is the probability from which an answer is given."""

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float
    threshold: float

    @property
    def reads_pairs(self) -> bool:
        """Whether the weights use the pair model's signals."""
        return any(name.startswith("pair_") for name in self.names)

    def probability(self, signals: dict[str, float]) -> float:
        """Chance in [0, 1] that the best statement answers the question."""
        row = np.array([signals.get(name, 0.0) for name in self.names])
        z = float(((row - self.mean) / self.scale) @ self.weights + self.bias)
        return 1.0 / (1.0 + math.exp(-max(min(z, 60.0), -60.0)))

    def leading(self, signals: dict[str, float], count: int = 4) -> list[tuple[str, float]]:
        """The signals that moved the decision most, with the push of each (log-odds)."""
        row = np.array([signals.get(name, 0.0) for name in self.names])
        pushes = (row - self.mean) / self.scale * self.weights
        order = np.argsort(-np.abs(pushes))[:count]
        return [(self.names[i], float(pushes[i])) for i in order]


@cache
def decider() -> Decider:
    """The shipped weights. Raises ConfigurationError when the file is unusable."""
    path = data_file("decision", "weights.json")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Decider(
            tuple(data["signals"]),
            np.array(data["mean"]),
            np.array(data["scale"]),
            np.array(data["weights"]),
            float(data["bias"]),
            float(data["threshold"]),
        )
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"knowledge/decision/weights.json is unusable: {error}") from None
