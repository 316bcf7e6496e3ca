"""The shipped library: takes in ``knowledge/documents`` (and, where asked, the sample organization) and keeps it current.

A document an administrator has edited or retired is left as they left it. What reads and embeds documents is imported when
one is new, so that a command on a current library starts at once.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from bot.knowledge.library import BASE, Library
from bot.knowledge.passages import split
from bot.knowledge.shipped import data_file
from bot.knowledge.units import texts_to_embed
from bot.knowledge.versions import Version
from bot.progress import Progress, quiet
from bot.store.tables import documents, vectors, versions

if TYPE_CHECKING:
    from bot.knowledge.blocks import Extract
    from bot.knowledge.document import FrontMatter

AUTHOR = "Signpost starter library"
SAMPLE = "pinecrest"
SAMPLE_NAME = "Pinecrest Unified (sample)"


def read_document(path: Path) -> tuple[FrontMatter, Extract, str]:
    """A shipped document: its front matter, its text, the file's SHA-256. Raises FormatError."""
    from bot.knowledge.document import parse_front_matter
    from bot.knowledge.reading.markdown import read_markdown

    raw = path.read_text(encoding="utf-8")
    front, body = parse_front_matter(raw, where=f"{path.parent.name}/{path.name}")
    return front, read_markdown(body), hashlib.sha256(raw.encode()).hexdigest()


def shipped_texts() -> list[str]:
    """Every text of the shipped documents that the index needs a vector for."""
    texts: dict[str, str] = {}
    for path in (*sorted(data_file("documents").glob("*.md")), *sorted(data_file("samples").glob("*.md"))):
        front, extract, checksum = read_document(path)
        text, _, _ = split(front.id, front.title, extract.blocks)
        version = Version(
            id=f"{front.id}@1",
            document=front.id,
            library=BASE,
            number=1,
            state="draft",
            content_hash="",
            front=front,
            text=text,
            blocks=extract.blocks,
            findings=(),
            author=AUTHOR,
            created_at="",
            verifier=None,
            verified_on=None,
            review_by=None,
            source_sha256=checksum,
        )
        texts.update(texts_to_embed(version))
    return list(texts.values())


def shipped_vectors() -> tuple[str, dict[str, bytes]]:
    """The embedder's name and the vectors made ahead for the shipped texts, by text hash, so that a first start embeds
    nothing. Written by ``python -m tests.evals.ship_vectors``; a test says when they are out of date, and a text that is
    missing here is embedded as any other."""
    import numpy as np

    path = data_file("embedder", "vectors.npz")
    if not path.exists():
        return "", {}
    with np.load(path, allow_pickle=False) as data:
        rows = data["vectors"].astype(np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return str(data["embedder"]), {bytes(h).hex(): row.tobytes() for h, row in zip(data["hashes"], rows, strict=True)}


def sync(library: Library, *, sample: bool, progress: Progress = quiet) -> int:
    """Publish shipped documents that are new or changed; returns how many. Cheap when nothing changed."""
    wanted = [(BASE, path) for path in sorted(data_file("documents").glob("*.md"))]
    if sample:
        library.ensure_organization(SAMPLE, SAMPLE_NAME)
        wanted += [(SAMPLE, path) for path in sorted(data_file("samples").glob("*.md"))]
    with library.database.reading() as connection:
        rows = connection.execute(
            select(versions.c.document, versions.c.source_sha256, documents.c.origin, versions.c.author).join(
                documents, documents.c.id == versions.c.document
            )
        ).all()
    taken_in = {(row.document, row.source_sha256) for row in rows}
    edited = {row.document for row in rows if row.origin != "starter" or row.author != AUTHOR}
    prepared: list[Version] = []
    for name, path in wanted:
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        if (path.stem, checksum) in taken_in or path.stem in edited:
            continue
        front, extract, _ = read_document(path)
        added = library.add(
            extract,
            front,
            library=name,
            author=AUTHOR,
            source_name=path.name,
            source_sha256=checksum,
            origin="starter",
        )
        if added.version.state == "draft":
            prepared.append(added.version)
    if prepared or _embedder_is_new(library):
        from bot.knowledge.vectors import keep_vectors

        keep_vectors(library.database, library.embedder.name, *shipped_vectors())
    if prepared:
        library.publish_starter(prepared, progress)
    return len(prepared)


def _embedder_is_new(library: Library) -> bool:
    """Whether nothing was embedded yet by the embedder in force: a fresh start, or one with another embedder than before."""
    query = select(vectors.c.text_hash).where(vectors.c.embedder == library.embedder.name).limit(1)
    with library.database.reading() as connection:
        return connection.execute(query).first() is None
