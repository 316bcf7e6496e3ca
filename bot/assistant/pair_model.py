"""A small fitted net that reads the vectors of a question, of a statement and of the question it is known to answer.

It learns which turns of a question a near topic does not cover. Fitted by ``tests/evals/fit.py``; weights and provenance
are data in ``knowledge/decision/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bot.errors import ConfigurationError
from bot.knowledge.embedding import Vectors
from bot.knowledge.shipped import data_file


def joined(question: Vectors, statement: Vectors, key: Vectors | None) -> Vectors:
    """What the net reads, shape (5 * dimension,): products and distances with both texts, and the question itself."""
    other = key if key is not None else np.zeros_like(question)
    parts = (8 * question * statement, 4 * np.abs(question - statement), 8 * question * other, 4 * np.abs(question - other))
    result: Vectors = np.concatenate((*parts, 4 * question)).astype(np.float32)
    return result


@dataclass(frozen=True)
class PairModel:
    """One hidden layer: ``hidden`` (inputs, units), ``out`` (units,)."""

    embedder: str
    hidden: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    out: NDArray[np.float32]
    bias: float

    def logit(self, question: Vectors, statement: Vectors, key: Vectors | None) -> float:
        """Above 0 where the statement probably answers. 0 for vectors of an embedder it was not fitted on."""
        inputs = joined(question, statement, key)
        if inputs.shape[0] != self.hidden.shape[0]:
            return 0.0
        units = np.maximum(inputs @ self.hidden + self.hidden_bias, 0.0)
        return float(units @ self.out) + self.bias


@cache
def pair_model() -> PairModel:
    """The shipped net. Raises ConfigurationError when the file is unusable."""
    path = data_file("decision", "pair.npz")
    try:
        with np.load(path, allow_pickle=False) as data:
            return PairModel(
                str(data["embedder"]),
                data["hidden"].astype(np.float32),
                data["hidden_bias"].astype(np.float32),
                data["out"].astype(np.float32),
                float(data["bias"]),
            )
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"knowledge/decision/pair.npz is unusable: {error}") from None
