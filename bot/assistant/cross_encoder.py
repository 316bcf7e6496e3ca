"""A small fitted cross-encoder: reads a question and one statement together and says whether the statement answers it.

MiniLM's six layers, fitted on the project's questions by ``python -m tests.evals.fit_cross_encoder``, int8, run by onnxruntime.
It sees words only, so it serves statements with written questions, statements without, and any embedder.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.assistant.search import Found
from bot.knowledge.embedding import MAX_TOKENS, load_tokenizer, open_described

QUESTION, KEY, STATEMENT, TITLE, HEADING = 48, 28, 60, 14, 12
"""Word pieces that are read of each part."""

_START, _END = 101, 102

Pieces = tuple[list[int], list[int]]
"""The word pieces of a question, and of what may answer it."""


class CrossEncoder:
    """Loads on first use; safe to call from several threads. ``tokenizer_only`` reads pieces without weights, for fitting.

    Each pair is a run of its own, ``threads`` of them side by side: no pair is padded to another's length, and none is read
    otherwise for what is read beside it (int8 arithmetic takes its scale from a whole run)."""

    def __init__(self, threads: int = 2, *, tokenizer_only: bool = False) -> None:
        self._tokenizer_only = tokenizer_only
        self._session: Any = None
        self._tokenizer: Any = None
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="cross-encoder")
        self._loading = threading.Lock()

    def load(self) -> None:
        """Load weights and tokenizer; done once. Raises ConfigurationError when the shipped file is unusable."""
        with self._loading:
            if self._tokenizer is not None:
                return
            tokenizer = load_tokenizer(MAX_TOKENS)
            if not self._tokenizer_only:
                _, self._session = open_described("decision", "cross_encoder")
            self._tokenizer = tokenizer

    def logits(self, question: str, found: Sequence[Found], *, with_keys: bool) -> NDArray[np.float32]:
        """For each of ``found``, above 0 where it probably answers; shape (len(found),). ``with_keys`` reads the closest
        question that the statement is known to answer as well."""
        self.load()
        asked = self.question(question)
        pairs = [(asked, self.evidence(item, with_keys=with_keys)) for item in found]
        return np.array(list(self._pool.map(self._run, pairs)), dtype=np.float32)

    def question(self, text: str) -> list[int]:
        """The word pieces of a question."""
        self.load()
        return self._pieces(text, QUESTION)

    def evidence(self, item: Found, *, with_keys: bool) -> list[int]:
        """The word pieces of a statement: its closest question, its words, its document's title, its heading."""
        self.load()
        shelved = item.shelved
        key = [*self._pieces(item.key.text, KEY), _END] if with_keys and item.key else []
        path = shelved.passage.heading_path
        heading = self._pieces(path[-1], HEADING) if path else []
        title = self._pieces(shelved.version.front.title, TITLE)
        return [*key, *self._pieces(shelved.text, STATEMENT), _END, *title, *heading]

    def _pieces(self, text: str, most: int) -> list[int]:
        pieces: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids[:most]
        return pieces

    def _run(self, pair: Pieces) -> float:
        ids, mask, kinds = padded([pair])
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}
        return float(self._session.run(None, feed)[0][0])


def padded(pairs: Sequence[Pieces]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Ids, mask and segment of each pair between the model's marks, shape (pairs, longest) each."""
    rows = [([_START, *asked, _END], [*evidence, _END]) for asked, evidence in pairs]
    width = max(len(asked) + len(evidence) for asked, evidence in rows)
    ids, mask, kinds = (np.zeros((len(rows), width), dtype=np.int64) for _ in range(3))
    for row, (asked, evidence) in enumerate(rows):
        end = len(asked) + len(evidence)
        ids[row, :end] = [*asked, *evidence]
        mask[row, :end] = 1
        kinds[row, len(asked) : end] = 1
    return ids, mask, kinds


@cache
def cross_encoder() -> CrossEncoder:
    """The shipped one."""
    return CrossEncoder()
