"""The lexical half of the index: SQLite FTS5 in memory, built per generation, so ranking is the same on every store."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W_]+", re.UNICODE)

KEPT_ROWS = 2_000_000
"""Rows of single terms kept in all, 8 bytes each; beyond it, all are forgotten and kept anew."""

_Hits = tuple[NDArray[np.int32], NDArray[np.float32]]


def words(text: str) -> list[str]:
    """Lower-case words of a text."""
    return [word.lower() for word in _WORD.findall(text)]


class LexicalIndex:
    """BM25 over short texts, each known by its row number. Porter stemming; accents do not matter.

    FTS5's BM25 of several terms is the sum of each term's own, so what a term of the library scores in each row is asked of
    FTS5 once and kept. Terms without a hit are not kept: nothing that only a person typed stays in memory.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.execute(
            "CREATE VIRTUAL TABLE texts USING fts5(body, content='', tokenize='porter unicode61 remove_diacritics 2')"
        )
        with self._connection:
            added = self._connection.executemany("INSERT INTO texts(rowid, body) VALUES (?, ?)", enumerate(texts, 1))
        self._rows = max(added.rowcount, 0)
        self._kept: dict[str, _Hits] = {}
        self._kept_rows = 0

    def best(self, terms: Sequence[str], count: int) -> list[tuple[int, float]]:
        """The ``count`` best rows as (row, BM25 score > 0), best first; any of the terms may match."""
        found = [hits for term in dict.fromkeys(terms) if len((hits := self._hits(term))[0])]
        if not found:
            return []
        scores = np.bincount(
            np.concatenate([rows for rows, _ in found]),
            weights=np.concatenate([values for _, values in found]),
            minlength=self._rows,
        )
        some = np.flatnonzero(scores)
        if len(some) > count:
            # Every row that scores as the last one does is ordered too, so that ties fall to the lower row.
            last = np.partition(scores[some], len(some) - count)[len(some) - count]
            some = some[scores[some] >= last]
        ordered = some[np.argsort(-scores[some], kind="stable")][:count]
        return [(int(row), float(scores[row])) for row in ordered]

    def _hits(self, term: str) -> _Hits:
        """Rows that hold a term and what it scores in each."""
        with self._lock:
            hits = self._kept.get(term)
            if hits is not None:
                return hits
            query = '"' + term.replace('"', '""') + '"'
            found = self._connection.execute("SELECT rowid, -bm25(texts) FROM texts WHERE texts MATCH ?", (query,)).fetchall()
            hits = (
                np.array([row - 1 for row, _ in found], dtype=np.int32),
                np.array([score for _, score in found], dtype=np.float32),
            )
            if found:
                if self._kept_rows > KEPT_ROWS:
                    self._kept.clear()
                    self._kept_rows = 0
                self._kept[term] = hits
                self._kept_rows += len(found)
            return hits

    def close(self) -> None:
        """Free the memory."""
        with self._lock:
            self._connection.close()
