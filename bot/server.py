"""The server: one ASGI app with every door, health, readiness and figures; started and stopped with care."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import FrameType, ModuleType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.server import HANDLED_SIGNALS

import bot
from bot.adapters.web import console
from bot.app import App
from bot.errors import ConfigurationError
from bot.inbox import ledger
from bot.inbox.figures import Figures
from bot.inbox.worker import in_thread
from bot.messages import Message as Question
from bot.store.incidents import incident

_log = logging.getLogger("signpost.server")

MAX_BODY = 4_000_000
"""Bytes of a request's body; no door takes in more."""

WARM_SECONDS = 10.0
"""How soon the library is tried again when it could not be loaded."""

SWITCH_SECONDS = 0.001
"""How soon a thread that thinks lets another go on. An acknowledgement passes between two threads several times, and each time
waits for as long as this when questions are being answered; Python's own value is five times as long."""

DATABASE_SECONDS = 5.0
"""How long readiness waits for the database to take a write."""

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    # Not no-referrer: with it a browser's own forms are posted from the origin "null", like a stranger's.
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True)
class Door:
    """A platform's door: its module, and the addresses that answer 503 while it is closed."""

    name: str
    module: str
    addresses: tuple[str, ...]


DOORS = (
    Door("slack", "bot.adapters.slack.app", ("/slack/{rest:path}",)),
    Door("teams", "bot.adapters.teams.app", ("/api/messages",)),
    Door("web", "bot.adapters.web.app", ("/", "/ask")),
)


@dataclass
class State:
    """What the server knows of itself: why doors are closed, and why it is not ready."""

    closed: dict[str, str] = field(default_factory=dict)
    loading: str = "the library is being loaded"
    stopping: bool = False


class Server:
    """Every door over one app. ``asgi`` is what uvicorn runs."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.state = State()
        self._open: list[ModuleType] = []
        self._schedule: asyncio.Task[None] | None = None
        routes = [
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/metrics", self._metrics),
            *console.routes(app, self._condition),
        ]
        for door in DOORS:
            routes += self._mounted(door)
        figures = app.inbox.figures
        self.asgi = Starlette(
            routes=routes,
            middleware=[Middleware(Guard, figures=figures)],
            lifespan=self._lifespan,
            exception_handlers={404: _not_found, 500: _failed},
        )

    def _mounted(self, door: Door) -> list[Any]:
        """A door's routes, or closed ones when its settings are not enough; the start says so."""
        module = importlib.import_module(door.module)
        try:
            found: list[BaseRoute] = module.routes(self.app)
        except ConfigurationError as error:
            self.state.closed[door.name] = error.message
            methods = ["GET", "HEAD", "POST", "PUT", "DELETE"]
            return [Route(address, _closed, methods=methods) for address in door.addresses]
        self._open.append(module)
        return found

    def lines(self) -> list[str]:
        """What the start says about the doors, one a line."""
        named = {door.name: f"{door.name}: open" for door in DOORS}
        named |= {name: f"{name}: closed ({why})" for name, why in self.state.closed.items()}
        return list(named.values())

    # -- life --------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        sys.setswitchinterval(SWITCH_SECONDS)
        warming = asyncio.create_task(self._warm())
        async with AsyncExitStack() as doors:
            for module in self._open:
                background = getattr(module, "background", None)
                if background is not None:
                    context: AbstractAsyncContextManager[None] = background(self.app)
                    await doors.enter_async_context(context)
            yield
            self.state.stopping = True
        warming.cancel()
        await self._end_schedule()
        if not await self.app.inbox.drain(self.app.settings.drain_seconds):
            _log.warning("some accepted messages are left for the next start")
        self.app.close()

    async def _warm(self) -> None:
        """Load the library, then begin to answer. Until then messages are accepted and kept: loading is not their time."""
        while True:
            try:
                # A thread of its own: one that is still loading does not keep a stopped process from ending.
                await in_thread(self._load)
                break
            except Exception as error:
                self.state.loading = f"the library could not be loaded (incident {incident(_log, error, 'load')})"
                await asyncio.sleep(WARM_SECONDS)
        self.app.inbox.start()
        self._schedule = asyncio.create_task(self.app.schedule.run())
        self.state.loading = ""
        try:
            await in_thread(lambda: self.app.readiness.look_up_ahead(self.app.settings.organization))
        except Exception as error:  # whoever needs one looks it up again
            incident(_log, error, "look up ahead")

    async def _end_schedule(self) -> None:
        if self._schedule is not None:
            self._schedule.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._schedule

    def _load(self) -> None:
        assistant, _ = self.app.assistant, self.app.turn
        assistant.answer(Question("What may staff paste into an AI tool?", organization=self.app.settings.organization))

    # -- pages -------------------------------------------------------------------------------------------------------

    async def _healthz(self, _: Request) -> Response:
        return JSONResponse({"healthy": True, "version": bot.__version__})

    async def _readyz(self, _: Request) -> Response:
        """Whether messages are answered now, and if not, what is missing."""
        found = await self._condition()
        library = {"loaded": not self.state.loading}
        said = {"ready": not found.missing, "missing": list(found.missing), "doors": found.doors, "library": library}
        return JSONResponse(said, 503 if found.missing else 200)

    async def _condition(self) -> console.Condition:
        missing = [self.state.loading] if self.state.loading else []
        if self.state.stopping:
            missing.append("the server is stopping")
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                await asyncio.to_thread(self.app.database.try_writing)
        except Exception as error:
            missing.append(f"the database cannot be written (incident {incident(_log, error, 'readyz')})")
        if not self.state.loading and not self.app.inbox.running:
            missing.append("the inbox does not run")
        doors = await self._doors()
        missing += [f"{name}: {state}" for name, state in doors.items() if state != "open" and name not in self.state.closed]
        return console.Condition(doors, tuple(missing))

    async def _doors(self) -> dict[str, str]:
        """Each door: "open", why it is closed, or what an open one lacks."""
        found = {door.name: self.state.closed.get(door.name, "open") for door in DOORS}
        for door in DOORS:
            lacks = getattr(sys.modules[door.module], "lacks", None)
            if lacks is not None and door.name not in self.state.closed:
                found[door.name] = await lacks(self.app) or "open"
        return found

    def _counts(self) -> dict[str, int]:
        with self.app.database.reading() as connection:
            return ledger.counts(connection)

    async def _metrics(self, _: Request) -> Response:
        rows = await asyncio.to_thread(self._counts)
        doors = {name: int(state == "open") for name, state in (await self._doors()).items()}
        gauges = {"inbox_rows": ("state", rows), "door_open": ("door", doors)}
        body = self.app.inbox.figures.text(gauges)
        return PlainTextResponse(body, media_type="text/plain; version=0.0.4")


