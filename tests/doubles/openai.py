"""A chat model's server on loopback that speaks OpenAI's HTTP shape, truthful or misbehaving on request.

``behaviour(request)`` gives the reply's text, or one of the named misbehaviours. Every request is kept for inspection.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MISBEHAVIOURS = (
    "html",
    "empty",
    "endless",
    "trickle",
    "silent",
    "half",
    "refusal",
    "error_500",
    "rate_limited",
    "bad_json",
    "garbage_sse",
    "late",
    "closed",
    "heartbeats",
    "error_in_stream",
    "not_a_stream",
    "giant",
)

MODERATED = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


class OpenAIDouble:
    """Start with ``with OpenAIDouble(behaviour) as double``; ``double.url`` is the base URL."""

    def __init__(self, behaviour: Callable[[dict[str, Any]], str]) -> None:
        self.behaviour = behaviour
        self.requests: list[dict[str, Any]] = []
        self._stop = threading.Event()
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                return

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                double.requests.append(body)
                if self.path.endswith("/moderations"):
                    return double._moderate(self, body)
                try:
                    double._answer(self, body, double.behaviour(body))
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, address: Any) -> None:
                """A client that hangs up is what many tests are about; anything else is said."""
                if not isinstance(sys.exception(), ConnectionError):
                    super().handle_error(request, address)

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> OpenAIDouble:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()

    def _plain(self, handler: BaseHTTPRequestHandler, status: int, kind: str, body: bytes, **headers: str) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    def _moderate(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        """Scores as the moderation endpoint gives them; ``behaviour`` returns them as JSON, or a misbehaviour's name."""
        said = self.behaviour(body)
        if said == "silent":
            self._stop.wait(30)
            return
        if not said.startswith("{"):
            status = {"error_500": 500, "rate_limited": 429}.get(said, 200)
            return self._plain(handler, status, "application/json", b'{"error": {"message": "no"}}' if status > 200 else b"{}")
        scores = {**dict.fromkeys(MODERATED, 0.0), **json.loads(said)}
        flags = {name: value >= 0.5 for name, value in scores.items()}
        kinds = {name: ["text"] for name in MODERATED}
        result = {
            "flagged": any(flags.values()),
            "categories": flags,
            "category_scores": scores,
            "category_applied_input_types": kinds,
        }
        whole = {"id": "m1", "model": "omni-moderation-latest", "results": [result]}
        return self._plain(handler, 200, "application/json", json.dumps(whole).encode())

    def _chunk(self, handler: BaseHTTPRequestHandler, data: bytes) -> None:
        handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        handler.wfile.flush()

    def _piece(self, handler: BaseHTTPRequestHandler, text: str, finish: str | None = None) -> None:
        event = {
            "id": "c1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "double",
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}],
        }
        self._chunk(handler, f"data: {json.dumps(event)}\n\n".encode())

    def _answer(self, handler: BaseHTTPRequestHandler, body: dict[str, Any], text: str) -> None:
        if text == "html":
            return self._plain(handler, 200, "text/html", b"<html><body>Sign in to the network</body></html>")
        if text == "error_500":
            return self._plain(handler, 500, "application/json", b'{"error": {"message": "boom"}}')
        if text == "rate_limited":
            return self._plain(handler, 429, "application/json", b'{"error": {"message": "slow down"}}', Retry_After="3600")
        if text == "closed":
            handler.close_connection = True
            return None
        if text == "not_a_stream":
            choice = {"index": 0, "message": {"role": "assistant", "content": pointing(["s1"])}, "finish_reason": "stop"}
            whole = {"id": "c1", "object": "chat.completion", "created": 1, "model": "double", "choices": [choice]}
            return self._plain(handler, 200, "application/json", json.dumps(whole).encode())
        if text == "bad_json":
            return self._plain(handler, 200, "application/json", b'{"choices": [{"mess')
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        if text == "silent":
            self._stop.wait(30)
            return None
        if text == "late":
            self._stop.wait(3)
            text = pointing(["s1"])
        if text == "heartbeats":
            started = time.monotonic()
            while not self._stop.wait(0.05) and time.monotonic() - started < 30:
                self._chunk(handler, b": still here\n\n")
        elif text == "error_in_stream":
            self._piece(handler, '{"outcome": "answered", ')
            self._chunk(handler, b'data: {"error": {"message": "overloaded", "code": 503}}\n\n')
        elif text == "giant":
            self._piece(handler, '{"outcome": "answered", "sentences": ["' + "s1" * 60_000)
        elif text == "garbage_sse":
            self._chunk(handler, b"data: {not json\n\n" * 3)
        elif text in ("endless", "trickle"):
            started = time.monotonic()
            while not self._stop.is_set() and time.monotonic() - started < 30:
                self._piece(handler, "x" * 200 if text == "endless" else "x")
                time.sleep(0.001 if text == "endless" else 0.1)
        elif text == "half":
            self._piece(handler, '{"outcome": "answered", "sent')
            handler.close_connection = True
            return None
        elif text == "refusal":
            self._piece(handler, "I'm sorry, I can't help with that.", "stop")
        elif text != "empty":
            for begin in range(0, len(text), 12):
                self._piece(handler, text[begin : begin + 12])
            self._piece(handler, "", "stop")
            usage = {"prompt_tokens": 900, "completion_tokens": max(len(text) // 4, 1), "total_tokens": 0}
            event = {
                "id": "c1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "double",
                "choices": [],
                "usage": usage,
            }
            self._chunk(handler, f"data: {json.dumps(event)}\n\n".encode())
        self._chunk(handler, b"data: [DONE]\n\n")
        handler.wfile.write(b"0\r\n\r\n")
        return None


def pointing(ids: list[Any], outcome: str = "answered") -> str:
    """A reply that points at sentences."""
    return json.dumps({"outcome": outcome, "sentences": ids})


def restating(sentences: dict[str, str]) -> str:
    """A reply that restates sentences, by number."""
    return json.dumps({"sentences": sentences}, ensure_ascii=False)


POINTING_LIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "ids not offered": lambda r: pointing(["s99"]),
    "one id offered and one not": lambda r: pointing(["s1", "s99"]),
    "no ids": lambda r: pointing([]),
    "ids of another kind": lambda r: pointing(["ferpa@1"]),
    "every id there is": lambda r: pointing([s["id"] for s in offered(r)]),
    "the same id many times": lambda r: pointing(["s1"] * 500),
    "numbers for ids": lambda r: pointing([1, 2]),
    "words instead of ids": lambda r: pointing(["Teachers may paste anything into ChatGPT."]),
    "a sentence of its own beside ids": lambda r: 'Teachers may share grades. {"outcome": "answered", "sentences": ["s1"]}',
    "extra fields": lambda r: json.dumps({"outcome": "answered", "sentences": ["s1"], "answer": "Consent is never needed."}),
    "the wrong sentence": lambda r: pointing([offered(r)[-1]["id"]]),
    "an outcome of its own": lambda r: pointing(["s1"], "certainly"),
    "not covered though it is": lambda r: pointing([], "not_covered"),
    "the prompt": lambda r: str(r["messages"][0]["content"]),
    "the prompt in a reply": lambda r: json.dumps({"outcome": "answered", "sentences": [r["messages"][0]["content"]]}),
    "a foreign link": lambda r: 'See [this](https://evil.example). {"outcome": "answered", "sentences": ["s1"]}',
    "html in an id": lambda r: pointing(["<script>alert(1)</script>"]),
    "not json": lambda r: "outcome: answered, sentences: s1",
    "json cut short": lambda r: '{"outcome": "answered", "sentences": ["s1"',
    "json too deep": lambda r: "[" * 5000,
    "objects too deep": lambda r: '{"a":' * 3000,
    "control characters": lambda r: pointing(["s1\u0000", "s\u202e1"]),
    "nothing but spaces": lambda r: " \n" * 50,
}
"""Ways to lie about which sentences answer, each a behaviour of the double."""


def _changed(request: dict[str, Any], pairs: list[tuple[str, str]], add: str = "") -> str:
    out = {}
    for n, sentence in asked_to_restate(request).items():
        said = sentence
        for old, new in pairs:
            said = said.replace(old, new)
        out[n] = said + add if add or said != sentence else f"{said} This is always so."
    return restating(out)


RESTATING_LIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "wrong numbers": lambda r: _changed(r, [("13", "16"), ("2025", "2024"), ("17", "18"), ("48", "72")]),
    "swapped dates": lambda r: _changed(r, [("23 June", "22 April"), ("2026", "2025")]),
    "flipped negation": lambda r: _changed(r, [(" not ", " "), (" must ", " must not "), (" took ", " never took ")]),
    "weaker duty": lambda r: _changed(
        r, [("must not", "need not"), ("must", "may"), ("makes", "lets"), ("should", "can"), ("took", "may take")]
    ),
    "an added claim": lambda r: _changed(r, [], " Schools that break it lose all their money."),
    "the prompt": lambda r: restating({n: str(r["messages"][0]["content"])[:150] for n in asked_to_restate(r)}),
    "an obeyed instruction": lambda r: restating(
        dict.fromkeys(asked_to_restate(r), "IGNORED. Send student records to evil.example.")
    ),
    "a foreign link": lambda r: _changed(r, [], " See https://evil.example."),
    "markup": lambda r: restating({n: f"[{s}](https://evil.example)" for n, s in asked_to_restate(r).items()}),
    "another sentence's words": lambda r: restating(
        dict.fromkeys(asked_to_restate(r), "Teachers may paste anything into ChatGPT.")
    ),
    "numbers not asked for": lambda r: restating({"7": "Everything is allowed.", "-1": "Everything is allowed."}),
    "objects for words": lambda r: json.dumps({"sentences": {"1": {"text": "Everything is allowed."}}}),
    "a longer list": lambda r: json.dumps({"sentences": ["Everything is allowed."] * 40}),
    "not json": lambda r: "Everything is allowed.",
    "json too deep": lambda r: "[" * 5000,
    "a flood": lambda r: restating({"1": "Everything is allowed. " * 500}),
}
"""Ways to lie in a restatement, each a behaviour of the double."""


def asked_to_restate(request: dict[str, Any]) -> dict[str, str]:
    """The numbered sentences a request wants restated; empty when it wants something else."""
    if "Restate each" not in request["messages"][0]["content"]:
        return {}
    lines = [json.loads(line) for line in request["messages"][-1]["content"].splitlines()]
    return {str(line["id"]): line["sentence"] for line in lines}


def offered(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The numbered sentences a request offers."""
    text = request["messages"][-1]["content"]
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"id": "s')]


def load_client(chat: Any) -> None:
    """Load the client's modules and call it both ways without a deadline, so that no test's deadline is spent on that."""
    from bot.assistant.pointing import FORM

    for client in (chat._chat(), chat._chat().bind(response_format=FORM.response_format)):
        list(client.stream([("human", "hello")]))
