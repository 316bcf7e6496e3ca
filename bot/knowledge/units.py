"""What the search index holds for a version: its statements and the questions it answers, each with the text to embed."""

from __future__ import annotations

from dataclasses import dataclass

from bot.knowledge.passages import digest
from bot.knowledge.versions import Version


@dataclass(frozen=True)
class Key:
    """A question some statements answer. ``statements`` are positions within the version."""

    text: str
    language: str
    statements: tuple[int, ...]

    @property
    def hash(self) -> str:
        """Identity of the text for the vector table."""
        return digest(self.text)


def statement_text(version: Version, position: int) -> str:
    """The words embedded and indexed for a statement: its heading, then itself."""
    passages, statements = version.parts
    statement = statements[position]
    path = passages[statement.passage].heading_path
    heading = path[-1] if path else version.front.title
    return f"{heading}: {version.text[statement.start : statement.end]}"


def keys(version: Version) -> tuple[Key, ...]:
    """The questions of every section, tied to the statements that carry their fact (or to the whole section)."""
    passages, statements = version.parts
    by_section: dict[str, list[int]] = {}
    by_fact: dict[int, list[int]] = {}
    for position, statement in enumerate(statements):
        by_section.setdefault(passages[statement.passage].section, []).append(position)
        for fact in statement.facts:
            by_fact.setdefault(fact, []).append(position)
    found: dict[tuple[str, str], dict[int, None]] = {}
    for section in version.front.sections:
        for group in section.questions:
            targets = by_fact.get(group.fact, []) if group.fact is not None else by_section.get(section.id, [])
            if not targets:
                continue
            for language in ("en", "es"):
                for text in getattr(group, language):
                    found.setdefault((text, language), {}).update(dict.fromkeys(targets))
    return tuple(Key(text, language, tuple(targets)) for (text, language), targets in found.items())


def near_misses(version: Version) -> tuple[str, ...]:
    """Questions close to what the version says that the library is known not to answer, each once."""
    groups = (group for section in version.front.sections for group in section.questions)
    return tuple(dict.fromkeys(text for group in groups for text in group.unanswered))


def texts_to_embed(version: Version) -> dict[str, str]:
    """Every text the index needs a vector for, by its hash."""
    found = {digest(text): text for text in (statement_text(version, i) for i in range(len(version.parts[1])))}
    found.update({key.hash: key.text for key in keys(version)})
    found.update({digest(text): text for text in near_misses(version)})
    return found
