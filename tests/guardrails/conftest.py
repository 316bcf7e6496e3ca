"""What the guardrails' tests share: the embedder, loaded once, and a context that uses it."""

from __future__ import annotations

import pytest

from bot.guardrails.context import Contacts, Context
from bot.knowledge.embedding import MiniLM


@pytest.fixture(scope="session")
def embedder() -> MiniLM:
    minilm = MiniLM(1)
    minilm.load()
    return minilm


@pytest.fixture
def context(embedder: MiniLM) -> Context:
    return Context(
        contacts=Contacts(crisis="the counselor on duty, 555-0100", general="the AI lead"),
        read=embedder.read,
    )
