"""Slack on loopback: the Web API over real HTTP, and a client that signs and sends what Slack sends.

Stateful; enforces the documented limits with the platform's own error codes, and misbehaves on request:
``double.faults.append(Fault(...))`` is used up by the next call that it fits. Written against Slack's pages (block-kit,
chat.postMessage, chat.update, chat.startStream, assistant.threads.*, rate limits), not against our own code.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

Json = dict[str, Any]

TOKEN, APP_TOKEN, SECRET = "xoxb-double", "xapp-double", "signing-secret-of-the-double"
TEAM, BOT_USER, BOT_ID, ADMIN, ANN, BEN = "T01", "U0BOT", "B0BOT", "U0ADMIN", "U0ANN", "U0BEN"
BLOCK_SUM = 13_200


@dataclass
class Fault:
    """What goes wrong once, in a call of ``method`` (empty: any). Kinds: ``drop`` (nothing stored, connection lost),
    ``drop_after`` (stored, then lost), ``delay`` (seconds in ``value``), ``rate_limited`` (Retry-After in ``value``),
    ``500``, ``500_after``, or any Slack error code."""

    kind: str
    method: str = ""
    value: float = 0.0


@dataclass
class Call:
    """One call as it arrived."""

    method: str
    body: Json
    token: str
    at: float


@dataclass
class Channel:
    """A conversation and its messages, oldest first."""

    id: str
    messages: list[Json] = field(default_factory=list)
    members: set[str] = field(default_factory=lambda: {BOT_USER})
    creator: str = ADMIN
    ext_shared: bool = False


def characters(element: Any) -> int:
    """Text over blocks, as the sum limit counts it."""
    if isinstance(element, dict):
        own = sum(units(v) for k, v in element.items() if k in ("text", "url", "alt_text") and isinstance(v, str))
        return own + sum(characters(v) for v in element.values() if isinstance(v, (dict, list)))
    return sum(characters(one) for one in element) if isinstance(element, list) else 0


def units(text: str) -> int:
    """Length in UTF-16 units, as a JavaScript platform counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _between(value: Any, most: int, least: int = 1) -> bool:
    return isinstance(value, str) and least <= units(value) <= most


