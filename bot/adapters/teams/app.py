"""The Teams door: ``/api/messages``. Verifies who calls, then turns activities into claimed acts, views and feedback."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import random
import time
from typing import Any, Protocol

import httpx
from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.schema import Activity, ChannelAccount, InvokeResponse
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot import prompts
from bot.adapters.teams import activities, cards, helpers_channel, limits, references
from bot.adapters.teams.authentication import Refused, SigningKeys, Verifier, issuers
from bot.adapters.teams.channels import Decided, decided
from bot.adapters.teams.connector import Connector, Reference, Tokens, scope, token_url
from bot.adapters.teams.host import Host, Unreadable, read
from bot.adapters.teams.render import suggestions
from bot.adapters.teams.send import TeamsSender
from bot.adapters.teams.service_hosts import LOOPBACK, ServiceHosts
from bot.adapters.teams.views import Presser, Views
from bot.errors import ConfigurationError, NotFound
from bot.inbox import Inbox
from bot.messages import Choice, Handling, Message, Outcome, Reply
from bot.settings import Settings
from bot.store import Database
from bot.store.conversations import give_feedback
from bot.store.incidents import incident

MAX_BODY_BYTES = 1_000_000
CARD_ANSWER = "application/vnd.microsoft.card.adaptive"
CARD_ERROR = "application/vnd.microsoft.error"
LIKES, DISLIKES = ("like", "heart", "yes"), ("dislike", "angry", "no")

_log = logging.getLogger("signpost.teams")


class Redactor(Protocol):
    """The part of the turn that a door may use itself."""

    def redact(self, message: Message) -> str:
        """What may be kept of a message's text."""


class House(Protocol):
    """What this door needs of the app that it is a door of."""

    @property
    def settings(self) -> Settings:
        """Every setting."""

    @property
    def database(self) -> Database:
        """Where conversations are kept."""

    @property
    def inbox(self) -> Inbox:
        """Where acts are claimed."""

    @property
    def turn(self) -> Redactor:
        """Who says what may be kept."""


def routes(app: House) -> list[BaseRoute]:
    """The door's routes; its sender is registered with the inbox. Raises ConfigurationError when the door must stay closed."""
    settings = app.settings
    hosts = ServiceHosts.read(settings.teams_service_hosts, loopback=_anonymous(settings))
    # Made here, used in the server's loop: neither client nor locks touch a loop before their first use.
    client = httpx.AsyncClient()
    verifier = _verifier(settings, hosts, client)
    secret = settings.teams_app_password
    tokens = None
    if verifier is not None and secret is not None:
        url = token_url(settings.teams_token_url, settings.teams_tenant_id)
        tokens = Tokens(
            url, settings.teams_app_id, secret.get_secret_value(), scope(settings.teams_issuer), client, time.monotonic
        )
    sender = TeamsSender(
        Connector(client, tokens, hosts, jitter=random.random), app.database, settings.teams_stream_after_seconds
    )
    app.inbox.register(activities.PLATFORM, sender)
    entrance = Entrance(Door(app, sender), verifier)
    return [Route("/api/messages", entrance.receive, methods=["POST"])]


def _anonymous(settings: Settings) -> bool:
    return settings.env == "development" and settings.teams_anonymous and not settings.teams_app_id


def _verifier(settings: Settings, hosts: ServiceHosts, client: httpx.AsyncClient) -> Verifier | None:
    if _anonymous(settings):
        return None
    if not settings.teams_app_id:
        raise ConfigurationError("Teams is closed: SIGNPOST_TEAMS_APP_ID is not set")
    if settings.teams_app_password is None:
        raise ConfigurationError("Teams is closed: SIGNPOST_TEAMS_APP_PASSWORD is not set")
    keys = SigningKeys(settings.teams_openid_metadata_url, client, time.monotonic)
    accepted = issuers(settings.teams_issuer, development=settings.env == "development")
    return Verifier(settings.teams_app_id, accepted, keys, hosts)


class Entrance:
    """The HTTP side: nothing of a request is read before its sender is known, and nothing of it is ever logged."""

    def __init__(self, door: Door, verifier: Verifier | None) -> None:
        self._door = door
        self._verifier = verifier
        self._host = Host()

    async def receive(self, request: Request) -> Response:
        """One activity."""
        try:
            activity = await self._verified(request)
        except (Refused, Unreadable, ClientDisconnect) as error:
            return _refusal(error)
        except Exception as error:  # whatever a hostile request provokes, it is not let in
            _log.warning("refused: %s", type(error).__name__)
            return Response(status_code=401)
        try:
            answer = await self._host.process(activity, self._door)
        except Exception as error:
            incident(_log, error, "teams")
            # Nothing was claimed: Teams may send it again.
            return Response(status_code=503)
        if answer is None:
            return Response(status_code=202)
        if answer.body is None:
            return Response(status_code=answer.status)
        return JSONResponse(answer.body, status_code=answer.status)

    async def _verified(self, request: Request) -> Activity:
        if self._verifier is None:
            _from_this_machine(request)
            body = await _body(request)
        else:
            caller = await self._verifier.verify(request.headers.get("authorization"))
            body = await _body(request)
            self._verifier.check(caller, body)
        return read(body)


