"""What is searched and asked: XQuAD where its folder is beside the project, and the project's own documents and questions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.knowledge.passages import split
from bot.knowledge.shipped import data_file
from bot.knowledge.starter import read_document

ROOT = Path(__file__).parents[2]
XQUAD = ROOT.parent / "shared" / "data" / "xquad.en.json"
QUESTIONS = ROOT / "tests" / "evals" / "questions"


@dataclass(frozen=True)
class Text:
    """A document as every pipeline gets it: an id, a title, plain text."""

    id: str
    title: str
    text: str

    @property
    def titled(self) -> str:
        """Title, empty line, text: what a stock pipeline is given, so that it can search titles too."""
        return f"{self.title}\n\n{self.text}"


@dataclass(frozen=True)
class Asked:
    """A question and the ids of the documents that answer it."""

    question: str
    gold: tuple[str, ...]


@dataclass(frozen=True)
class Corpus:
    """Documents, and groups of questions about them."""

    name: str
    texts: tuple[Text, ...]
    asked: dict[str, tuple[Asked, ...]]

    def save(self, path: Path) -> None:
        """Write the documents for child processes."""
        path.write_text(json.dumps([text.__dict__ for text in self.texts]), encoding="utf-8")


def load_texts(path: Path) -> list[Text]:
    """The documents that :meth:`Corpus.save` wrote."""
    return [Text(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def xquad() -> Corpus | None:
    """XQuAD English, each paragraph a document (240, 1,190 questions); None when the folder is not there."""
    if not XQUAD.exists():
        return None
    data: dict[str, Any] = json.loads(XQUAD.read_text(encoding="utf-8"))
    texts: list[Text] = []
    asked: list[Asked] = []
    for number, article in enumerate(data["data"]):
        for position, paragraph in enumerate(article["paragraphs"]):
            name = f"x{number}-{position}"
            texts.append(Text(name, article["title"].replace("_", " "), paragraph["context"]))
            asked += [Asked(qa["question"], (name,)) for qa in paragraph["qas"]]
    return Corpus("XQuAD English, a paragraph a document", tuple(texts), {"English": tuple(asked)})


def own() -> Corpus:
    """The shipped documents' words and the never-tuned questions that they answer, without follow-ups."""
    texts: list[Text] = []
    for path in sorted(data_file("documents").glob("*.md")):
        front, extract, _ = read_document(path)
        texts.append(Text(front.id, front.title, split(front.id, front.title, extract.blocks)[0]))
    rows = held()
    english = tuple(_asked(row) for row in rows if row["gold"] and row["kind"] in ("answerable", "paraphrase"))
    spanish = tuple(_asked(row) for row in rows if row["gold"] and row["kind"] == "spanish")
    return Corpus("shipped library", tuple(texts), {"English": english, "Spanish": spanish})


def held() -> list[dict[str, Any]]:
    """Every line of the never-tuned question files."""
    rows: list[dict[str, Any]] = []
    for path in sorted(QUESTIONS.glob("held*.jsonl")):
        rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [{"gold": [], **row} for row in rows]


def _asked(row: dict[str, Any]) -> Asked:
    return Asked(row["question"], tuple(gold["doc"] for gold in row["gold"]))
