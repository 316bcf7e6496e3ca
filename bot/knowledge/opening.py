"""A quote opened in its place: the exact words inside their passage, with the document's dates, verifier and official page."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from bot.errors import NotFound
from bot.knowledge.versions import Version, read_version
from bot.store import Database
from bot.store.tables import citations


@dataclass(frozen=True)
class Source:
    """Where one fact of the quote comes from: a locator in the official text, an address, how it was seen."""

    locator: str
    url: str
    seen: str


@dataclass(frozen=True)
class Opened:
    """A quote in its place. ``before + quote + after`` is the whole passage, word for word. Dates are ISO 8601 or empty;
    ``state`` is the version's (published, retired, superseded), so that a reader sees when it is no longer in force."""

    n: int
    title: str
    publisher: str
    heading: str
    page: int | None
    before: str
    quote: str
    after: str
    published: str
    verified_on: str
    verified_by: str
    review_by: str
    url: str
    sources: tuple[Source, ...]
    state: str
    version: str


def open_citation(database: Database, answer_id: str, n: int) -> Opened:
    """The ``n``-th citation of an answer, in its place. Raises NotFound when it, or its text, is gone."""
    wanted = (citations.c.answer == answer_id) & (citations.c.n == n)
    with database.reading() as connection:
        row = connection.execute(select(citations).where(wanted)).first()
        if row is None:
            raise NotFound(f"answer '{answer_id}' has no citation {n}")
        version = read_version(connection, row.version)
    quote = version.text[row.start : row.end]
    if not quote:
        raise NotFound("that text is no longer in the library")
    return _opened(version, n, row.passage, row.start, row.end)


def _opened(version: Version, n: int, passage_id: str, start: int, end: int) -> Opened:
    passages, statements = version.parts
    passage = next((p for p in passages if p.id == passage_id), None)
    first, last = (passage.start, passage.end) if passage is not None else (start, end)
    facts = next((s.facts for s in statements if s.start == start), ())
    front = version.front
    known = [front.sources[number] for number in facts if number in front.sources]
    return Opened(
        n=n,
        title=front.title,
        publisher=front.publisher,
        heading=" › ".join(passage.heading_path) if passage is not None else "",
        page=passage.page if passage is not None else None,
        before=version.text[first:start],
        quote=version.text[start:end],
        after=version.text[end:last],
        published=front.published or "",
        verified_on=version.verified_on.isoformat() if version.verified_on else "",
        verified_by=version.verifier or "",
        review_by=version.review_by.isoformat() if version.review_by else "",
        url=front.url,
        sources=tuple(Source(s.locator, s.url, s.seen) for s in known),
        state=version.state,
        version=version.id,
    )
