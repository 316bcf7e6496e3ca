"""How we know our own messages again: by the row in their metadata, the name of a picture, the beginning of a stream.

Called by ``send``. Source: docs.slack.dev/messaging/message-metadata.
"""

from __future__ import annotations

from typing import Any

from bot.adapters.slack import actions

Json = dict[str, Any]


def metadata(row: str, part: str) -> Json:
    """What every message of ours carries, so that it can be found again."""
    return {"event_type": actions.EVENT, "event_payload": {"row": row, "part": part}}


def picture_name(row: str) -> str:
    """The file name by which a picture of ours is known again."""
    return f"signpost-{row}.png"


def parts_of(messages: list[Json], row: str, us: str, begins: str) -> dict[str, str]:
    """Which parts of an answer are among ``messages``. A stream left open has no metadata: it is ours, and begins so."""
    found: dict[str, str] = {}
    for message in messages:
        ts = str(message.get("ts", ""))
        given = message.get("metadata") or {}
        payload = given.get("event_payload") or {}
        if given.get("event_type") == actions.EVENT:
            if str(payload.get("row")) == row:
                found.setdefault(str(payload.get("part", "1")), ts)
            continue
        if any(str(file.get("name")) == picture_name(row) for file in message.get("files") or []):
            found["picture"] = ts
        words = str(message.get("text", ""))
        if us and message.get("user") == us and begins and not message.get("files") and _alike(words, begins):
            found.setdefault("stream", ts)
    return {"1": found["1"], **found} if "1" in found else found


def _alike(said: str, begins: str) -> bool:
    def bare(text: str) -> str:
        return "".join(character for character in text if character.isalnum())[:80]

    return bool(bare(begins)) and bare(said).startswith(bare(begins)[:60])
