"""The dense half of the index: Chroma, in memory or on a server, holding ids and vectors and never text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlparse

import numpy as np

from bot.knowledge.embedding import Vectors

if TYPE_CHECKING:
    from bot.settings import Settings

BATCH = 500
"""Rows handed over at a time: Chroma keeps several copies of what it is given at once."""


def breadth(rows: int) -> int:
    """HNSW's ``ef_search`` for a recall@10 above 0.99 in every build: a graph built by several threads differs from run to run.
    Measured on recombined vectors: at 10,000 rows 100 finds 0.979, 200 finds 0.991, 300 finds 0.993. Of the 7,121 rows of the
    shipped library 100 finds 0.994 to 0.996 and 200 finds 0.996 to 0.999, for a tenth of a millisecond more."""
    return max(200, min(rows * 3 // 100, 1_000))


class VectorIndex:
    """One Chroma collection a (library, generation, embedder). Metric: cosine."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Any = None
        self._collections: dict[str, Any] = {}
        self.is_server = bool(settings.chroma_url)

    def connect(self) -> None:
        """Make the client. Heavy import; done at first use."""
        if self._client is not None:
            return
        import chromadb
        from chromadb.config import Settings as ChromaSettings

        quiet = ChromaSettings(anonymized_telemetry=False)
        if not self.is_server:
            self._client = chromadb.EphemeralClient(settings=quiet)
            return
        address = urlparse(self._settings.chroma_url)
        token = self._settings.chroma_token
        self._client = chromadb.HttpClient(
            host=address.hostname or "127.0.0.1",
            port=address.port or (443 if address.scheme == "https" else 80),
            ssl=address.scheme == "https",
            headers={"Authorization": f"Bearer {token.get_secret_value()}"} if token else None,
            settings=quiet,
        )

    def names(self) -> list[str]:
        """Collections that exist."""
        self.connect()
        return sorted(str(item.name) for item in self._client.list_collections())

    def build(self, name: str, vectors: Vectors) -> None:
        """Make collection ``name`` with one id a row (the row's number), unless it is whole already.

        On a server several processes may do this at once; they write the same ids, so the result is the same.
        """
        self.connect()
        collection = self._client.get_or_create_collection(
            name,
            embedding_function=None,
            configuration={
                "hnsw": {"space": "cosine", "ef_construction": 100, "ef_search": breadth(len(vectors)), "max_neighbors": 16}
            },
        )
        if collection.count() == len(vectors):
            return
        for begin in range(0, len(vectors), BATCH):
            rows = vectors[begin : begin + BATCH]
            collection.upsert(ids=[str(begin + i) for i in range(len(rows))], embeddings=rows)

    def nearest(self, name: str, vector: Vectors, count: int) -> list[tuple[int, float]]:
        """The ``count`` nearest rows as (row, cosine), best first."""
        self.connect()
        collection = self._collections.get(name)
        if collection is None:
            collection = self._collections[name] = self._client.get_collection(name, embedding_function=None)
        answer = collection.query(query_embeddings=np.asarray([vector], dtype=np.float32), n_results=count, include=["distances"])
        ids = cast("list[str]", answer["ids"][0])
        return [(int(i), 1.0 - float(d)) for i, d in zip(ids, answer["distances"][0], strict=True)]

    def forget(self, name: str) -> None:
        """Look the collection up anew next time."""
        self._collections.pop(name, None)

    def drop(self, name: str) -> None:
        """Remove a collection; absent is fine."""
        self.connect()
        self._collections.pop(name, None)
        if name in self.names():
            self._client.delete_collection(name)
