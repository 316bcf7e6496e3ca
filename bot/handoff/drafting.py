"""Makes guidance of an exchange: a draft document for review, with a helper as its author. It publishes nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import yaml

from bot.assistant.compose import escape
from bot.errors import NotAllowed
from bot.handoff import cases
from bot.handoff.cards import one_line
from bot.handoff.cases import Case
from bot.knowledge.intake import Described, Scan, take_in
from bot.knowledge.library import Library
from bot.settings import Settings

TITLE_CHARS = 200
QUESTION_CHARS = 400


class Drafting:
    """Takes exchanges in as drafts, scanned as any file. ``library`` is asked for when the first draft is made."""

    def __init__(self, library: Callable[[], Library], settings: Settings, scan: Scan, clock: Callable[[], datetime]) -> None:
        self._library = library
        self._settings = settings
        self._scan = scan
        self._clock = clock

    def __call__(self, case: Case, author: str) -> str:
        """The id of the draft version. Raises SignpostError when the library does not take it."""
        if not case.question:
            raise NotAllowed("the person who asked deleted their data, and the question with it", code="no_question")
        library = self._library()
        with library.database.reading() as connection:
            written = [line.text for line in cases.lines(connection, case.id) if line.role == "helper"]
        organization = case.organization or self._settings.organization
        text = document(case, written, organization, self._settings, self._clock())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"handoff-{case.id}.md"
            path.write_text(text, encoding="utf-8")
            added = take_in(library, self._settings, path, Described(), author=author, organization=organization, scan=self._scan)
        return added.version.id


def document(case: Case, written: list[str], organization: str | None, settings: Settings, now: datetime) -> str:
    """The exchange as a library document: the question as its heading, the helpers' words below, nothing that formats."""
    title = one_line(case.question, TITLE_CHARS).replace("[", "(").replace("]", ")")
    front = {
        "id": f"{organization}.handoff-{case.id}" if organization else f"handoff-{case.id}",
        "title": title,
        "publisher": settings.handoff_name or organization or "The people who help",
        "jurisdiction": organization or settings.jurisdiction or "Unspecified",
        "kind": "local policy" if organization else "guidance",
        "published": now.date().isoformat(),
        "confidence": "local",
        "sections": [{"id": "answer", "questions": [{case.language: [one_line(case.question, QUESTION_CHARS)]}]}],
    }
    head = yaml.safe_dump(front, allow_unicode=True, sort_keys=False, width=1_000)
    body = "\n\n".join("\n\n".join(escape(p.strip()) for p in text.splitlines() if p.strip()) for text in written)
    return f"---\n{head}---\n\n# {escape(title)}\n\n## {escape(title)} {{#answer}}\n\n{body}\n"
