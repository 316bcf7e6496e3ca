"""A mistake in the instrument's files is named with its file and line before anything starts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import prompts
from bot.errors import FormatError, NotAllowed
from bot.knowledge.audit import broken_links
from bot.readiness.approval import approve, drafts
from bot.readiness.instrument import instrument, load
from bot.store import Database
from bot.store.tables import audit
from tests.doubles.clock import NOON


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(prompts.folder() / "readiness", tmp_path / "readiness"))


def test_an_unchanged_copy_loads_as_the_same_instrument(folder: Path) -> None:
    assert load(folder) == instrument()


def test_the_shipped_instrument_has_its_dimensions_items_and_sixty_moves() -> None:
    shipped = instrument()
    assert len(shipped.rules.dimensions) == 6
    assert [len(form.items) for form in shipped.rules.forms.values()] == [6, 15]
    assert sum(len(item.moves) for item in shipped.texts["en"].items.values()) == 60


@pytest.mark.parametrize(
    ("file", "old", "new", "line_of", "says"),
    [
        ("instrument.yaml", "minutes: 2}", "minutes: soon}", "pulse: {items", "minutes"),
        ("instrument.yaml", "min_group: 5 ", "min_group: 4 ", "  min_group: 4", "min_group"),
        ("instrument.yaml", "items: [a1, b1, c2, d1, e1, f1]", "items: [a1, a2, c2, d1, e1, f1]", "pulse: {", "each dimension"),
        ("instrument.yaml", "items: [c1, c2]", "items: [c1, a1]", "dimensions:", "two dimensions"),
        ("instrument.yaml", "b: [b4, d2]", "b: [b4, z9]", "improve_rethink: {a", "z9"),
        ("instrument.yaml", 'stages_from: ["1", "1.75"', 'stages_from: ["1", "0.75"', "stages_from", "rise"),
        ("texts.en.yaml", '      3: "Planned training', '      5: "Planned training', '      5: "Planned', "5"),
        ("texts.es.yaml", "  c2:\n", "  c9:\n", "  c9:", "c9"),
        ("messages.es.yaml", "mirar a partir del {date}.", "mirar.", 'retake: "Vuelva', "braces"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_and_line(folder: Path, file: str, old: str, new: str, line_of: str, says: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    line = next(n for n, content in enumerate(text.splitlines(), 1) if line_of in content)
    with pytest.raises(FormatError) as caught:
        load(folder)
    assert caught.value.where == f"prompts/readiness/{file}:{line}"
    assert says in str(caught.value)


def test_broken_yaml_is_named_with_its_line(folder: Path) -> None:
    path = folder / "texts.en.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[20] = '  "unclosed'
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        load(folder)
    assert caught.value.where.startswith("prompts/readiness/texts.en.yaml:2")


def test_spanish_is_a_draft_until_a_named_reviewer_who_is_not_the_author_approves_these_words(
    database: Database, folder: Path
) -> None:
    shipped = instrument()
    with database.reading() as connection:
        assert drafts(connection, shipped) == {"es"}
    with pytest.raises(NotAllowed):
        approve(database, shipped, "es", author="Ana Ruiz", reviewer="ana ruiz", now=NOON)
    with pytest.raises(NotAllowed):
        approve(database, shipped, "es", author="Ana Ruiz", reviewer=" ", now=NOON)
    approve(database, shipped, "es", author="Ana Ruiz", reviewer="Luis Gil", now=NOON)
    approve(database, shipped, "es", author="Ana Ruiz", reviewer="Luis Gil", now=NOON)
    with database.reading() as connection:
        assert drafts(connection, shipped) == frozenset()
        assert [row.action for row in connection.execute(select(audit))] == ["approve_texts"]
        assert broken_links(connection) == []
        path = folder / "texts.es.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("Explorando", "Mirando"), encoding="utf-8")
        assert drafts(connection, load(folder)) == {"es"}
