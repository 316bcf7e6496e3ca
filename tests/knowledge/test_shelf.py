"""Chroma beside the exact search: what it finds, and what happens when its collection is gone."""

from __future__ import annotations

import numpy as np

from bot.app import App


def test_chroma_finds_what_the_exact_search_finds(shared_app: App) -> None:
    assistant = shared_app.assistant
    (shelf,) = assistant.shelves(["base"])
    asked = shelf.question_vectors[:: max(1, len(shelf.questions) // 60)]
    shelf._ready.clear()
    exact = [shelf.nearest(vector, 10) for vector in asked]
    assistant._shelves.settle()
    assert shelf.is_settled
    found = [shelf.nearest(vector, 10) for vector in asked]
    shared = [len(set(a[1]) & set(b[1])) / max(len(a[1]), 1) for a, b in zip(exact, found, strict=True)]
    assert np.mean(shared) >= 0.99


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
