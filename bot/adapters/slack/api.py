"""Calls to Slack's Web API: paced, with the workspace's token, and with failures told apart by what they leave behind.

Called by ``send`` and ``listeners``. The client never retries by itself: a post that timed out may have arrived.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.installations import Installations, Workspace
from bot.adapters.slack.pace import Pace
from bot.errors import SignpostError

Json = dict[str, Any]

CALL_SECONDS = 10
LONGEST_WAIT = 30.0
"""Seconds that a call waits for a rate limit before it gives up."""
WAITS = 3
UNCLEAR = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
"""Errors after which the call may have had its effect."""
LOST = frozenset({"invalid_auth", "account_inactive", "token_revoked", "not_authed", "token_expired"})
FORMS = frozenset(
    {
        "conversations.history",
        "conversations.replies",
        "conversations.info",
        "users.info",
        "files.getUploadURLExternal",
        "files.completeUploadExternal",
    }
)
"""Methods that take form fields instead of JSON."""
HOOKS = "hooks.slack.com"


class _FirstWords(logging.Filter):
    """Keeps of a library's log line what it is about, and the kind of an error; not bodies, tokens or addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record in place."""
        kind = record.exc_info[0] if record.exc_info else None
        record.msg = re.split(r"[({:\[]", record.getMessage())[0].strip()[:120] + (f" ({kind.__name__})" if kind else "")
        record.args, record.exc_info, record.exc_text = (), None, None
        return True


def careful_logger(name: str) -> logging.Logger:
    """A logger for Slack's libraries: below warnings they log bodies, so nothing is; above, only the first words."""
    logger = logging.getLogger(name)
    logger.setLevel(max(logging.WARNING, logger.getEffectiveLevel()))
    if not any(isinstance(known, _FirstWords) for known in logger.filters):
        logger.addFilter(_FirstWords())
    return logger


class Refused(SignpostError):
    """Slack said no, and did nothing. ``error`` is its own word for it."""

    code = "slack_refused"

    def __init__(self, method: str, error: str) -> None:
        super().__init__(f"Slack refused {method}: {error}")
        self.error = error


class Busy(SignpostError):
    """Slack's rate limit asks for a wait longer than a call may wait; nothing was done. ``seconds`` says how long."""

    code = "slack_busy"

    def __init__(self, method: str, seconds: float) -> None:
        super().__init__(f"Slack asks to wait {seconds:.0f} s before {method}")
        self.seconds = seconds


class Unreachable(SignpostError):
    """No connection was made, so nothing was done."""

    code = "slack_unreachable"


class Unclear(SignpostError):
    """The call may or may not have had its effect."""

    code = "slack_unclear"


