"""Vetting: documents come in as drafts, are reviewed, published in generations, retired, rolled back and erased.

Every step is one write transaction with its audit row. Called by the command line, the console and the starter library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, select, update

from bot.errors import NotAllowed, NotFound
from bot.knowledge import audit
from bot.knowledge.blocks import Extract
from bot.knowledge.passages import split
from bot.knowledge.units import texts_to_embed
from bot.knowledge.versions import Version, content_hash, pack, read_version, read_versions
from bot.progress import Progress, quiet
from bot.settings import Settings
from bot.store import Database
from bot.store.tables import (
    citations,
    documents,
    generation_versions,
    generations,
    libraries,
    passages,
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
        with self.database.writing() as connection:
            self._ensure_library(connection, library)
            document = self._find_document(connection, library, front, text, source_name)
            front = replace_id(front, document or front.id)
            checksum = content_hash(front, text, packed)
            if document is not None:
                same = connection.execute(
                    select(versions.c.id)
                    .where(versions.c.document == document, versions.c.content_hash == checksum)
                    .where(versions.c.state.in_(("draft", "in_review", "published")))
                    .order_by(versions.c.number.desc())
                ).scalar()
                known = read_version(connection, same) if same is not None else None
                if known is not None and {f for f in extract.findings if f.holds} <= set(known.holding):
                    return Added(known, created=False)
            else:
                connection.execute(
                    documents.insert().values(
                        id=front.id,
                        library=library,
                        title=front.title,
                        origin=origin,
                        source_name=source_name,
                        created_at=self._now(),
                    )
                )
            number = 1 + (
                connection.execute(select(func.max(versions.c.number)).where(versions.c.document == front.id)).scalar() or 0
            )
            version = f"{front.id}@{number}"
            connection.execute(
                versions.insert().values(
                    id=version,
                    document=front.id,
                    number=number,
                    state="draft",
                    content_hash=checksum,
                    front_matter=front.model_dump(mode="json"),
                    text=text,
                    blocks=packed,
                    findings=[[f.kind, f.where, f.excerpt] for f in extract.findings],
                    source_sha256=source_sha256,
                    author=author,
                    created_at=self._now(),
                )
            )
            connection.execute(
                update(documents)
                .where(documents.c.id == front.id)
                .values(title=front.title, source_name=source_name, erased_at=None)
            )
            self._record(connection, author, "add", version, content_hash=checksum, source_sha256=source_sha256)
            return Added(read_version(connection, version), created=True)

    def _find_document(self, connection: Connection, library: str, front: FrontMatter, text: str, source_name: str) -> str | None:
        """The document this file is a version of: same id, same text, or same file name with half its text kept."""
        row = connection.execute(select(documents).where(documents.c.id == front.id)).first()
        if row is not None:
            if row.library != library:
                raise NotAllowed(f"the id '{front.id}' belongs to another library", code="id_taken")
            return front.id
        same_text = connection.execute(
            select(versions.c.document)
            .join(documents, documents.c.id == versions.c.document)
            .where(documents.c.library == library, versions.c.text == text, versions.c.state != "erased")
            .where(documents.c.title == front.title)
            .limit(1)
        ).scalar()
        if same_text is not None:
            return str(same_text)
        query = select(documents.c.id).where(
            documents.c.library == library, documents.c.source_name == source_name, documents.c.erased_at.is_(None)
        )
        for candidate in connection.execute(query).scalars():
            newest = read_version(connection, candidate)
            before = set(newest.text.split("\n\n"))
            after = set(text.split("\n\n"))
            if before and len(before & after) * 2 >= max(len(before), len(after)):
                return str(candidate)
        return None

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
        today = self.clock().date()
        verified_on = verified_on or today
        review_by = review_by or _add_months(verified_on, self.settings.review_months)
        verifier = verifier.strip()
        with self.database.reading() as connection:
            version = read_version(connection, identifier)
        if not verifier:
            raise NotAllowed("approving needs the name of the person who verified the text", code="verifier_missing")
        if verifier.casefold() == version.author.strip().casefold() and not self.settings.one_person_publishing:
            raise NotAllowed(
                "the author cannot verify their own document; ask a second person, or set SIGNPOST_ONE_PERSON_PUBLISHING=1",
                code="same_person",
            )
        if verified_on > today:
            raise NotAllowed("the verified date lies in the future", code="bad_dates")
        if review_by <= verified_on:
            raise NotAllowed("the review-by date must come after the verified date", code="bad_dates")
        if version.state != "in_review":
            raise NotAllowed(f"{version.id} is {_said(version.state)}, not in review", code="wrong_state")
        if acknowledged != len(version.holding):
            raise NotAllowed(_held(version), code="held")
        self._embed(texts_to_embed(version), progress)
        with self.database.writing() as connection:
            current = read_version(connection, version.id)
            if current.state != "in_review":
                raise NotAllowed(f"{version.id} is {_said(current.state)}, not in review", code="wrong_state")
            if acknowledged:
                kinds = sorted({finding.kind for finding in current.holding})
                self._record(connection, verifier, "acknowledge", current.id, findings=acknowledged, kinds=kinds)
            self._publish(connection, current, verifier, verified_on, review_by)
            return read_version(connection, version.id)

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
                members = set(self._members(connection, library, self._pointer(connection, library)))
                for version in group:
                    self._supersede(connection, version, version.front.verified_by)
                    members = {m for m in members if m.rsplit("@", 1)[0] != version.document} | {version.id}
                    self._mark_published(
                        connection,
                        version,
                        version.front.verified_by or "Signpost starter library",
                        version.front.verified_on or self.clock().date(),
                        version.front.review_by or _add_months(self.clock().date(), self.settings.review_months),
                    )
                self._new_generation(connection, library, sorted(members), "starter library")

    def retire(self, identifier: str, actor: str, reason: str) -> Version:
        """Take a document's published version out of the library; a draft or one in review is set aside."""
        with self.database.writing() as connection:
            version = self._in_force(connection, identifier)
            if version.state == "retired":
                raise NotAllowed(f"{version.id} is retired already", code="wrong_state")
            was_published = version.state == "published"
            self._set_state(connection, version, "retired")
            self._record(connection, actor, "retire", version.id, reason=reason)
            if was_published:
                pointer = self._pointer(connection, version.library)
                members = [m for m in self._members(connection, version.library, pointer) if m != version.id]
                self._new_generation(connection, version.library, members, f"retire {version.id}")
            return read_version(connection, version.id)

    def rollback(self, library: str, generation: int, actor: str, reason: str) -> int:
        """Make an earlier generation's membership current again, as a new generation. Returns its number.

        Erased texts stay erased; documents that were not in it are retired.
        """
        with self.database.writing() as connection:
            known = connection.execute(
                select(generations.c.number).where(generations.c.library == library, generations.c.number == generation)
            ).scalar()
            if known is None:
                raise NotFound(f"library '{library}' has no generation {generation}")
            target = [v.id for v in read_versions(connection, self._members(connection, library, generation))]
            current = self._members(connection, library, self._pointer(connection, library))
            for name in set(current) - set(target):
                self._set_state(connection, read_version(connection, name), "retired")
            for name in set(target) - set(current):
                self._set_state(connection, read_version(connection, name), "published")
            number = self._new_generation(connection, library, target, f"rollback to {generation}: {reason}")
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
            members = self._members(connection, library, self._pointer(connection, library))
            names = [row.id for row in rows]
            if set(members) & set(names):
                self._new_generation(connection, library, [m for m in members if m not in names], f"erase {document}")
            for name in names:
                bare = FrontMatter(id=document, title="(erased)", publisher="(erased)", jurisdiction="(erased)", kind="about")
                connection.execute(delete(passages).where(passages.c.version == name))
                connection.execute(
                    update(versions)
                    .where(versions.c.id == name)
                    .values(
                        state="erased",
                        text="",
                        blocks=[],
                        findings=[],
                        front_matter=bare.model_dump(mode="json"),
                        verifier=None,
                    )
                )
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
            return self._pointer(connection, library)

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

    def _pointer(self, connection: Connection, library: str) -> int:
        value = connection.execute(select(libraries.c.generation).where(libraries.c.id == library)).scalar()
        return int(value or 0)

    def _members(self, connection: Connection, library: str, generation: int) -> list[str]:
        query = (
            select(generation_versions.c.version)
            .where(generation_versions.c.library == library, generation_versions.c.generation == generation)
            .order_by(generation_versions.c.version)
        )
        return list(connection.execute(query).scalars())

    def _in_force(self, connection: Connection, identifier: str) -> Version:
        if "@" not in identifier:
            name = connection.execute(
                select(versions.c.id)
                .where(versions.c.document == identifier, versions.c.state == "published")
                .order_by(versions.c.number.desc())
                .limit(1)
            ).scalar()
            if name is not None:
                return read_version(connection, name)
        return read_version(connection, identifier)

    def _move(self, identifier: str, before: str, after: str, actor: str, action: str) -> Version:
        with self.database.writing() as connection:
            version = read_version(connection, identifier)
            if version.state != before:
                raise NotAllowed(f"{version.id} is {_said(version.state)}, not {_said(before)}", code="wrong_state")
            self._set_state(connection, version, after)
            self._record(connection, actor, action, version.id)
            return read_version(connection, version.id)

    def _set_state(self, connection: Connection, version: Version, state: str) -> None:
        connection.execute(update(versions).where(versions.c.id == version.id).values(state=state))

    def _supersede(self, connection: Connection, version: Version, actor: str) -> None:
        query = select(versions.c.id).where(
            versions.c.document == version.document, versions.c.state == "published", versions.c.id != version.id
        )
        for name in list(connection.execute(query).scalars()):
            self._set_state(connection, read_version(connection, name), "retired")
            self._record(connection, actor, "supersede", name, by=version.id)

    def _mark_published(
        self, connection: Connection, version: Version, verifier: str, verified_on: date, review_by: date
    ) -> None:
        connection.execute(
            update(versions)
            .where(versions.c.id == version.id)
            .values(
                state="published",
                verifier=verifier,
                verified_on=verified_on.isoformat(),
                review_by=review_by.isoformat(),
            )
        )
        connection.execute(delete(passages).where(passages.c.version == version.id))
        rows = [
            {
                "id": f"{version.id}/{passage.id}",
                "version": version.id,
                "ordinal": passage.ordinal,
                "section": passage.section,
                "heading_path": list(passage.heading_path),
                "page": passage.page,
                "start": passage.start,
                "end": passage.end,
                "text_hash": passage.text_hash,
            }
            for passage in version.parts[0]
        ]
        if rows:
            connection.execute(passages.insert(), rows)
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
        pointer = self._pointer(connection, version.library)
        members = [m for m in self._members(connection, version.library, pointer) if m.rsplit("@", 1)[0] != version.document]
        self._new_generation(connection, version.library, [*members, version.id], f"publish {version.id}")

    def _new_generation(self, connection: Connection, library: str, members: list[str], reason: str) -> int:
        members = sorted(members)
        number = 1 + (
            connection.execute(select(func.max(generations.c.number)).where(generations.c.library == library)).scalar() or 0
        )
        connection.execute(
            generations.insert().values(
                library=library,
                number=number,
                created_at=self._now(),
                reason=reason[:500],
                corpus_hash=corpus_hash(connection, members),
            )
        )
        if members:
            connection.execute(
                generation_versions.insert(),
                [{"library": library, "generation": number, "version": name} for name in members],
            )
        connection.execute(update(libraries).where(libraries.c.id == library).values(generation=number))
        return number


def corpus_hash(connection: Connection, members: list[str]) -> str:
    """SHA-256 over the members' ids and content hashes: equal for equal corpora."""
    rows = connection.execute(select(versions.c.id, versions.c.content_hash).where(versions.c.id.in_(members))).all()
    return hashlib.sha256("\n".join(sorted(f"{row.id} {row.content_hash}" for row in rows)).encode()).hexdigest()


def replace_id(front: FrontMatter, identifier: str) -> FrontMatter:
    """The same front matter under another document id."""
    return front if front.id == identifier else front.model_copy(update={"id": identifier})


def _add_months(day: date, months: int) -> date:
    month = day.month - 1 + months
    first = date(day.year + month // 12, month % 12 + 1, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def _held(version: Version) -> str:
    """Why a version waits, with the places to look at."""
    count = len(version.holding)
    if not count:
        return f"{version.id} has no findings to acknowledge"
    places = "; ".join(f"{f.where}: {f.kind}" for f in version.holding[:10])
    return f"{version.id} is held: look at {places}. Then acknowledge all {count} of them (--acknowledge {count})"


def _said(state: str) -> str:
    return {"in_review": "in review", "draft": "a draft"}.get(state, state)


__all__ = ["BASE", "Added", "Library", "utc_now"]
