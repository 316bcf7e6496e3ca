"""The close reader: three layers of a small language model that go on from the states the embedder gives away half-way, fitted on
the policy's examples. One run says how likely each rule is, and how much a sentence commands an assistant.

Weights: ``knowledge/guardrails/reader.onnx`` (int8), made by ``python -m tests.evals.fit_reader`` for the shipped embedder."""

from __future__ import annotations

import hashlib
import json
import threading
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import ConfigurationError
from bot.knowledge.embedding import open_session
from bot.knowledge.shipped import data_file

NAME = "knowledge/guardrails/reader"

Vector = NDArray[np.float32]


class Reader:
    """Safe to call from several threads. Raises ConfigurationError when the shipped file is unusable."""

    def __init__(self) -> None:
        try:
            path = data_file("guardrails", "reader.onnx")
            about = json.loads(data_file("guardrails", "reader.json").read_text(encoding="utf-8"))
            known = about["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
            self.classes = tuple(str(name) for name in about["classes"])
        except (OSError, ValueError, KeyError) as error:
            raise ConfigurationError(f"{NAME}: unusable: {error}") from None
        if not known:
            raise ConfigurationError(f"{NAME}.onnx is not the file its description names")
        self._session: Any = open_session(path, 1)

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
