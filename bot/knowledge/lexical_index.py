"""The lexical half of the index: SQLite FTS5 in memory, built per generation, so ranking is the same on every store."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[^\W_]+", re.UNICODE)


def words(text: str) -> list[str]:
    """Lower-case words of a text."""
    return [word.lower() for word in _WORD.findall(text)]


class LexicalIndex:
    """BM25 over short texts, each known by its row number. Porter stemming; accents do not matter."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.execute(
            "CREATE VIRTUAL TABLE texts USING fts5(body, content='', tokenize='porter unicode61 remove_diacritics 2')"
        )
        with self._connection:
            self._connection.executemany("INSERT INTO texts(rowid, body) VALUES (?, ?)", enumerate(texts, 1))

    def best(self, terms: Sequence[str], count: int) -> list[tuple[int, float]]:
        """The ``count`` best rows as (row, BM25 score > 0), best first; any of the terms may match."""
        if not terms:
            return []
        query = " OR ".join('"' + term.replace('"', '""') + '"' for term in dict.fromkeys(terms))
        with self._lock:
            rows = self._connection.execute(
                "SELECT rowid, -bm25(texts) FROM texts WHERE texts MATCH ? ORDER BY bm25(texts) LIMIT ?",
                (query, count),
            ).fetchall()
        return [(int(row) - 1, float(score)) for row, score in rows]

    def close(self) -> None:
        """Free the memory."""
        with self._lock:
            self._connection.close()
