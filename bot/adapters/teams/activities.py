"""Teams' activities turned into the words of the house: who, where, what was said or pressed. Pure; called by ``app``."""

from __future__ import annotations

import hashlib
import html
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from botbuilder.schema import Activity

from bot.adapters.teams.channels import Decided
from bot.adapters.teams.connector import Reference
from bot.inbox import Received
from bot.messages import SIGNED, Action, Message, Person, Place

PLATFORM: Literal["teams"] = "teams"
PRIVATE = "_private"
"""Key beside the reference of an act whose answer only its asker is to see."""
LONGEST_TEXT = 20_000
"""Characters of a message that are read."""

Kind = Literal["personal", "group", "channel"]
_KINDS: dict[str, Kind] = {"personal": "personal", "groupChat": "group", "channel": "channel"}
_AT = re.compile(r"<at\b[^>]*>(.*?)</at>", re.I | re.S)


def kind(activity: Activity) -> Kind:
    """Who reads along. A conversation that does not say is taken for a chat of one only when it is not called a group."""
    conversation = activity.conversation
    named = _KINDS.get(str(conversation.conversation_type or ""))
    if named is not None:
        return named
    if _channel_data(activity, "channel", "id") or _channel_data(activity, "team", "id"):
        return "channel"
    return "group" if conversation.is_group else "personal"


def tenant(activity: Activity) -> str:
    """The organization's directory that the conversation belongs to. The library knows the conversation's name for it by
    another spelling than the one that Teams writes."""
    written = (activity.conversation.additional_properties or {}).get("tenantId") or activity.conversation.tenant_id
    return str(written or "") or _channel_data(activity, "tenant", "id")


def conversation(activity: Activity) -> str:
    """The key that messages are kept in order by."""
    return bounded(f"teams:{tenant(activity)}:{activity.conversation.id}", 400)


def person(activity: Activity) -> Person:
    """Who acts, by the directory's id where there is one."""
    sender = activity.from_property
    return Person(bounded(f"teams:{tenant(activity)}:{sender.aad_object_id or sender.id}", 300))


def place(activity: Activity) -> Place:
    """Where it is said. In a channel the conversation's id carries the thread behind ``;messageid=``."""
    base, _, thread = str(activity.conversation.id).partition(";messageid=")
    channel = _channel_data(activity, "channel", "id") or base
    return Place(PLATFORM, tenant(activity), channel, thread, kind(activity))


def reference(activity: Activity) -> Reference:
    """What is needed to answer, now or later."""
    sender, bot = activity.from_property, activity.recipient
    return Reference(
        service_url=str(activity.service_url),
        conversation=str(activity.conversation.id),
        kind=kind(activity),
        activity=str(activity.id or ""),
        user=str(sender.id if sender else ""),
        user_aad=str((sender.aad_object_id if sender else "") or ""),
        bot=str(bot.id if bot else ""),
        tenant=tenant(activity),
        locale=str(activity.locale or ""),
        channel=_channel_data(activity, "channel", "id"),
        zone=str(activity.local_timezone or ""),
    )


def language(locale: str) -> str:
    """The language of a locale such as ``es-MX``; English where it is not said."""
    return locale.partition("-")[0].lower() or "en"


def strangers(activity: Activity) -> bool:
    """Whether people of other organizations read along: in a channel that is shared with them."""
    return _channel_data(activity, "channel", "type").lower() == "shared"


def from_bot(activity: Activity) -> bool:
    """Whether a bot speaks, ourselves or another: ids of bots begin with ``28:``."""
    sender, ours = activity.from_property, activity.recipient
    if sender is None or not sender.id:
        return True
    return sender.role == "bot" or str(sender.id).startswith("28:") or (ours is not None and sender.id == ours.id)


def mentioned(activity: Activity) -> bool:
    """Whether we are addressed by name."""
    return any(identity == activity.recipient.id for identity, _ in _mentions(activity))


