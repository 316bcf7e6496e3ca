"""Opens a lesson's sources in the library: the exact sentence of a published version, as a citation."""

from __future__ import annotations

import threading
from datetime import date, timedelta

from sqlalchemy import Connection, select

from bot import prompts
from bot.knowledge.library import BASE
from bot.knowledge.versions import Version, read_version
from bot.literacy.lessons import Lesson, Source
from bot.messages import Citation
from bot.store import Database
from bot.store.tables import generation_versions, libraries, versions


class Sources:
    """Citations from the shared library's current generation. Versions never change, so each is read once."""

    def __init__(self, database: Database, grace_days: int) -> None:
        self._database = database
        self._grace = timedelta(days=grace_days)
        self._read: dict[str, Version] = {}
        self._lock = threading.Lock()

    def citations(self, lesson: Lesson, numbers: tuple[int, ...], language: str, today: date) -> tuple[Citation, ...]:
        """Citations of the numbered sources that the library holds now; those it does not hold are left out."""
        wanted = [(n, lesson.sources[n]) for n in numbers if lesson.sources[n].document]
        if not wanted:
            return ()
        with self._database.reading() as connection:
            published = self._published(connection, {source.document for _, source in wanted})
        found = (self._cite(n, source, published.get(source.document), language, today) for n, source in wanted)
        return tuple(citation for citation in found if citation is not None)

    def _published(self, connection: Connection, wanted: set[str]) -> dict[str, Version]:
        rows = connection.execute(
            select(versions.c.id, versions.c.document)
            .join(generation_versions, generation_versions.c.version == versions.c.id)
            .join(
                libraries,
                (libraries.c.id == generation_versions.c.library) & (libraries.c.generation == generation_versions.c.generation),
            )
            .where(libraries.c.id == BASE, versions.c.document.in_(wanted), versions.c.state == "published")
        ).all()
        return {row.document: self._version(connection, row.id) for row in rows}

    def _version(self, connection: Connection, identifier: str) -> Version:
        version = self._read.get(identifier)
        if version is None:
            version = read_version(connection, identifier)
            with self._lock:
                self._read[identifier] = version
        return version

    def _cite(self, n: int, source: Source, version: Version | None, language: str, today: date) -> Citation | None:
        if version is None or (version.review_by and today > version.review_by + self._grace):
            return None
        passages, statements = version.parts
        for statement in statements:
            passage = passages[statement.passage]
            if passage.section == source.section and source.fact in statement.facts:
                break
        else:
            return None
        front = version.front
        return Citation(
            n=n,
            document=version.document,
            version=version.id,
            section=passage.section,
            passage=passage.id,
            title=front.title,
            publisher=front.publisher,
            url=front.url,
            published=front.published or "",
            verified_on=version.verified_on.isoformat() if version.verified_on else "",
            verified_by=version.verifier or "",
            level=front.level,
            quote=version.text[statement.start : statement.end],
            start=statement.start,
            end=statement.end,
            page=passage.page,
            notes=_notes(version, language, today),
        )


def _notes(version: Version, language: str, today: date) -> tuple[str, ...]:
    words = prompts.messages(language)
    notes = []
    if version.front.confidence in ("secondary", "mixed"):
        notes.append(words.secondary)
    if version.review_by and today > version.review_by:
        notes.append(words.past_review.format(date=version.review_by.isoformat()))
    return tuple(notes)
