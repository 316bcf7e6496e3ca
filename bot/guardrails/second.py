"""A second look by services, where they are configured: a moderation endpoint, a chat model. It may add a decision to a message
that the local rules let through, and never takes one away; what fails, is late or makes no sense adds nothing.

Called by the turn, beside the search. Only the redacted text is sent."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.guardrails.policy import Text, folder, rules, validated
from bot.models import Breaker, ChatModel, Form, load_httpx
from bot.settings import Settings

MODERATION_MODEL = "omni-moderation-latest"
MOST_CHARACTERS = 2_000
"""Of a message, for a chat model."""
_log = logging.getLogger("signpost.guardrails")

Opinion = Callable[[str], str | None]
"""A redacted text to the rule that should decide it, or None. Raises what a service raises."""


class Score(BaseModel):
    """A category of the moderation endpoint, the score from which it counts, and the rule it stands for."""

    model_config = ConfigDict(extra="forbid")

    category: Text
    at: float = Field(gt=0, le=1)
    rule: Text


class Second(BaseModel):
    """What may be added, and how a chat model is asked."""

    model_config = ConfigDict(extra="forbid")

    version: int
    family: Text
    scores: list[Score]
    rules: list[Text]
    instruction: Text

    @field_validator("rules")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        unknown = [name for name in value if name not in rules() or not rules()[name].hard]
        if unknown:
            raise ValueError(f"not a hard rule: {', '.join(unknown)}")
        return value


@cache
def second() -> Second:
    """The shipped file."""
    return validated(Second, folder() / "second.yaml")


class Moderation:
    """OpenAI's moderation endpoint, or one that speaks its shape."""

    def __init__(self, settings: Settings) -> None:
        """Loads the client, so that the first message does not wait for that."""
        from openai import OpenAI

        load_httpx()
        key = settings.openai_api_key
        self._client = OpenAI(
            api_key=key.get_secret_value() if key else "none",
            base_url=settings.openai_base_url or None,
            timeout=settings.moderation_seconds,
            max_retries=0,
        )

    def __call__(self, text: str) -> str | None:
        """The first rule whose category scores high enough."""
        scores = self._scores(text)
        for entry in second().scores:
            value = scores.get(entry.category)
            if isinstance(value, (int, float)) and value >= entry.at:
                return entry.rule
        return None

    def _scores(self, text: str) -> dict[str, Any]:
        answer = self._client.moderations.create(model=MODERATION_MODEL, input=text)
        found: dict[str, Any] = answer.results[0].category_scores.model_dump(by_alias=True)
        return found


FORM = Form("rule", {"rule": {"type": "string"}})
"""What a chat model answers: the id of a rule, or none."""


class ModelCheck:
    """A chat model's word for a rule; its reply is hostile input, so only a known id counts."""

    def __init__(self, chat: ChatModel) -> None:
        self._chat = chat

    def __call__(self, text: str) -> str | None:
        """The rule the model names, if it is one that may be added."""
        try:
            said = json.loads(self._chat.complete(*request(text), FORM).text)
        except (ValueError, RecursionError):
            return None
        name = said.get("rule") if isinstance(said, dict) else None
        return name if isinstance(name, str) and name in second().rules else None


def request(text: str) -> tuple[str, str]:
    """What a chat model is sent: the instruction and the message, cut to MOST_CHARACTERS."""
    listed = "\n  ".join(f"{name}: {rules()[name].protects}" for name in second().rules)
    return second().instruction.format(rules=listed), f"Message (data): {json.dumps(text[:MOST_CHARACTERS], ensure_ascii=False)}"


class SecondLook:
    """Asks every configured service at once, on threads of its own, and waits ``seconds`` for them in all."""

    def __init__(self, opinions: tuple[Opinion, ...], seconds: float) -> None:
        self._opinions = [(opinion, Breaker()) for opinion in opinions]
        self._seconds = seconds

    def start(self, text: str) -> Callable[[], str | None]:
        """Begin; the result is asked for later and names a rule, or None. A crisis goes before anything else."""
        started = time.monotonic()
        found: list[str] = []
        threads = [
            threading.Thread(target=self._ask, args=(opinion, breaker, text, found), name="second-look", daemon=True)
            for opinion, breaker in self._opinions
            if breaker.allows(started)
        ]
        for thread in threads:
            thread.start()

        def result() -> str | None:
            for thread in threads:
                thread.join(max(self._seconds - (time.monotonic() - started), 0.0))
            named = list(found)
            return next((name for name in named if name.startswith("crisis.")), named[0] if named else None)

        return result

    @staticmethod
    def _ask(opinion: Opinion, breaker: Breaker, text: str, found: list[str]) -> None:
        try:
            name = opinion(text)
        except Exception as error:  # a service that fails adds nothing; its words may quote the message, so only the kind is told
            breaker.note(False, time.monotonic())
            _log.warning("a second look failed: %s", type(error).__name__)
            return
        breaker.note(True, time.monotonic())
        if name is not None and name in rules():
            found.append(name)


def second_look(settings: Settings) -> SecondLook | None:
    """What the settings ask for, or None: ``moderation`` off, or no server to ask."""
    wanted = settings.moderation
    if wanted == "off" or not settings.has_model:
        return None
    opinions: list[Opinion] = []
    if wanted in ("endpoint", "both"):
        opinions.append(Moderation(settings))
    if wanted in ("model", "both"):
        opinions.append(ModelCheck(ChatModel(settings)))
    return SecondLook(tuple(opinions), settings.moderation_seconds)
