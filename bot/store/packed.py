"""Messages and answered replies as JSON text, for rows that outlive a process. Pictures travel as base64."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from bot.messages import Answered, Message


@cache
def _answered() -> TypeAdapter[Answered]:
    return TypeAdapter(Answered)


@cache
def _message() -> TypeAdapter[Message]:
    return TypeAdapter(Message)


def pack_message(message: Message) -> str:
    """A message as JSON text."""
    return _message().dump_json(message).decode()


def unpack_message(text: str) -> Message:
    """The reverse of :func:`pack_message`. Raises pydantic's ValidationError for anything else."""
    return _message().validate_json(text)


def pack_answered(answered: Answered) -> str:
    """A reply and its receipt as JSON text."""

    def plain(value: Any) -> str:
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        raise TypeError(type(value).__name__)

    return json.dumps(asdict(answered), ensure_ascii=False, default=plain)


def unpack_answered(text: str) -> Answered:
    """The reverse of :func:`pack_answered`."""
    data = json.loads(text)
    picture = data["reply"].get("picture")
    if picture:
        picture["png"] = base64.b64decode(picture["png"])
    return _answered().validate_python(data)
