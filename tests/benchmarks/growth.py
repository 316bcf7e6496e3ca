"""A synthetic library of any size in a process of its own: how taking in, loading and searching grow.

Passages are recombined sentences of the shipped library; their vectors are recombined vectors of it (the sum of two, with
noise, at unit length), so that neighbours are as crowded as real ones and nothing need be embedded.
"""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bot.app import App
from bot.assistant.search import search
from bot.assistant.understand import Understood, Vocabulary, understand
from bot.knowledge.blocks import Block, Extract
from bot.knowledge.document import FrontMatter
from bot.knowledge.embedding import Vectors
from bot.knowledge.library import BASE
from bot.knowledge.shelf import Shelf
from tests.benchmarks.corpora import own
from tests.benchmarks.neighbours import neighbours
from tests.benchmarks.signpost import settings_for
from tests.benchmarks.timing import memory, percentile, seconds

SECTIONS = 50
"""Passages a document."""

NOISE = 0.04
"""Standard deviation of the noise on each of 384 coordinates: a length of about 0.8 beside a sum of two unit vectors."""


class Recombined:
    """Stands where the embedder does; a text's vector is chosen by its hash."""

    name = "recombined"
    dimension = 384

    def __init__(self, base: Vectors) -> None:
        self._base = base

    def load(self) -> None:
        """Nothing to load."""

    def encode(self, texts: list[str]) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        return np.vstack([self._one(text) for text in texts])

    def _one(self, text: str) -> Vectors:
        random = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
        picked = self._base[random.integers(0, len(self._base), 2)].sum(axis=0)
        vector = picked + random.normal(0, NOISE, self.dimension)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


class Synthetic:
    """Served by ``child``: grow to a size, then measure."""

    def __init__(self) -> None:
        self._app: App | None = None
        self._shelf: Shelf | None = None
        self._sentences = [s.strip() for t in own().texts for s in t.text.replace("\n", " ").split(". ") if len(s) > 40]

    def grow(self, passages: int, vectors: str) -> dict[str, float]:
        """Take in, publish and load ``passages`` passages. Seconds of each step; megabytes."""
        app = App(settings_for(Path.cwd() / f"data-{passages}", starter_library=False))
        base = np.load(vectors)
        app.__dict__["embedder"] = Recombined(base)
        random = np.random.default_rng(passages)
        files = [self._file(random, number) for number in range(passages // SECTIONS)]
        library = app.library
        today = library.clock().date()
        drafts: list[Any] = []

        def take_in() -> None:
            for number, extract in enumerate(files):
                front = FrontMatter(
                    id=f"synthetic-{number}",
                    title=f"Synthetic guidance {number}",
                    publisher="Benchmark",
                    jurisdiction="International",
                    kind="guidance",
                    verified_by="A second person",
                    verified_on=today,
                    review_by=today + timedelta(days=365),
                )
                name = f"synthetic-{number}"
                added = library.add(extract, front, library=BASE, author="Benchmark", source_name=name, source_sha256=name)
                drafts.append(added.version)

        result = {"take in": seconds(take_in), "publish": seconds(lambda: library.publish_starter(drafts))}
        result["load"] = seconds(lambda: app.assistant.shelves([BASE]))
        self._app, self._shelf = app, app.assistant.shelves([BASE])[0]
        return {**result, **memory(), "rows": len(self._shelf.statements)}

    def _file(self, random: np.random.Generator, number: int) -> Extract:
        blocks: list[Block] = []
        for section in range(SECTIONS):
            first, second = random.integers(0, len(self._sentences), 2)
            # One quotable sentence a passage: the first half of one and the second half of another, under its own heading.
            head, tail = self._sentences[first].split(), self._sentences[second].split()
            text = " ".join([*head[: max(len(head) // 2, 6)], *tail[len(tail) // 2 :]])
            blocks += [Block("heading", f"Part {number} {section}", 2), Block("paragraph", text.rstrip(".") + ".")]
        return Extract("text/plain", tuple(blocks))

    def measure(self, questions: list[str], vectors: str) -> dict[str, Any]:
        """Median milliseconds of a search and its parts; recall@10 and milliseconds of Chroma's HNSW and of exact numpy."""
        shelf = self._shelf
        assert shelf is not None
        asked = np.load(vectors)
        vocabulary = Vocabulary(shelf.texts)
        understood = [understand(question, (), vocabulary) for question in questions]
        # Each question's vector is moved towards a row, as a question that the library answers is near its answer.
        random = np.random.default_rng(1)
        rows = random.integers(0, len(shelf.statements), len(questions))
        near = asked[: len(questions)] * 0.5 + shelf.statement_vectors[rows]
        near = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
        return {**self._times(shelf, understood, near), **neighbours(shelf, near)}

    def _times(self, shelf: Shelf, understood: list[Understood], vectors: Vectors) -> dict[str, float]:
        parts: dict[str, list[float]] = {"search": [], "dense": [], "lexical": []}
        search(understood[0], vectors[0], shelf)
        for question, vector in zip(understood, vectors, strict=True):
            marks = [time.perf_counter()]
            search(question, vector, shelf)
            marks.append(time.perf_counter())
            shelf.nearest(vector, 60)
            marks.append(time.perf_counter())
            shelf.statement_words.best(question.terms, 50)
            marks.append(time.perf_counter())
            for name, begun, ended in zip(parts, marks, marks[1:], strict=False):
                parts[name].append((ended - begun) * 1000)
        return {name: percentile(values, 50) for name, values in parts.items()}
