"""A chat model's server on loopback that speaks OpenAI's HTTP shape, truthful or misbehaving on request.

``behaviour(request)`` gives the reply's text, or one of the named misbehaviours. Every request is kept for inspection.
"""

from __future__ import annotations

import json
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
                try:
                    double._answer(self, body, double.behaviour(body))
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
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
        if text == "bad_json":
            return self._plain(handler, 200, "application/json", b'{"choices": [{"mess')
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        if text == "silent":
            self._stop.wait(30)
            return None
        if text == "garbage_sse":
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


def offered(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The numbered sentences a request offers."""
    text = request["messages"][-1]["content"]
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"id": "s')]
