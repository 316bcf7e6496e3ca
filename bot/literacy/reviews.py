"""Approving a lesson's words by a named second person, as the library does for documents, with a row in its audit trail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from bot.errors import NotAllowed
from bot.knowledge.audit import record
from bot.literacy.lessons import Catalogue, Lesson
from bot.store.literacy_tables import lesson_reviews


def approve(
    connection: Connection, lesson: Lesson, language: str, reviewer: str, now: datetime, *, one_person: bool = False
) -> None:
    """Approve the words in force. Changing them later makes them a draft again, because the approval is of their hash.

    Raises NotAllowed when the reviewer is unnamed or the author (unless one-person publishing is set)."""
    reviewer, author = reviewer.strip(), lesson.words(language).written_by
    if not reviewer:
        raise NotAllowed("approving needs the name of the person who read the text", code="verifier_missing")
    if reviewer.casefold() == author.casefold() and not one_person:
        raise NotAllowed("the author cannot approve their own text; ask a second person", code="same_person")
    if (lesson.id, language) in approved(connection, Catalogue((lesson,))):
        return
    at = now.isoformat(timespec="seconds")
    text_hash = lesson.text_hash(language)
    connection.execute(
        insert(lesson_reviews).values(
            lesson=lesson.id, language=language, text_hash=text_hash, author=author, reviewer=reviewer, reviewed_at=at
        )
    )
    record(connection, at, reviewer, "approve_lesson", f"lesson:{lesson.id}", language=language, text_hash=text_hash)


def approved(connection: Connection, catalogue: Catalogue) -> frozenset[tuple[str, str]]:
    """The (lesson, language) pairs whose words in force were approved."""
    rows = select(lesson_reviews.c.lesson, lesson_reviews.c.language, lesson_reviews.c.text_hash)
    kept = {tuple(row) for row in connection.execute(rows)}
    return frozenset(
        (lesson.id, language)
        for lesson in catalogue.lessons
        for language in ("en", "es")
        if (lesson.id, language, lesson.text_hash(language)) in kept
    )
