"""Takes an organization's own file into the library as a draft: reads it, describes it, suggests the questions it answers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from bot.errors import FormatError
from bot.knowledge.blocks import Extract, Finding
from bot.knowledge.document import FrontMatter, Questions, Section, parse_front_matter, split_front_matter
from bot.knowledge.library import BASE, Added, Library
from bot.knowledge.passages import slug, split
from bot.knowledge.reading.files import Limits, read
from bot.knowledge.reading.markdown import read_markdown
from bot.settings import Settings

Scan = Callable[[Extract], tuple[Finding, ...]]
"""Judges what a file holds and what a reader of it does not see; its findings take the place of the reader's."""


@dataclass(frozen=True)
class Described:
    """What the person adding a file says about it; anything left out is taken from the file or a default."""

    title: str | None = None
    publisher: str | None = None
    jurisdiction: str | None = None
    kind: str | None = None
    published: str | None = None
    url: str | None = None
    audience: str | None = None


def limits_from(settings: Settings) -> Limits:
    """The reading limits in force."""
    return Limits(
        settings.max_file_bytes,
        settings.max_unpacked_bytes,
        settings.max_pages,
        settings.max_text_chars,
        settings.read_seconds,
    )


def take_in(
    library: Library,
    settings: Settings,
    path: Path,
    described: Described,
    *,
    author: str,
    organization: str | None,
    scan: Scan,
) -> Added:
    """Read ``path``, scan it and add it as a draft. Raises UnreadableFile or FormatError; then nothing has changed."""
    extract, content = read(path, limits_from(settings))
    target = organization or BASE
    front: FrontMatter | None = None
    if extract.media_type == "text/markdown":
        raw = content.decode("utf-8", errors="replace")
        head, body, _ = split_front_matter(raw)
        if re.search(r"^id:", head, re.M) and re.search(r"^publisher:", head, re.M):
            front, body = parse_front_matter(raw, where=path.name)
        if head:
            extract = _without_head(extract, raw, head, body)
    if front is None:
        front = _described(extract, path, described, organization)
    extract = replace(extract, findings=scan(extract))
    if not any(block.kind == "heading" for block in extract.blocks):
        note = Finding("no_heading", "whole file", "no headings were found; sections and questions will be coarse")
        extract = Extract(extract.media_type, extract.blocks, (*extract.findings, note), extract.properties)
    return library.add(
        extract,
        front,
        library=target,
        author=author,
        source_name=path.name,
        source_sha256=hashlib.sha256(content).hexdigest(),
    )


def _without_head(extract: Extract, raw: str, head: str, body: str) -> Extract:
    """The body alone, its lines numbered as in the file; the front matter is kept as something the file says of itself."""
    lines = raw[: len(raw) - len(body)].count("\n")
    inner = read_markdown("\n" * lines + body)
    kept = tuple(finding for finding in extract.findings if finding.kind == "encoding")
    return Extract(extract.media_type, inner.blocks, (*kept, *inner.findings), {**extract.properties, "front matter": head})


def _described(extract: Extract, path: Path, described: Described, organization: str | None) -> FrontMatter:
    first = min((b for b in extract.blocks if b.kind == "heading"), key=lambda b: b.level, default=None)
    own_title = extract.properties.get("title", "")
    usable = (
        own_title
        if len(own_title) > 3 and not re.search(r"\.\w{3,4}$|^(?:untitled|microsoft|document)\b", own_title, re.I)
        else ""
    )
    title = described.title or usable or (first.text if first else "") or path.stem.replace("_", " ").replace("-", " ")
    title = re.sub(r"\s+", " ", title).strip()[:300] or path.stem
    name = slug(title)
    ascii_name = re.sub(r"[^a-z0-9]+", "-", name).strip("-") or hashlib.sha256(title.encode()).hexdigest()[:12]
    identifier = f"{organization}.{ascii_name}" if organization else ascii_name
    _, passages, _ = split(identifier, title, extract.blocks)
    sections: dict[str, list[str]] = {}
    for passage in passages:
        if passage.heading_path:
            sections.setdefault(passage.section, []).extend(suggested_questions(passage.heading_path[-1], title))
    try:
        return FrontMatter(
            id=identifier,
            title=title,
            publisher=described.publisher or organization or extract.properties.get("author") or "Unknown publisher",
            jurisdiction=described.jurisdiction or organization or "Unspecified",
            kind=described.kind or ("local policy" if organization else "guidance"),  # type: ignore[arg-type]
            audience=tuple(part.strip() for part in (described.audience or "").split(",") if part.strip()),
            published=described.published,
            url=described.url or "",
            sections=tuple(
                Section(id=_section_id(name), questions=(Questions(en=tuple(dict.fromkeys(questions))),))
                for name, questions in sections.items()
                if questions and _section_id(name) == name
            ),
        )
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(str(part) for part in problem["loc"])
        raise FormatError(f"{field}: {problem['msg']}", where=path.name) from None


def _section_id(name: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", name.lower()).strip("-.")


def suggested_questions(heading: str, title: str) -> list[str]:
    """Questions a heading suggests, as a start for the person who edits them. None for bare numbering."""
    bare = re.sub(r"^\s*(?:section|part|chapter|article)?\s*[\divxlc]{1,5}(?:\.\d+)*[.):]?\s+", "", heading, flags=re.I)
    bare = bare.strip(" .:;-")
    if len(bare) < 4 or not re.search(r"[A-Za-z]{3}", bare):
        return []
    if bare.endswith("?"):
        return [bare]
    return [bare, f"{bare} - {title}"[:400]]
