"""Teams on loopback: the Bot Connector, its OpenID keys and the token endpoint, over real HTTP.

Stateful; enforces the documented limits with the platform's own codes and words (size, rate, streaming, citations), and
misbehaves on request: ``double.faults.append(Fault(...))`` is used up by the next request that it fits. Sources: Teams'
pages "Stream agent messages", "Agent message size limit", "Rate limiting for bots", "AI-generated content".
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.adapters.teams.accessibility import problems

ISSUER = "https://api.botframework.com"
APP_ID = "11111111-2222-3333-4444-555555555555"
TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
BOT = f"28:{APP_ID}"
MOST_BYTES = 100 * 1024
RATES = ((1.0, 7), (2.0, 8), (30.0, 60), (3600.0, 1800))


@dataclass
class Fault:
    """What goes wrong once. ``kind``: drop_before, drop_after, silent, or a status such as "502"; ``when`` picks requests."""

    kind: str
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    when: Callable[[str, dict[str, Any]], bool] = lambda _path, _body: True


@dataclass
class StreamState:
    """A streamed message as the service sees it."""

    conversation: str
    opened: float
    last: float
    sequence: int = 1
    text: str = ""
    kinds: list[str] = field(default_factory=list)
    ended: str = ""


class Clock:
    """Time that tests move. ``sleep`` moves it instead of waiting."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        import asyncio

        self.waits.append(seconds)
        self.now += max(seconds, 0.0)
        await asyncio.sleep(0)


def new_key() -> rsa.RSAPrivateKey:
    """A signing key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


_KEYS: dict[str, rsa.RSAPrivateKey] = {}


def shared_key(kid: str) -> rsa.RSAPrivateKey:
    """The key of that name, made once a process: making one takes a while."""
    if kid not in _KEYS:
        _KEYS[kid] = new_key()
    return _KEYS[kid]


def public(kid: str, key: rsa.RSAPrivateKey, endorsements: list[str] | None) -> dict[str, Any]:
    """A key as it is published."""
    entry: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    entry.pop("key_ops", None)
    named = {} if endorsements is None else {"endorsements": endorsements}
    return {**entry, "use": "sig", "kid": kid, "alg": "RS256", **named}


def utf16(value: dict[str, Any]) -> int:
    """A payload's weight; inline pictures do not count."""
    written = re.sub(r"data:image/\w+;base64,[A-Za-z0-9+/=]+", "", json.dumps(value, ensure_ascii=False))
    return len(written.encode("utf-16-le"))


