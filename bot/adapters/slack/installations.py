"""Which workspaces installed the app, and with which token: the one of the settings, or many, sealed in the database.

Called by ``api`` for tokens and by ``app`` for the installation pages. Tokens are sealed with a key made from
``SIGNPOST_SECRET_KEY``, so a copy of the database alone opens nothing.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from logging import Logger
from typing import Final

from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from sqlalchemy import delete, insert, select

from bot.store import Database
from bot.store.conversation_tables import installations
from bot.store.sealing import Seal

PLATFORM: Final = "slack"
PURPOSE: Final = b"signpost slack installations"
"""What a workspace's seal is for; see :class:`bot.store.sealing.Seal`."""
STATE_SECONDS = 600
"""How long a person may take to press "Allow"."""
CACHE_SECONDS = 60.0


@dataclass(frozen=True)
class Workspace:
    """One workspace (or a whole organization, when ``team`` is empty) and our place in it."""

    team: str
    enterprise: str
    token: str
    bot_user: str
    bot_id: str = ""
    name: str = ""


class States(AsyncOAuthStateStore):
    """States of installations under way: sealed and dated instead of stored, so that any process can check them."""

    def __init__(self, seal: Seal, logger: Logger) -> None:
        self._seal = seal
        self._logger = logger

    @property
    def logger(self) -> Logger:
        """The logger Bolt asks for."""
        return self._logger

    async def async_issue(self, *args: object, **kwargs: object) -> str:  # noqa: ARG002 - Bolt's signature
        """A new state."""
        return self._seal.close("state " + secrets.token_urlsafe(16)).decode()

    async def async_consume(self, state: str) -> bool:
        """Whether ``state`` is ours and fresh. Its code works once at Slack, and only in the browser that began."""
        opened = self._seal.open((state or "").encode(), within=STATE_SECONDS)
        return opened is not None and opened.startswith("state ")


class Installations(AsyncInstallationStore):
    """The durable, sealed store of workspaces. Only what is needed to answer is kept, no user's token."""

    def __init__(self, database: Database, seal: Seal, logger: Logger, clock: Callable[[], float]) -> None:
        self._database = database
        self._seal = seal
        self._logger = logger
        self._clock = clock
        self._cache: dict[tuple[str, str], tuple[float, Workspace | None]] = {}

    @property
    def logger(self) -> Logger:
        """The logger Bolt asks for."""
        return self._logger

    async def async_save(self, installation: Installation) -> None:
        """Keep what an installation gave us; a newer one of the same workspace replaces it."""
        bot = installation.to_bot()
        await self.async_save_bot(bot)

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep a workspace's token, sealed."""
        whole = bool(bot.is_enterprise_install)
        workspace = Workspace(
            team="" if whole else bot.team_id or "",
            enterprise=bot.enterprise_id or "",
            token=bot.bot_token,
            bot_user=bot.bot_user_id or "",
            bot_id=bot.bot_id or "",
            name=bot.team_name or "",
        )
        await asyncio.to_thread(self._save, workspace)

    def _save(self, workspace: Workspace) -> None:
        sealed = self._seal.close(json.dumps(asdict(workspace)))
        row = {"platform": PLATFORM, "enterprise": workspace.enterprise, "team": workspace.team, "user": ""}
        with self._database.writing() as connection:
            connection.execute(delete(installations).where(self._where(workspace.team, workspace.enterprise)))
            connection.execute(insert(installations).values(**row, sealed=sealed, installed_at=self._clock()))
        self._cache.clear()

    async def find(self, team: str, enterprise: str = "") -> Workspace | None:
        """The workspace, or the organization that installed for all of its workspaces."""
        key = (team, enterprise)
        now = self._clock()
        held = self._cache.get(key)
        if held is None or now - held[0] > CACHE_SECONDS:
            held = (now, await asyncio.to_thread(self._read, team, enterprise))
            self._cache[key] = held
        return held[1]

    def _read(self, team: str, enterprise: str) -> Workspace | None:
        query = select(installations.c.sealed, installations.c.team).where(installations.c.platform == PLATFORM)
        whole = (installations.c.team == "") & (installations.c.enterprise == enterprise) & (enterprise != "")
        with self._database.reading() as connection:
            rows = connection.execute(query.where((installations.c.team == team) | whole)).all()
        for row in sorted(rows, key=lambda row: row.team == ""):
            opened = self._seal.open(row.sealed)
            if opened is not None:
                return Workspace(**json.loads(opened))
            self._logger.error("a workspace's token cannot be opened with this SIGNPOST_SECRET_KEY; install the app again")
        return None

    def _where(self, team: str, enterprise: str):  # type: ignore[no-untyped-def]
        own = (installations.c.platform == PLATFORM) & (installations.c.team == team)
        return own if team else own & (installations.c.enterprise == enterprise)

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """The workspace as Bolt names it."""
        found = await self.find("" if is_enterprise_install else team_id or "", enterprise_id or "")
        if found is None:
            return None
        return Bot(
            team_id=found.team or None,
            enterprise_id=found.enterprise or None,
            bot_token=found.token,
            bot_id=found.bot_id,
            bot_user_id=found.bot_user,
            installed_at=self._clock(),
        )

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        """The workspace as an installation; who installed it is not kept."""
        found = await self.find("" if is_enterprise_install else team_id or "", enterprise_id or "")
        if found is None:
            return None
        return Installation(
            team_id=found.team or None,
            enterprise_id=found.enterprise or None,
            bot_token=found.token,
            bot_id=found.bot_id,
            bot_user_id=found.bot_user,
            user_id=user_id or "",
        )

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forget a workspace."""
        await self.async_delete_all(enterprise_id=enterprise_id, team_id=team_id)

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """A user's own installation: none is kept apart from the workspace's, which stays."""

    async def async_delete_all(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forget everything of a workspace."""

        def forget() -> None:
            with self._database.writing() as connection:
                connection.execute(delete(installations).where(self._where(team_id or "", enterprise_id or "")))

        await asyncio.to_thread(forget)
        self._cache.clear()
