"""What is done with Slack's events: messages go to the inbox when they are for us; opened tabs get prompts and App Home.

Called by ``app`` for HTTP and Socket Mode alike. A listener returns once the act is durably claimed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import Any

from bot import prompts
from bot.adapters.slack import incoming, views
from bot.adapters.slack.api import Refused, Unclear
from bot.adapters.slack.door import Door
from bot.adapters.slack.incoming import Heard
from bot.adapters.slack.installations import PLATFORM
from bot.adapters.slack.limits import PROMPTS
from bot.adapters.slack.recent import recent
from bot.errors import SignpostError
from bot.messages import Person

Json = dict[str, Any]

OWN_USER_SECONDS = 1.5
"""How long a message waits for Slack to say who we are, where the event does not."""
BEGUN_SECONDS = 60.0
"""How long this process remembers a thread that it began to take part in, while its answer is on the way."""
HELPER_WAITS = (0.1, 0.2, 0.4, 0.8)
"""Seconds between looks whether the question below which a helper wrote is known by now; Slack waits three seconds."""
TOLD = 1_000
"""Messages for which "turned off here" was said, kept so that a resend does not repeat it."""

_log = logging.getLogger(__name__)


class Listeners:
    """Events in."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._told: OrderedDict[str, None] = OrderedDict()
        self._begun: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def event(self, body: Json) -> None:
        """One event of the Events API. Raises only what keeps the act from being claimed."""
        event: Json = body.get("event") or {}
        match event.get("type"):
            case "message" | "app_mention":
                await self._message(body)
            case "app_home_opened":
                self._door.spawn(self._opened(body, event))
            case "assistant_thread_started":
                thread: Json = event.get("assistant_thread") or {}
                person = f"{PLATFORM}:{body.get('team_id')}:{thread.get('user_id')}"
                self._door.spawn(self._suggest(body, person, thread.get("channel_id"), thread.get("thread_ts")))
            case "app_uninstalled":
                await self._gone(body)
            case "tokens_revoked" if (event.get("tokens") or {}).get("bot"):
                await self._gone(body)

    async def _message(self, body: Json) -> None:
        us = incoming.own_user(body) or await self._own_user(body)
        said = incoming.heard(body, us)
        if said is None:
            return
        if said.kind == "personal":
            await self._door.inbox.accept(incoming.question(said, self._door.scope(said)))
            return
        if await self._helps(said):
            return
        decided = self._door.channels.read(said.team, said.channel)
        if decided.mode == "off":
            if said.to_us:
                self._say_off(said)
            return
        listening = False
        if not said.to_us and not await self._follows(said):
            # A channel is silent to everything else, unless its people asked us to listen for questions.
            if decided.mode != "listening" or said.thread or said.to_others or not said.asks:
                return
            listening = True
        private = decided.answers == "private"
        scope = self._door.scope(said, private=private, shared_only=decided.shared_only, listening=listening)
        await self._door.inbox.accept(incoming.question(said, scope, begins=said.to_us or listening))
        if said.to_us or listening:
            self._begin(said)

    async def _helps(self, said: Heard) -> bool:
        """Whether a message was a helper's, below a question for a person: then it is claimed, unless it speaks to another
        helper. Raises Unclear while the question is on its way and its thread not known yet: Slack then comes again."""
        for wait in (0.0, *HELPER_WAITS):
            await asyncio.sleep(wait)
            if self._door.helping(said):
                if not said.to_others:
                    await self._door.inbox.accept(incoming.question(said, self._door.scope(said)))
                return True
            if not self._door.asking_helpers(said):
                return False
        raise Unclear("a question to the helpers of this channel is on its way")

    def _begin(self, said: Heard) -> None:
        """Take part in a thread from now on. The sender stores it before it answers; until then this process knows."""
        self._begun[said.conversation] = (said.person, self._door.now() + BEGUN_SECONDS)
        self._begun.move_to_end(said.conversation)
        if len(self._begun) > TOLD:
            self._begun.popitem(last=False)

    async def _follows(self, said: Heard) -> bool:
        """Whether an unaddressed message goes on with our conversation. When people talk to each other, we are quiet until
        we are mentioned again."""
        if not said.thread:
            return False
        partner, until = self._begun.get(said.conversation, ("", 0.0))
        if self._door.now() > until:
            if not self._door.inbox.engaged(said.conversation):
                return False
            stored = self._door.channels.partner(said.conversation)
            if stored is None:
                return False
            partner = stored
        if partner and (said.to_others or said.person != partner):
            self._begun.pop(said.conversation, None)
            await asyncio.to_thread(self._door.inbox.disengage, said.conversation)
            return False
        return True

    async def _own_user(self, body: Json) -> str:
        team, enterprise = str(body.get("team_id") or ""), str(body.get("enterprise_id") or "")
        try:
            found = await asyncio.wait_for(self._door.api.workspace(team, enterprise), OWN_USER_SECONDS)
        except (TimeoutError, SignpostError):
            return ""
        return found.bot_user if found else ""

    def _say_off(self, said: Heard) -> None:
        name = f"{said.team}:{said.channel}:{said.ts}"
        if name in self._told:
            return
        self._told[name] = None
        if len(self._told) > TOLD:
            self._told.popitem(last=False)
        self._door.spawn(
            self._door.api.call(
                "chat.postEphemeral",
                team=said.team,
                enterprise=said.enterprise,
                channel=said.channel,
                user=said.user,
                text=self._door.words(said.person).door_off,
            )
        )

    # -- tabs ----------------------------------------------------------------------------------------------------------

    async def _opened(self, body: Json, event: Json) -> None:
        user = str(event.get("user") or "")
        person = f"{PLATFORM}:{body.get('team_id')}:{user}"
        if event.get("tab") == "messages":
            await self._suggest(body, person, event.get("channel"), None)
        elif event.get("tab") == "home":
            await self.publish_home(str(body.get("team_id") or ""), str(body.get("enterprise_id") or ""), user)

    async def publish_home(self, team: str, enterprise: str, user: str) -> None:
        """Show App Home to a person as it is now."""
        person = f"{PLATFORM}:{team}:{user}"
        language = self._door.channels.language(person)
        words = prompts.messages(language or "en")
        lately = await asyncio.to_thread(recent, self._door.database, person)
        view = views.home(lately, self._door.home(Person(person), language or "en"), language, words)
        await self._door.api.call("views.publish", team=team, enterprise=enterprise, user_id=user, view=view)

    async def _suggest(self, body: Json, person: str, channel: object, thread: object) -> None:
        """Questions to begin with. With ``agent_view`` the call must not name a thread: it would fail without a word."""
        words = self._door.words(person)
        offers = [words.door_prompt_1, words.door_prompt_2, words.door_prompt_3][:PROMPTS]
        try:
            await self._door.api.call(
                "assistant.threads.setSuggestedPrompts",
                team=str(body.get("team_id") or ""),
                enterprise=str(body.get("enterprise_id") or ""),
                channel_id=channel,
                thread_ts=thread,
                title=words.door_prompts_title,
                prompts=[{"title": offer, "message": offer} for offer in offers],
            )
        except Refused as error:
            _log.info("slack took no suggested prompts: %s", error.error)

    async def _gone(self, body: Json) -> None:
        """The app was removed from a workspace: its token is deleted."""
        if self._door.installations is not None:
            await self._door.installations.async_delete_all(
                enterprise_id=str(body.get("enterprise_id") or ""), team_id=str(body.get("team_id") or "")
            )
