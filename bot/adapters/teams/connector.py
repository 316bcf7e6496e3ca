"""The Bot Connector's REST interface as this door uses it: post, update, open a conversation; within its limits, with our token.

Facts: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-send-and-receive-messages and Teams'
rate limits page, which asks to repeat 412, 429, 502 and 504 with growing waits. Everything else is never repeated here: a
request that may have been taken is the caller's to judge.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import quote

import httpx

from bot.adapters.teams.service_hosts import ServiceHosts
from bot.errors import SignpostError
from bot.inbox import NotSent

REPEATABLE = (412, 429, 502, 504)
ATTEMPTS = 6
FIRST_WAIT_SECONDS = 0.5
MOST_WAIT_SECONDS = 45.0
TIMEOUT = httpx.Timeout(15.0, connect=5.0)
TOKEN_MARGIN_SECONDS = 300.0

_KINDS = {"group": "groupChat"}

Activity = dict[str, Any]
Sleep = Callable[[float], Awaitable[None]]


class Ambiguous(Exception):
    """The request left, no answer came: the message may stand or not. Holds nothing of the request."""


class TooLarge(NotSent):
    """The message is over the platform's size limit (413 MessageSizeTooBig)."""


class StreamRefused(NotSent):
    """A stream cannot go on. ``kind``: not_allowed, completed, timed_out, too_large, cancelled."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"Teams refused to stream: {kind}")
        self.kind = kind


@dataclass(frozen=True)
class Reference:
    """Where to answer: everything Teams needs to find a conversation again. Kept with the inbox row and with installs."""

    service_url: str
    conversation: str
    kind: str = "personal"
    activity: str = ""
    user: str = ""
    user_aad: str = ""
    bot: str = ""
    tenant: str = ""
    locale: str = ""
    channel: str = ""
    zone: str = ""

    @classmethod
    def of(cls, stored: dict[str, str]) -> Reference:
        """From the strings kept in a row."""
        known = {name: str(value) for name, value in stored.items() if name in cls.__dataclass_fields__}
        return cls(**{"service_url": "", "conversation": "", **known})

    def stored(self) -> dict[str, str]:
        """As strings to keep in a row."""
        return {name: value for name, value in asdict(self).items() if value}


class Tokens:
    """Our own token (client credentials), kept until shortly before it ends. ``clock`` is monotonic seconds."""

    def __init__(
        self, url: str, app_id: str, secret: str, scope: str, client: httpx.AsyncClient, clock: Callable[[], float]
    ) -> None:
        self._url = url
        self._form = {"grant_type": "client_credentials", "client_id": app_id, "client_secret": secret, "scope": scope}
        self._client = client
        self._clock = clock
        self._token = ""
        self._until = float("-inf")
        self._lock = asyncio.Lock()

    async def current(self) -> str:
        """A token good for some minutes. Raises NotSent when none is to be had."""
        async with self._lock:
            if self._clock() >= self._until:
                await self._ask()
            return self._token

    def forget(self, token: str) -> None:
        """The platform refused ``token``: ask for a new one next time."""
        if token == self._token:
            self._until = float("-inf")

    async def _ask(self) -> None:
        try:
            response = await self._client.post(self._url, data=self._form, timeout=TIMEOUT, follow_redirects=False)
            answer = response.json() if response.status_code == 200 else {}
            token, lasts = answer.get("access_token"), float(answer.get("expires_in", 3600))
        except (httpx.HTTPError, ValueError, TypeError, AttributeError):
            raise NotSent("no token for Teams: the token service did not answer", retry_after=5.0) from None
        if not isinstance(token, str) or not token:
            raise NotSent(f"no token for Teams: status {response.status_code}", retry_after=30.0)
        # A short-lived token is used for half its life, a normal one until five minutes before its end.
        self._token, self._until = token, self._clock() + max(lasts / 2, lasts - TOKEN_MARGIN_SECONDS)


class Connector:
    """Sends activities. ``tokens`` is None only for a client on this machine that wants none. ``jitter`` gives [0, 1)."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        tokens: Tokens | None,
        hosts: ServiceHosts,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._hosts = hosts
        self._sleep = sleep
        self._jitter = jitter

    async def post(self, to: Reference, activity: Activity, *, targeted: bool = False, repeat: bool = True) -> str:
        """Post an activity; returns its id ("" when the platform names none). Raises NotSent or Ambiguous."""
        path = f"v3/conversations/{quote(to.conversation, safe='')}/activities"
        query = "?isTargetedActivity=true" if targeted else ""
        answer = await self._call("POST", to.service_url, path + query, addressed(to, activity), repeat=repeat)
        return str(answer.get("id") or "")

    async def put(self, to: Reference, activity_id: str, activity: Activity) -> str:
        """Replace an activity. Repeating it changes nothing, so a lost answer is simply asked for again."""
        path = f"v3/conversations/{quote(to.conversation, safe='')}/activities/{quote(activity_id, safe='')}"
        body = {**addressed(to, activity), "id": activity_id}
        try:
            await self._call("PUT", to.service_url, path, body)
        except Ambiguous:
            await self._call("PUT", to.service_url, path, body)
        return activity_id

    async def open_personal(self, to: Reference) -> Reference:
        """The one-to-one chat with the person of ``to``. Asking again gives the same chat."""
        body = {
            "bot": {"id": to.bot},
            "members": [{"id": to.user}],
            "isGroup": False,
            "tenantId": to.tenant,
            "channelData": {"tenant": {"id": to.tenant}},
        }
        answer = await self._call("POST", to.service_url, "v3/conversations", body)
        conversation = str(answer.get("id") or "")
        if not conversation:
            raise NotSent("Teams named no conversation", permanent=True)
        return replace(to, conversation=conversation, kind="personal", activity="", channel="")

    async def open_thread(self, to: Reference, activity: Activity) -> tuple[Reference, str]:
        """Start a thread in the channel of ``to`` with ``activity``; returns where it is and the activity's id."""
        body = {
            "isGroup": True,
            "bot": {"id": to.bot},
            "tenantId": to.tenant,
            "channelData": {"channel": {"id": to.channel}, "tenant": {"id": to.tenant}},
            "activity": addressed(to, activity),
        }
        answer = await self._call("POST", to.service_url, "v3/conversations", body)
        where, activity_id = str(answer.get("id") or ""), str(answer.get("activityId") or "")
        if not where:
            raise NotSent("Teams named no conversation", permanent=True)
        return Reference(
            to.service_url, where, "channel", activity_id, bot=to.bot, tenant=to.tenant, locale=to.locale, channel=to.channel
        ), activity_id

    async def _call(
        self, method: str, service_url: str, path: str, body: dict[str, Any], *, repeat: bool = True
    ) -> dict[str, Any]:
        """One request, repeated where the platform asks for it. The token only ever goes to a host on the list."""
        if not self._hosts.allows(service_url):
            raise NotSent("the service address is not on the list of Teams hosts", permanent=True)
        url = f"{service_url.rstrip('/')}/{path}"
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        waited, renewed = 0.0, False
        for attempt in range(ATTEMPTS):
            response, token = await self._request(method, url, content)
            if response.status_code == 401 and not renewed and self._tokens is not None:
                self._tokens.forget(token)
                renewed = True
                continue
            if response.status_code not in REPEATABLE:
                return _read(response)
            wait = self._wait(response, attempt)
            if not repeat or attempt == ATTEMPTS - 1 or waited + wait > MOST_WAIT_SECONDS:
                raise NotSent(f"Teams is busy: status {response.status_code}", retry_after=wait)
            await self._sleep(wait)
            waited += wait
        raise NotSent("Teams refused our token", permanent=True)

    async def _request(self, method: str, url: str, content: bytes) -> tuple[httpx.Response, str]:
        headers, token = {"Content-Type": "application/json; charset=utf-8"}, ""
        if self._tokens is not None:
            token = await self._tokens.current()
            headers["Authorization"] = f"Bearer {token}"
        try:
            response = await self._client.request(
                method, url, content=content, headers=headers, timeout=TIMEOUT, follow_redirects=False
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise NotSent("Teams cannot be reached", retry_after=5.0) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise NotSent("the service address is unusable", permanent=True) from None
        except httpx.HTTPError:
            raise Ambiguous from None
        return response, token

    def _wait(self, response: httpx.Response, attempt: int) -> float:
        """Seconds: what the platform asks for, or a doubling wait; never in step with other senders."""
        try:
            asked = max(0.0, float(response.headers.get("Retry-After", "")))
        except ValueError:
            asked = 0.0
        doubled: float = FIRST_WAIT_SECONDS * 2.0**attempt
        return asked + doubled * self._jitter() * 0.5 if asked else doubled * (0.5 + self._jitter())


def addressed(to: Reference, activity: Activity) -> Activity:
    """``activity`` with the names the platform wants on everything that is sent."""
    ends: Activity = {
        "channelId": "msteams",
        "serviceUrl": to.service_url,
        # A stream is taken only where the activity itself says that the chat is personal.
        "conversation": {
            "id": to.conversation,
            "conversationType": _KINDS.get(to.kind, to.kind),
            **({"tenantId": to.tenant} if to.tenant else {}),
        },
    }
    if to.bot:
        ends["from"] = {"id": to.bot}
    if to.user and to.kind == "personal":
        ends["recipient"] = {"id": to.user, **({"aadObjectId": to.user_aad} if to.user_aad else {})}
    return {**ends, **activity}


def _read(response: httpx.Response) -> dict[str, Any]:
    """The answer's body. Raises for every refusal, told apart by status, code and words."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    if response.status_code < 300:
        return body
    given = body.get("error")
    error = given if isinstance(given, dict) else {}
    code, words = str(error.get("code", "")), str(error.get("message", "")).lower()
    if response.status_code == 413 or code == "MessageSizeTooBig":
        raise TooLarge("the message is too large for Teams", permanent=True)
    if response.status_code in (403, 405) and (refused := stream_refusal(response.status_code, code, words)):
        raise StreamRefused(refused)
    if response.status_code >= 500:
        raise Ambiguous
    raise NotSent(f"Teams refused the message: status {response.status_code}", permanent=True)


def stream_refusal(status: int, code: str, words: str) -> str | None:
    """Which of a stream's ends a refusal means; the code is one for all, only the words differ (Teams' table of error
    codes, "Stream agent messages"). None when it is not about a stream. ``words`` are in lower case."""
    if status == 405:
        return "not_allowed"
    if code != "ContentStreamNotAllowed" and "stream" not in words:
        return None
    for kind, sign in (
        ("timed_out", "exceeded streaming time"),
        ("too_large", "size too large"),
        ("cancelled", "cancel"),
        ("completed", "already completed"),
    ):
        if sign in words:
            return kind
    return "not_allowed"


def token_url(configured: str, tenant: str) -> str:
    """Where our token comes from: as configured, or Entra's address for the tenant."""
    return configured or f"https://login.microsoftonline.com/{quote(tenant or 'botframework.com', safe='')}/oauth2/v2.0/token"


def scope(issuer: str) -> str:
    """What our token is for, in the cloud of ``issuer``."""
    return f"{issuer.rstrip('/')}/.default"


__all__ = [
    "Ambiguous",
    "Connector",
    "NotSent",
    "Reference",
    "SignpostError",
    "StreamRefused",
    "Tokens",
    "TooLarge",
    "scope",
    "token_url",
]
