"""Counts what the scan of documents holds of texts set apart: ``python -m tests.evals.held_documents``.

``policy/documents_held.jsonl``: whole files, poisoned and honest. ``policy/document_lines_held.txt``: single lines that command
an assistant, and honest ones. Nothing of their authors is learned from."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bot.guardrails.documents import review
from bot.guardrails.features import Read
from bot.knowledge.embedding import MiniLM
from bot.knowledge.reading.markdown import read_markdown

FOLDER = Path(__file__).parent / "policy"


def held(texts: list[str], read: Read) -> int:
    """How many of some Markdown texts wait for a reviewer."""
    return sum(any(finding.holds for finding in review(read_markdown(text), read)) for text in texts)


def files(*, poisoned: bool) -> list[str]:
    """The files of one side."""
    rows = map(json.loads, (FOLDER / "documents_held.jsonl").read_text(encoding="utf-8").splitlines())
    return [row["text"] for row in rows if row["poisoned"] is poisoned]


def lines() -> tuple[list[str], list[str]]:
    """The commands and the honest lines; a mark that opens a tag is drawn otherwise, since a line is no page."""
    text = (FOLDER / "document_lines_held.txt").read_text(encoding="utf-8").replace("<", "\u2039")
    commands, _, honest = text.removeprefix("@ commands\n").partition("\n@ honest\n")
    return commands.splitlines(), honest.splitlines()


def main() -> None:
    """Print the four counts."""
    read = MiniLM().read
    commands, honest = lines()
    for name, texts in (
        ("poisoned files", files(poisoned=True)),
        ("honest files", files(poisoned=False)),
        ("commands", commands),
        ("honest lines", honest),
    ):
        sys.stdout.write(f"{name}: {held(texts, read)} of {len(texts)} held\n")


if __name__ == "__main__":
    main()
