"""A lesson's sources open: real citations of published versions, word for word; approvals; suggestions; the migration."""

from __future__ import annotations

import importlib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, inspect

from bot.app import App
from bot.errors import NotAllowed
from bot.knowledge.audit import broken_links, history
from bot.knowledge.versions import read_version
from bot.literacy import reviews
from bot.literacy.cards import cited
from bot.literacy.lessons import LANGUAGES, catalogue
from bot.literacy.sources import Sources
from bot.literacy.suggestions import suggest
from bot.store import Database
from bot.store.literacy_tables import TABLES

ALL = catalogue()
TODAY = date(2026, 11, 25)


def test_every_library_source_opens_at_its_sentence_in_a_published_version(shared_app: App) -> None:
    _ = shared_app.library
    sources, opened = Sources(shared_app.database, 90), 0
    for lesson in ALL.lessons:
        for language in LANGUAGES:
            for step in range(3):
                numbers = cited(lesson, step, language)
                citations = sources.citations(lesson, numbers, language, TODAY)
                assert [c.n for c in citations] == [n for n in numbers if lesson.sources[n].document]
                for citation in citations:
                    with shared_app.database.reading() as connection:
                        version = read_version(connection, citation.version)
                    assert version.state == "published"
                    assert version.text[citation.start : citation.end] == citation.quote
                    assert citation.section == lesson.sources[citation.n].section
                    opened += 1
    assert opened >= 80


def test_a_source_too_long_past_review_or_not_published_is_not_opened(shared_app: App, database: Database) -> None:
    lesson = ALL.lessons[2]
    _ = shared_app.library
    assert Sources(shared_app.database, 90).citations(lesson, (1, 2), "en", date(2029, 1, 1)) == ()
    assert Sources(database, 90).citations(lesson, (1, 2), "en", TODAY) == (), "an empty library"
    late = Sources(shared_app.database, 90).citations(lesson, (1,), "es", date(2027, 6, 1))
    assert any("2027-05-23" in note for note in late[0].notes)


# -- approvals ------------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 25, 15, tzinfo=UTC)


def test_a_second_named_person_approves_and_the_audit_trail_knows(database: Database) -> None:
    lesson = ALL.lessons[0]
    with database.writing() as connection:
        for nobody in ("", "  "):
            with pytest.raises(NotAllowed):
                reviews.approve(connection, lesson, "es", nobody, NOW)
        with pytest.raises(NotAllowed, match="second person"):
            reviews.approve(connection, lesson, "es", "SIGNPOST starter lessons", NOW)
        assert reviews.approved(connection, ALL) == frozenset()
        reviews.approve(connection, lesson, "es", "Rosa Vega", NOW)
        reviews.approve(connection, lesson, "es", "Rosa Vega", NOW)
        assert reviews.approved(connection, ALL) == {(lesson.id, "es")}
        rows = history(connection, f"lesson:{lesson.id}")
        assert [(row.actor, row.action, row.detail["language"]) for row in rows] == [("Rosa Vega", "approve_lesson", "es")]
        assert broken_links(connection) == []


def test_changing_the_words_makes_them_a_draft_again(database: Database) -> None:
    lesson = ALL.lessons[0]
    words = lesson.es.model_copy(update={"title": "Otro título"})
    changed = lesson.model_copy(update={"es": words})
    with database.writing() as connection:
        reviews.approve(connection, lesson, "es", "Rosa Vega", NOW)
        assert reviews.approved(connection, type(ALL)((changed,))) == frozenset()


# -- suggestions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("places", "topics", "wanted"),
    [
        ((("ferpa", "de-identification"),), (), "student-data"),
        ((("coppa-2025", "edmodo"),), (), "student-data"),
        ((("research-ai-detectors", "makers"),), (), "honest-work"),
        ((("us-ocr-ai-discrimination-2024", "resource"),), (), "swap-test"),
        ((("deepfakes-ncii", "removal"),), (), "care"),
        ((("disability-access", "deadlines"),), (), "open-door"),
        ((("research-learning-effects", "scores"),), (), "help-or-crutch"),
        ((("ailit-2026", "final"),), (), "students-shape"),
        ((("cipa", "who"),), (), None),
        ((("environment-2026", "per-prompt"),), (), None),
        ((("signpost", "what-it-does"),), (), None),
        ((), (), None),
        ((("cipa", "who"),), ("detectors", "bias", "false positives"), "honest-work"),
    ],
)
def test_a_lesson_is_suggested_by_what_is_cited(
    places: tuple[tuple[str, str], ...], topics: tuple[str, ...], wanted: str | None
) -> None:
    found = suggest(places, topics, ALL, TODAY, 90)
    assert (found.id if found else None) == wanted


def test_a_lesson_that_was_taken_or_is_past_review_is_not_suggested() -> None:
    place = (("ferpa", "de-identification"),)
    assert suggest(place, (), ALL, TODAY, 90, done={"student-data"}) is None
    assert suggest(place, (), ALL, date(2027, 5, 24), 90) is None


# -- the migration --------------------------------------------------------------------------------------------------------


def test_the_migration_makes_exactly_the_tables_of_the_lessons(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'new.db'}")
    module = importlib.import_module("bot.store.migrations.versions.0004_literacy")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        module.upgrade()
    assert set(inspect(engine).get_table_names()) == {table.name for table in TABLES}
    engine.dispose()
