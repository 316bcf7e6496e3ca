"""What a chat model that never errs would add: ``python -m tests.evals.truthful [--sample 300] FILE.jsonl ...``.

A double over real HTTP points at the sentences offered that carry a question's gold, and says "not covered" where there are
none. Everything else is the product: the prompt, the checks on what comes back, the local decision that stands behind it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from bot.adapters.terminal import beside_text
from bot.app import App
from bot.assistant.evaluation import SEED, Case, beside, carries, read_cases, sample
from bot.knowledge.library import BASE
from bot.knowledge.shelf import Shelved
from bot.messages import Answered, Message
from bot.settings import Settings
from tests.doubles.openai import OpenAIDouble, offered, pointing


class Truth:
    """A behaviour of the double that knows the gold of the question that is being asked."""

    def __init__(self, statements: list[Shelved], cases: list[Case]) -> None:
        self._statements: dict[tuple[str, str], list[Shelved]] = {}
        for statement in statements:
            self._statements.setdefault((statement.version.front.title, statement.text), []).append(statement)
        self._gold = {(case.question, case.history): case.gold for case in cases}
        self.asked: Message | None = None
        self.calls = self.had_gold = 0

    def __call__(self, request: dict[str, Any]) -> str:
        assert self.asked is not None
        gold = self._gold[self.asked.text, self.asked.history]
        right = [
            sentence["id"]
            for sentence in offered(request)
            if any(
                carries(statement, one, passage=False)
                for statement in self._statements[sentence["document"], sentence["sentence"]]
                for one in gold
            )
        ]
        self.calls += 1
        self.had_gold += bool(right)
        return pointing(right[:3]) if right else pointing([], "not_covered")


def measure(files: list[Path], count: int, folder: Path) -> tuple[dict[str, Any], Truth]:
    """Both columns, and what the double saw."""
    cases = sample([case for file in files for case in read_cases(file)], count, SEED)
    app = App(Settings(_env_file=None, data_dir=folder))  # type: ignore[call-arg]
    shelves = app.assistant.shelves([BASE])
    truth = Truth([statement for shelf in shelves for statement in shelf.statements], cases)
    with OpenAIDouble(truth) as double:
        asking = App(Settings(_env_file=None, data_dir=folder, openai_base_url=double.url))  # type: ignore[call-arg]

        def told(message: Message) -> Answered:
            truth.asked = message
            return asking.assistant.answer(message)

        figures = beside({"without a model": app.assistant.answer, "with a truthful model": told}, shelves, cases)
        asking.close()
    app.close()
    return figures, truth


def main() -> None:
    """Print both columns."""
    parser = argparse.ArgumentParser(prog="python -m tests.evals.truthful", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--data", type=Path, help="a data directory to use; a new one if not given")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures, truth = measure(options.files, options.sample, options.data or Path(scratch))
    sys.stdout.write((json.dumps(figures) if options.json else beside_text(figures)) + "\n")
    sys.stdout.write(f"{truth.calls} calls; gold among the sentences offered in {truth.had_gold}\n")
    sys.stdout.flush()
    os._exit(0)  # background threads of the vector index hold nothing worth waiting for


if __name__ == "__main__":
    main()
