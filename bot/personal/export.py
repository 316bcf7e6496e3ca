"""Everything held on a person, as plain data: each table of the map with its rows, sealed words opened, JSON taken apart."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, select

from bot.personal.kept import Kept
from bot.personal.links import any_leads_to, table_of
from bot.personal.map import KEPT
from bot.settings import Settings
from bot.store import Database

FORMAT = "signpost-person-1"
PACKED = ("message", "answered")
"""Columns that hold JSON as text."""


def export_person(database: Database, settings: Settings, person: str, now: datetime) -> dict[str, Any]:
    """Everything held on ``person``: ``tables`` by name, each with why and how long it is kept, and its rows.

    Only columns of the map are in it, besides keys; tables without a row are left out.
    """
    found: dict[str, Any] = {}
    with database.reading() as connection:
        for kept in KEPT.values():
            rows = _rows(connection, table_of(kept.table), kept, person)
            if rows:
                found[kept.table] = {"why": kept.why, "kept": in_force(kept.days, settings), "rows": rows}
    return {"format": FORMAT, "person": person, "at": now.astimezone(UTC).isoformat(timespec="seconds"), "tables": found}


def in_force(days: str, settings: Settings) -> str:
    """How long something is kept, with the settings' own numbers in place of their names."""
    return re.sub(r"`SIGNPOST_(\w+)` \(\d+\)", lambda found: f"{getattr(settings, found[1].lower())} days", days)


def _rows(connection: Connection, table: Table, kept: Kept, person: str) -> list[dict[str, Any]]:
    keys = [column.name for column in table.primary_key.columns]
    shown: list[Column[Any]] = [table.c[name] for name in dict.fromkeys((*keys, *kept.columns))]
    query = select(*shown).where(any_leads_to(table, kept.person, [person])).order_by(*table.primary_key.columns)
    return [{name: _plain(name, value) for name, value in row._mapping.items()} for row in connection.execute(query)]


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if name in PACKED and isinstance(value, str) and value.startswith("{"):
        return json.loads(value)
    return value


def as_text(exported: dict[str, Any]) -> str:
    """An export for reading."""
    lines = [f"Held on {exported['person']} at {exported['at']}:"]
    for name, table in exported["tables"].items():
        lines += ["", f"{name} ({len(table['rows'])}): {table['why']}. Kept {table['kept']}."]
        for row in table["rows"]:
            lines.append(
                "  - " + "; ".join(f"{key}: {_said(value)}" for key, value in row.items() if value not in (None, "", {}))
            )
    if not exported["tables"]:
        lines = [f"Nothing is held on {exported['person']}."]
    return "\n".join(lines)


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