class TeamsDouble:
    """Start with ``with TeamsDouble() as double``. ``url`` is the service address to put into activities."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.published = [public("k1", shared_key("k1"), ["msteams"])]
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.order: list[dict[str, Any]] = []
        self.streams: dict[str, StreamState] = {}
        self.typing: list[str] = []
        self.requests: list[tuple[float, str, str, dict[str, Any], dict[str, str]]] = []
        self.faults: list[Fault] = []
        self.violations: list[str] = []
        self.fetched_keys = self.issued_tokens = self.most_at_once = 0
        self.token_seconds = 3600
        self.refuse_targeted = self.refuse_streams = False
        self.gone: set[str] = set()
        self._tokens: set[str] = set()
        self._at_once: dict[str, int] = {}
        self._recent: dict[str, deque[float]] = {}
        self._names = 0
        self._lock = threading.Lock()
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                return

            def do_GET(self) -> None:
                double._get(self)

            def do_POST(self) -> None:
                double._take(self, "POST")

            def do_PUT(self) -> None:
                double._take(self, "PUT")

        class Server(ThreadingHTTPServer):
            request_queue_size = 128  # by default a sixth caller at once may be turned away

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._stop = threading.Event()
        self.root = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{self.root}/amer/"
        self.openid_url = f"{self.root}/v1/.well-known/openidconfiguration"
        self.token_url = f"{self.root}/oauth2/v2.0/token"

    def __enter__(self) -> TeamsDouble:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()

    # -- what a test asks for ----------------------------------------------------------------------------------------

    def token(self, key: rsa.RSAPrivateKey | None = None, kid: str | None = "k1", **claims: Any) -> str:
        """A token as Teams signs it; a claim of None is left out."""
        now = int(time.time())
        held = {"iss": ISSUER, "aud": APP_ID, "nbf": now - 60, "exp": now + 3600, "serviceurl": self.url, **claims}
        held = {name: value for name, value in held.items() if value is not None}
        headers = {} if kid is None else {"kid": kid}
        return jwt.encode(held, key or shared_key("k1"), algorithm="RS256", headers=headers)

    def rotate(self, kid: str) -> rsa.RSAPrivateKey:
        """Publish another key beside the old ones."""
        self.published = [*self.published, public(kid, shared_key(kid), ["msteams"])]
        return shared_key(kid)

    def activity(self, said: str = "", conversation: str = "a:chat", /, **changes: Any) -> dict[str, Any]:
        """An activity from a person, as Teams sends it. In groups and channels the bot is mentioned."""
        self._names += 1
        kind = "personal" if conversation.startswith("a:") else "channel" if "thread.tacv2" in conversation else "groupChat"
        activity: dict[str, Any] = {
            "type": "message",
            "id": f"17{self._names:011d}",
            "timestamp": "2026-11-25T10:00:00.123Z",
            "channelId": "msteams",
            "serviceUrl": self.url,
            "from": {"id": "29:ana", "name": "Ana", "aadObjectId": "ffff0000-0000-4000-8000-00000000000a"},
            "recipient": {"id": BOT, "name": "Signpost"},
            "conversation": {"id": conversation, "conversationType": kind, "tenantId": TENANT},
            "channelData": {"tenant": {"id": TENANT}},
            "locale": "en-US",
            "textFormat": "plain",
            "text": said,
        }
        if kind != "personal":
            activity["text"] = f"<at>Signpost</at> {said}"
            activity["conversation"]["isGroup"] = True
            activity["entities"] = [
                {"type": "mention", "text": "<at>Signpost</at>", "mentioned": {"id": BOT, "name": "Signpost"}}
            ]
        if kind == "channel":
            activity["channelData"].update(team={"id": "19:team@thread.tacv2"}, channel={"id": conversation.split(";")[0]})
        return {**activity, **changes}

    def press(self, action: dict[str, Any], reply_to: str | None, conversation: str = "a:chat", **changes: Any) -> dict[str, Any]:
        """The invoke of a pressed Action.Execute."""
        base = self.activity("", conversation)
        for name in ("text", "textFormat", "entities"):
            base.pop(name, None)
        value = {"action": {"type": "Action.Execute", "verb": action["verb"], "data": action["data"]}, "trigger": "manual"}
        named = {} if reply_to is None else {"replyToId": reply_to}
        return {**base, "type": "invoke", "name": "adaptiveCard/action", "value": value, **named, **changes}

    def texts(self, conversation: str = "a:chat") -> list[str]:
        """What stands in a conversation."""
        return [message.get("text", "") for message in self.messages.get(conversation, [])]

    def sent(self, conversation: str = "a:chat") -> list[dict[str, Any]]:
        """The messages that stand in a conversation."""
        return self.messages.get(conversation, [])

    # -- the service -------------------------------------------------------------------------------------------------

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        path = urlsplit(handler.path).path
        fault = self._fault(path, {})
        if fault is not None:
            return self._misbehave(handler, fault)
        if path.endswith("openidconfiguration"):
            return _answer(handler, 200, {"issuer": ISSUER, "jwks_uri": f"{self.root}/v1/keys"})
        if path == "/v1/keys":
            self.fetched_keys += 1
            return _answer(handler, 200, {"keys": self.published})
        return _answer(handler, 404, {})

    def _take(self, handler: BaseHTTPRequestHandler, method: str) -> None:
        raw = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        parts = urlsplit(handler.path)
        if parts.path == "/oauth2/v2.0/token":
            return self._token(handler, raw.decode())
        body = json.loads(raw)
        path = parts.path.removeprefix("/amer/")
        with self._lock:
            self.requests.append((self.clock(), method, path, body, dict(handler.headers)))
        fault = self._fault(path, body)
        if fault is not None and fault.kind != "drop_after":
            return self._misbehave(handler, fault)
        bearer = handler.headers.get("Authorization", "")
        if bearer.removeprefix("Bearer ") not in self._tokens:
            return _answer(handler, 401, _error("Unauthorized", "Authorization has been denied for this request."))
        with self._lock:
            status, answer, headers = self._serve(method, path, parts.query, body)
        if fault is not None:
            return self._misbehave(handler, fault)
        return _answer(handler, status, answer, headers)

    def _serve(self, method: str, path: str, query: str, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        if path == "v3/conversations":
            return self._create(body)
        found = re.fullmatch(r"v3/conversations/([^/]+)/activities(?:/([^/]+))?", path)
        if found is None:
            return 404, _error("NotFound", "no such operation"), {}
        conversation, named = unquote(found[1]), unquote(found[2] or "")
        if conversation in self.gone:
            return 403, _error("BotNotInConversationRoster", "The bot is not part of the conversation roster."), {}
        if utf16(body) > MOST_BYTES:
            return 413, _error("MessageSizeTooBig", "Message size too large"), {}
        if method == "PUT":
            return self._update(conversation, named, body)
        if (wait := self._too_often(conversation)) is not None:
            return 429, _error("Throttled", "API calls quota exceeded"), {"Retry-After": str(wait)}
        streamed = [entity for entity in body.get("entities", []) if str(entity.get("type", "")).lower() == "streaminfo"]
        if streamed:
            return self._stream(conversation, streamed[0], body)
        if body["type"] == "typing":
            self.typing.append(conversation)
            return 201, {"id": self._name()}, {}
        if "isTargetedActivity=true" in query and (self.refuse_targeted or not body.get("recipient", {}).get("id")):
            return 400, _error("BadRequest", "Targeted messages are not supported here"), {}
        if (refusal := self._unfit(body)) is not None:
            return 400, _error("BadRequest", refusal), {}
        return 201, {"id": self._keep(conversation, body, targeted="isTargetedActivity=true" in query)}, {}

    def _create(self, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        if body.get("isGroup"):
            channel = body["channelData"]["channel"]["id"]
            named = self._name()
            where = f"{channel};messageid={named}"
            self._keep(where, body["activity"], named)
            return 201, {"id": where, "activityId": named}, {}
        return 201, {"id": f"a:with-{body['members'][0]['id']}"}, {}

    def _update(self, conversation: str, named: str, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        if (refusal := self._unfit(body)) is not None:
            return 400, _error("BadRequest", refusal), {}
        for message in self.messages.get(conversation, []):
            if message["id"] == named:
                message.clear()
                message.update(body, id=named, edited=True)
                return 200, {"id": named}, {}
        if named in self.streams and self.streams[named].ended == "time":
            self._keep(conversation, body, named)
            return 200, {"id": named}, {}
        return 404, _error("ActivityNotFoundInConversation", "no such activity"), {}

    def _stream(
        self, conversation: str, info: dict[str, Any], body: dict[str, Any]
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        if not conversation.startswith("a:") or body["conversation"].get("conversationType") != "personal":
            return 405, _error("MethodNotAllowed", "Streaming is not supported in this conversation"), {}
        if self.refuse_streams:
            return 403, _refused("Content stream is not allowed"), {}
        now, kind, named = self.clock(), info.get("streamType", "streaming"), info.get("streamId")
        if not str(body.get("text", "")).strip():
            return 400, _error("BadRequest", "Start streaming activities should include text"), {}
        if named is None:
            if info.get("streamSequence") != 1 or kind == "final":
                return 400, _error("BadRequest", "The first request must have sequence 1"), {}
            named = self._name()
            self.streams[named] = StreamState(
                conversation, now, now, kinds=[kind], text=body["text"] if kind == "streaming" else ""
            )
            return 201, {"id": named}, {}
        stream = self.streams.get(named)
        if stream is None:
            return 400, _error("BadRequest", "no such stream"), {}
        return self._continue(stream, named, kind, info, body)

    def _continue(
        self, stream: StreamState, named: str, kind: str, info: dict[str, Any], body: dict[str, Any]
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        now = self.clock()
        ends = {
            "cancelled": "Content stream was cancelled by user.",
            "done": "Content stream is not allowed on an already completed streamed message",
            "size": "Message size too large",
        }
        if stream.ended in ends:
            return 403, _refused(ends[stream.ended]), {}
        if now - stream.opened > 120:
            stream.ended = "time"
            return 403, _refused("Content stream finished due to exceeded streaming time."), {}
        if now - stream.last < 1.0:
            return 429, _error("Throttled", "API calls quota exceeded"), {"Retry-After": "1"}
        stream.last = now
        if not body["text"].startswith(stream.text):
            return 400, _error("BadRequest", "Streamed content should contain the previously streamed content"), {}
        if kind == "final":
            if "streamSequence" in info or body["type"] != "message":
                return 400, _error("BadRequest", "The final message has no sequence"), {}
            if (refusal := self._unfit(body)) is not None:
                return 400, _error("BadRequest", refusal), {}
            stream.ended = "done"
            stream.kinds.append(kind)
            self._keep(stream.conversation, body, named)
            return 202, {}, {}
        if info.get("streamSequence", 0) <= stream.sequence:
            return 202, {"code": "ContentStreamSequenceOrderPreConditionFailed"}, {}
        if body.get("attachments") or body["type"] != "typing":
            return 400, _error("BadRequest", "Only the final message may carry attachments"), {}
        stream.sequence = info["streamSequence"]
        stream.kinds.append(kind)
        if kind == "streaming":
            stream.text = body["text"]
        return 202, {}, {}

    def _unfit(self, body: dict[str, Any]) -> str | None:
        """The platform's reason to refuse a message; what it would only show badly goes to ``violations``."""
        roots = [e for e in body.get("entities", []) if e.get("type") == "https://schema.org/Message"]
        if len(roots) > 1:
            return "There can be only one root message entity"
        for claim in roots[0].get("citation", []) if roots else []:
            appearance = claim.get("appearance", {})
            if not appearance.get("name") or not appearance.get("abstract"):
                return "Citation appearance is empty"
            if len(appearance["name"]) > 80 or len(appearance["abstract"]) > 160:
                return "Citation is too long"
            if len(appearance.get("keywords", [])) > 3 or any(len(word) > 28 for word in appearance.get("keywords", [])):
                return "Citation keywords are too long"
        positions = [claim.get("position") for claim in roots[0].get("citation", [])] if roots else []
        if len(positions) > 20 or len(set(positions)) != len(positions):
            return "Citations must be 20 or fewer with unique positions"
        for attachment in body.get("attachments", []):
            self.violations += problems(attachment["content"])
        if body.get("suggestedActions") and body.get("attachments"):
            self.violations.append("suggested actions beside an attachment")
        if not body.get("text") and not body.get("attachments"):
            return "Activity has no content"
        return None

    def _keep(self, conversation: str, body: dict[str, Any], named: str = "", *, targeted: bool = False) -> str:
        named = named or self._name()
        kept = {**body, "id": named, **({"targeted": True} if targeted else {})}
        self.messages.setdefault(conversation, []).append(kept)
        self.order.append(kept)
        return named

    def _too_often(self, conversation: str) -> int | None:
        now = self.clock()
        times = self._recent.setdefault(conversation, deque())
        for seconds, most in RATES:
            if sum(1 for at in times if now - at < seconds) >= most:
                return max(1, int(seconds))
        times.append(now)
        return None

    def _name(self) -> str:
        self._names += 1
        return f"f:{self._names:06d}"

    def _token(self, handler: BaseHTTPRequestHandler, form: str) -> None:
        fault = self._fault("token", {})
        if fault is not None:
            return self._misbehave(handler, fault)
        fields = dict(pair.split("=", 1) for pair in form.split("&"))
        wanted = {"grant_type": "client_credentials", "client_id": APP_ID, "client_secret": "secret"}
        if (
            any(fields.get(name) != value for name, value in wanted.items())
            or "botframework.com%2F.default" not in fields["scope"]
        ):
            return _answer(handler, 401, {"error": "invalid_client"})
        self.issued_tokens += 1
        token = base64.urlsafe_b64encode(f"ours-{self.issued_tokens}".encode()).decode().rstrip("=")
        self._tokens.add(token)
        return _answer(handler, 200, {"token_type": "Bearer", "expires_in": self.token_seconds, "access_token": token})

    def revoke(self) -> None:
        """No token issued so far is good any more."""
        self._tokens.clear()

    def _fault(self, path: str, body: dict[str, Any]) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.when(path, body):
                    self.faults.remove(fault)
                    return fault
        return None

    def _misbehave(self, handler: BaseHTTPRequestHandler, fault: Fault) -> None:
        if fault.kind == "silent":
            self._stop.wait(30)
        if fault.kind in ("drop_before", "drop_after", "silent"):
            handler.close_connection = True
            handler.connection.close()
            return
        _answer(handler, int(fault.kind), fault.body, fault.headers)


def _refused(message: str) -> dict[str, Any]:
    return _error("ContentStreamNotAllowed", message)


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def _answer(handler: BaseHTTPRequestHandler, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
    content = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)
