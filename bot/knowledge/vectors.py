"""The vectors kept in SQL, one a text and embedder, so that nothing is embedded twice."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from sqlalchemy import Connection, select

from bot.knowledge.embedding import Embedder, Vectors
from bot.progress import Progress, quiet
from bot.store import Database
from bot.store.tables import vectors

CHUNK = 64
"""Texts embedded and committed at a time."""


def stored(connection: Connection, embedder: str, hashes: Iterable[str]) -> dict[str, bytes]:
    """Raw float32 vectors by text hash, for those that exist."""
    wanted = list(dict.fromkeys(hashes))
    found: dict[str, bytes] = {}
    for begin in range(0, len(wanted), 900):
        query = select(vectors.c.text_hash, vectors.c.vector).where(
            vectors.c.embedder == embedder, vectors.c.text_hash.in_(wanted[begin : begin + 900])
        )
        found.update((name, vector) for name, vector in connection.execute(query).all())
    return found


def matrix(rows: dict[str, bytes], hashes: list[str]) -> Vectors:
    """Vectors of ``hashes`` in order, shape (len(hashes), dimension). Raises KeyError when one is missing."""
    if not hashes:
        return np.zeros((0, 0), dtype=np.float32)
    return np.frombuffer(b"".join(rows[name] for name in hashes), dtype=np.float32).reshape(len(hashes), -1)


def embed_missing(database: Database, embedder: Embedder, texts: dict[str, str], progress: Progress = quiet) -> int:
    """Embed and store the texts (hash to text) that have no vector yet; returns how many were embedded.

    Commits in small steps outside the publication's transaction, so that readers and writers are not held up; a
    vector without a published text is harmless and is swept by ``purge``.
    """
    with database.reading() as connection:
        known = set(stored(connection, embedder.name, texts))
    missing = sorted((name for name in texts if name not in known), key=lambda name: len(texts[name]))
    for begin in range(0, len(missing), CHUNK):
        names = missing[begin : begin + CHUNK]
        encoded = embedder.encode([texts[name] for name in names])
        with database.writing() as connection:
            present = set(stored(connection, embedder.name, names))
            rows = [
                {"embedder": embedder.name, "text_hash": name, "vector": encoded[i].astype(np.float32).tobytes()}
                for i, name in enumerate(names)
                if name not in present
            ]
            if rows:
                connection.execute(vectors.insert(), rows)
        progress("Embedding", min(begin + CHUNK, len(missing)), len(missing))
    return len(missing)


def keep_vectors(database: Database, embedder: str, made_by: str, rows: dict[str, bytes]) -> None:
    """Store vectors made elsewhere, if it was by this very embedder."""
    if made_by != embedder:
        return
    with database.writing() as connection:
        present = set(stored(connection, embedder, rows))
        new = [{"embedder": embedder, "text_hash": h, "vector": v} for h, v in rows.items() if h not in present]
        if new:
            connection.execute(vectors.insert(), new)
