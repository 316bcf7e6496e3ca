"""Chroma beside the exact search: what it finds, and what happens when its collection is gone."""

from __future__ import annotations

import numpy as np

from bot.app import App
from bot.knowledge.embedding import Vectors


def test_chroma_finds_what_the_exact_search_finds(shared_app: App) -> None:
    assistant = shared_app.assistant
    (shelf,) = assistant.shelves(["base"])
    asked = shelf.question_vectors.unpacked()[:: max(1, len(shelf.questions) // 300)]

    def nearest(vector: Vectors) -> set[tuple[str, int]]:
        statements, questions = shelf.nearest(vector, 10)
        return {*(("statement", row) for row in statements), *(("question", row) for row in questions)}

    shelf._ready.clear()
    exact = [nearest(vector) for vector in asked]
    assistant._shelves.settle()
    assert shelf.is_settled
    found = [nearest(vector) for vector in asked]
    assert all(len(rows) == 10 for rows in exact)
    assert np.mean([len(a & b) / 10 for a, b in zip(exact, found, strict=True)]) >= 0.99


def test_a_collection_that_is_gone_is_noticed_and_the_search_goes_on(shared_app: App) -> None:
    assistant = shared_app.assistant
    (shelf,) = assistant.shelves(["base"])
    assistant._shelves.settle()
    assistant._shelves._index.drop(shelf.collection)
    rows, questions = shelf.nearest(shelf.question_vectors[0], 10)
    assert 0 in questions
    assert rows or questions
    assert not shelf.is_settled
    assistant._shelves.settle()
    assert shelf.is_settled
