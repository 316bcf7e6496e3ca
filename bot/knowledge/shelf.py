"""A published generation of one library, loaded and ready to search. Holds published text only, by construction."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import bindparam, select

from bot.knowledge.embedding import Embedder, Vectors
from bot.knowledge.generations import corpus_hash
from bot.knowledge.lexical_index import LexicalIndex
from bot.knowledge.packed import Packed
from bot.knowledge.passages import Passage, Statement, digest
from bot.knowledge.units import keys, near_misses, statement_text, texts_to_embed
from bot.knowledge.vector_index import VectorIndex
from bot.knowledge.vectors import embed_missing, matrix, stored
from bot.knowledge.versions import Version, read_versions
from bot.memory import give_back
from bot.store.tables import generation_versions, libraries, manifests

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.store import Database


_log = logging.getLogger("signpost.knowledge")

_POINTERS = select(libraries.c.id, libraries.c.generation)
_POINTERS_OF = _POINTERS.where(libraries.c.id.in_(bindparam("wanted", expanding=True)))

BUILD_AFTER = 1.0
"""Seconds after a shelf is loaded that its collection is filled, so that the first question is not held up by it."""


@dataclass(frozen=True)
class Shelved:
    """A statement on the shelf: its version, its passage, itself, and its words."""

    row: int
    version: Version
    passage: Passage
    statement: Statement

    @property
    def text(self) -> str:
        """The verbatim words."""
        return self.version.text[self.statement.start : self.statement.end]

    @cached_property
    def id(self) -> str:
        """Stable name of the statement: its passage and its place in it."""
        return f"{self.passage.id}:{self.statement.start - self.passage.start}"


@dataclass(frozen=True, slots=True)
class ShelvedKey:
    """A question and the rows of the statements that answer it."""

    text: str
    language: str
    rows: tuple[int, ...]


class Shelf:
    """Statements and questions of one generation with their vectors (rows of unit length) and lexical indexes."""

    def __init__(
        self,
        library: str,
        generation: int,
        versions: list[Version],
        statement_vectors: Vectors,
        question_vectors: Vectors,
        near_miss_vectors: Vectors,
        index: VectorIndex,
        collection: str,
    ) -> None:
        self._ready = threading.Event()
        self.library = library
        self.generation = generation
        self.versions = {version.id: version for version in versions}
        self.statements: list[Shelved] = []
        self.questions: list[ShelvedKey] = []
        texts: list[str] = []
        for version in versions:
            passages, statements = version.parts
            first = len(self.statements)
            for position, statement in enumerate(statements):
                self.statements.append(Shelved(len(self.statements), version, passages[statement.passage], statement))
                texts.append(f"{version.front.title} {statement_text(version, position)}")
            for key in keys(version):
                self.questions.append(ShelvedKey(key.text, key.language, tuple(first + i for i in key.statements)))
        self.texts = texts
        self.statement_vectors = statement_vectors
        self.question_vectors = Packed(question_vectors)
        self.near_misses = [text for version in versions for text in near_misses(version)]
        self.near_miss_vectors = Packed(near_miss_vectors)
        self.statement_words = LexicalIndex(texts)
        self.question_words = LexicalIndex(key.text for key in self.questions)
        self.questions_of: dict[int, list[int]] = {}
        self._keys_by_language: dict[tuple[int, str], list[int]] = {}
        for number, question in enumerate(self.questions):
            for row in question.rows:
                self.questions_of.setdefault(row, []).append(number)
                self._keys_by_language.setdefault((row, question.language), []).append(number)
        self._index = index
        self.collection = collection
        self._comparing = threading.Lock()
        self._last: tuple[Vectors, Vectors, Vectors] | None = None

    def keys_of(self, row: int, language: str) -> list[int]:
        """Numbers of the questions in ``language`` that a statement is known to answer."""
        return self._keys_by_language.get((row, language), [])

    def cosines(self, vector: Vectors) -> tuple[Vectors, Vectors]:
        """Of every question and of every near miss with ``vector``, shapes (questions,) and (near misses,); one search asks
        several times, perhaps from two threads, and computes once."""
        with self._comparing:
            if self._last is None or self._last[0] is not vector:
                self._last = (vector, self.question_vectors.cosines(vector), self.near_miss_vectors.cosines(vector))
            return self._last[1:]

    def nearest(self, vector: Vectors, count: int) -> tuple[list[int], list[int]]:
        """Rows of the nearest statements and of the nearest questions: from Chroma once its collection stands, by exact
        search until then, so that a publication is seen at once."""
        split, total = len(self.statements), len(self.statements) + len(self.questions)
        if not split:
            return [], []
        found = self._asked_of_chroma(vector, min(count, total)) if self._ready.is_set() else []
        if not found:
            cosines = self.statement_vectors @ vector
            if len(self.questions):
                cosines = np.concatenate([cosines, self.cosines(vector)[0]])
            top = np.argpartition(-cosines, min(count, total - 1))[:count]
            found = [int(row) for row in top[np.argsort(-cosines[top], kind="stable")]]
        return [row for row in found if row < split], [row - split for row in found if row >= split]

    def _asked_of_chroma(self, vector: Vectors, count: int) -> list[int]:
        """Rows in the collection's order; none, and a new collection under way, when it is gone or broken."""
        try:
            return [row for row, _ in self._index.nearest(self.collection, vector, count)]
        except Exception as error:  # a server restarted, a collection dropped: SQL holds everything
            _log.warning("the vector index of %s is being rebuilt: %s", self.library, type(error).__name__)
            self._ready.clear()
            self._index.forget(self.collection)
            later = threading.Timer(BUILD_AFTER, self.try_building)
            later.daemon = True
            later.start()
            return []

    def try_building(self) -> None:
        """Fill the collection if it can be filled; the exact search goes on answering if not."""
        try:
            self.build_collection()
        except Exception as error:
            _log.warning("the vector index of %s could not be built: %s", self.library, type(error).__name__)

    def build_collection(self) -> None:
        """Fill the collection; from then on Chroma answers."""
        parts = [part for part in (self.statement_vectors, self.question_vectors.unpacked()) if part.size]
        if parts:
            self._index.build(self.collection, np.vstack(parts))
            self._ready.set()
            give_back()

    @property
    def is_settled(self) -> bool:
        """Whether Chroma answers, or there is nothing to search."""
        return self._ready.is_set() or not self.statements

    def close(self) -> None:
        """Free the lexical indexes."""
        self.statement_words.close()
        self.question_words.close()


