"""Signpost behind the pipelines' shape, and the room where its whole turns are measured."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bot.app import App
from bot.knowledge.blocks import Extract
from bot.knowledge.document import FrontMatter
from bot.knowledge.library import BASE
from bot.knowledge.reading.text import read_text
from bot.knowledge.shipped import data_file
from bot.knowledge.starter import read_document
from bot.knowledge.units import texts_to_embed
from bot.messages import Message
from bot.settings import Settings
from tests.benchmarks.corpora import Text, load_texts
from tests.benchmarks.neighbours import neighbours
from tests.benchmarks.pipelines import Pipeline
from tests.benchmarks.timing import clocks, seconds, since


def settings_for(folder: Path, **changes: object) -> Settings:
    """Settings that read no environment file."""
    return Settings(_env_file=None, data_dir=folder, **changes)  # type: ignore[call-arg, arg-type]


class Signpost(Pipeline):
    """The words of the documents and nothing else: no question keys, no front matter beyond a title."""

    def prepare(self) -> None:
        self.app: App | None = None
        self._built = 0
        self._extracts: dict[str, Extract] = {}

    def ingest(self, path: str) -> dict[str, float]:
        self._read(load_texts(Path(path)))
        return super().ingest(path)

    def _read(self, texts: list[Text]) -> None:
        """Blocks of the documents, outside the measured time: stock pipelines are given text that was read before."""
        for text in texts:
            shipped = data_file("documents", f"{text.id}.md")
            self._extracts[text.id] = read_document(shipped)[1] if shipped.exists() else read_text(text.text)

    def build(self, texts: list[Text]) -> int:
        self._close()
        self._built += 1
        app = App(settings_for(Path.cwd() / f"data-{self._built}", starter_library=False))
        app.__dict__["embedder"] = self.embedder
        drafts = [self._take_in(app, text) for text in texts]
        app.library.publish_starter(drafts)
        self.app = app
        return sum(len(shelf.statements) for shelf in app.assistant.shelves([BASE]))

    def _take_in(self, app: App, text: Text) -> Any:
        today = app.library.clock().date()
        front = FrontMatter(
            id=text.id,
            title=text.title,
            publisher="Benchmark",
            jurisdiction="International",
            kind="guidance",
            verified_by="A second person",
            verified_on=today,
            review_by=today + timedelta(days=365),
        )
        added = app.library.add(
            self._extracts[text.id],
            front,
            library=BASE,
            author="Benchmark",
            source_name=text.id,
            source_sha256=text.id,
        )
        return added.version

    def search(self, question: str) -> list[str]:
        assert self.app is not None
        assistant = self.app.assistant
        considered = assistant.consider(question, (), assistant.shelves([BASE]))
        return [found.shelved.version.document for found in considered.found]

    def one_by_one(self, path: str) -> dict[str, float]:
        """Take in, submit and approve each document alone, as a person does: seconds."""
        texts = load_texts(Path(path))
        self._read(texts)
        app = App(settings_for(Path.cwd() / "one-by-one", starter_library=False))
        app.__dict__["embedder"] = self.embedder

        def work() -> None:
            for text in texts:
                version = self._take_in(app, text)
                app.library.submit(version.id, "Benchmark")
                app.library.approve(version.id, "A second person")
            app.assistant.shelves([BASE])

        spent = seconds(work)
        app.close()
        return {"seconds": spent}

    def encode_all(self) -> dict[str, float]:
        """Seconds to embed, in one call, every text that the published library needs a vector for."""
        assert self.app is not None
        texts: dict[str, str] = {}
        for shelf in self.app.assistant.shelves([BASE]):
            for version in {item.version.id: item.version for item in shelf.statements}.values():
                texts.update(texts_to_embed(version))
        wanted = list(texts.values())
        return {"seconds": seconds(lambda: self.embedder.encode(wanted)), "texts": len(wanted)}

    def _close(self) -> None:
        if self.app is not None:
            self.app.close()
            self.app = None


class ShippedSignpost(Signpost):
    """The shipped library with its question keys, from a prepared data directory."""

    def open(self, folder: str) -> dict[str, float]:
        """Open the data directory; made and published first when it is new. Seconds, statements and keys."""
        app = App(settings_for(Path(folder)))
        app.__dict__["embedder"] = self.embedder
        spent = seconds(lambda: app.assistant.shelves([BASE]))
        self.app = app
        shelf = app.assistant.shelves([BASE])[0]
        return {"seconds": spent, "statements": len(shelf.statements), "keys": len(shelf.questions)}

    def vectors(self, path: str) -> int:
        """Save the shelf's vectors, statements then keys, for synthetic libraries; returns how many."""
        assert self.app is not None
        shelf = self.app.assistant.shelves([BASE])[0]
        rows = np.vstack([shelf.statement_vectors, shelf.question_vectors])
        np.save(path, rows)
        return len(rows)

    def neighbours(self, questions: list[str]) -> dict[str, float]:
        """Chroma beside the exact search, for real questions: recall@10 and median milliseconds."""
        assert self.app is not None
        return neighbours(self.app.assistant.shelves([BASE])[0], self.embedder.encode(questions))

    def embed_beside(self, questions: list[str]) -> list[dict[str, float]]:
        """Milliseconds, and of processor, of the bare embedding of each question, then of its whole search and decision."""
        rows: list[dict[str, float]] = []
        self.search(questions[0])
        for question in questions:
            started = clocks()
            self.embedder.encode([question])
            bare = since(started)
            started = clocks()
            self.search(question)
            whole = since(started)
            rows.append({"bare": bare[0], "bare cpu": bare[1], "whole": whole[0], "whole cpu": whole[1]})
        return rows

    def walk(self, questions: list[str]) -> list[dict[str, float]]:
        """Whole turns: milliseconds of each of its steps, of the turn, and of the bare embedding of the same question."""
        assert self.app is not None
        turn = self.app.turn
        turn.take(Message(text=questions[0]))
        rows: list[dict[str, float]] = []
        for question in questions:
            started = clocks()
            self.embedder.encode([question])
            bare = since(started)
            started = clocks()
            answered = turn.take(Message(text=question))
            spent = since(started)
            steps = answered.receipt.timings_ms
            rows.append({**steps, "turn": spent[0], "turn cpu": spent[1], "bare": bare[0], "bare cpu": bare[1]})
        return rows
