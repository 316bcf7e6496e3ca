"""Tokens of an answer with a chat model, counted on what is really sent to a loopback double and what it sends back."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bot.app import App
from bot.messages import Message
from tests.benchmarks.child import Child
from tests.benchmarks.report import Table
from tests.benchmarks.signpost import settings_for
from tests.benchmarks.timing import percentile
from tests.doubles.openai import OpenAIDouble, offered

ENCODING = "o200k_base"
PER_MESSAGE, PER_REPLY = 3, 3
"""What the chat format adds around each message and before the reply, as OpenAI's cookbook counts it."""


class Counted:
    """Served by ``child``: asks with a model that points at the first two sentences offered."""

    def run(self, folder: str, questions: list[str]) -> list[dict[str, int]]:
        """Tokens of each question's calls: of the prompt, of the schema, of the reply; and how many calls."""
        encoding = _encoding()
        replies: list[str] = []

        def point(request: dict[str, Any]) -> str:
            ids = [sentence["id"] for sentence in offered(request)[:2]]
            replies.append(json.dumps({"outcome": "answered", "sentences": ids}))
            return replies[-1]

        rows: list[dict[str, int]] = []
        with OpenAIDouble(point) as double:
            app = App(settings_for(Path(folder), openai_base_url=double.url))
            for question in questions:
                first = len(double.requests)
                app.ask(Message(text=question))
                calls = double.requests[first:]
                rows.append(
                    {
                        "prompt": sum(_prompt(encoding, call) for call in calls),
                        "schema": sum(len(encoding.encode(json.dumps(call.get("response_format", "")))) for call in calls),
                        "reply": sum(len(encoding.encode(reply)) for reply in replies[first:]),
                        "calls": len(calls),
                    }
                )
            app.close()
        return rows


def _prompt(encoding: Any, call: dict[str, Any]) -> int:
    return PER_REPLY + sum(PER_MESSAGE + len(encoding.encode(str(message["content"]))) for message in call["messages"])


def _encoding() -> Any:
    """The tokenizer, from the copy that LlamaIndex ships, so that nothing is downloaded."""
    spec = find_spec("llama_index.core")
    assert spec is not None
    assert spec.origin is not None
    os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(spec.origin).parent / "_static" / "tiktoken_cache")
    import tiktoken

    return tiktoken.get_encoding(ENCODING)


def tokens(shipped: Path, questions: list[str]) -> Table:
    """Tokens an answer, p50 and p95, and as a share of the whole."""
    with Child("tests.benchmarks.tokens:Counted") as child:
        rows = child.call("run", folder=str(shipped), questions=questions)
    table = Table("Tokens per answer with a model", ("part", "p50", "p95", "share of all"))
    everything = sum(row["prompt"] + row["schema"] + row["reply"] for row in rows)
    for part in ("prompt", "schema", "reply"):
        counts = [float(row[part]) for row in rows]
        table.rows.append((part, percentile(counts, 50), percentile(counts, 95), sum(counts) / everything))
    calls = sum(row["calls"] for row in rows)
    table.notes.append(f"{len(rows)} questions, {calls} calls; counted with {ENCODING}; the double points at two sentences")
    return table
