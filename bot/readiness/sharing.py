"""Sharing a published round with a channel: only what was previewed, word for word, and only once a place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from bot.errors import NotAllowed
from bot.readiness.record import stamp
from bot.store import Database
from bot.store.readiness_tables import rounds, shares


def code_of(round_id: str, place: str, text: str) -> str:
    """The code that stands for exactly this text in this place."""
    return hashlib.sha256(json.dumps([round_id, place, text]).encode()).hexdigest()[:32]


class Sharing:
    """Previews and confirmations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def preview(self, round_id: str, place: str, text: str, by: str, now: datetime) -> str:
        """Note that ``by`` was shown exactly ``text`` for ``place``; returns the code that confirms it.

        Raises NotAllowed before the round is published."""
        code = code_of(round_id, place, text)
        with self._database.writing() as connection:
            published = select(rounds.c.published_at).where(rounds.c.id == round_id)
            if connection.execute(published).scalar() is None:
                raise NotAllowed("a round is shared only after it is published")
            if connection.execute(select(shares.c.content).where(*_here(round_id, place, code))).first() is None:
                row = {"round_id": round_id, "place": place, "content": code, "shared_by": by, "previewed_at": stamp(now)}
                connection.execute(shares.insert().values(**row))
        return code

    def confirm(
        self, round_id: str, place: str, text: str, code: str, now: datetime, post: Callable[[Connection], object]
    ) -> bool:
        """Whether ``text`` is posted now: it was previewed word for word and was not posted there before. ``post`` queues it in
        the same transaction, so that it is posted and noted, or neither."""
        if code != code_of(round_id, place, text):
            return False
        with self._database.writing() as connection:
            waiting = update(shares).where(*_here(round_id, place, code), shares.c.shared_at.is_(None))
            if connection.execute(waiting.values(shared_at=stamp(now))).rowcount != 1:
                return False
            post(connection)
            return True


def _here(round_id: str, place: str, code: str) -> tuple[ColumnElement[bool], ...]:
    return shares.c.round_id == round_id, shares.c.place == place, shares.c.content == code
