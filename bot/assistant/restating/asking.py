"""Asks a chat model for one restatement a quoted sentence and keeps those that pass the check. Called by the assistant.

What the model returns is hostile input: it may be anything, and only what :func:`faithful` lets pass is ever shown.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot import prompts
from bot.assistant.pointing import Chat
from bot.assistant.restating.faithfulness import faithful
from bot.assistant.understand import plain
from bot.errors import ModelUnavailable
from bot.models import Form, closed

LANGUAGES = {"en": "English", "es": "Spanish"}
"""Languages whose restatements can be checked."""

LONGEST = 2.5
"""A restatement longer than this many times its source is not one."""

CHARS_A_TOKEN, TOKENS_AROUND = 2, 24
"""Tokens allowed: one for every two characters of a quote (English takes one for four, Spanish for three, and plain words may
be a third longer than the source), and the JSON around it."""

_PAIR = re.compile(r'"(\d{1,2})"\s*:\s*"((?:[^"\\]|\\.)*)"')
_MARKUP = re.compile(r"https?:|www\.|[<>\[\]{}`*_#|\\]|\n")


@dataclass(frozen=True)
class Restated:
    """What passed, by the number of the sentence it restates, why the others did not, and what it cost."""

    sentences: dict[int, str]
    dropped: dict[int, str]
    model: str
    ms: float
    tokens: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str | None:
        """The sentences that passed, in order, each with its number in brackets; None when there is none."""
        return " ".join(f"{text} [{n}]" for n, text in sorted(self.sentences.items())) or None


class Restater:
    """Restates quoted sentences in plain words or in the asker's language."""

    def __init__(self, chat: Chat) -> None:
        """Raises FormatError when the word lists of the check cannot be read."""
        prompts.plain_words()
        self._chat = chat

    def restate(self, sentences: Sequence[str], language: str, until: float | None = None) -> Restated:
        """Restate sentences 1, 2, … by ``until``. Never raises: late, down or nonsense gives nothing."""
        started = time.perf_counter()
        if language not in LANGUAGES or not sentences:
            return Restated({}, {}, self._chat.name, 0.0)
        asked = prompts.instructions().restating.format(language=LANGUAGES[language], sentences="").strip()
        numbered = "\n".join(json.dumps({"id": n, "sentence": text}, ensure_ascii=False) for n, text in enumerate(sentences, 1))
        try:
            completion = self._chat.complete(asked, numbered, form_for(sentences), until)
        except ModelUnavailable:
            return Restated({}, {}, self._chat.name, (time.perf_counter() - started) * 1000)
        kept, dropped = sift(sentences, read_restatements(completion.text, len(sentences)), language)
        return Restated(kept, dropped, self._chat.name, (time.perf_counter() - started) * 1000, completion.tokens)


def form_for(sentences: Sequence[str]) -> Form:
    """One string a sentence, by number; as many tokens as restatements of these may need."""
    each = {str(n): {"type": "string"} for n in range(1, len(sentences) + 1)}
    tokens = sum(TOKENS_AROUND + len(text) // CHARS_A_TOKEN for text in sentences)
    return Form("restating", {"sentences": closed(each)}, tokens)


def read_restatements(text: str, count: int) -> dict[int, str]:
    """Restatements by number from a reply: ``{"sentences": {"1": "…"}}`` or a list in order, whatever stands around it;
    from a reply cut short, the pairs that are whole. Numbers that were not asked for are left out."""
    text = text[:20_000]
    found: object = None
    for match in re.finditer(r"\{", text):
        try:
            data, _ = json.JSONDecoder().raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict) and isinstance(data.get("sentences"), (dict, list)):
            found = data["sentences"]
            break
    pairs: list[tuple[object, object]]
    if isinstance(found, dict):
        pairs = list(found.items())
    elif isinstance(found, list):
        pairs = list(enumerate(found, 1)) if len(found) == count else []
    else:
        pairs = [(number, _unquoted(body)) for number, body in _PAIR.findall(text)]
    numbers = {str(n): n for n in range(1, count + 1)}
    return {numbers[str(n)]: body for n, body in pairs if str(n) in numbers and isinstance(body, str)}


def _unquoted(body: str) -> str | None:
    try:
        return str(json.loads(f'"{body}"'))
    except ValueError:
        return None


def sift(sentences: Sequence[str], restated: dict[int, str], language: str) -> tuple[dict[int, str], dict[int, str]]:
    """The restatements that may be shown, and the reasons against the rest, by number."""
    kept: dict[int, str] = {}
    dropped: dict[int, str] = {}
    for n, body in sorted(restated.items()):
        source = sentences[n - 1]
        text = plain(body)
        if _MARKUP.search(body) or len(text) > LONGEST * len(source) + 40:
            dropped[n] = "markup or length"
        elif text.casefold() == plain(source).casefold():
            dropped[n] = "nothing restated"
        else:
            verdict = faithful(source, text, language)
            if verdict.ok:
                kept[n] = text
            else:
                dropped[n] = verdict.reason
    return kept, dropped