def _refusal(error: Exception) -> Response:
    if isinstance(error, Refused):
        _log.warning("refused: %s", error.reason)
        return Response(status_code=401)
    return Response(status_code=400)


def _from_this_machine(request: Request) -> None:
    """Unsigned activities come straight from this machine: not through a proxy on it, and not from a page in its browser."""
    client = request.client.host if request.client else ""
    try:
        near = ipaddress.ip_address(client).is_loopback
    except ValueError:
        near = False
    forwarded = any(name.startswith("x-forwarded") or name in ("forwarded", "x-real-ip") for name in request.headers)
    named = (request.url.hostname or "") in LOOPBACK
    written = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    if not near or forwarded or not named or not written or "origin" in request.headers:
        raise Refused("not_this_machine")


async def _body(request: Request) -> dict[str, Any]:
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) > MAX_BODY_BYTES:
            raise Unreadable
    try:
        body = json.loads(held)
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(body, dict):
        raise Unreadable
    return body


class Door(ActivityHandler):  # type: ignore[misc]
    """What each kind of activity means here. The library calls the method that fits; overrides keep its names."""

    def __init__(self, app: House, sender: TeamsSender) -> None:
        super().__init__()
        self._app = app
        self._sender = sender
        self._views = Views(app.database)
        self._tasks: set[asyncio.Task[None]] = set()

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Something said, or a button of an older client."""
        activity = turn_context.activity
        if activities.from_bot(activity):
            return
        place = activities.place(activity)
        helping = await asyncio.to_thread(helpers_channel.helping, self._app.database, place)
        if place.kind != "personal" and not (activities.mentioned(activity) or _pressed(activity) or helping):
            return
        await self._remember(activity)
        data = _pressed(activity)
        if data is None and not activities.words(activity):
            data = {"v": "help"}
        holds = Decided() if helping else await self._holds(activity)
        if not holds.off:
            received = activities.pressed(activity, holds, data) if data is not None else activities.said(activity, holds)
            await self._app.inbox.accept(received)

    async def on_conversation_update_activity(self, turn_context: TurnContext) -> None:
        """Who came and who went: only our own coming and going matters."""
        activity = turn_context.activity
        if _names_us(activity, activity.members_added):
            await self._arrive(activity)
        if _names_us(activity, activity.members_removed):
            await self._leave(activity)

    async def on_installation_update_add(self, turn_context: TurnContext) -> None:
        """The app was installed."""
        await self._arrive(turn_context.activity)

    async def on_installation_update_remove(self, turn_context: TurnContext) -> None:
        """The app was removed."""
        await self._leave(turn_context.activity)

    async def on_message_reaction_activity(self, turn_context: TurnContext) -> None:
        """A thumb on a message of ours is a verdict; other reactions are not ours to read."""
        activity = turn_context.activity
        for reaction in activity.reactions_added or []:
            if reaction is not None and reaction.type in (*LIKES, *DISLIKES) and activity.reply_to_id:
                await self._judge(activity, reaction.type in LIKES, "")

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        """A button that waits for its answer, or a verdict. Bodies are plain objects: the library's own way cannot send them."""
        activity = turn_context.activity
        if activity.name == "adaptiveCard/action":
            return InvokeResponse(status=200, body=await self._act(activity))
        if activity.name == "message/submitAction":
            verdict = activities.feedback(activity.value)
            if verdict is not None:
                await self._judge(activity, *verdict)
            return InvokeResponse(status=200, body={})
        return InvokeResponse(status=501)

    async def _act(self, activity: Activity) -> dict[str, Any]:
        action = activity.value.get("action") if isinstance(activity.value, dict) else None
        if not isinstance(action, dict) or action.get("type", "Action.Execute") != "Action.Execute":
            return _failure(400, "BadRequest", _words(activity).door_press_failed)
        data = action.get("data")
        try:
            card = await self._card(activity, str(action.get("verb", "")), data if isinstance(data, dict) else {})
        except Exception as error:
            incident(_log, error, "card")
            return _failure(500, "InternalError", _words(activity).door_press_failed)
        if card is None:
            return _failure(400, "BadRequest", _words(activity).door_press_failed)
        return {"statusCode": 200, "type": CARD_ANSWER, "value": card}

    async def _card(self, activity: Activity, verb: str, data: dict[str, Any]) -> cards.Card | None:
        answer_id, by = str(data.get("a", "")), _presser(activity)
        if verb == cards.CHOOSE:
            return await self._choose(activity, answer_id, data, by)
        if verb == cards.OPEN:
            n = str(data.get("n", ""))
            return await asyncio.to_thread(self._views.opened, answer_id, int(n), by) if n.isdecimal() else None
        if verb == cards.SHOW:
            return await asyncio.to_thread(self._views.whole, answer_id, by)
        if verb in (cards.BACK, cards.STATE):
            return await asyncio.to_thread(self._present, activity, answer_id, by)
        return None

    def _present(self, activity: Activity, answer_id: str, by: Presser) -> cards.Card:
        """What stands under a reply now: with the choice of this person, once they made one."""
        choices = self._views.choices(answer_id, by)
        named = {
            activities.pressed(activity, Decided(), cards.choice_data(answer_id, choice, once=True)).identity: choice.label
            for choice in choices
        }
        chosen = self._views.claimed(named) if named else ""
        return self._views.under(answer_id, by, "" if chosen else str(activity.from_property.id), chosen)

    async def _choose(self, activity: Activity, answer_id: str, data: dict[str, Any], by: Presser) -> cards.Card | None:
        pressed = _picked(data)
        if pressed is None:
            return None
        await self._remember(activity)
        await self._app.inbox.accept(activities.pressed(activity, await self._holds(activity), pressed))
        chosen = str(pressed.get("l", "")) if pressed.get("once") else ""
        return await asyncio.to_thread(self._views.under, answer_id, by, "", chosen)

    async def _judge(self, activity: Activity, helpful: bool, said: str) -> None:
        """Keep a verdict on the answer it is about. Its words are kept as redacted as a question's."""

        def keep() -> None:
            by = _presser(activity)
            answer_id = self._views.answer_of(by.conversation, str(activity.reply_to_id or ""))
            if answer_id is None:
                return
            comment = self._app.turn.redact(Message(text=said, person=activities.person(activity))) if said else ""
            reason = "" if helpful else "other"
            give_feedback(self._app.database, answer_id, by.person, helpful, time.time(), reason, comment)

        try:
            await asyncio.to_thread(keep)
        except NotFound:
            return

    async def _holds(self, activity: Activity) -> Decided:
        """What was decided for where and by whom this is said."""
        place, who = activities.place(activity), activities.person(activity).id
        strangers = activities.strangers(activity)
        return await asyncio.to_thread(lambda: decided(self._app.database, self._app.settings, place, who, strangers=strangers))

    async def _remember(self, activity: Activity) -> bool:
        """Keep where we may speak; True when it is new."""
        key, to = activities.conversation(activity), activities.reference(activity)
        who = activities.person(activity).id if activity.from_property else ""
        return await asyncio.to_thread(references.keep, self._app.database, key, to, who, time.time())

    async def _arrive(self, activity: Activity) -> None:
        """An install is told in two ways, and either may come twice: the first of them is welcomed."""
        if await self._remember(activity):
            task = asyncio.create_task(self._welcome(activities.reference(activity)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _leave(self, activity: Activity) -> None:
        await asyncio.to_thread(references.drop, self._app.database, activities.conversation(activity))

    async def _welcome(self, to: Reference) -> None:
        words = prompts.messages(activities.language(to.locale))
        starters = [Choice(text, text) for text in (words.door_prompt_1, words.door_prompt_2, words.door_prompt_3)]
        listed = "\n".join(f"- {choice.label}" for choice in starters)
        there = [words.door_welcome_group] if to.kind != "personal" else []
        text = "\n\n".join([words.door_home_what, *there, f"{words.door_prompts_title}:\n\n{listed}"])
        reply = Reply(Outcome.ROUTED, Handling.SMALLTALK, text, words.language, fixed="welcome")
        extra = {"suggestedActions": suggestions(starters)} if to.kind == "personal" else None
        try:
            await self._sender.say(to, reply, suggested=extra)
        except Exception as error:
            incident(_log, error, "welcome")


def _names_us(activity: Activity, members: list[ChannelAccount | None] | None) -> bool:
    return any(member is not None and member.id == activity.recipient.id for member in members or [])


def _words(activity: Activity) -> prompts.Messages:
    return prompts.messages(activities.language(str(activity.locale or "")))


def _presser(activity: Activity) -> Presser:
    who, where = activities.person(activity).id, activities.conversation(activity)
    return Presser(who, where, activities.language(str(activity.locale or "")))


def _pressed(activity: Activity) -> dict[str, Any] | None:
    """The data of one of our buttons, where a client sends it as a message."""
    return _picked(activity.value) if isinstance(activity.value, dict) else None


def _picked(data: dict[str, Any]) -> dict[str, Any] | None:
    """The one choice that a press stands for: a button carries it, a list names its place. None when it carries none."""
    if isinstance(data.get("v"), str) and data["v"] and data.get("box"):
        written = str(data.get(cards.WRITTEN) or "").strip()[: limits.WRITTEN]
        return {"a": data.get("a", ""), "v": data["v"], "l": written} if written else None
    if isinstance(data.get("v"), str) and data["v"]:
        return {name: data[name] for name in ("a", "v", "l", "once") if name in data}
    values, labels, place = data.get("vs"), data.get("ls"), str(data.get(cards.PICKED, ""))
    if not isinstance(values, list) or not isinstance(labels, list) or not place.isdecimal():
        return None
    n = int(place)
    if n >= min(len(values), len(labels)):
        return None
    return {"a": str(data.get("a", "")), "v": str(values[n]), "l": str(labels[n]), "once": bool(data.get("once"))}


def _failure(status: int, code: str, message: str) -> dict[str, Any]:
    return {"statusCode": status, "type": CARD_ERROR, "value": {"code": code, "message": message}}
