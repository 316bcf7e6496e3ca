"""What one turn wrote to the database and what a chat model was, or would be, sent. Used by ``signpost ask --trace``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from bot.guardrails.second import request
from bot.messages import Answered, Message

if TYPE_CHECKING:
    from bot.app import App


def traced(app: App, message: Message) -> tuple[Answered, dict[str, list[str]]]:
    """Answer a message; ``stored`` are the strings written for it, among them what a door would keep of its text."""
    turn, engine = app.turn, app.database.engine
    with _writes(engine) as stored:
        walked = turn.walk(message, "")
    seen, _ = turn.screened(message)
    passed_on = not walked.answered.reply.fixed
    sent = app.assistant.requests(seen) if passed_on and seen.text else []
    if app.settings.moderation != "off" and app.settings.has_model and seen.text:
        sent = [*sent, *request(seen.text)] if app.settings.moderation != "endpoint" else [*sent, seen.text]
    return walked.answered, {"stored": [*dict.fromkeys([*stored, walked.kept])], "sent_to_model": sent}


@contextmanager
def _writes(engine: Any) -> Iterator[list[str]]:
    """Every string bound to a statement that changes something, JSON columns taken apart."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            for row in parameters if many else [parameters]:
                for value in row.values() if isinstance(row, dict) else row:
                    found.extend(_strings(value))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _strings(value: Any) -> list[str]:
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if not isinstance(value, str):
        return []
    try:
        data = json.loads(value)
    except ValueError:
        return [value]
    return _leaves(data) if isinstance(data, (dict, list)) else [value]


def _leaves(data: Any) -> list[str]:
    if isinstance(data, dict):
        return [leaf for key, item in data.items() for leaf in (str(key), *_leaves(item))]
    if isinstance(data, list):
        return [leaf for item in data for leaf in _leaves(item)]
    return [data] if isinstance(data, str) else []
