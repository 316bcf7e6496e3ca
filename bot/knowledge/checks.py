"""Checks of the whole library: ``verify`` for integrity, ``doctor`` for what needs a person."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from bot.knowledge import audit
from bot.knowledge.generations import corpus_hash
from bot.knowledge.library import Library
from bot.knowledge.passages import digest
from bot.knowledge.units import keys, texts_to_embed
from bot.knowledge.vectors import stored
from bot.knowledge.versions import content_hash, pack, read_version
from bot.store.tables import generation_versions, generations, libraries, passages, versions

THIN = 2
"""A section with fewer questions than this is hard to find in people's own words."""


def verify(library: Library) -> list[str]:
    """Problems found, in words; empty when every hash, span, key and audit row holds."""
    problems: list[str] = []
    with library.database.reading() as connection:
        problems += [f"audit row {number}: the chain is broken here" for number in audit.broken_links(connection)]
        names = list(
            connection.execute(select(versions.c.id).where(versions.c.state != "erased").order_by(versions.c.id)).scalars()
        )
        for name in names:
            version = read_version(connection, name)
            if content_hash(version.front, version.text, pack(version.blocks)) != version.content_hash:
                problems.append(f"{name}: the content hash does not match")
            rows = connection.execute(select(passages).where(passages.c.version == name)).all()
            for row in rows:
                if digest(version.text[row.start : row.end]) != row.text_hash:
                    problems.append(f"{row.id}: the span does not hold the recorded text")
            if version.state == "published":
                if [f"{name}/{p.id}" for p in version.parts[0]] != [r.id for r in sorted(rows, key=lambda r: r.ordinal)]:
                    problems.append(f"{name}: the passages are not those of the text")
                sections = {p.section for p in version.parts[0]}
                problems += [
                    f"{name}: section '{section.id}' has questions but no text"
                    for section in version.front.sections
                    if section.id not in sections
                ]
                facts = {fact for s in version.parts[1] for fact in s.facts}
                unsourced = facts - set(version.front.sources) if version.front.sources else set()
                problems += [f"{name}: fact {fact} has no source note" for fact in sorted(unsourced)]
                texts = texts_to_embed(version)
                missing = len(texts) - len(stored(connection, library.embedder.name, texts))
                if missing:
                    problems.append(f"{name}: {missing} vectors are missing; they are made again at the next search")
        for row in connection.execute(select(generations)).all():
            members = list(
                connection.execute(
                    select(generation_versions.c.version).where(
                        generation_versions.c.library == row.library, generation_versions.c.generation == row.number
                    )
                ).scalars()
            )
            if corpus_hash(connection, members) != row.corpus_hash:
                problems.append(f"generation {row.number} of {row.library}: the corpus hash does not match")
    return problems


def doctor(library: Library) -> list[str]:
    """What needs a person's attention, in words."""
    notes: list[str] = []
    today = library.clock().date()
    soon = today + timedelta(days=30)
    with library.database.reading() as connection:
        for row in connection.execute(select(libraries)).all():
            notes.append(f"library {row.id}: generation {row.generation} is current")
        names = list(
            connection.execute(select(versions.c.id).where(versions.c.state.in_(("draft", "in_review", "published")))).scalars()
        )
        for name in sorted(names):
            version = read_version(connection, name)
            if version.state != "published":
                notes.append(f"{name}: waiting ({'review' if version.state == 'in_review' else 'draft'})")
                notes += [f"{name}: look at {f.where}: {f.kind}" for f in version.holding]
                continue
            if version.review_by and version.review_by < today:
                notes.append(f"{name}: was due for review on {version.review_by}")
            elif version.review_by and version.review_by <= soon:
                notes.append(f"{name}: is due for review on {version.review_by}")
            counts: dict[str, int] = {p.section: 0 for p in version.parts[0]}
            passages_of = version.parts[0]
            for key in keys(version):
                for section in {passages_of[version.parts[1][i].passage].section for i in key.statements}:
                    counts[section] += 1
            thin = [section for section, count in counts.items() if count < THIN]
            if thin:
                notes.append(f"{name}: few questions lead to {', '.join(thin[:5])}{' ...' if len(thin) > 5 else ''}")
    return notes
