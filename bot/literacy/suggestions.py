"""Which lesson fits an answer, by the documents and topics it cites and never by its wording. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from bot.literacy.lessons import Catalogue, Lesson


def suggest(
    places: tuple[tuple[str, str], ...],
    topics: Collection[str],
    catalogue: Catalogue,
    today: date,
    grace_days: int,
    done: Collection[str] = (),
) -> Lesson | None:
    """The best fitting lesson, or None. ``places`` are (document, section) of the citations, the best first.

    A named section counts more than a whole document, and the first citation more than the rest. Lessons in ``done``
    and lessons past review are not suggested."""
    best: tuple[float, int, Lesson] | None = None
    for lesson in catalogue.lessons:
        if lesson.id in done or lesson.past_review(today) or lesson.held(today, grace_days):
            continue
        weight = sum(_fit(lesson, place) * (2.0 if n == 0 else 1.0) for n, place in enumerate(places))
        weight += 1.5 * len(set(lesson.topics) & set(topics))
        if weight >= 2.0 and (best is None or weight > best[0]):
            best = (weight, lesson.number, lesson)
    return best[2] if best else None


def _fit(lesson: Lesson, place: tuple[str, str]) -> float:
    document, section = place
    cited = {(source.document, source.section) for source in lesson.sources.values() if source.document}
    if place in cited or f"{document}#{section}" in lesson.fits:
        return 2.0
    return 1.0 if document in lesson.fits else 0.0
