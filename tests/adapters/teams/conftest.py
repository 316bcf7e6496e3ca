"""The Teams door on a real server, before a double of Teams, with scripted replies instead of the assistant."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from bot.adapters.teams.app import routes
from bot.inbox import Inbox
from bot.knowledge.library import utc_now
from bot.messages import Answered, Citation, Handling, Message, Outcome, Receipt, Reply
from bot.settings import Settings
from bot.store import Database, open_database
from bot.store.conversation_tables import TABLES
from bot.store.tables import metadata
from tests.conftest import settings_for
from tests.doubles.teams import APP_ID, TENANT, TeamsDouble


def citation(n: int = 1, **changes: Any) -> Citation:
    """A citation of a made-up document."""
    base: dict[str, Any] = {
        "n": n, "document": "ferpa", "version": "ferpa@1", "section": "s1", "passage": "p1", "title": "FERPA and AI",
        "publisher": "US Department of Education", "url": "https://studentprivacy.ed.gov/ai", "published": "2025-07-22",
        "verified_on": "2026-10-01", "verified_by": "Rosa", "level": "national",
        "quote": "Schools may not disclose education records without consent.", "start": 0, "end": 59,
    }  # fmt: skip
    return Citation(**{**base, **changes})


def answer(text: str = "Schools may not disclose education records without consent. [1]", **changes: Any) -> Reply:
    """An answer with one citation."""
    return Reply(Outcome.ANSWERED, Handling.ANSWER, text, "en", **{"citations": (citation(),), **changes})


def plain(text: str, **changes: Any) -> Reply:
    """A fixed text."""
    named = {"outcome": Outcome.ROUTED, "handling": Handling.ANSWER, "language": "en", "fixed": "test", **changes}
    return Reply(markdown=text, **named)  # type: ignore[arg-type]


class ScriptedTurn:
    """Answers with what the script says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Message] = []
        self.script: Callable[[Message], Reply] = lambda message: answer()
        self.number = 0
        self.hold: threading.Event | None = None

    def walk(self, message: Message, conversation: str) -> Any:
        """See :class:`bot.inbox.worker.Walk`."""
        self.asked.append(message)
        if self.hold is not None:
            self.hold.wait(20)
        self.number += 1
        receipt = Receipt(f"answer{self.number:02d}", {}, None, "test", {})
        return SimpleNamespace(answered=Answered(self.script(message), receipt), kept=message.text)

    def redact(self, message: Message) -> str:
        """Names of the made-up pupil are taken out."""
        return message.text.replace("Timmy", "[name]")


class Served:
    """The door over HTTP in a thread of its own."""

    teams: TeamsDouble

    def __init__(self, settings: Settings, turn: ScriptedTurn) -> None:
        self.turn = turn
        self.database: Database = open_database(settings.url)
        self.inbox = Inbox(self.database, turn, settings, utc_now)
        self.house = SimpleNamespace(settings=settings, database=self.database, inbox=self.inbox, turn=turn)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        app = Starlette(routes=routes(self.house), lifespan=self._life)
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.url = f"http://127.0.0.1:{port}/api/messages"

    @asynccontextmanager
    async def _life(self, app: Starlette) -> AsyncIterator[None]:
        self.loop = asyncio.get_running_loop()
        self.inbox.start()
        yield
        await self.inbox.drain(5)

    def __enter__(self) -> Served:
        self._thread.start()
        wait_until(lambda: self._server.started)
        return self

    def __exit__(self, *args: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self.database.close()

    def post(self, activity: Any, token: str | None = None, **headers: str) -> httpx.Response:
        """Deliver an activity."""
        named = {"Authorization": f"Bearer {token}"} if token is not None else {}
        content = {"content": activity} if isinstance(activity, bytes) else {"json": activity}
        return httpx.post(self.url, headers={**named, **headers}, timeout=60, **content)  # type: ignore[arg-type]


def wait_until(true: Callable[[], object], seconds: float = 60.0) -> Any:
    """Wait for something that happens elsewhere; its value."""
    until = time.monotonic() + seconds
    tick = threading.Event()
    while time.monotonic() < until:
        with contextlib.suppress(KeyError, IndexError):
            if value := true():
                return value
        tick.wait(0.01)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def teams() -> Iterator[TeamsDouble]:
    """Teams."""
    with TeamsDouble() as double:
        yield double


@pytest.fixture
def turn() -> ScriptedTurn:
    """The script."""
    return ScriptedTurn()


def teams_settings(folder: Path, teams: TeamsDouble, **changes: object) -> Settings:
    """Settings that point at the double."""
    named: dict[str, object] = {
        "env": "production", "teams_app_id": APP_ID, "teams_app_password": "secret", "teams_tenant_id": TENANT,
        "teams_openid_metadata_url": teams.openid_url, "teams_token_url": teams.token_url,
        "teams_service_hosts": "127.0.0.1", "teams_stream_after_seconds": 30.0,
        "limit_person": 0, "limit_organization": 0,
    }  # fmt: skip
    return settings_for(folder, **{**named, **changes})


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables and nothing in them, to copy: making one anew takes longer than most tests."""
    path = tmp_path_factory.mktemp("blank") / "signpost.db"
    database = open_database(f"sqlite:///{path}")
    metadata.create_all(database.engine, tables=list(TABLES))
    database.compact()
    database.close()
    return path


@pytest.fixture
def serve(tmp_path: Path, blank: Path, teams: TeamsDouble, turn: ScriptedTurn) -> Iterator[Callable[..., Served]]:
    """Open the door with changed settings; closed after the test."""
    shutil.copy(blank, tmp_path / "signpost.db")
    with contextlib.ExitStack() as stack:
        yield lambda **changes: stack.enter_context(Served(teams_settings(tmp_path, teams, **changes), turn))


@pytest.fixture
def door(serve: Callable[..., Served]) -> Served:
    """The door as it is by default."""
    return serve()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, blank: Path) -> Iterator[Served]:
    """One door for tests that only knock: its double is ``standing.teams``."""
    folder = tmp_path_factory.mktemp("standing")
    shutil.copy(blank, folder / "signpost.db")
    with TeamsDouble() as double, Served(teams_settings(folder, double), ScriptedTurn()) as served:
        served.teams = double
        yield served
