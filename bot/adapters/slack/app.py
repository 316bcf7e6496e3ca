"""The Slack door as the server mounts it: routes for HTTP, the same listeners over Socket Mode, installation pages.

``routes(app)`` and ``background(app)`` are what the server calls. Requests are verified before anything is parsed; bodies are
never logged. Sources: docs.slack.dev/apis/events-api, docs.slack.dev/authentication/installing-with-oauth.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.adapters.slack.api import careful_logger
from bot.adapters.slack.door import Door, HomeChoices, House, nothing
from bot.adapters.slack.installations import PLATFORM, States
from bot.adapters.slack.listeners import Listeners
from bot.adapters.slack.presses import Presses
from bot.adapters.slack.signature import genuine
from bot.store.incidents import incident

Json = dict[str, Any]

EVENTS, INSTALL, REDIRECT = "/slack/events", "/slack/install", "/slack/oauth_redirect"
LARGEST = 4_000_000
"""Bytes of a request; Slack's are far smaller."""
PING_SECONDS = 10.0
"""Seconds between looks at the Socket Mode connection, and between tries to open it."""
SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:write",
    "users:read",
)
"""What an installation asks for. ``deploy/slack/manifest.yaml`` says the same, and ``docs/slack.md`` what each is for."""

_log = logging.getLogger(__name__)


class _Known(AsyncAuthorize):
    """Bolt asks who a request is for. We send with our own client, so no token is looked up here."""

    def __init__(self) -> None:
        pass

    async def __call__(  # type: ignore[no-untyped-def]
        self,
        *,
        context: AsyncBoltContext,  # noqa: ARG002 - Bolt's signature
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        **_more,
    ) -> AuthorizeResult:
        """Everyone whose request is signed."""
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id)