def _text_object(value: Any, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> bool:
    return isinstance(value, dict) and value.get("type") in kinds and _between(value.get("text"), most)


def _button(element: Json) -> bool:
    return (
        _text_object(element.get("text"), 75, ("plain_text",))
        and _between(element.get("action_id"), 255)
        and (element.get("value") is None or _between(element["value"], 2_000))
        and (element.get("url") is None or _between(element["url"], 3_000))
        and (element.get("accessibility_label") is None or _between(element["accessibility_label"], 75))
    )


def _rich(element: Json) -> bool:
    kind = element.get("type")
    if kind == "rich_text_list":
        own = element.get("style") in ("bullet", "ordered") and element.get("elements")
        return bool(own) and all(e.get("type") == "rich_text_section" and _rich(e) for e in element["elements"])
    if kind in ("rich_text_section", "rich_text_quote", "rich_text_preformatted"):
        return all(_rich_part(part) for part in element.get("elements", [{"type": "none"}]))
    return False


def _rich_part(part: Json) -> bool:
    if part.get("type") == "text":
        return _between(part.get("text"), 100_000)
    if part.get("type") == "link":
        return _between(part.get("url"), 3_000) and part["url"].split(":")[0] in ("http", "https", "mailto", "tel")
    return part.get("type") in ("user", "emoji", "channel")


def _option(option: Json) -> bool:
    return _text_object(option.get("text"), 75) and _between(option.get("value"), 150)


def _feedback(element: Json) -> bool:
    buttons = [element.get("positive_button"), element.get("negative_button")]
    return element.get("type") == "feedback_buttons" and all(
        isinstance(b, dict)
        and _text_object(b.get("text"), 75, ("plain_text",))
        and _between(b.get("value"), 2_000)
        and _between(b.get("accessibility_label"), 75)
        for b in buttons
    )


def block_is_valid(block: Json) -> bool:
    """Whether a block keeps the documented limits."""
    match block.get("type"):
        case "section":
            accessory = block.get("accessory")
            select = accessory is None or (accessory.get("type") == "static_select" and all(map(_option, accessory["options"])))
            return _text_object(block.get("text"), 3_000) and select
        case "header":
            return _text_object(block.get("text"), 150, ("plain_text",))
        case "context":
            return 1 <= len(block["elements"]) <= 10 and all(_text_object(e, 3_000) for e in block["elements"])
        case "actions":
            names = [e.get("action_id") for e in block["elements"]]
            return 1 <= len(names) <= 25 and len(set(names)) == len(names) and all(_button(e) for e in block["elements"])
        case "context_actions":
            return 1 <= len(block["elements"]) <= 5 and all(_feedback(e) for e in block["elements"])
        case "rich_text":
            return bool(block.get("elements")) and all(_rich(e) for e in block["elements"])
        case "table":
            rows = block.get("rows") or []
            cells = all(1 <= len(row) <= 20 and all(c.get("type") in ("rich_text", "raw_text") for c in row) for row in rows)
            return 1 <= len(rows) <= 100 and cells and all(block_is_valid(c) for row in rows for c in row)
        case "markdown":
            return _between(block.get("text"), 12_000)
        case "input":
            options = (block.get("element") or {}).get("options") or []
            return (
                _text_object(block.get("label"), 2_000, ("plain_text",))
                and 1 <= len(options) <= 10
                and all(map(_option, options))
            )
        case "divider":
            return True
    return False


def refusal(body: Json, most: int = 50, text_limit: int = 40_000) -> str:
    """The error for a message or view outside the limits; empty for none."""
    blocks = body.get("blocks")
    if isinstance(blocks, str):
        blocks = json.loads(blocks)
    if not blocks and not body.get("text") and not body.get("markdown_text"):
        return "no_text"
    if units(str(body.get("text") or "")) > text_limit:
        return "msg_too_long"
    if blocks:
        if len(blocks) > most or not all(block_is_valid(b) for b in blocks):
            return "invalid_blocks"
        if sum(b["type"] == "table" for b in blocks) > 1:
            return "invalid_blocks"
        names = [e.get("action_id") for b in blocks if b["type"] == "actions" for e in b["elements"]]
        if len(set(names)) != len(names) and most == 50:
            return "invalid_blocks"
        if characters(blocks) > BLOCK_SUM:
            return "msg_blocks_too_long"
    return ""


def words(element: Any) -> str:
    """Every word a reader sees in blocks, in order, without spaces between elements."""
    if isinstance(element, list):
        return "".join(words(one) for one in element)
    if not isinstance(element, dict):
        return ""
    own = element["text"] if isinstance(element.get("text"), str) else ""
    return own + "".join(words(v) for k, v in element.items() if isinstance(v, (dict, list)) and k not in ("style",))


def links(element: Any) -> list[str]:
    """Every address a reader can follow in blocks."""
    if isinstance(element, list):
        return [url for one in element for url in links(one)]
    if not isinstance(element, dict):
        return []
    own = [element["url"]] if element.get("type") == "link" else []
    return own + [url for v in element.values() if isinstance(v, (dict, list)) for url in links(v)]


class SlackDouble:
    """Start with ``with SlackDouble() as double``; ``double.url`` is the Web API's base."""

    def __init__(self, *, agent: bool = True, streams: bool = True, posts_a_second: float = 0.0) -> None:
        self.agent = agent
        self.streams = streams
        self.posts_a_second = posts_a_second
        self.faults: list[Fault] = []
        self.zones: dict[str, str] = {}
        self.calls: list[Call] = []
        self.channels: dict[str, Channel] = {}
        self.ephemerals: list[Json] = []
        self.hooks: list[Json] = []
        self.statuses: list[Json] = []
        self.prompts: list[Json] = []
        self.views: list[Json] = []
        self.homes: dict[str, Json] = {}
        self.files: dict[str, Json] = {}
        self.tokens: dict[str, str] = {TOKEN: TEAM}
        self.close_stream_after: int | None = None
        self.socket_replies: list[Json] = []
        self._to_socket: asyncio.Queue[Json | None] | None = None
        self._clock = 1_764_000_000.0
        self._posted: dict[str, list[float]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.url = ""

    # -- life ----------------------------------------------------------------------------------------------------------

    def __enter__(self) -> SlackDouble:
        app = Starlette(
            routes=[
                Route("/api/{method:path}", self._serve, methods=["POST", "GET"]),
                Route("/hook/{name}", self._hook, methods=["POST"]),
                Route("/upload/{name}", self._upload, methods=["POST"]),
                WebSocketRoute("/socket", self._socket),
            ]
        )
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)

        def run() -> None:
            self._loop = asyncio.new_event_loop()
            self._loop.run_until_complete(self._server.serve())

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.origin = f"http://127.0.0.1:{port}"
        self.url = f"{self.origin}/api/"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(5)

    # -- state ---------------------------------------------------------------------------------------------------------

    def channel(self, name: str) -> Channel:
        """A conversation; direct messages (D...) exist for everyone."""
        return self.channels.setdefault(name, Channel(name))

    def ts(self) -> str:
        """The next message's time stamp."""
        self._clock += 0.001
        return f"{self._clock:.6f}"

    def ours(self, channel: str) -> list[Json]:
        """Messages the app posted in a channel."""
        return [m for m in self.channel(channel).messages if m.get("user") == BOT_USER]

    def called(self, method: str) -> list[Call]:
        """The calls of one method."""
        return [call for call in self.calls if call.method == method]

    # -- serving -------------------------------------------------------------------------------------------------------

    async def _serve(self, request: Request) -> Response:
        method = request.path_params["method"]
        body = dict(request.query_params)
        raw = await request.body()
        if raw and "json" in request.headers.get("content-type", ""):
            body |= json.loads(raw)
        elif raw:
            body |= dict(parse_qsl(raw.decode()))
        token = request.headers.get("authorization", "").removeprefix("Bearer ") or str(body.get("token", ""))
        self.calls.append(Call(method, body, token, time.monotonic()))
        fault = next((f for f in self.faults if f.method in ("", method)), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault.kind == "delay":
                await asyncio.sleep(fault.value)
            elif fault.kind == "drop":
                return _lost()
            elif fault.kind == "rate_limited":
                return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": f"{fault.value:g}"})
            elif fault.kind == "500":
                return Response("busy", 500)
            elif fault.kind not in ("drop_after", "500_after"):
                return JSONResponse({"ok": False, "error": fault.kind})
        answer = self._answer(method, body, token)
        if fault is not None and fault.kind == "drop_after":
            return _lost()
        if fault is not None and fault.kind == "500_after":
            return Response("lost", 500)
        if answer.get("error") == "ratelimited":
            return JSONResponse(answer, 429, {"Retry-After": "1"})
        return JSONResponse(answer)

    def _answer(self, method: str, body: Json, token: str) -> Json:
        handler = getattr(self, "_" + method.replace(".", "_"), None)
        if handler is None or (not self.streams and method.endswith("Stream")):
            return _no("unknown_method")
        if method == "oauth.v2.access":
            return handler(body)  # type: ignore[no-any-return]
        if not token:
            return _no("not_authed")
        if token not in self.tokens and token != APP_TOKEN:
            return _no("invalid_auth")
        error = handler(body)
        return error  # type: ignore[no-any-return]

    def _auth_test(self, _body: Json) -> Json:
        return {"ok": True, "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT_ID, "team": "Double", "url": self.origin}

    # -- messages ------------------------------------------------------------------------------------------------------

    def _postable(self, body: Json) -> str:
        name = str(body.get("channel") or "")
        if not name.startswith(("C", "D", "G")):
            return "channel_not_found"
        if not name.startswith("D") and BOT_USER not in self.channel(name).members:
            return "not_in_channel"
        if self.posts_a_second:
            now = time.monotonic()
            recent = [at for at in self._posted.get(name, []) if now - at < 10]
            self._posted[name] = [*recent, now]
            if len(recent) >= 10 * self.posts_a_second + 5:
                return "ratelimited"
        return refusal(body)

    def _chat_postMessage(self, body: Json) -> Json:  # noqa: N802 - Slack's name
        if error := self._postable(body):
            return _no(error)
        channel = self.channel(body["channel"])
        thread = body.get("thread_ts")
        if thread and not any(m["ts"] == thread for m in channel.messages):
            return _no("thread_not_found")
        message = {"type": "message", "user": BOT_USER, "bot_id": BOT_ID, "ts": self.ts(), "text": body.get("text", "")}
        message |= {k: body[k] for k in ("blocks", "metadata", "thread_ts", "mrkdwn") if body.get(k) is not None}
        channel.messages.append(message)
        return {"ok": True, "channel": channel.id, "ts": message["ts"], "message": message}

    def _chat_postEphemeral(self, body: Json) -> Json:  # noqa: N802
        if error := self._postable(body):
            return _no(error)
        self.ephemerals.append(body)
        return {"ok": True, "message_ts": self.ts()}

    def _find(self, body: Json) -> Json | None:
        messages = self.channel(str(body.get("channel"))).messages
        return next((m for m in messages if m["ts"] == body.get("ts") and m["user"] == BOT_USER), None)

    def _chat_update(self, body: Json) -> Json:
        message = self._find(body)
        if message is None:
            return _no("message_not_found")
        if message.get("streaming"):
            return _no("streaming_state_conflict")
        if error := refusal(body, text_limit=4_000):
            return _no(error)
        message.pop("streamed", None)
        message |= {k: body[k] for k in ("text", "blocks", "metadata") if body.get(k) is not None}
        return {"ok": True, "channel": body["channel"], "ts": message["ts"]}

    def _conversations_replies(self, body: Json) -> Json:
        channel = self.channel(str(body["channel"]))
        found = [m for m in channel.messages if body["ts"] in (m["ts"], m.get("thread_ts"))]
        return {"ok": True, "messages": self._shown(found, body)} if found else _no("thread_not_found")

    def _conversations_history(self, body: Json) -> Json:
        return {"ok": True, "messages": self._shown(self.channel(str(body["channel"])).messages[::-1], body)}

    @staticmethod
    def _shown(messages: list[Json], body: Json) -> list[Json]:
        if str(body.get("include_all_metadata", "")).lower() in ("true", "1"):
            return messages
        return [{k: v for k, v in m.items() if k != "metadata"} for m in messages]

    def _conversations_info(self, body: Json) -> Json:
        channel = self.channel(str(body["channel"]))
        member = BOT_USER in channel.members
        about = {"id": channel.id, "creator": channel.creator, "is_member": member, "is_ext_shared": channel.ext_shared}
        return {"ok": True, "channel": about}

    def _conversations_open(self, body: Json) -> Json:
        return {"ok": True, "channel": {"id": "D" + str(body["users"])}}

    def _users_info(self, body: Json) -> Json:
        user = str(body["user"])
        about = {"id": user, "is_admin": user == ADMIN, "is_owner": False, "tz": self.zones.get(user)}
        return {"ok": True, "user": about | {"profile": {"real_name": {ANN: "Ann Lee", BEN: "Ben Ortiz"}.get(user, user)}}}

    # -- streams -------------------------------------------------------------------------------------------------------

    def _chat_startStream(self, body: Json) -> Json:  # noqa: N802
        name = str(body.get("channel") or "")
        if not name.startswith(("C", "D")):
            return _no("channel_not_found")
        if not name.startswith("D") and not (body.get("recipient_user_id") and body.get("recipient_team_id")):
            return _no("missing_recipient")
        text = str(body.get("markdown_text") or "")
        if units(text) > 12_000:
            return _no("msg_too_long")
        message = {"type": "message", "user": BOT_USER, "bot_id": BOT_ID, "ts": self.ts(), "text": text, "streaming": True}
        message |= {"streamed": [text]} | ({"thread_ts": body["thread_ts"]} if body.get("thread_ts") else {})
        self.channel(name).messages.append(message)
        return {"ok": True, "channel": name, "ts": message["ts"]}

    def _streaming(self, body: Json) -> Json | None:
        message = self._find(body)
        if message is None or not message.get("streaming"):
            return None
        if self.close_stream_after is not None and len(message["streamed"]) > self.close_stream_after:
            message["streaming"] = False
            return None
        return message

    def _chat_appendStream(self, body: Json) -> Json:  # noqa: N802
        message = self._streaming(body)
        if message is None:
            return _no("message_not_in_streaming_state")
        text = str(body.get("markdown_text") or "")
        message["text"] += text
        message["streamed"].append(text)
        return {"ok": True, "channel": body["channel"], "ts": body["ts"]}

    def _chat_stopStream(self, body: Json) -> Json:  # noqa: N802
        message = self._streaming(body)
        if message is None:
            return _no("message_not_in_streaming_state")
        if body.get("blocks") and (error := refusal({"text": "-", **body})):
            return _no(error)
        message["streaming"] = False
        message["text"] += str(body.get("markdown_text") or "")
        message |= {k: body[k] for k in ("blocks", "metadata") if body.get(k) is not None}
        return {"ok": True, "channel": body["channel"], "ts": body["ts"]}

    # -- assistant, views, files ---------------------------------------------------------------------------------------

    def _assistant_threads_setStatus(self, body: Json) -> Json:  # noqa: N802
        if not body.get("thread_ts") or len(body.get("loading_messages") or []) > 10:
            return _no("invalid_arguments")
        self.statuses.append(body)
        return {"ok": True}

    def _assistant_threads_setSuggestedPrompts(self, body: Json) -> Json:  # noqa: N802
        if not 1 <= len(body.get("prompts") or []) <= 4:
            return _no("invalid_arguments")
        # An agent app that names a thread is told "ok" and nothing is shown.
        if not (self.agent and body.get("thread_ts")):
            self.prompts.append(body)
        return {"ok": True}

    def _view(self, body: Json) -> str:
        view = body.get("view") or {}
        if view.get("type") == "modal" and not _text_object(view.get("title"), 24, ("plain_text",)):
            return "invalid_arguments"
        for part in ("submit", "close"):
            if part in view and not _text_object(view[part], 24, ("plain_text",)):
                return "invalid_arguments"
        if units(view.get("private_metadata") or "") > 3_000:
            return "invalid_arguments"
        return refusal({"text": "-", "blocks": view.get("blocks")}, most=100)

    def _views_open(self, body: Json) -> Json:
        if not body.get("trigger_id"):
            return _no("invalid_trigger_id")
        if error := self._view(body):
            return _no(error)
        self.views.append(body["view"])
        return {"ok": True, "view": {"id": f"V{len(self.views)}"}}

    def _views_publish(self, body: Json) -> Json:
        if error := self._view(body):
            return _no(error)
        self.homes[body["user_id"]] = body["view"]
        return {"ok": True}

    def _files_getUploadURLExternal(self, body: Json) -> Json:  # noqa: N802
        name = f"F{len(self.files) + 1}"
        self.files[name] = {"id": name, "name": body["filename"], "length": int(body["length"]), "alt": body.get("alt_txt", "")}
        return {"ok": True, "upload_url": f"{self.origin}/upload/{name}", "file_id": name}

    async def _upload(self, request: Request) -> Response:
        file = self.files[request.path_params["name"]]
        file["content"] = await request.body()
        return Response("OK", 200 if len(file["content"]) == file["length"] else 400)

    def _files_completeUploadExternal(self, body: Json) -> Json:  # noqa: N802
        for given in json.loads(body["files"]):
            file = self.files.get(given["id"])
            if file is None or "content" not in file:
                return _no("file_not_found")
            message = {"type": "message", "user": BOT_USER, "bot_id": BOT_ID, "ts": self.ts(), "text": ""}
            message |= {"files": [{"id": file["id"], "name": file["name"]}], "thread_ts": body.get("thread_ts")}
            self.channel(body["channel_id"]).messages.append(message)
        return {"ok": True}

    async def _hook(self, request: Request) -> Response:
        body = await request.json()
        if refusal(body):
            return JSONResponse({"ok": False}, 400)
        self.hooks.append(body | {"hook": request.path_params["name"]})
        return Response("ok")

    def _oauth_v2_access(self, body: Json) -> Json:
        code = str(body.get("code", ""))
        if not code.startswith("code-"):
            return _no("invalid_code")
        team = code.removeprefix("code-")
        self.tokens[f"xoxb-{team}"] = team
        return {
            "ok": True,
            "access_token": f"xoxb-{team}",
            "token_type": "bot",
            "scope": "chat:write",
            "bot_user_id": BOT_USER,
            "app_id": "A01",
            "team": {"id": team, "name": "A district"},
            "enterprise": None,
            "authed_user": {"id": ADMIN},
            "is_enterprise_install": False,
        }

    # -- Socket Mode -----------------------------------------------------------------------------------------------------

    def _apps_connections_open(self, _body: Json) -> Json:
        return {"ok": True, "url": self.origin.replace("http", "ws") + "/socket"}

    async def _socket(self, socket: WebSocket) -> None:
        await socket.accept()
        queue = self._to_socket = asyncio.Queue()
        await socket.send_json({"type": "hello", "num_connections": 1})

        async def listen() -> None:
            try:
                while True:
                    self.socket_replies.append(await socket.receive_json())
            except (WebSocketDisconnect, RuntimeError):
                await queue.put(None)

        listening = asyncio.create_task(listen())
        while (envelope := await queue.get()) is not None:
            await socket.send_json(envelope)
        listening.cancel()

    def to_socket(self, kind: str, payload: Json, envelope: str, retry: int = 0) -> None:
        """Send an envelope through the open socket."""
        data = {"type": kind, "payload": payload, "envelope_id": envelope, "accepts_response_payload": kind != "events_api"}
        data |= {"retry_attempt": retry, "retry_reason": "timeout"} if retry else {}
        assert self._loop is not None
        assert self._to_socket is not None
        self._loop.call_soon_threadsafe(self._to_socket.put_nowait, data)

    @property
    def socket_open(self) -> bool:
        """Whether a client listens."""
        return self._to_socket is not None


def _no(error: str) -> Json:
    return {"ok": False, "error": error}


def _lost() -> Response:
    """A response that breaks off: the client cannot know what became of its call."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"{"
        raise ConnectionResetError("the double breaks off")

    return StreamingResponse(broken(), headers={"content-length": "1000"}, media_type="application/json")


# -- what Slack sends ----------------------------------------------------------------------------------------------------


def message(text: str, ts: str, channel: str = "D0ANN", user: str = ANN, **more: Any) -> Json:
    """A message event in its envelope."""
    kind = {"D": "im", "G": "mpim"}.get(channel[0], "channel")
    return envelope({"type": "message", "channel_type": kind, "channel": channel, "user": user, "text": text, "ts": ts} | more)


def mention(text: str, ts: str, channel: str = "C01", user: str = ANN, **more: Any) -> Json:
    """The app_mention twin of a channel message."""
    return envelope({"type": "app_mention", "channel": channel, "user": user, "text": text, "ts": ts} | more)


_numbers = iter(range(1, 10**9))


def envelope(event: Json, team: str = TEAM, **more: Any) -> Json:
    """An event in its envelope, with an id that no other has."""
    known = [{"team_id": team, "user_id": BOT_USER, "is_bot": True, "is_enterprise_install": False}]
    body = {"type": "event_callback", "team_id": team, "api_app_id": "A01", "event": event, "authorizations": known}
    return body | {"event_id": f"Ev{next(_numbers)}", "event_time": int(time.time())} | more


def press(action_id: str, value: str, ts: str, channel: str = "D0ANN", user: str = ANN, **more: Any) -> Json:
    """A pressed button."""
    container = {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False}
    return {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": user, "team_id": TEAM},
        "channel": {"id": channel},
        "container": container | more.pop("container", {}),
        "message": {"ts": ts} | more.pop("message", {}),
        "trigger_id": f"trigger.{next(_numbers)}",
        "response_url": more.pop("response_url", ""),
        "actions": [{"action_id": action_id, "type": "button", "value": value, "action_ts": "1"} | more],
    }


def command(text: str, channel: str = "C01", user: str = ANN, **more: str) -> dict[str, str]:
    """A slash command's fields."""
    fields = {"command": "/signpost", "text": text, "team_id": TEAM, "channel_id": channel, "user_id": user}
    return fields | {"trigger_id": f"trigger.{next(_numbers)}", "response_url": ""} | more


class SlackClient:
    """Sends what Slack sends to an ASGI application, signed. A message that is sent also stands in ``double``, as it would."""

    def __init__(self, app: Any, double: SlackDouble | None = None, secret: str = SECRET) -> None:
        self._double = double
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://app")
        self._secret = secret

    def headers(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """The signature's headers for a body."""
        stamp = str(int(at if at is not None else time.time()))
        digest = hmac.new(self._secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    async def event(self, payload: Json, retry: tuple[int, str] | None = None) -> httpx.Response:
        """An event; ``retry`` adds the headers of a repeated delivery."""
        given = payload.get("event") or {}
        if self._double is not None and given.get("type") in ("message", "app_mention") and given.get("ts"):
            messages = self._double.channel(given["channel"]).messages
            if not any(m["ts"] == given["ts"] for m in messages):
                messages.append({k: given[k] for k in ("type", "user", "ts", "text", "thread_ts") if k in given})
        body = json.dumps(payload).encode()
        extra = {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]} if retry else {}
        return await self.raw(body, {"Content-Type": "application/json", **extra, **self.headers(body)})

    async def interaction(self, payload: Json) -> httpx.Response:
        """A button, a form or a shortcut."""
        return await self.form({"payload": json.dumps(payload)})

    async def form(self, fields: dict[str, str]) -> httpx.Response:
        """A slash command, or an interaction's form."""
        body = urlencode(fields).encode()
        return await self.raw(body, {"Content-Type": "application/x-www-form-urlencoded", **self.headers(body)})

    async def raw(self, body: bytes, headers: Any) -> httpx.Response:
        """Exactly these bytes and headers."""
        return await self._http.post("/slack/events", content=body, headers=headers)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        """A page."""
        return await self._http.get(path, **more)

    async def close(self) -> None:
        """Give back the connection."""
        await self._http.aclose()
