"""Vetting: documents come in as drafts, are reviewed, published in generations, retired, rolled back and erased.

Every step is one write transaction with its audit row. Called by the command line, the console and the starter library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select, update

from bot.errors import NotAllowed, NotFound
from bot.knowledge import audit, drafts, generations, states
from bot.knowledge.blocks import Extract
from bot.knowledge.drafts import Content, Source
from bot.knowledge.passages import split
from bot.knowledge.units import texts_to_embed
from bot.knowledge.versions import Version, content_hash, pack, read_version, read_versions
from bot.progress import Progress, quiet
from bot.settings import Settings
from bot.store import Database
from bot.store.tables import (
    citations,
    documents,
    libraries,
    vectors,
    versions,
)

if TYPE_CHECKING:
    from bot.knowledge.document import FrontMatter
    from bot.knowledge.embedding import Embedder

BASE = "base"
"""The library every organization shares."""


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Added:
    """What ``add`` did: ``created`` is False when the same content was there already."""

    version: Version
    created: bool


class Library:
    """Every vetting step. ``clock`` gives aware UTC datetimes."""

    def __init__(
        self, database: Database, embedder: Embedder, settings: Settings, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.database = database
        self.embedder = embedder
        self.settings = settings
        self.clock = clock

    # -- taking in ---------------------------------------------------------------------------------------------------

    def add(
        self,
        extract: Extract,
        front: FrontMatter,
        *,
        library: str,
        author: str,
        source_name: str,
        source_sha256: str,
        origin: str = "local",
    ) -> Added:
        """Take a file's text in as a draft. The same content again changes nothing and returns what is there, unless the
        file now holds something that a reviewer must look at: then it is a version of its own."""
        text, _, _ = split(front.id, front.title, extract.blocks)
        packed = pack(extract.blocks)
        source = Source(author, source_name, source_sha256, origin)
        with self.database.writing() as connection:
            self._ensure_library(connection, library)
            document = drafts.find_document(connection, library, front, text, source_name)
            front = drafts.replace_id(front, document or front.id)
            content = Content(text, packed, content_hash(front, text, packed))
            if document is None:
                drafts.insert_document(connection, library, front, source, self._now())
            elif known := drafts.known(connection, document, content.checksum, extract):
                return Added(known, created=False)
            version = drafts.insert_version(connection, front, extract, content, source, self._now())
            self._record(connection, author, "add", version, content_hash=content.checksum, source_sha256=source_sha256)
            return Added(read_version(connection, version), created=True)

    # -- vetting -----------------------------------------------------------------------------------------------------

    def submit(self, identifier: str, actor: str) -> Version:
        """Draft to in review."""
        return self._move(identifier, "draft", "in_review", actor, "submit")

    def approve(
        self,
        identifier: str,
        verifier: str,
        verified_on: date | None = None,
        review_by: date | None = None,
        progress: Progress = quiet,
        *,
        acknowledged: int = 0,
    ) -> Version:
        """Publish a version in review as part of a new generation. Embeds first, then swaps in one transaction.

        ``acknowledged`` is how many findings the verifier has looked at. Raises NotAllowed when the verifier is unnamed or
        the author (unless one-person publishing is set), the dates contradict each other, the version is not in review,
        or it is held and the count is not that of its findings.
        """
        verified_on = verified_on or self.clock().date()
        review_by = review_by or states.months_after(verified_on, self.settings.review_months)
        verifier = verifier.strip()
        with self.database.reading() as connection:
            version = read_version(connection, identifier)
        self._may_approve(version, verifier, verified_on, review_by, acknowledged)
        self._embed(texts_to_embed(version), progress)
        with self.database.writing() as connection:
            current = read_version(connection, version.id)
            _must_be(current, "in_review")
            if acknowledged:
                kinds = sorted({finding.kind for finding in current.holding})
                self._record(connection, verifier, "acknowledge", current.id, findings=acknowledged, kinds=kinds)
            self._publish(connection, current, verifier, verified_on, review_by)
            return read_version(connection, version.id)

    def _may_approve(self, version: Version, verifier: str, verified_on: date, review_by: date, acknowledged: int) -> None:
        """Raises NotAllowed where one of the rules of ``approve`` is broken."""
        if not verifier:
            raise NotAllowed("approving needs the name of the person who verified the text", code="verifier_missing")
        if verifier.casefold() == version.author.strip().casefold() and not self.settings.one_person_publishing:
            raise NotAllowed(
                "the author cannot verify their own document; ask a second person, or set SIGNPOST_ONE_PERSON_PUBLISHING=1",
                code="same_person",
            )
        if verified_on > self.clock().date():
            raise NotAllowed("the verified date lies in the future", code="bad_dates")
        if review_by <= verified_on:
            raise NotAllowed("the review-by date must come after the verified date", code="bad_dates")
        _must_be(version, "in_review")
        if acknowledged != len(version.holding):
            raise NotAllowed(_held(version), code="held")

    def publish_starter(self, prepared: list[Version], progress: Progress = quiet) -> None:
        """Publish shipped documents together, as one generation, on their own front matter's word."""
        texts: dict[str, str] = {}
        for version in prepared:
            texts.update(texts_to_embed(version))
        self._embed(texts, progress)
        with self.database.writing() as connection:
            by_library: dict[str, list[Version]] = {}
            for version in prepared:
                if read_version(connection, version.id).state == "draft":
                    by_library.setdefault(version.library, []).append(version)
            for library, group in by_library.items():
                names = generations.members(connection, library)
                for version in group:
                    self._supersede(connection, version, version.front.verified_by)
                    names = [*generations.others(names, version.document), version.id]
                    self._mark_published(
                        connection,
                        version,
                        version.front.verified_by or "Signpost starter library",
                        version.front.verified_on or self.clock().date(),
                        version.front.review_by or states.months_after(self.clock().date(), self.settings.review_months),
                    )
                generations.begin(connection, library, names, "starter library", self._now())

    def retire(self, identifier: str, actor: str, reason: str) -> Version:
        """Take a document's published version out of the library; a draft or one in review is set aside."""
        with self.database.writing() as connection:
            version = self._in_force(connection, identifier)
            if version.state == "retired":
                raise NotAllowed(f"{version.id} is retired already", code="wrong_state")
            was_published = version.state == "published"
            states.set_state(connection, version.id, "retired")
            self._record(connection, actor, "retire", version.id, reason=reason)
            if was_published:
                left = [name for name in generations.members(connection, version.library) if name != version.id]
                generations.begin(connection, version.library, left, f"retire {version.id}", self._now())
            return read_version(connection, version.id)

    def rollback(self, library: str, generation: int, actor: str, reason: str) -> int:
        """Make an earlier generation's membership current again, as a new generation. Returns its number.

        Erased texts stay erased; documents that were not in it are retired.
        """
        with self.database.writing() as connection:
            if not generations.exists(connection, library, generation):
                raise NotFound(f"library '{library}' has no generation {generation}")
            target = [v.id for v in read_versions(connection, generations.members(connection, library, generation))]
            current = generations.members(connection, library)
            for name in set(current) - set(target):
                states.set_state(connection, name, "retired")
            for name in set(target) - set(current):
                states.set_state(connection, name, "published")
            number = generations.begin(connection, library, target, f"rollback to {generation}: {reason}", self._now())
            self._record(connection, actor, "rollback", library, to=generation, reason=reason)
            return number

    def erase(self, identifier: str, actor: str, reason: str) -> list[str]:
        """Withdraw a document and blank every version's words for good. Returns the versions erased.

        The bytes leave the files with ``purge``, which this calls last.
        """
        from bot.knowledge.document import FrontMatter

        document = identifier.split("@", 1)[0]
        with self.database.writing() as connection:
            rows = connection.execute(select(versions.c.id, versions.c.state).where(versions.c.document == document)).all()
            if not rows:
                raise NotFound(f"no document is called '{document}'")
            library = read_version(connection, rows[0].id).library
            members = generations.members(connection, library)
            names = [row.id for row in rows]
            if set(members) & set(names):
                left = generations.others(members, document)
                generations.begin(connection, library, left, f"erase {document}", self._now())
            bare = FrontMatter(id=document, title="(erased)", publisher="(erased)", jurisdiction="(erased)", kind="about")
            for name in names:
                states.blank(connection, name, bare)
            connection.execute(
                update(documents)
                .where(documents.c.id == document)
                .values(title="(erased)", source_name="", erased_at=self._now())
            )
            self._record(connection, actor, "erase", document, reason=reason, versions=len(names))
        self.purge()
        return names

    def purge(self) -> int:
        """Drop vectors that no stored version needs and give the freed bytes back to the file system."""
        with self.database.writing() as connection:
            needed: set[str] = set()
            for name in connection.execute(select(versions.c.id).where(versions.c.state != "erased")).scalars():
                needed.update(texts_to_embed(read_version(connection, name)))
            present = connection.execute(select(vectors.c.embedder, vectors.c.text_hash)).all()
            gone = [row for row in present if row.text_hash not in needed]
            for row in gone:
                connection.execute(
                    delete(vectors).where(vectors.c.embedder == row.embedder, vectors.c.text_hash == row.text_hash)
                )
        self.database.compact()
        return len(gone)

    # -- looking -----------------------------------------------------------------------------------------------------

    def show(self, identifier: str) -> Version:
        """A version, or a document's published one (else its newest)."""
        with self.database.reading() as connection:
            return self._in_force(connection, identifier)

    def listing(self, library: str | None = None, state: str | None = None) -> list[dict[str, Any]]:
        """One row a version, newest first within a document."""
        query = (
            select(
                versions.c.id,
                versions.c.document,
                versions.c.state,
                versions.c.verified_on,
                versions.c.review_by,
                versions.c.author,
                versions.c.verifier,
                documents.c.title,
                documents.c.library,
            )
            .join(documents, documents.c.id == versions.c.document)
            .order_by(documents.c.library, versions.c.document, versions.c.number.desc())
        )
        if library:
            query = query.where(documents.c.library == library)
        if state:
            query = query.where(versions.c.state == state)
        with self.database.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def history(self, identifier: str | None = None) -> list[audit.AuditRow]:
        """The audit trail of a document, version or library, or all of it."""
        with self.database.reading() as connection:
            return audit.history(connection, identifier)

    def impact(self, identifier: str) -> list[dict[str, Any]]:
        """Answers that cited a version of this document: id, when, which version and passage."""
        with self.database.reading() as connection:
            from bot.store.tables import answers

            target = read_version(connection, identifier)
            query = (
                select(answers.c.id, answers.c.at, citations.c.version, citations.c.passage, citations.c.n)
                .join(answers, answers.c.id == citations.c.answer)
                .where(
                    citations.c.version == identifier
                    if "@" in identifier
                    else citations.c.version.startswith(f"{target.document}@", autoescape=True)
                )
                .order_by(answers.c.at)
            )
            return [dict(row._mapping) for row in connection.execute(query)]

    def pointer(self, library: str) -> int:
        """The current generation's number, 0 before the first publication."""
        with self.database.reading() as connection:
            return generations.current(connection, library)

    def ensure_organization(self, organization: str, name: str) -> None:
        """Create an organization's own library if it is not there."""
        with self.database.writing() as connection:
            self._ensure_library(connection, organization, name)

    # -- steps shared by the above, inside a write transaction --------------------------------------------------------

    def _embed(self, texts: dict[str, str], progress: Progress) -> None:
        # Imported here so that commands that only look do not load numpy.
        from bot.knowledge.vectors import embed_missing

        embed_missing(self.database, self.embedder, texts, progress)

    def _now(self) -> str:
        return self.clock().isoformat(timespec="seconds")

    def _record(self, connection: Connection, actor: str, action: str, subject: str, **detail: Any) -> None:
        audit.record(connection, self._now(), actor, action, subject, **detail)

    def _ensure_library(self, connection: Connection, library: str, name: str = "") -> None:
        if connection.execute(select(libraries.c.id).where(libraries.c.id == library)).first() is None:
            connection.execute(libraries.insert().values(id=library, name=name or library, generation=0))

    def _in_force(self, connection: Connection, identifier: str) -> Version:
        published = [] if "@" in identifier else states.in_force(connection, identifier)
        return read_version(connection, published[0] if published else identifier)

    def _move(self, identifier: str, before: str, after: str, actor: str, action: str) -> Version:
        with self.database.writing() as connection:
            version = read_version(connection, identifier)
            _must_be(version, before)
            states.set_state(connection, version.id, after)
            self._record(connection, actor, action, version.id)
            return read_version(connection, version.id)

    def _supersede(self, connection: Connection, version: Version, actor: str) -> None:
        for name in states.in_force(connection, version.document):
            if name != version.id:
                states.set_state(connection, name, "retired")
                self._record(connection, actor, "supersede", name, by=version.id)

    def _mark_published(
        self, connection: Connection, version: Version, verifier: str, verified_on: date, review_by: date
    ) -> None:
        states.publish(connection, version, verifier, verified_on, review_by)
        self._record(
            connection,
            verifier,
            "publish",
            version.id,
            content_hash=version.content_hash,
            verified_on=verified_on.isoformat(),
            review_by=review_by.isoformat(),
        )

    def _publish(self, connection: Connection, version: Version, verifier: str, verified_on: date, review_by: date) -> None:
        self._supersede(connection, version, verifier)
        self._mark_published(connection, version, verifier, verified_on, review_by)
        others = generations.others(generations.members(connection, version.library), version.document)
        generations.begin(connection, version.library, [*others, version.id], f"publish {version.id}", self._now())


def _held(version: Version) -> str:
    """Why a version waits, with the places to look at."""
    count = len(version.holding)
    if not count:
        return f"{version.id} has no findings to acknowledge"
    places = "; ".join(f"{f.where}: {f.kind}" for f in version.holding[:10])
    return f"{version.id} is held: look at {places}. Then acknowledge all {count} of them (--acknowledge {count})"


def _must_be(version: Version, state: str) -> None:
    if version.state != state:
        raise NotAllowed(f"{version.id} is {_said(version.state)}, not {_said(state)}", code="wrong_state")


def _said(state: str) -> str:
    return {"in_review": "in review", "draft": "a draft"}.get(state, state)


__all__ = ["BASE", "Added", "Library", "utc_now"]
