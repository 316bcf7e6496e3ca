"""The index beside an exact search over the same vectors."""

from __future__ import annotations

import time

import numpy as np

from bot.knowledge.embedding import Vectors
from bot.knowledge.shelf import Shelf
from tests.benchmarks.timing import percentile


def neighbours(shelf: Shelf, vectors: Vectors) -> dict[str, float]:
    """Chroma's ten nearest beside the exact ten over statements and keys together: recall and median milliseconds."""
    matrix = np.vstack([part for part in (shelf.statement_vectors, shelf.question_vectors.unpacked()) if part.size])
    split = len(shelf.statements)
    hits, exact_times, index_times = 0, [], []
    shelf.nearest(vectors[0], 10)
    for vector in vectors:
        started = time.perf_counter()
        scores = matrix @ vector
        top = np.argpartition(-scores, 10)[:10]
        middle = time.perf_counter()
        statements, keys = shelf.nearest(vector, 10)
        ended = time.perf_counter()
        exact_times.append((middle - started) * 1000)
        index_times.append((ended - middle) * 1000)
        tenth = scores[top].min()
        # A row as near as the tenth is as good as it: equal texts have equal vectors.
        hits += sum(scores[row] >= tenth - 1e-6 for row in (*statements, *(split + key for key in keys)))
    return {
        "rows": len(matrix),
        "recall": hits / (10 * len(vectors)),
        "exact": percentile(exact_times, 50),
        "hnsw": percentile(index_times, 50),
    }
