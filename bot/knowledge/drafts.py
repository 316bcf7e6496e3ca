"""Drafts: which document a file is a version of, whether it is known already, and the rows of a new one. Inside a caller's
transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select, update

from bot.errors import NotAllowed
from bot.knowledge.blocks import Extract
from bot.knowledge.versions import Version, read_version
from bot.store.tables import documents, versions

if TYPE_CHECKING:
    from bot.knowledge.document import FrontMatter


@dataclass(frozen=True)
class Source:
    """Where a file's text comes from: who adds it, the file's name and hash, local or shipped."""

    author: str
    name: str
    sha256: str
    origin: str = "local"


@dataclass(frozen=True)
class Content:
    """What a version is made of, as it is stored: its text, its blocks without their text, the hash of all."""

    text: str
    blocks: list[list[Any]]
    checksum: str


def find_document(connection: Connection, library: str, front: FrontMatter, text: str, source_name: str) -> str | None:
    """The document that a file is a version of: same id, same text, or same file name with half its text kept.

    Raises NotAllowed where the id belongs to another library."""
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
    return str(same_text) if same_text is not None else _by_name(connection, library, text, source_name)


def _by_name(connection: Connection, library: str, text: str, source_name: str) -> str | None:
    query = select(documents.c.id).where(
        documents.c.library == library, documents.c.source_name == source_name, documents.c.erased_at.is_(None)
    )
    after = set(text.split("\n\n"))
    for candidate in connection.execute(query).scalars():
        before = set(read_version(connection, candidate).text.split("\n\n"))
        if before and len(before & after) * 2 >= max(len(before), len(after)):
            return str(candidate)
    return None


def known(connection: Connection, document: str, checksum: str, extract: Extract) -> Version | None:
    """The version with the same content, unless the file now holds something that a reviewer must look at."""
    same = connection.execute(
        select(versions.c.id)
        .where(versions.c.document == document, versions.c.content_hash == checksum)
        .where(versions.c.state.in_(("draft", "in_review", "published")))
        .order_by(versions.c.number.desc())
    ).scalar()
    version = read_version(connection, same) if same is not None else None
    return version if version is not None and {f for f in extract.findings if f.holds} <= set(version.holding) else None


def insert_document(connection: Connection, library: str, front: FrontMatter, source: Source, at: str) -> None:
    """A document that is new."""
    row = {"id": front.id, "library": library, "title": front.title, "origin": source.origin}
    connection.execute(documents.insert().values(**row, source_name=source.name, created_at=at))


def insert_version(
    connection: Connection, front: FrontMatter, extract: Extract, content: Content, source: Source, at: str
) -> str:
    """The next version of a document, a draft; the document bears its title from now on. Returns the version's id."""
    newest = connection.execute(select(func.max(versions.c.number)).where(versions.c.document == front.id)).scalar()
    number = 1 + (newest or 0)
    name = f"{front.id}@{number}"
    connection.execute(
        versions.insert().values(
            id=name,
            document=front.id,
            number=number,
            state="draft",
            content_hash=content.checksum,
            front_matter=front.model_dump(mode="json"),
            text=content.text,
            blocks=content.blocks,
            findings=[[f.kind, f.where, f.excerpt] for f in extract.findings],
            source_sha256=source.sha256,
            author=source.author,
            created_at=at,
        )
    )
    named = {"title": front.title, "source_name": source.name, "erased_at": None}
    connection.execute(update(documents).where(documents.c.id == front.id).values(**named))
    return name


def replace_id(front: FrontMatter, identifier: str) -> FrontMatter:
    """The same front matter under another document id."""
    return front if front.id == identifier else front.model_copy(update={"id": identifier})
