"""The close reader belongs to this policy and this embedder, and reads the same text the same way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from bot.errors import ConfigurationError
from bot.guardrails import classifier, screening, tagger
from bot.guardrails.reader import Reader
from bot.guardrails.tagger import Tagger
from bot.knowledge import embedding
from bot.knowledge.embedding import MAX_TOKENS, MiniLM, load_tokenizer
from bot.knowledge.shipped import data_file


def chance(embedder: MiniLM, text: str) -> dict[str, float]:
    close = Reader()
    return dict(zip(close.classes, close.read(embedder.read(text)[1])[0].tolist(), strict=True))


def test_its_classes_are_the_classifiers_and_it_is_small() -> None:
    card = json.loads((classifier.folder() / "classifier.json").read_text(encoding="utf-8"))
    assert list(Reader().classes) == card["classes"]
    assert data_file("guardrails", "reader.onnx").stat().st_size < 8_000_000


def test_it_reads_words_in_their_order(embedder: MiniLM) -> None:
    told = chance(embedder, "my student says he will hurt himself tonight")
    asked = chance(embedder, "what does our policy say about students who hurt themselves")
    assert sum(told.values()) == pytest.approx(1.0, abs=1e-4)
    assert sum(value for name, value in told.items() if name.startswith("crisis.")) > 0.5
    assert asked[classifier.ANSWER] > 0.5


def test_the_same_text_reads_the_same_whatever_was_read_before(embedder: MiniLM) -> None:
    close, text = Reader(), embedder.read("may I paste essays into a chatbot")[1]
    first, odds = close.read(text)
    close.read(embedder.read("delete " * 90)[1])
    again, same = close.read(text)
    assert np.array_equal(first, again)
    assert odds == same


@pytest.mark.parametrize("made", [Reader, Tagger])
@pytest.mark.parametrize("damage", ["another file", "no description", "no file"])
def test_a_file_that_is_not_the_described_one_is_refused(
    damage: str, made: type[Reader | Tagger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = made.__name__.lower()
    for ending in ("onnx", "json"):
        shutil.copy(data_file("guardrails", f"{name}.{ending}"), tmp_path / f"{name}.{ending}")
    if damage == "another file":
        (tmp_path / f"{name}.onnx").write_bytes((tmp_path / f"{name}.onnx").read_bytes() + b"\0")
    else:
        (tmp_path / f"{name}.{'json' if damage == 'no description' else 'onnx'}").unlink()
    monkeypatch.setattr(embedding, "data_file", lambda *parts: tmp_path / parts[-1])
    with pytest.raises(ConfigurationError, match=f"knowledge/guardrails/{name}"):
        made()


@pytest.mark.parametrize("name", ["classifier.npz", "classifier.json", "reader.onnx", "tagger.onnx", "tagger.json"])
def test_a_damaged_file_is_named_before_the_first_message(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_tokenizer(MAX_TOKENS)
    shutil.copytree(classifier.folder(), tmp_path / "guardrails")
    damaged = tmp_path / "guardrails" / name
    damaged.write_bytes(damaged.read_bytes()[:-40])
    monkeypatch.setattr(classifier, "folder", lambda: tmp_path / "guardrails")
    monkeypatch.setattr(classifier, "reader", Reader)
    monkeypatch.setattr(tagger, "tagger", Tagger)
    monkeypatch.setattr(embedding, "data_file", lambda *parts: tmp_path / "guardrails" / parts[-1])
    classifier.weights.cache_clear()
    classifier._card.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match="knowledge/guardrails"):
            screening.check()
    finally:
        classifier.weights.cache_clear()
        classifier._card.cache_clear()
