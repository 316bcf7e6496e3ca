"""What a process that answers holds in memory: the app alone, nothing of the benchmark beside it."""

from __future__ import annotations

import importlib
from pathlib import Path

from bot.app import App
from bot.knowledge.embedding import MiniLM
from bot.messages import Message
from bot.settings import Settings
from tests.benchmarks.timing import memory


class Resident:
    """A process as the server is one: the app alone, nothing of the benchmark's embedder beside it."""

    def bare(self) -> dict[str, float]:
        """Megabytes once chromadb is imported and the embedder has loaded and run once."""
        importlib.import_module("chromadb")
        MiniLM().encode(["warm"])
        return memory()

    def answer(self, folder: str, questions: list[str]) -> dict[str, float]:
        """Megabytes resident after the questions, and at the peak."""
        app = App(Settings(_env_file=None, data_dir=Path(folder)))  # type: ignore[call-arg]
        for question in questions:
            app.ask(Message(text=question))
        return memory()
