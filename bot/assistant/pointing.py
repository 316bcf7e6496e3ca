"""The model points, the library speaks: a chat model chooses sentence ids; what it returns is treated as hostile input."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot import prompts
from bot.errors import ModelUnavailable
from bot.knowledge.shelf import Shelved
from bot.messages import Utterance
from bot.models import Completion, Form

MAX_POINTED = 3
HISTORY_LINES, LINE_CHARS = 6, 500

FORM = Form(
    "pointing",
    {
        "outcome": {"type": "string", "enum": ["answered", "not_covered"]},
        "sentences": {"type": "array", "items": {"type": "string"}},
    },
)


class Chat(Protocol):
    """What pointing needs of a chat model; ``bot.models.ChatModel`` is the real one."""

    name: str

    def deadline(self) -> float:
        """The moment by which one answer's calls must have ended."""

    def complete(self, system: str, user: str, form: Form, until: float | None = None) -> Completion:
        """The model's text in the form asked for, by ``until``. Raises ModelUnavailable."""


@dataclass(frozen=True)
class Pointed:
    """What the model pointed at. ``usable`` is False when it was late, down or made no sense."""

    usable: bool
    chosen: list[Shelved]
    model: str
    ms: float
    tokens: dict[str, int] = field(default_factory=dict)


class Pointer:
    """Asks the model which of the offered sentences answer."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def deadline(self) -> float:
        """The moment by which everything asked of the model for one answer must have ended."""
        return self._chat.deadline()

    def point(
        self, question: str, history: tuple[Utterance, ...], offered: Sequence[Shelved], until: float | None = None
    ) -> Pointed:
        """Never raises: an unusable reply comes back as such, and the local choice stands."""
        started = time.perf_counter()
        labels = labelled(offered)
        system, user = request(question, history, labels)
        try:
            completion = self._chat.complete(system, user, FORM, until)
            chosen = read_pointing(completion.text, labels)
        except ModelUnavailable:
            return Pointed(False, [], self._chat.name, (time.perf_counter() - started) * 1000)
        ms = (time.perf_counter() - started) * 1000
        if chosen is None:
            return Pointed(False, [], self._chat.name, ms, completion.tokens)
        return Pointed(True, chosen, self._chat.name, ms, completion.tokens)


def labelled(offered: Sequence[Shelved]) -> dict[str, Shelved]:
    """The names by which a model points at the sentences offered."""
    return {f"s{n}": shelved for n, shelved in enumerate(offered, 1)}


def request(question: str, history: tuple[Utterance, ...], labels: dict[str, Shelved]) -> tuple[str, str]:
    """What is sent to the model: instructions, and the question and sentences as quoted data."""
    told = prompts.instructions()
    return told.pointing, told.question.format(
        history=_quoted([f"{line.role}: {line.text[:LINE_CHARS]}" for line in history[-HISTORY_LINES:]]),
        question=json.dumps(question, ensure_ascii=False),
        sentences="\n".join(
            json.dumps(
                {
                    "id": label,
                    "document": s.version.front.title,
                    "jurisdiction": s.version.front.jurisdiction,
                    "published": s.version.front.published,
                    "sentence": s.text,
                },
                ensure_ascii=False,
            )
            for label, s in labels.items()
        ),
    )


def _quoted(lines: list[str]) -> str:
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) or "(none)"


def read_pointing(text: str, labels: dict[str, Shelved]) -> list[Shelved] | None:
    """The sentences a reply points at, in its order; empty for "not covered"; None when it makes no sense.

    Tolerates prose around one JSON object. An id that was not offered makes the whole reply worthless: a model that
    invents ids is guessing.
    """
    for match in re.finditer(r"\{", text[:20_000]):
        try:
            data, _ = json.JSONDecoder().raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if not isinstance(data, dict) or data.get("outcome") not in ("answered", "not_covered"):
            continue
        ids = data.get("sentences", [])
        if data["outcome"] == "not_covered":
            return []
        if not isinstance(ids, list) or not ids or not all(isinstance(i, str) and i in labels for i in ids):
            return None
        return [labels[i] for i in dict.fromkeys(ids)][:MAX_POINTED]
    return None