class Front:
    """One application's door, with Bolt's dispatcher before its listeners."""

    def __init__(self, house: House, home: HomeChoices = nothing) -> None:
        self.door = Door(house, home)
        self.door.inbox.register(PLATFORM, self.door.sender)
        self.listeners = Listeners(self.door)
        self.presses = Presses(self.door, self.listeners)
        self.logger = careful_logger(__name__ + ".bolt")
        self.bolt = self._bolt()
        self.oauth = self._oauth()
        secret = self.door.settings.slack_signing_secret
        self._secret = secret.get_secret_value() if secret else ""
        self.live: AsyncSocketModeHandler | None = None

    def _bolt(self) -> AsyncApp:
        bolt = AsyncApp(
            name="signpost",
            logger=self.logger,
            signing_secret="verified before",  # noqa: S106 - no secret: the check stands in front, see `events`
            authorize=_Known(),
            # The answer to Slack must wait for the durable claim, so listeners run before it.
            process_before_response=True,
            request_verification_enabled=False,
            ignoring_self_events_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        self._listen(bolt)
        return bolt

    def _listen(self, bolt: AsyncApp) -> None:
        """Take everything, so that Bolt never meets a request it does not know."""
        everything = re.compile(".*", re.DOTALL)
        listeners, presses = self.listeners, self.presses

        @bolt.event(everything)
        async def _event(body: Json) -> None:
            await listeners.event(body)

        @bolt.action(everything)
        async def _action(ack: AsyncAck, body: Json) -> None:
            await presses.action(body)
            await ack()

        @bolt.view(everything)
        async def _view(ack: AsyncAck, body: Json) -> None:
            view = await presses.form(body)
            await (ack(response_action="update", view=view) if view else ack())

        @bolt.command(everything)
        async def _command(ack: AsyncAck, body: Json) -> None:
            text = await presses.command(body)
            await (ack(response_type="ephemeral", text=text) if text else ack())

        @bolt.shortcut(everything)
        async def _shortcut(ack: AsyncAck, body: Json) -> None:
            await presses.shortcut(body)
            await ack()

        @bolt.options(everything)
        async def _options(ack: AsyncAck) -> None:
            await ack(options=[])

        @bolt.error
        async def _error(error: Exception) -> BoltResponse:
            # Nothing was claimed, so Slack must come again.
            incident(_log, error, "slack")
            return BoltResponse(status=500, body="")

    def _oauth(self) -> AsyncOAuthFlow | None:
        settings, door = self.door.settings, self.door
        if door.installations is None or door.seal is None or settings.slack_client_secret is None:
            return None
        flow = AsyncOAuthSettings(
            client_id=settings.slack_client_id,
            client_secret=settings.slack_client_secret.get_secret_value(),
            scopes=SCOPES,
            user_scopes=[],
            redirect_uri=settings.slack_redirect_url or None,
            install_path=INSTALL,
            redirect_uri_path=REDIRECT,
            installation_store=door.installations,
            installation_store_bot_only=True,
            state_store=States(door.seal, self.logger),
            logger=self.logger,
        )
        client = AsyncWebClient(base_url=settings.slack_api_url, logger=self.logger, retry_handlers=[])
        return AsyncOAuthFlow(client=client, logger=self.logger, settings=flow)

    # -- HTTP ----------------------------------------------------------------------------------------------------------

    async def events(self, request: Request) -> Response:
        """Events, buttons, forms and commands over HTTP."""
        try:
            body = await _read(request)
        except ClientDisconnect:
            return PlainTextResponse("", 400)
        if body is None:
            return PlainTextResponse("too large", 413)
        headers = request.headers
        timestamp, signature = headers.get("x-slack-request-timestamp"), headers.get("x-slack-signature")
        if not genuine(self._secret, body, timestamp, signature, self.door.now()):
            return PlainTextResponse("not signed by Slack", 401)
        try:
            # Most of what comes are events, read once: Bolt would read them again, and ask each of its middlewares.
            payload = json.loads(body) if body.startswith(b"{") else {}
            if payload.get("type") == "event_callback":
                return await self._event(payload)
            arrived = to_async_bolt_request(request, body)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            return PlainTextResponse("not a request of Slack's", 400)
        payload = payload or arrived.body
        if payload.get("type") == "url_verification":
            return PlainTextResponse(str(payload.get("challenge", "")))
        if payload.get("type") == "app_rate_limited":
            _log.warning("slack holds back events of a workspace: more than 30,000 in an hour")
            return PlainTextResponse("")
        return to_starlette_response(await self.bolt.async_dispatch(arrived))

    async def _event(self, body: Json) -> Response:
        """One event, to the listener that Socket Mode reaches through Bolt. Acknowledged once it is claimed."""
        try:
            await self.listeners.event(body)
        except Exception as error:
            incident(_log, error, "slack")
            return PlainTextResponse("", 500)
        return PlainTextResponse("")

    async def install(self, request: Request) -> Response:
        """The page that begins an installation."""
        assert self.oauth is not None
        return to_starlette_response(await self.oauth.handle_installation(to_async_bolt_request(request, b"")))

    async def redirect(self, request: Request) -> Response:
        """Where Slack sends a person back to after they pressed "Allow"."""
        assert self.oauth is not None
        return to_starlette_response(await self.oauth.handle_callback(to_async_bolt_request(request, b"")))

    def routes(self) -> list[BaseRoute]:
        """The routes of this door."""
        routes: list[BaseRoute] = [Route(EVENTS, self.events, methods=["POST"])]
        if self.oauth is not None:
            routes += [Route(INSTALL, self.install, methods=["GET"]), Route(REDIRECT, self.redirect, methods=["GET"])]
        return routes

    # -- Socket Mode -----------------------------------------------------------------------------------------------------

    def socket(self) -> AsyncSocketModeHandler | None:
        """The connection that brings events without a public address; None without an app-level token."""
        token = self.door.settings.slack_app_token
        if token is None:
            return None
        client = AsyncWebClient(base_url=self.door.settings.slack_api_url, logger=self.logger)
        return AsyncSocketModeHandler(
            self.bolt, token.get_secret_value(), logger=self.logger, web_client=client, ping_interval=PING_SECONDS
        )


async def _read(request: Request) -> bytes | None:
    """The body, or None when it is larger than any of Slack's."""
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) > LARGEST:
            return None
    return bytes(held)


def front(house: House) -> Front:
    """The door of an application, built once. Raises ConfigurationError naming what is not set. Where the application has
    ``home_choices`` (see :data:`HomeChoices`), App Home offers what it returns."""
    kept = vars(house)
    if "slack_front" not in kept:
        kept["slack_front"] = Front(house, getattr(house, "home_choices", nothing))
    found = kept["slack_front"]
    assert isinstance(found, Front)
    return found


async def lacks(app: House) -> str:
    """What keeps an open door from hearing, in words; empty when nothing does. Called for readiness."""
    made = front(app)
    if made.door.settings.slack_app_token is None:
        return ""
    connected = made.live is not None and await made.live.client.is_connected()
    return "" if connected else "Socket Mode is not connected"


def routes(app: House) -> list[BaseRoute]:
    """What the server mounts. Raises ConfigurationError naming what is not set."""
    return front(app).routes()


def socket_mode(app: House) -> AsyncSocketModeHandler | None:
    """The Socket Mode connection, not yet open; None without ``SIGNPOST_SLACK_APP_TOKEN``."""
    return front(app).socket()


@asynccontextmanager
async def background(app: House) -> AsyncIterator[None]:
    """Keep Socket Mode open while the server runs; at the end let what was begun end and give back connections."""
    made = front(app)
    socket = made.live = made.socket()
    # The client tries until Slack can be reached, and again whenever the connection is lost; the server starts meanwhile.
    connecting = asyncio.create_task(socket.connect_async()) if socket is not None else None  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if socket is not None and connecting is not None:
            connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await connecting
            await socket.close_async()  # type: ignore[no-untyped-call]
        await made.door.close()
