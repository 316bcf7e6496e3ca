"""A small trained model that reads a question beside a text: does the text answer it, or ask the same?

Fitted by ``tests/evals/train_pairs.py``; weights and provenance are data in ``knowledge/decision/``.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import ConfigurationError
from bot.knowledge.embedding import data_file, load_tokenizer, open_session

MAX_TOKENS = 96


class PairModel:
    """Logits of (question, text) pairs. Loads on first use; the weights' hash is checked."""

    def __init__(self, threads: int = 2) -> None:
        self._threads = threads
        self._session: Any = None
        self._tokenizer: Any = None

    def load(self) -> None:
        """Load once. Raises ConfigurationError when the weights are not those of the manifest."""
        if self._session is not None:
            return
        manifest = json.loads(data_file("decision", "pair.json").read_text(encoding="utf-8"))
        weights = data_file("decision", "pair.onnx").read_bytes()
        if hashlib.sha256(weights).hexdigest() != manifest["sha256"]:
            raise ConfigurationError("knowledge/decision/pair.onnx is not the file its manifest names")
        tokenizer = load_tokenizer(MAX_TOKENS)
        self._session = open_session(weights, self._threads)
        self._tokenizer = tokenizer

    def logits(self, pairs: list[tuple[str, str]]) -> NDArray[np.float32]:
        """One logit a pair, above 0 for yes; shape (len(pairs),)."""
        self.load()
        if not pairs:
            return np.zeros(0, dtype=np.float32)
        encodings = self._tokenizer.encode_batch(pairs)
        width = max(len(e.ids) for e in encodings)
        arrays = {
            name: np.zeros((len(pairs), width), dtype=np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")
        }
        for row, encoding in enumerate(encodings):
            length = len(encoding.ids)
            arrays["input_ids"][row, :length] = encoding.ids
            arrays["attention_mask"][row, :length] = 1
            arrays["token_type_ids"][row, :length] = encoding.type_ids
        result: NDArray[np.float32] = self._session.run(None, arrays)[0]
        return result
