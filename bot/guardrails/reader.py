"""The close reader: three layers of a small language model that go on from the states the embedder gives away half-way, fitted on
the policy's examples. One run says how likely each rule is, and how much a sentence commands an assistant.

Weights: ``knowledge/guardrails/reader.onnx`` (int8), made by ``python -m tests.evals.fit_reader`` for the shipped embedder."""

from __future__ import annotations

import threading
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bot.knowledge.embedding import open_described

Vector = NDArray[np.float32]


class Reader:
    """Safe to call from several threads. Raises ConfigurationError when the shipped file is unusable."""

    def __init__(self) -> None:
        about, self._session = open_described("guardrails", "reader")
        self.classes = tuple(str(name) for name in about["classes"])

    def read(self, states: Vector) -> tuple[Vector, float]:
        """``states`` of a text's pieces, shape (pieces, 384), to the probability of each of ``classes`` and the log odds that
        the text commands an assistant."""
        rules, command = self._session.run(["rules", "command"], {"states": states[None].astype(np.float32, copy=False)})
        return rules[0], float(command[0])


_loading = threading.Lock()


@cache
def _loaded() -> Reader:
    return Reader()


def reader() -> Reader:
    """The one reader of this process, loaded when first asked for."""
    with _loading:
        return _loaded()
