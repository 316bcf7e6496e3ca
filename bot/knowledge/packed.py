"""Vectors kept in memory at a byte a number: a quarter of the room, and cosines that differ by less than 0.002.

SQL keeps the exact ones. Questions and near misses are many, and only their cosines with what is asked are wanted.
"""

from __future__ import annotations

import numpy as np

from bot.knowledge.embedding import Vectors

CHUNK = 1_024
"""Rows spread out at a time, so that they are multiplied while they are in the processor's cache."""

_MOST = 127


class Packed:
    """Rows of unit length, each as whole numbers from -127 to 127 and the step between them."""

    def __init__(self, vectors: Vectors) -> None:
        """``vectors`` of shape (rows, dimension)."""
        largest = np.abs(vectors).max(axis=1, initial=0.0) if vectors.size else np.zeros(len(vectors))
        self._steps: Vectors = np.maximum(largest / _MOST, np.finfo(np.float32).tiny).astype(np.float32)
        self._rows = np.round(vectors / self._steps[:, None]).astype(np.int8)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> Vectors:
        """One row, shape (dimension,)."""
        vector: Vectors = self._rows[row] * self._steps[row]
        return vector

    def unpacked(self) -> Vectors:
        """All rows, shape (rows, dimension)."""
        vectors: Vectors = self._rows * self._steps[:, None]
        return vectors

    def cosines(self, vector: Vectors) -> Vectors:
        """Of every row with a vector of unit length, shape (rows,)."""
        found = np.empty(len(self._rows), dtype=np.float32)
        spread = np.empty((min(CHUNK, len(self._rows)), self._rows.shape[1]), dtype=np.float32)
        for start in range(0, len(found), CHUNK):
            part = spread[: len(found) - start]
            part[...] = self._rows[start : start + CHUNK]
            np.dot(part, vector, out=found[start : start + CHUNK])
        return found * self._steps