class Shelves:
    """Keeps each library's current generation loaded, and notices within one query when the pointer has moved."""

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        index: VectorIndex,
        clock: Callable[[], datetime],
        *,
        background: bool = True,
    ) -> None:
        """Without ``background`` no collection is filled unasked: the exact search answers, and Chroma is never imported."""
        self._background = background
        self._database = database
        self._embedder = embedder
        self._index = index
        self._clock = clock
        self._loaded: dict[str, Shelf] = {}
        self._lock = threading.Lock()
        self._building = threading.Lock()

    def all(self) -> list[Shelf]:
        """The shelves of every library that has published something."""
        with self._database.reading() as connection:
            pointers = {row.id: int(row.generation) for row in connection.execute(_POINTERS)}
        return [self._shelf(library, generation) for library, generation in sorted(pointers.items()) if generation]

    def current(self, wanted: list[str]) -> list[Shelf]:
        """The shelves of the libraries named, at the generations the pointers name now."""
        with self._database.reading() as connection:
            pointers = {row.id: int(row.generation) for row in connection.execute(_POINTERS_OF, {"wanted": wanted})}
        return [self._shelf(library, pointers[library]) for library in wanted if pointers.get(library)]

    def _shelf(self, library: str, generation: int) -> Shelf:
        shelf = self._loaded.get(library)
        if shelf is not None and shelf.generation == generation:
            return shelf
        with self._lock:
            shelf = self._loaded.get(library)
            if shelf is None or shelf.generation != generation:
                fresh = self._load(library, generation, shelf.versions if shelf else {})
                old, self._loaded[library] = shelf, fresh
                give_back()
                if self._background:
                    later = threading.Timer(BUILD_AFTER, self._settle, (fresh, old))
                    later.daemon = True
                    later.start()
                shelf = fresh
        return shelf

    def _settle(self, fresh: Shelf, old: Shelf | None) -> None:
        """Fill the collection of a shelf in the background and drop its predecessor's."""
        with self._building:
            if self._loaded.get(fresh.library) is fresh:
                fresh.try_building()
            if old is not None and not self._index.is_server and old.collection != fresh.collection:
                self._index.drop(old.collection)

    def settle(self) -> None:
        """Fill every collection now; for commands that report on the index."""
        for shelf in list(self._loaded.values()):
            if not shelf.is_settled:
                self._settle(shelf, None)

    def _load(self, library: str, generation: int, known: dict[str, Version]) -> Shelf:
        """``known`` are versions in memory already; a published version never changes."""
        with self._database.reading() as connection:
            members = list(
                connection.execute(
                    select(generation_versions.c.version).where(
                        generation_versions.c.library == library, generation_versions.c.generation == generation
                    )
                ).scalars()
            )
            checksum = corpus_hash(connection, members)
            read = {version.id: version for version in read_versions(connection, [m for m in members if m not in known])}
        versions = [version for m in sorted(members) if (version := known.get(m) or read.get(m)) is not None]
        texts: dict[str, str] = {}
        statement_hashes: list[str] = []
        question_hashes: list[str] = []
        near_miss_hashes: list[str] = []
        for version in versions:
            texts.update(texts_to_embed(version))
            statement_hashes += [digest(statement_text(version, i)) for i in range(len(version.parts[1]))]
            question_hashes += [key.hash for key in keys(version)]
            near_miss_hashes += [digest(text) for text in near_misses(version)]
        with self._database.reading() as connection:
            rows = stored(connection, self._embedder.name, texts)
        if len(rows) < len(texts):
            embed_missing(self._database, self._embedder, texts)
            with self._database.reading() as connection:
                rows = stored(connection, self._embedder.name, texts)
        statement_vectors = matrix(rows, statement_hashes)
        question_vectors = matrix(rows, question_hashes)
        if versions:
            self._write_manifest(library, generation, statement_vectors.shape[1], checksum)
        near_miss_vectors = matrix(rows, near_miss_hashes)
        name = f"{library}-{generation}-{digest(self._embedder.name + checksum)[:16]}"
        return Shelf(library, generation, versions, statement_vectors, question_vectors, near_miss_vectors, self._index, name)

    def _write_manifest(self, library: str, generation: int, dimension: int, checksum: str) -> None:
        where = (
            (manifests.c.library == library)
            & (manifests.c.generation == generation)
            & (manifests.c.embedder == self._embedder.name)
        )
        with self._database.reading() as connection:
            row = connection.execute(select(manifests).where(where)).first()
        if row is not None and row.dimension == dimension and row.corpus_hash == checksum and row.metric == "cosine":
            return
        with self._database.writing() as connection:
            connection.execute(manifests.delete().where(where))
            connection.execute(
                manifests.insert().values(
                    library=library,
                    generation=generation,
                    embedder=self._embedder.name,
                    dimension=dimension,
                    metric="cosine",
                    corpus_hash=checksum,
                    built_at=self._clock().isoformat(timespec="seconds"),
                )
            )
