"""The shipped library: what is made ahead for a quick first start is what would be made now."""

from __future__ import annotations

import numpy as np

from bot.knowledge.embedding import MiniLM
from bot.knowledge.passages import digest
from bot.knowledge.starter import shipped_texts, shipped_vectors


def test_the_vectors_made_ahead_are_those_of_the_shipped_texts() -> None:
    made_by, rows = shipped_vectors()
    texts = {digest(text): text for text in shipped_texts()}
    assert made_by == MiniLM.name
    assert set(rows) == set(texts), "run python -m tests.evals.ship_vectors"
    some = sorted(texts)[::400]
    fresh = MiniLM(1).encode([texts[name] for name in some])
    kept = np.array([np.frombuffer(rows[name], np.float32) for name in some])
    assert (fresh * kept).sum(axis=1).min() > 0.999
    assert np.allclose(np.linalg.norm(kept, axis=1), 1.0, atol=1e-5)