class Api:
    """The Web API for every workspace that the app serves."""

    def __init__(
        self,
        base_url: str,
        token: str | None,
        installations: Installations | None,
        pace: Pace,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._token = token
        self._installations = installations
        self._pace = pace
        self._sleep = sleep
        self._own: Workspace | None = None
        self._session: aiohttp.ClientSession | None = None
        self._using = 0
        self._stopping = False
        logger = careful_logger(__name__ + ".client")
        self.client = AsyncWebClient(base_url=base_url, timeout=CALL_SECONDS, retry_handlers=[], logger=logger)
        self._origin = urlsplit(self.client.base_url)

    async def workspace(self, team: str, enterprise: str = "") -> Workspace | None:
        """Our place in a workspace: the settings' token, or what its installation gave. Raises what a call raises."""
        if self._installations is not None and (found := await self._installations.find(team, enterprise)):
            return found
        if self._token is None:
            return None
        if self._own is None:
            answer = await self._once("auth.test", {}, self._token)
            self._own = Workspace(
                str(answer.get("team_id", "")), "", self._token, str(answer.get("user_id", "")), str(answer.get("bot_id", ""))
            )
        return self._own

    async def token(self, team: str, enterprise: str = "") -> str:
        """The token for a workspace. Raises Refused when the app is not installed there."""
        if self._installations is not None and (found := await self._installations.find(team, enterprise)):
            return found.token
        if self._token is None:
            raise Refused("any method", "not_installed")
        return self._token

    async def call(self, method: str, team: str, enterprise: str = "", **body: Any) -> Json:
        """One call, at its turn. Waits out short rate limits. Raises Refused, Busy, Unreachable or Unclear."""
        token = await self.token(team, enterprise)
        channel = str(body.get("channel", ""))
        for attempt in range(WAITS + 1):
            await self._pace.wait(team, method, channel)
            try:
                return await self._once(method, body, token)
            except Busy as busy:
                self._pace.hold(team, method, channel, busy.seconds)
                if busy.seconds > LONGEST_WAIT or attempt == WAITS:
                    raise
        raise AssertionError("unreachable")

    async def _once(self, method: str, body: Json, token: str) -> Json:
        fields = {key: value for key, value in body.items() if value is not None}
        headers = {"Authorization": f"Bearer {token}"}
        form = method in FORMS
        try:
            async with self._connections() as session:
                self.client.session = session
                response = await self.client.api_call(
                    method, params=fields if form else None, json=None if form else fields, headers=headers
                )
        except SlackApiError as error:
            raise _classified(method, error) from None
        except aiohttp.ClientConnectorError:
            raise Unreachable(f"Slack cannot be reached for {method}") from None
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise Unclear(f"the connection was lost during {method}") from None
        return response.data if isinstance(response.data, dict) else {}

    @asynccontextmanager
    async def _connections(self) -> AsyncIterator[aiohttp.ClientSession]:
        """The kept connections; while the server stops, one of the call's own, so that what is left can still be sent."""
        if self._stopping:
            async with _session() as session:
                yield session
            return
        if self._session is None or self._session.closed:
            self._session = _session()
        self._using += 1
        try:
            yield self._session
        finally:
            self._using -= 1
            if self._stopping and self._using == 0:
                await self._session.close()

    async def respond(self, url: str, body: Json) -> None:
        """Answer through a ``response_url`` of Slack's. Raises Refused, Unreachable or Unclear."""
        target = urlsplit(url)
        if target.hostname != HOOKS and (target.scheme, target.netloc) != (self._origin.scheme, self._origin.netloc):
            raise Refused("response_url", "foreign_host")
        try:
            async with self._connections() as session, session.post(url, json=body) as response:
                if response.status >= 500:
                    raise Unclear("the answer to a response_url may be lost")
                if response.status != 200:
                    raise Refused("response_url", f"status_{response.status}")
        except aiohttp.ClientConnectorError:
            raise Unreachable("Slack cannot be reached") from None
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise Unclear("the connection was lost during an answer to a response_url") from None

    async def upload(self, url: str, content: bytes) -> None:
        """Send a file's bytes to the address Slack gave for it."""
        try:
            async with self._connections() as session, session.post(url, data=content) as response:
                if response.status != 200:
                    raise Refused("upload", f"status_{response.status}")
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise Unclear("the connection was lost during an upload") from None

    async def close(self) -> None:
        """Give back the kept connections as soon as nothing uses them. Later calls still work, each on its own."""
        self._stopping = True
        if self._session is not None and self._using == 0:
            await self._session.close()


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS), trust_env=True)


def _classified(method: str, failure: SlackApiError) -> SignpostError:
    """What a failed call left behind, from its status and error."""
    response = failure.response
    status = int(getattr(response, "status_code", None) or getattr(response, "status", 0) or 0)
    data = getattr(response, "data", None)
    error = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or error == "ratelimited":
        headers = getattr(response, "headers", {}) or {}
        after = headers.get("Retry-After", headers.get("retry-after", "1"))
        return Busy(method, float(after) if str(after).replace(".", "", 1).isdigit() else 1.0)
    if status >= 500 or error in UNCLEAR or (status == 200 and not error):
        return Unclear(f"Slack answered {status} {error} to {method}".rstrip())
    return Refused(method, error or f"status_{status}")
