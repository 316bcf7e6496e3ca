"""The chat model behind one function, with deadlines of our own. Any provider LangChain knows; OpenAI's shape by default.

The client's own timeout does not bound an endless reply and it honours a long Retry-After, so the stream is read on a
thread of its own and abandoned when a deadline passes.
"""

from __future__ import annotations

import importlib
import queue
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from bot.errors import ModelUnavailable
from bot.settings import Settings

MAX_REPLY_CHARS = 20_000

SHORTEST = 0.5
"""Seconds below which no call is begun."""


def load_httpx() -> None:
    """Import httpx whole, before any client of openai's is used. They look for it among the loaded modules at every call, and
    fail a call that finds it half imported, as it is while another thread first imports chromadb."""
    importlib.import_module("httpx")


@dataclass(frozen=True)
class Form:
    """The shape a reply must have: a JSON Schema's properties, all of them required, and the most tokens it may take (None: what
    the settings allow)."""

    name: str
    properties: dict[str, Any]
    tokens: int | None = None

    @property
    def response_format(self) -> dict[str, Any]:
        """As OpenAI's structured outputs want it."""
        return {"type": "json_schema", "json_schema": {"name": self.name, "strict": True, "schema": closed(self.properties)}}


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema object with exactly these properties."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


@dataclass(frozen=True)
class Completion:
    """A chat model's whole text and the tokens it reported."""

    text: str
    tokens: dict[str, int]


@dataclass(frozen=True)
class Deadlines:
    """Seconds allowed for the first token, between tokens, and in all."""

    first: float
    idle: float
    total: float


@dataclass
class Breaker:
    """Stops asking a model that keeps failing: open for ``rest`` seconds after ``limit`` failures in a row."""

    limit: int = 3
    rest: float = 30.0
    failures: int = 0
    opened: float = field(default=float("-inf"))

    def allows(self, now: float) -> bool:
        """Whether a call may be made; after the rest, one call is let through to try."""
        return self.failures < self.limit or now - self.opened >= self.rest

    def note(self, ok: bool, now: float) -> None:
        """Record how a call went."""
        self.failures = 0 if ok else self.failures + 1
        if not ok and self.failures >= self.limit:
            self.opened = now


class ChatModel:
    """``complete`` gives a reply or raises ModelUnavailable, always within the deadlines."""

    def __init__(self, settings: Settings) -> None:
        self.name = f"{settings.model_provider}:{settings.model}"
        self._settings = settings
        self._deadlines = Deadlines(settings.model_first_token_seconds, settings.model_idle_seconds, settings.model_total_seconds)
        self._breaker = Breaker()
        self._client: Any = None
        self._structured = True
        self._lock = threading.Lock()

    def deadline(self) -> float:
        """The moment (``time.monotonic``) by which everything asked from now on for one answer must have ended."""
        return time.monotonic() + self._deadlines.total

    def complete(self, system: str, user: str, form: Form, until: float | None = None) -> Completion:
        """Ask once, and again on a quick failure while time remains: until ``until``, or for the total of one reply.

        Raises ModelUnavailable.
        """
        now = time.monotonic()
        until = self.deadline() if until is None else until
        if not self._breaker.allows(now):
            raise ModelUnavailable("the model is resting after repeated failures")
        if until - now < SHORTEST:
            raise ModelUnavailable("no time left")
        for attempt in range(self._settings.model_retries + 1):
            try:
                completion = self._attempt(system, user, form, until - time.monotonic())
                self._breaker.note(True, time.monotonic())
                return completion
            except _Refused:
                # The server does not know structured output: ask plainly from now on.
                self._structured = False
            except ModelUnavailable:
                pause = 0.2 * 2**attempt * (0.5 + random.random())  # noqa: S311 - jitter
                left = until - time.monotonic()
                if attempt == self._settings.model_retries or left <= pause + SHORTEST:
                    break
                time.sleep(pause)
        self._breaker.note(False, time.monotonic())
        raise ModelUnavailable("the model did not answer in time or made no sense")

    def _chat(self) -> Any:
        with self._lock:
            if self._client is None:
                from langchain.chat_models import init_chat_model

                load_httpx()
                settings = self._settings
                options: dict[str, Any] = {
                    "temperature": 0,
                    "max_tokens": settings.model_max_tokens,
                    "timeout": self._deadlines.total,
                    "max_retries": 0,
                }
                if settings.model_provider == "openai":
                    key = settings.openai_api_key
                    options["api_key"] = key.get_secret_value() if key else "none"
                    options["stream_usage"] = True
                    if settings.openai_base_url:
                        options["base_url"] = settings.openai_base_url
                self._client = init_chat_model(settings.model, model_provider=settings.model_provider, **options)
            return self._client

    def _attempt(self, system: str, user: str, form: Form, budget: float) -> Completion:
        if budget <= 0:
            raise ModelUnavailable("no time left")
        pieces: queue.Queue[tuple[str, Any]] = queue.Queue()
        stop = threading.Event()
        threading.Thread(target=self._stream, args=(system, user, form, pieces, stop), name="chat-model", daemon=True).start()
        try:
            return self._collect(pieces, budget)
        finally:
            stop.set()

    def _stream(self, system: str, user: str, form: Form, pieces: queue.Queue[tuple[str, Any]], stop: threading.Event) -> None:
        try:
            chat = self._chat()
            if form.tokens is not None:
                chat = chat.bind(max_tokens=form.tokens)
            if self._structured and self._settings.model_provider == "openai":
                chat = chat.bind(response_format=form.response_format)
            for chunk in chat.stream([("system", system), ("human", user)]):
                if stop.is_set():
                    return
                pieces.put(("piece", chunk))
            pieces.put(("end", None))
        except Exception as error:  # whatever the client raises ends this attempt, never the turn
            pieces.put(("error", error))

    def _collect(self, pieces: queue.Queue[tuple[str, Any]], budget: float) -> Completion:
        started = time.monotonic()
        text = ""
        tokens: dict[str, int] = {}
        while True:
            spent = time.monotonic() - started
            allowed = min(self._deadlines.idle if text else self._deadlines.first - spent, budget - spent)
            try:
                kind, value = pieces.get(timeout=max(allowed, 0.001))
            except queue.Empty:
                raise ModelUnavailable("the model was too slow") from None
            if kind == "end":
                if not text.strip():
                    raise ModelUnavailable("the model's reply was empty")
                return Completion(text, tokens)
            if kind == "error":
                if self._structured and getattr(value, "status_code", None) in (400, 404, 422):
                    raise _Refused
                raise ModelUnavailable("the model's server failed")
            text += str(value.text)
            tokens = _tokens(value) or tokens
            if len(text) > MAX_REPLY_CHARS:
                raise ModelUnavailable("the model's reply had no end")


def _tokens(chunk: Any) -> dict[str, int]:
    """Tokens a chunk reports; structured replies carry them in the response's metadata instead."""
    usage = getattr(chunk, "usage_metadata", None)
    if usage:
        return {"input": int(usage["input_tokens"]), "output": int(usage["output_tokens"])}
    reported = getattr(chunk, "response_metadata", {}).get("token_usage") or {}
    if reported:
        return {"input": int(reported["prompt_tokens"]), "output": int(reported["completion_tokens"])}
    return {}


class _Refused(Exception):
    """The server refused the request's shape."""