def words(activity: Activity) -> str:
    """What was said, without our own mention; other people's mentions stay as names. The library's way of doing this cuts our
    name out of the sentence too, so "@Signpost what is Signpost?" would lose its subject."""
    text = str(activity.text or "")[:LONGEST_TEXT]
    for identity, shown in _mentions(activity):
        if identity == activity.recipient.id and shown:
            text = text.replace(shown, " ", 1)
    text = _AT.sub(lambda match: match[1], text)
    return re.sub(r"[^\S\n]+", " ", html.unescape(text).replace("\u200b", "")).strip()


def _mentions(activity: Activity) -> list[tuple[str, str]]:
    found = []
    for entity in activity.entities or []:
        extra = entity.additional_properties or {}
        who = extra.get("mentioned")
        if str(entity.type or "").lower() == "mention" and isinstance(who, dict):
            found.append((str(who.get("id", "")), str(extra.get("text") or "")))
    return found


def said(activity: Activity, holds: Decided) -> Received:
    """A message."""
    return _received(activity, holds, Message(text=words(activity)), _named(activity))


def pressed(activity: Activity, holds: Decided, data: dict[str, Any]) -> Received:
    """A pressed button. A question's choice is one act for good, however often it is pressed; the same press of another
    button under a new id within a moment is the same act (Teams resends so)."""
    value, label = str(data["v"]), str(data.get("l") or "")
    payload = hashlib.sha256(json.dumps([person(activity).id, data], sort_keys=True, default=str).encode()).hexdigest()[:32]
    once = bool(data.get("once")) and bool(data.get("a"))
    identity = f"press:{payload}" if once else f"{_named(activity)}:{payload}"
    message = Message(text=label, action=Action(value))
    return _received(activity, holds, message, identity, twin=payload)


def _received(activity: Activity, holds: Decided, message: Message, identity: str, twin: str = "") -> Received:
    at = sent_at(activity)
    where = conversation(activity)
    signed = message.action is not None and message.action.value.startswith(SIGNED)
    who = replace(person(activity), name=str(activity.from_property.name or "")) if signed else person(activity)
    spoken = Message(
        text=message.text,
        organization=holds.organization,
        person=who,
        place=place(activity),
        language=holds.language,
        action=message.action,
        at=at,
    )
    return Received(
        platform=PLATFORM,
        identity=bounded(f"{where}:{identity}", 500),
        conversation=where,
        message=spoken,
        reply_to={**reference(activity).stored(), **({PRIVATE: "yes"} if holds.private else {})},
        sent_at=at,
        from_bot=from_bot(activity),
        twin=bounded(f"{where}:{twin}", 500) if twin else "",
    )


def sent_at(activity: Activity) -> datetime | None:
    """When it was sent (UTC), as the platform says."""
    at: datetime | None = activity.timestamp
    if at is None:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _named(activity: Activity) -> str:
    """The act's own name; an act without an id is named after what it holds."""
    if activity.id:
        return str(activity.id)
    held = json.dumps([str(activity.timestamp), activity.text, activity.value], sort_keys=True, default=str)
    return f"unnamed-{hashlib.sha256(held.encode()).hexdigest()[:24]}"


def bounded(name: str, most: int) -> str:
    """A name that fits its column and stays one of a kind."""
    if len(name) <= most:
        return name
    return f"{name[: most - 33]}#{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _channel_data(activity: Activity, *path: str) -> str:
    at: Any = activity.channel_data
    for name in path:
        at = at.get(name) if isinstance(at, dict) else None
    return at if isinstance(at, str) else ""


def feedback(value: object) -> tuple[bool, str] | None:
    """A verdict and its words from ``message/submitAction``: words come as text, as JSON in a text, or as an object. None when
    it is not a verdict."""
    if not isinstance(value, dict) or value.get("actionName") != "feedback":
        return None
    given = value.get("actionValue")
    if not isinstance(given, dict) or given.get("reaction") not in ("like", "dislike"):
        return None
    return given["reaction"] == "like", _feedback_words(given.get("feedback"))


def _feedback_words(given: object) -> str:
    if isinstance(given, str):
        try:
            read = json.loads(given)
        except (ValueError, RecursionError):
            return given.strip()[:2_000]
        given = read if isinstance(read, dict) else given
    if isinstance(given, dict):
        given = given.get("feedbackText", "")
    return given.strip()[:2_000] if isinstance(given, str) else ""
