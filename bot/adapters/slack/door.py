"""What the Slack door is made of, built once from the application, and who may hear which documents.

Called by ``app``; ``listeners`` and ``presses`` work with it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol

from bot import prompts
from bot.adapters.slack.api import Api
from bot.adapters.slack.channels import Channels
from bot.adapters.slack.incoming import Heard, Scope
from bot.adapters.slack.installations import PLATFORM, PURPOSE, Installations
from bot.adapters.slack.pace import Pace
from bot.adapters.slack.send import SlackSender
from bot.errors import ConfigurationError
from bot.handoff import cases
from bot.handoff.channels import HELPER, HelperChannels
from bot.inbox import Inbox, Work
from bot.knowledge.library import utc_now
from bot.messages import Choice, Person
from bot.settings import Settings
from bot.store import Database
from bot.store.incidents import incident
from bot.store.sealing import Seal
from bot.turn import Turn

_log = logging.getLogger(__name__)

HomeChoices = Callable[[Person, str], tuple[Choice, ...]]
"""The checks and lessons that App Home offers a person, in a language."""


class House(Protocol):
    """The parts of the application that this door needs."""

    @property
    def settings(self) -> Settings:
        """The settings."""

    @property
    def database(self) -> Database:
        """The database."""

    @property
    def inbox(self) -> Inbox:
        """The inbox."""

    @property
    def turn(self) -> Turn:
        """The walk of a message."""


def nothing(_person: Person, _language: str) -> tuple[Choice, ...]:
    """No checks or lessons."""
    return ()


class Door:
    """The parts of the door. Raises ConfigurationError naming what is missing."""

    def __init__(self, house: House, home: HomeChoices = nothing, clock: Callable[[], datetime] = utc_now) -> None:
        settings = house.settings
        missing = _missing(settings)
        if missing:
            raise ConfigurationError(missing)
        self.house = house
        self.settings = settings
        self.database = house.database
        self.inbox = house.inbox
        self.home = home
        self.clock = clock
        self.channels = Channels(house.database, self.now)
        self.seal = Seal(settings.secret_key.get_secret_value(), PURPOSE) if settings.secret_key else None
        oauth = bool(settings.slack_client_id and self.seal)
        self.installations = Installations(house.database, self.seal, _log, self.now) if oauth and self.seal else None
        token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else None
        self.api = Api(settings.slack_api_url, token, self.installations, Pace(time.monotonic, asyncio.sleep))
        self.sender = SlackSender(self.api, settings.slack_stream_chars, self._remember, self.channels.reference, self._posted)
        self.organizations = organizations(settings)
        self.helpers = HelperChannels(settings).ids(PLATFORM)
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock().timestamp()

    def _remember(self, work: Work) -> None:
        person = work.message.person
        given = work.reply_to
        if person is None or "response_url" in given:
            return
        kept = ("team", "enterprise", "channel", "thread", "user", "kind")
        reference: dict[str, str] = {name: given[name] for name in kept if name in given}
        engage = "begins" in given
        if engage or given.get("kind") == "personal":
            self.channels.remember(work.conversation, person.id, given.get("kind", ""), reference, engage=engage)

    def _posted(self, work: Work, team: str, ts: str) -> None:
        """A question stands in the helpers' channel: its thread is one that we take part in, with everyone in it."""
        channel = work.reply_to["channel"]
        conversation = f"{PLATFORM}:{team}:{channel}:{ts}"
        reference = {"team": team, "channel": channel, "thread": ts, "kind": "channel"}
        with self.database.writing() as connection:
            cases.posted(connection, work.reply_to[HELPER], ts, conversation, reference, channel, self.now())
        self.channels.remember(conversation, "", "helper", reference, engage=True)

    def helping(self, said: Heard) -> bool:
        """Whether a message stands in a thread of helpers, which is open to everyone in it."""
        if said.channel not in self.helpers or not said.thread:
            return False
        return self.channels.partner(said.conversation) == ""

    def asking_helpers(self, said: Heard) -> bool:
        """Whether a question is being posted where this was said, so that its thread may not be known yet."""
        if said.channel not in self.helpers or not said.thread:
            return False
        with self.database.reading() as connection:
            return cases.on_its_way(connection, PLATFORM, said.channel, self.now())

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Do what no acknowledgement has to wait for; its failure is an incident in the log."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                incident(_log, error, "slack")

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let what was spawned end, then give back the connections."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        await self.api.close()

    def words(self, person: str) -> prompts.Messages:
        """Fixed texts in the language a person chose."""
        return prompts.messages(self.channels.language(person) or "en")

    def organization(self, team: str) -> str | None:
        """Whose documents a workspace sees besides the shared ones. The operator decides, never the workspace: otherwise
        one district could read another's."""
        if team in self.organizations:
            return self.organizations[team]
        return self.settings.organization if self.installations is None else None

    def scope(self, said: Heard, *, private: bool = False, shared_only: bool = False, listening: bool = False) -> Scope:
        """Whose documents may be quoted where a message was said: what everyone who reads it there may see."""
        organization = self.organization(said.team) or (self.organization(said.viewing) if said.kind == "personal" else None)
        # People of other organizations read along in a channel shared with them.
        closed = shared_only or said.shared
        return Scope(None if closed else organization, self.channels.language(said.person), private, listening)

    def scope_of(self, team: str, channel: str, person: str, personal: bool) -> Scope:
        """The same for a button, command or shortcut."""
        decided = self.channels.read(team, channel)
        organization = None if decided.shared_only and not personal else self.organization(team)
        private = not personal and decided.answers == "private"
        return Scope(organization, self.channels.language(person), private)


def organizations(settings: Settings) -> dict[str, str]:
    """``SIGNPOST_SLACK_ORGANIZATIONS`` as a mapping. Raises ConfigurationError naming the entry that is not one."""
    found = {}
    for entry in settings.slack_organizations.replace(",", " ").split():
        team, sign, name = entry.partition("=")
        if not (team and sign and name):
            raise ConfigurationError(f"SIGNPOST_SLACK_ORGANIZATIONS: '{entry}' is not WORKSPACE=ORGANIZATION")
        found[team] = name
    return found


def _missing(settings: Settings) -> str:
    """What keeps the door closed; empty when nothing does."""
    many = bool(settings.slack_client_id or settings.slack_client_secret)
    if not settings.slack_bot_token and not many:
        return "Slack is closed: SIGNPOST_SLACK_BOT_TOKEN (or SIGNPOST_SLACK_CLIENT_ID and its secret) is not set"
    if many and not (settings.slack_client_id and settings.slack_client_secret and settings.secret_key):
        names = "SIGNPOST_SLACK_CLIENT_ID, SIGNPOST_SLACK_CLIENT_SECRET and SIGNPOST_SECRET_KEY"
        return f"Slack is closed: installing in many workspaces needs {names}"
    if not settings.slack_signing_secret and not settings.slack_app_token:
        return "Slack is closed: SIGNPOST_SLACK_SIGNING_SECRET is not set (or SIGNPOST_SLACK_APP_TOKEN for Socket Mode)"
    return ""
