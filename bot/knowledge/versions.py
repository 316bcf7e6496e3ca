"""Versions of documents as the library holds them: what is stored, and how it is read back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from bot.errors import NotFound
from bot.knowledge.blocks import Block, Finding
from bot.knowledge.passages import Passage, Statement, split
from bot.store.tables import documents, versions

if TYPE_CHECKING:
    from bot.knowledge.document import FrontMatter


@dataclass(frozen=True)
class Version:
    """One immutable version of a document. ``id`` is ``document@number``."""

    id: str
    document: str
    library: str
    number: int
    state: str
    content_hash: str
    front: FrontMatter
    text: str
    blocks: tuple[Block, ...]
    findings: tuple[Finding, ...]
    author: str
    created_at: str
    verifier: str | None
    verified_on: date | None
    review_by: date | None
    source_sha256: str

    @property
    def holding(self) -> tuple[Finding, ...]:
        """The findings that hold this version until a reviewer has acknowledged them."""
        return tuple(finding for finding in self.findings if finding.holds)

    @cached_property
    def parts(self) -> tuple[tuple[Passage, ...], tuple[Statement, ...]]:
        """Passages and statements, computed from the blocks."""
        _, passages, statements = split(self.document, self.front.title, self.blocks)
        return passages, statements


def pack(blocks: tuple[Block, ...]) -> list[list[Any]]:
    """Blocks without their text (the version's text holds it once), as JSON."""
    packed: list[list[Any]] = []
    offset = 0
    for block in blocks:
        end = offset + len(block.text)
        packed.append([block.kind, offset, end, block.level, block.page, block.anchor, [list(f) for f in block.facts]])
        offset = end + 2
    return packed


def unpack(text: str, packed: list[list[Any]]) -> tuple[Block, ...]:
    """The reverse of :func:`pack`."""
    return tuple(
        Block(kind, text[start:end], level, page, anchor, tuple((a, b) for a, b in facts))
        for kind, start, end, level, page, anchor, facts in packed
    )


def content_hash(front: FrontMatter, text: str, packed: list[list[Any]]) -> str:
    """SHA-256 over everything that a reader or the search could see. Vetting fields are not part of it."""
    data = front.model_dump(mode="json", exclude={"verified_by", "verified_on", "review_by"})
    body = json.dumps([data, text, packed], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


_COLUMNS = (versions, documents.c.library)


def _from_row(row: Any) -> Version:
    # Imported here so that commands that list versions without reading them start at once.
    from bot.knowledge.document import FrontMatter

    return Version(
        id=row.id,
        document=row.document,
        library=row.library,
        number=row.number,
        state=row.state,
        content_hash=row.content_hash,
        front=FrontMatter.model_validate(row.front_matter),
        text=row.text,
        blocks=unpack(row.text, row.blocks),
        findings=tuple(Finding(*finding) for finding in row.findings),
        author=row.author,
        created_at=row.created_at,
        verifier=row.verifier,
        verified_on=date.fromisoformat(row.verified_on) if row.verified_on else None,
        review_by=date.fromisoformat(row.review_by) if row.review_by else None,
        source_sha256=row.source_sha256,
    )


def read_version(connection: Connection, identifier: str) -> Version:
    """A version by ``document@number``, or a document's newest one by its id. Raises NotFound."""
    query = select(*_COLUMNS).join(documents, documents.c.id == versions.c.document)
    if "@" in identifier:
        query = query.where(versions.c.id == identifier)
    else:
        query = query.where(versions.c.document == identifier).order_by(versions.c.number.desc()).limit(1)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"no document or version is called '{identifier}'")
    return _from_row(row)


def read_published(connection: Connection, identifier: str, start: int, end: int) -> str | None:
    """The characters ``start`` to ``end`` of a published version's text; None when it is not published."""
    query = select(func.substr(versions.c.text, start + 1, end - start))
    return connection.execute(query.where(versions.c.id == identifier, versions.c.state == "published")).scalar()


def read_versions(connection: Connection, identifiers: list[str]) -> list[Version]:
    """Versions by id, in the order of the ids; those erased or unknown are left out."""
    found: dict[str, Version] = {}
    for begin in range(0, len(identifiers), 500):
        query = (
            select(*_COLUMNS)
            .join(documents, documents.c.id == versions.c.document)
            .where(versions.c.id.in_(identifiers[begin : begin + 500]), versions.c.state != "erased")
        )
        found.update({row.id: _from_row(row) for row in connection.execute(query)})
    return [found[name] for name in identifiers if name in found]