class Guard:
    """Around every request: security headers, a limit on the body, and its time by door."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self._app = app
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        begun = False
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY:
                raise _TooLarge
            return message

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                given = {name.lower() for name, _ in message["headers"]}
                extra = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in given]
                message = {**message, "headers": [*message["headers"], *extra]}
                seconds = time.perf_counter() - started
                status = f"{message['status'] // 100}xx"
                self._figures.observe("http", seconds, door=_door(scope["path"]), status=status)
            await send(message)

        try:
            await self._app(scope, limited, guarded)
        except _TooLarge:
            if not begun:
                await PlainTextResponse("The request is too large.\n", 413)(scope, receive, guarded)


class _TooLarge(Exception):
    """The request's body is over the limit."""


def _door(path: str) -> str:
    """The door of an address, for figures; never the address itself."""
    first = path.split("/")[1]
    names = {"slack": "slack", "api": "teams", "healthz": "health", "readyz": "health", "metrics": "health"}
    return names.get(first, "web")


async def _closed(_: Request) -> Response:
    return JSONResponse({"error": {"code": "closed", "message": "this door is closed"}}, 503)


async def _not_found(_: Request, __: Exception) -> Response:
    return PlainTextResponse("There is nothing here.\n", 404)


async def _failed(_: Request, error: Exception) -> Response:
    name = incident(_log, error, "request")
    return PlainTextResponse(f"Something failed on our side (incident {name}). Please try again.\n", 500)


def run(app: App, host: str, port: int) -> None:
    """Serve until told to stop; then finish what was accepted and return. Blocks. Raises ConfigurationError when the server
    could not start. A second signal ends the process at once: what was accepted is in the database for the next start."""
    server = Server(app)
    for line in server.lines():
        _log.info("%s", line)
    config = uvicorn.Config(
        server.asgi,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=max(1, round(app.settings.drain_seconds)),
    )
    process = _Process(config)
    process.run()
    if not process.started:
        raise ConfigurationError("the server did not start; the log says why")


class _Process(uvicorn.Server):
    """uvicorn's server, except that a stop which was asked for is not a failure: uvicorn raises the signal again once it has
    ended, so that the process would die of it with everything done."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals while serving, and give their handlers back. The last lines of a stop are covered too."""
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        """The first signal asks for the end, the second is the end."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
            os._exit(128 + sig)  # the first process of a container is not ended by a signal's default
        self.should_exit = True
