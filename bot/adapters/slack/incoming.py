"""Slack's payloads as plain facts and as what the inbox takes. Pure; called by ``listeners``.

Sources: docs.slack.dev/reference/events (message, app_mention, app_home_opened) and docs.slack.dev/interactivity.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bot.adapters.slack.installations import PLATFORM
from bot.inbox import Received
from bot.messages import Action, Message, Person, Place

Json = dict[str, Any]
Kind = Literal["personal", "group", "channel"]

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_GROUP = re.compile(r"<!subteam\^[A-Z0-9]+(?:\|([^<>]*))?>")
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|([^<>]*))?>")
_SPECIAL = re.compile(r"<!(here|channel|everyone)(?:\|[^<>]*)?>")
_DATE = re.compile(r"<!date\^[^<>|]*\|([^<>]*)>")
_LINK = re.compile(r"<((?:https?|mailto|tel):[^<>|]*)(?:\|([^<>]*))?>")
_KINDS: dict[str, Kind] = {"im": "personal", "app_home": "personal", "mpim": "group", "channel": "channel", "group": "channel"}


@dataclass(frozen=True)
class Heard:
    """One message somebody wrote where we can read it."""

    team: str
    enterprise: str
    channel: str
    kind: Kind
    user: str
    text: str
    ts: str
    thread: str
    mentions: tuple[str, ...]
    to_us: bool
    shared: bool
    viewing: str = ""

    @property
    def person(self) -> str:
        """The writer's id for every platform."""
        return f"{PLATFORM}:{self.team}:{self.user}"

    @property
    def conversation(self) -> str:
        """What is kept in order: a direct message as a whole, elsewhere a thread."""
        base = f"{PLATFORM}:{self.team}:{self.channel}"
        return base if self.kind == "personal" else f"{base}:{self.thread or self.ts}"

    @property
    def to_others(self) -> bool:
        """Whether it mentions somebody and not us."""
        return bool(self.mentions) and not self.to_us

    @property
    def asks(self) -> bool:
        """Whether it looks like a question."""
        return any(mark in self.text for mark in "?¿？؟")


def kind_of(channel: str, channel_type: str = "") -> Kind:
    """Who reads along in a channel, from its type or else its id."""
    if channel_type in _KINDS:
        return _KINDS[channel_type]
    return "personal" if channel.startswith("D") else "channel"


def plain(text: str, us: str = "") -> str:
    """Slack's message format as the words a person sees, without mentions of ``us``; other people become "someone"."""

    def mention(match: re.Match[str]) -> str:
        return " " if match[1] == us else "@someone"

    text = _MENTION.sub(mention, text)
    text = _GROUP.sub(lambda m: m[1] or "@group", text)
    text = _CHANNEL.sub(lambda m: f"#{m[2]}" if m[2] else "#channel", text)
    text = _SPECIAL.sub(lambda m: f"@{m[1]}", text)
    text = _DATE.sub(lambda m: m[1], text)
    text = _LINK.sub(lambda m: m[2] or m[1].removeprefix("mailto:"), text)
    return re.sub(r"[ \t]{2,}", " ", html.unescape(text)).strip()


def heard(body: Json, us: str) -> Heard | None:
    """The message in an event, or None when it is not one for us to read: edits, joins, bots, ourselves.

    ``us`` is our own user id; without it (not yet known) the event's authorizations name it.
    """
    event: Json = body.get("event") or {}
    user, channel, ts = _text(event, "user"), _text(event, "channel"), _text(event, "ts")
    if event.get("subtype") not in (None, "file_share") or event.get("hidden"):
        return None
    if not user or not channel or not ts or user in (us, "USLACKBOT") or event.get("bot_id") or event.get("bot_profile"):
        return None
    raw = _text(event, "text")
    if not us and event.get("type") == "app_mention":
        us = next(iter(_MENTION.findall(raw)), "")
    mentions = tuple(dict.fromkeys(_MENTION.findall(raw)))
    thread = _text(event, "thread_ts")
    return Heard(
        team=_text(body, "team_id"),
        enterprise=_text(body, "enterprise_id"),
        channel=channel,
        kind=kind_of(channel, _text(event, "channel_type")),
        user=user,
        text=plain(raw, us),
        ts=ts,
        thread="" if thread == ts else thread,
        mentions=tuple(name for name in mentions if name != us),
        to_us=event.get("type") == "app_mention" or (bool(us) and us in mentions),
        shared=bool(body.get("is_ext_shared_channel")),
        viewing=viewing(event),
    )


