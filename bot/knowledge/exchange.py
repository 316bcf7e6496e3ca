"""Takes the whole library out as plain files and back in: text, JSON, and the audit trail. Round trips exactly.

library.json              libraries, documents, generations
versions/ID.json          everything about a version but its words
versions/ID.txt           its words
audit.jsonl               the hash-chained trail, a row a line
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select

from bot.errors import FormatError, NotAllowed
from bot.knowledge import audit as trail
from bot.knowledge.embedding import Embedder
from bot.knowledge.library import Library
from bot.knowledge.starter import shipped_vectors
from bot.knowledge.units import texts_to_embed
from bot.knowledge.vectors import embed_missing, keep_vectors
from bot.knowledge.versions import content_hash, pack, read_version
from bot.progress import Progress, quiet
from bot.store import Database
from bot.store.tables import audit, documents, generation_versions, generations, libraries, passages, versions

FORMAT = 1
_PLAIN: dict[str, Table] = {
    "libraries": libraries,
    "documents": documents,
    "generations": generations,
    "generation_versions": generation_versions,
    "passages": passages,
}


def _rows(connection: Any, table: Table) -> list[dict[str, Any]]:
    order = list(table.primary_key.columns)
    return [dict(row._mapping) for row in connection.execute(select(table).order_by(*order))]


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def export_library(library: Library, folder: Path) -> dict[str, int]:
    """Write everything to ``folder``. Raises NotAllowed when it holds something already."""
    if folder.exists() and any(folder.iterdir()):
        raise NotAllowed(f"{folder} is not empty", code="not_empty")
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    with library.database.reading() as connection:
        data = {name: _rows(connection, table) for name, table in _PLAIN.items()}
        rows = _rows(connection, versions)
        lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) for row in _rows(connection, audit)]
    _write(folder / "library.json", {"format": FORMAT, **data})
    for row in rows:
        (folder / "versions" / f"{row['id']}.txt").write_text(row.pop("text"), encoding="utf-8", newline="")
        _write(folder / "versions" / f"{row['id']}.json", row)
    (folder / "audit.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return {"versions": len(rows), "audit_rows": len(lines)}


def import_library(database: Database, embedder: Embedder, folder: Path, progress: Progress = quiet) -> dict[str, int]:
    """Read an export into an empty database. Everything is checked before anything is kept.

    Raises NotAllowed when the database holds documents, FormatError when the export does not check out.
    """
    try:
        data = json.loads((folder / "library.json").read_text(encoding="utf-8"))
        rows = []
        for path in sorted((folder / "versions").glob("*.json")):
            row = json.loads(path.read_text(encoding="utf-8"))
            row["text"] = path.with_suffix(".txt").read_bytes().decode("utf-8")
            rows.append(row)
        trail_rows = [json.loads(line) for line in (folder / "audit.jsonl").read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise FormatError(f"the export cannot be read: {error}", where=str(folder)) from None
    if data.get("format") != FORMAT:
        raise FormatError(f"format {data.get('format')} is not {FORMAT}", where="library.json")
    with database.writing() as connection:
        if connection.execute(select(func.count()).select_from(documents)).scalar():
            raise NotAllowed("the library already holds documents; import into a new data directory", code="not_empty")
        for table in (libraries, documents):
            if data[table.name]:
                connection.execute(table.insert(), data[table.name])
        if rows:
            connection.execute(versions.insert(), rows)
        for table in (generations, generation_versions, passages):
            if data[table.name]:
                connection.execute(table.insert(), data[table.name])
        if trail_rows:
            connection.execute(audit.insert(), trail_rows)
        for row in rows:
            if row["state"] == "erased":
                continue
            version = read_version(connection, row["id"])
            if content_hash(version.front, version.text, pack(version.blocks)) != row["content_hash"]:
                raise FormatError("the content hash does not match", where=f"versions/{row['id']}.json")
        broken = trail.broken_links(connection)
        if broken:
            raise FormatError(f"the audit chain is broken at row {broken[0]}", where="audit.jsonl")
    with database.reading() as connection:
        texts: dict[str, str] = {}
        for row in rows:
            if row["state"] == "published":
                texts.update(texts_to_embed(read_version(connection, row["id"])))
    made_by, ahead = shipped_vectors()
    keep_vectors(database, embedder.name, made_by, {name: ahead[name] for name in texts if name in ahead})
    embed_missing(database, embedder, texts, progress)
    return {"versions": len(rows), "audit_rows": len(trail_rows)}
