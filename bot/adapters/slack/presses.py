"""What is done when a person presses a button, sends a form, types the command or uses the shortcut.

Called by ``app``. A press that asks for an answer is claimed in the inbox; one that opens a window opens it at once, since
Slack gives three seconds for that.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from typing import Any

from bot import prompts
from bot.adapters.slack import actions, incoming, render, views
from bot.adapters.slack.api import Refused, Unclear
from bot.adapters.slack.door import Door
from bot.adapters.slack.incoming import Pressed
from bot.adapters.slack.installations import PLATFORM
from bot.adapters.slack.listeners import Listeners
from bot.adapters.slack.recent import kept, language_of
from bot.errors import NotFound, SignpostError
from bot.inbox import Received
from bot.knowledge.opening import open_citation
from bot.messages import SIGNED, Action, Message, Person, Reply
from bot.store.conversations import give_feedback

Json = dict[str, Any]

SETTINGS_WORDS = ("settings", "ajustes", "setup")
CHECK_SECONDS = 2.0
"""How long Slack may take to say whether a person manages a channel."""

_log = logging.getLogger(__name__)


class Presses:
    """Buttons, forms, the command and the shortcut."""

    def __init__(self, door: Door, listeners: Listeners) -> None:
        self._door = door
        self._listeners = listeners

    async def action(self, body: Json) -> None:
        """A pressed button. Raises only what keeps the act from being claimed."""
        press = incoming.pressed(body)
        match ".".join(press.action.split(".")[:2]):
            case actions.CITE:
                self._door.spawn(self._quote(press))
            case actions.WHY:
                self._door.spawn(self._why(press))
            case actions.SHARE:
                self._door.spawn(self._share(press))
            case actions.FEEDBACK:
                await self._feedback(press)
            case actions.LANGUAGE:
                self._door.spawn(self._language(press))
            case actions.HOME | actions.FORGET:
                self._door.spawn(self._from_home(press))
            case actions.CHOOSE | actions.PERSON if press.value:
                scope = self._door.scope_of(press.team, press.channel, press.person, press.kind == "personal")
                signed = await self._name(press) if press.value.startswith(SIGNED) else ""
                await self._door.inbox.accept(incoming.choice(press, scope, self._door.clock(), signed=signed))

    async def _name(self, press: Pressed) -> str:
        """The name of a person who pressed a button that shows it; empty when Slack does not tell in time."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                at = {"team": press.team, "enterprise": press.enterprise}
                user = (await self._door.api.call("users.info", **at, user=press.user)).get("user") or {}
        except (TimeoutError, SignpostError):
            return ""
        profile: Json = user.get("profile") or {}
        names = (profile.get("real_name"), user.get("real_name"), profile.get("display_name"), user.get("name"))
        return next((str(name) for name in names if name), "")

    async def command(self, body: Json) -> str:
        """The slash command; returns what is said at once, to the person alone."""
        press = incoming.commanded(body)
        words = self._door.words(press.person)
        if press.value.lower() in SETTINGS_WORDS:
            if press.kind == "personal":
                return words.door_settings_place
            self._door.spawn(self._settings(press))
            return ""
        await self._ask_privately(press)
        return words.door_looking

    async def shortcut(self, body: Json) -> None:
        """ "Ask Signpost about this" on a message: answered to the person alone."""
        press = incoming.shortcut(body)
        if press.action != actions.SHORTCUT:
            return
        await self._ask_privately(press)
        if press.response_url:
            text = self._door.words(press.person).door_looking
            self._door.spawn(self._door.api.respond(press.response_url, {"response_type": "ephemeral", "text": text}))

    async def _ask_privately(self, press: Pressed) -> None:
        scope = self._door.scope_of(press.team, press.channel, press.person, press.kind == "personal")
        await self._door.inbox.accept(incoming.private_question(press, scope, self._door.clock()))

    async def form(self, body: Json) -> Json | None:
        """A sent form; returns the window that takes its place."""
        view: Json = body.get("view") or {}
        team = str((body.get("team") or {}).get("id") or "")
        person = f"{PLATFORM}:{team}:{(body.get('user') or {}).get('id')}"
        words = self._door.words(person)
        about = _metadata(view)
        if view.get("callback_id") == actions.FEEDBACK_FORM:
            reason = views.chosen(view.get("state") or {}, "reason")
            await asyncio.to_thread(self._keep_feedback, about.get("answer", ""), person, False, reason)
            return views.message(words.door_unhelpful, words.door_thanks, words)
        if view.get("callback_id") == actions.SETTINGS_FORM:
            channel = about.get("channel", "")
            enterprise = str((body.get("enterprise") or {}).get("id") or "")
            if about.get("team") != team or not await self._manages(team, enterprise, channel, person):
                return views.message(words.door_settings_title, words.door_settings_refused, words)
            decided = views.read_settings(view.get("state") or {})
            await asyncio.to_thread(self._door.channels.write, team, channel, decided, person)
            return views.message(words.door_settings_title, words.door_settings_saved, words)
        return None

    # -- windows -------------------------------------------------------------------------------------------------------

    async def _open(self, press: Pressed, view: Json) -> None:
        await self._door.api.call("views.open", team=press.team, enterprise=press.enterprise, trigger_id=press.trigger, view=view)

    async def _quote(self, press: Pressed) -> None:
        answer, _, number = press.value.removeprefix("open:").rpartition(":")
        words = prompts.messages(await asyncio.to_thread(language_of, self._door.database, answer))
        try:
            opened = await asyncio.to_thread(open_citation, self._door.database, answer, int(number))
        except (NotFound, ValueError):
            await self._open(press, views.message(words.door_quote_title, words.door_quote_gone, words))
            return
        await self._open(press, views.quote(opened, words))

    async def _why(self, press: Pressed) -> None:
        answer = press.value.removeprefix("why:")
        language = await asyncio.to_thread(language_of, self._door.database, answer)
        asked = Message("why", person=Person(press.person), language=language, action=Action(press.value))
        answered = await asyncio.to_thread(self._door.house.turn.take, asked)
        words = prompts.messages(language)
        await self._open(press, views.reply(words.door_why, answered.reply, words))

    async def _settings(self, press: Pressed) -> None:
        words = self._door.words(press.person)
        if not await self._manages(press.team, press.enterprise, press.channel, press.person):
            await self._open(press, views.message(words.door_settings_title, words.door_settings_refused, words))
            return
        decided = self._door.channels.read(press.team, press.channel)
        local = self._door.organization(press.team) is not None
        await self._open(press, views.settings(press.team, press.channel, decided, local, words))

    async def _manages(self, team: str, enterprise: str, channel: str, person: str) -> bool:
        """Whether a person manages the workspace or made the channel. Unknown counts as no."""
        user = person.rpartition(":")[2]
        at = {"team": team, "enterprise": enterprise}
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                about = (await self._door.api.call("users.info", **at, user=user)).get("user") or {}
                if about.get("is_admin") or about.get("is_owner") or about.get("is_primary_owner"):
                    return True
                room = (await self._door.api.call("conversations.info", **at, channel=channel)).get("channel") or {}
                return bool(room.get("creator") == user)
        except (TimeoutError, SignpostError):
            return False

    # -- feedback, language, data ----------------------------------------------------------------------------------------

    async def _feedback(self, press: Pressed) -> None:
        verdict, _, answer = press.value.partition(":")
        await asyncio.to_thread(self._keep_feedback, answer, press.person, verdict == "up", "")
        if verdict == "down":
            words = prompts.messages(await asyncio.to_thread(language_of, self._door.database, answer))
            self._door.spawn(self._open(press, views.feedback(answer, words)))

    def _keep_feedback(self, answer: str, person: str, helpful: bool, reason: str) -> None:
        try:
            give_feedback(self._door.database, answer, person, helpful, at=self._door.now(), reason=reason)
        except SignpostError as error:
            _log.info("feedback was not kept: %s", error.code)

    async def _language(self, press: Pressed) -> None:
        chosen = press.value if press.value in views.LANGUAGES else None
        await asyncio.to_thread(self._door.channels.choose_language, press.person, chosen)
        await self._listeners.publish_home(press.team, press.enterprise, press.user)

    async def _from_home(self, press: Pressed) -> None:
        """A button of App Home is answered in the direct message with its person."""
        opened = await self._door.api.call("conversations.open", team=press.team, enterprise=press.enterprise, users=press.user)
        channel = str((opened.get("channel") or {}).get("id") or "")
        scope = self._door.scope_of(press.team, channel, press.person, personal=True)
        await self._door.inbox.accept(incoming.choice(press, scope, self._door.clock(), channel))

    # -- sharing -------------------------------------------------------------------------------------------------------

    async def _share(self, press: Pressed) -> None:
        """Show a private answer to the channel, once, when everyone there may read what it quotes."""
        answer = press.value.removeprefix("share:")
        words = self._door.words(press.person)
        answered = await asyncio.to_thread(kept, self._door.database, answer, press.person)
        if answered is None:
            await self._tell(press, words.door_answer_gone)
            return
        refusal = await self._unshareable(press, answered.reply, words)
        if refusal:
            await self._tell(press, refusal)
            return
        once = Received(
            PLATFORM,
            f"{PLATFORM}:{press.team}:{press.channel}:share:{answer}",
            f"{PLATFORM}:{press.team}:{press.channel}:share",
            Message(""),
            from_bot=True,
        )
        if (await self._door.inbox.accept(once)).new:
            reply = replace(answered.reply, private=False)
            frame = replace(render.frame_for(reply, answer), lead=words.door_shared)
            where = {"team": press.team, "enterprise": press.enterprise, "channel": press.channel, "kind": press.kind}
            try:
                await self._door.sender.say(where, reply, f"share:{answer}", frame)
            except Unclear:
                await self._door.sender.say(where, reply, f"share:{answer}", frame, maybe_said=True)
            except SignpostError:
                await self._tell(press, words.door_share_failed)
                return
        await self._tell(press, words.door_shared_done)

    async def _unshareable(self, press: Pressed, reply: Reply, words: prompts.Messages) -> str:
        """Why an answer cannot be shown in a channel; empty when it can."""
        at = {"team": press.team, "enterprise": press.enterprise}
        try:
            room = (await self._door.api.call("conversations.info", **at, channel=press.channel)).get("channel") or {}
        except Refused:
            return words.door_share_failed
        if press.kind != "personal" and room.get("is_member") is False:
            return words.door_share_failed
        outsiders = bool(room.get("is_ext_shared") or room.get("is_pending_ext_shared"))
        closed = outsiders or self._door.channels.read(press.team, press.channel).shared_only
        return words.door_share_local if closed and any(c.level == "local" for c in reply.citations) else ""

    async def _tell(self, press: Pressed, text: str) -> None:
        body = {"response_type": "ephemeral", "replace_original": False, "text": text}
        if press.response_url:
            await self._door.api.respond(press.response_url, body)


def _metadata(view: Json) -> dict[str, str]:
    """What a form carried for us; it is signed with the request."""
    try:
        data = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in data.items()} if isinstance(data, dict) else {}