def viewing(event: Json) -> str:
    """The workspace of what a person looks at while writing to us, from ``app_context``; empty when none is named. In an
    organization that installed the app for all its workspaces, this says which one the question is about."""
    context = event.get("app_context") or event.get("context") or {}
    for entity in context.get("entities") or [] if isinstance(context, dict) else []:
        if isinstance(entity, dict) and (team := _text(entity, "team_id")):
            return team
    return ""


def own_user(body: Json) -> str:
    """Our own user id in this workspace, where the event names it."""
    for entry in body.get("authorizations") or []:
        if isinstance(entry, dict) and entry.get("is_bot"):
            return _text(entry, "user_id")
    return ""


def _text(payload: Json, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def moment(ts: str) -> datetime | None:
    """When a message was sent, from its ``ts``."""
    try:
        return datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return None


@dataclass(frozen=True)
class Scope:
    """Whose documents may be quoted, and the language and privacy of the answer."""

    organization: str | None = None
    language: str | None = None
    private: bool = False
    listening: bool = False


def question(said: Heard, scope: Scope, *, begins: bool = False) -> Received:
    """A message as the inbox takes it. Twins (message and mention) have one identity: team, channel, ts. ``begins`` says
    that its thread becomes one that we take part in."""
    return Received(
        platform=PLATFORM,
        identity=f"{PLATFORM}:{said.team}:{said.channel}:{said.ts}",
        conversation=said.conversation,
        message=Message(
            text=said.text,
            organization=scope.organization,
            person=Person(said.person),
            place=Place(PLATFORM, said.team, said.channel, said.thread, said.kind),
            language=scope.language,
            at=moment(said.ts),
        ),
        reply_to=_reply_to(said.team, said.enterprise, said.channel, said.thread or said.ts, said.user, said.kind)
        | ({"private": "1"} if scope.private else {})
        | ({"listening": "1"} if scope.listening else {})
        | ({"begins": "1"} if begins else {}),
        sent_at=moment(said.ts),
    )


def _reply_to(team: str, enterprise: str, channel: str, thread: str, user: str, kind: Kind) -> dict[str, str]:
    given = {"team": team, "enterprise": enterprise, "channel": channel, "thread": thread, "user": user, "kind": kind}
    return {key: value for key, value in given.items() if value}


@dataclass(frozen=True)
class Pressed:
    """A button press, a command or a shortcut: who, where, on what."""

    team: str
    enterprise: str
    channel: str
    user: str
    action: str
    value: str
    ts: str
    thread: str
    trigger: str
    response_url: str
    ephemeral: bool = False
    view: str = ""

    @property
    def person(self) -> str:
        """The person's id for every platform."""
        return f"{PLATFORM}:{self.team}:{self.user}"

    @property
    def kind(self) -> Kind:
        """Who reads along."""
        return kind_of(self.channel)


def pressed(body: Json) -> Pressed:
    """The first action of a ``block_actions`` payload."""
    action: Json = (body.get("actions") or [{}])[0]
    container: Json = body.get("container") or {}
    message: Json = body.get("message") or {}
    option: Json = action.get("selected_option") or {}
    view: Json = body.get("view") or {}
    ts = _text(container, "message_ts") or _text(message, "ts")
    return Pressed(
        team=_text(body.get("team") or {}, "id") or _text(body.get("user") or {}, "team_id"),
        enterprise=_text(body.get("enterprise") or {}, "id"),
        channel=_text(container, "channel_id") or _text(body.get("channel") or {}, "id"),
        user=_text(body.get("user") or {}, "id"),
        action=_text(action, "action_id"),
        value=_text(action, "value") or _text(option, "value"),
        ts=ts,
        thread=_text(container, "thread_ts") or _text(message, "thread_ts") or ts,
        trigger=_text(body, "trigger_id"),
        response_url=_text(body, "response_url"),
        ephemeral=bool(container.get("is_ephemeral")),
        # App Home is shown anew each time it is opened; its hash then changes.
        view=":".join(filter(None, (_text(view, "id"), _text(view, "hash")))),
    )


def commanded(body: Json) -> Pressed:
    """A slash command; ``value`` is the text behind it."""
    return Pressed(
        team=_text(body, "team_id"),
        enterprise=_text(body, "enterprise_id"),
        channel=_text(body, "channel_id"),
        user=_text(body, "user_id"),
        action=_text(body, "command"),
        value=plain(_text(body, "text")),
        ts="",
        thread="",
        trigger=_text(body, "trigger_id"),
        response_url=_text(body, "response_url"),
        ephemeral=True,
    )


def shortcut(body: Json) -> Pressed:
    """A message shortcut; ``value`` is the message's text."""
    message: Json = body.get("message") or {}
    return Pressed(
        team=_text(body.get("team") or {}, "id"),
        enterprise=_text(body.get("enterprise") or {}, "id"),
        channel=_text(body.get("channel") or {}, "id"),
        user=_text(body.get("user") or {}, "id"),
        action=_text(body, "callback_id"),
        value=plain(_text(message, "text")),
        ts=_text(message, "ts"),
        thread=_text(message, "thread_ts"),
        trigger=_text(body, "trigger_id"),
        response_url=_text(body, "response_url"),
        ephemeral=True,
    )


def choice(press: Pressed, scope: Scope, now: datetime, channel: str = "", signed: str = "") -> Received:
    """A pressed choice. A double click has one identity: the message, the action and its value. ``signed`` is the presser's name,
    for a button that shows it."""
    where = channel or press.channel
    name = press.ts or press.view or press.trigger
    base = f"{PLATFORM}:{press.team}:{where}"
    kind = kind_of(where)
    conversation = base if kind == "personal" else f"{base}:{press.thread or name}"
    private = scope.private or press.ephemeral
    return Received(
        platform=PLATFORM,
        identity=f"{base}:{name}:{press.action}:{press.value}"[:500],
        conversation=f"{base}:private:{press.user}" if press.ephemeral else conversation,
        message=Message(
            text=press.value,
            organization=scope.organization,
            person=Person(press.person, name=signed),
            # A private answer's buttons are pressed, and answered, where nobody else reads along.
            place=Place(PLATFORM, press.team, where, press.thread, "personal" if press.ephemeral else kind),
            language=scope.language,
            action=Action(press.value),
            at=now,
        ),
        reply_to=_reply_to(press.team, press.enterprise, where, press.thread, press.user, kind)
        | ({"private": "1", "share": "1", "response_url": press.response_url} if private else {}),
        sent_at=now,
        # A button of App Home stands on no message; pressed twice in a moment it is one act.
        twin="" if press.ts else f"{PLATFORM}:{press.team}:{press.user}:{press.action}:{press.value}"[:500],
    )


def private_question(press: Pressed, scope: Scope, now: datetime) -> Received:
    """A command or shortcut: its answer is for the person alone, who may share it."""
    base = f"{PLATFORM}:{press.team}:{press.channel}"
    given = _reply_to(press.team, press.enterprise, press.channel, press.thread or press.ts, press.user, press.kind)
    return Received(
        platform=PLATFORM,
        identity=f"{base}:{press.action}:{press.trigger}"[:500],
        conversation=f"{base}:private:{press.user}",
        message=Message(
            text=press.value,
            organization=scope.organization,
            person=Person(press.person),
            place=Place(PLATFORM, press.team, press.channel, "", "personal"),
            language=scope.language,
            action=None if press.value else Action("help"),
            at=now,
        ),
        reply_to=given | {"private": "1", "share": "1", "response_url": press.response_url},
        sent_at=now,
    )
