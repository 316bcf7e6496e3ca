"""The shipped library: what is made ahead for a quick first start is what would be made now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from bot.app import App
from bot.knowledge.embedding import MiniLM
from bot.knowledge.library import BASE
from bot.knowledge.passages import digest
from bot.knowledge.starter import shipped_texts, shipped_vectors
from bot.store.tables import vectors
from tests.conftest import settings_for


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


def test_a_start_with_a_new_embedder_takes_the_vectors_made_ahead(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded: list[str] = []

    def encode(self: MiniLM, texts: list[str]) -> np.ndarray:
        embedded.extend(texts)
        return np.ones((len(texts), 384), np.float32)

    before = App(settings_for(data_dir))
    generation = before.library.pointer(BASE)
    with before.database.writing() as connection:
        connection.execute(update(vectors).values(embedder="the one of an earlier release"))
    before.close()
    monkeypatch.setattr(MiniLM, "encode", encode)
    app = App(settings_for(data_dir))
    (shelf,) = app.assistant.shelves([BASE])
    assert len(shelf.statements) > 500
    assert embedded == []
    assert app.library.pointer(BASE) == generation, "nothing was published anew"
    app.close()
