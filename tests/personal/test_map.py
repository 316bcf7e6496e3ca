"""The map names every table and column there is, and nothing else; the page says what the map says."""

from __future__ import annotations

from sqlalchemy import inspect

from bot.personal.kept import Kept, Link
from bot.personal.links import table_of
from bot.personal.map import KEPT, NOTHING_OF_PEOPLE
from bot.personal.rekeying import sealed_columns
from bot.settings import Settings
from bot.store import Database
from tests.privacy_page import PAGE, PART, tables

OWNERS = ("person", "author", "actor", "verifier", "reviewer", "_by")
"""How columns are called that name a person."""


def test_every_table_of_the_database_is_on_the_map_and_the_map_names_no_other(store: Database) -> None:
    there = set(inspect(store.engine).get_table_names()) - {"alembic_version"}
    assert set(KEPT) | set(NOTHING_OF_PEOPLE) == there
    assert not set(KEPT) & set(NOTHING_OF_PEOPLE)


def test_every_column_of_a_table_with_people_in_it_is_named_once(store: Database) -> None:
    for kept in KEPT.values():
        there = [column["name"] for column in inspect(store.engine).get_columns(kept.table)]
        assert sorted([*kept.columns, *kept.other]) == sorted(there), kept.table


def test_a_table_that_names_people_is_not_among_those_that_do_not(store: Database) -> None:
    for name in NOTHING_OF_PEOPLE:
        for column in inspect(store.engine).get_columns(name):
            assert not column["name"].endswith(OWNERS), f"{name}.{column['name']}"


def test_every_link_leads_somewhere() -> None:
    def check(kept: Kept, link: Link) -> None:
        assert link.column in table_of(kept.table).c, kept.table
        if link.table:
            assert {link.key, link.then} <= set(table_of(link.table).c.keys()), kept.table
        elif kept.person and link in kept.person:
            assert link.column in kept.columns, kept.table

    for kept in KEPT.values():
        assert kept.person, kept.table
        for link in (*kept.person, *([kept.organization] if kept.organization else [])):
            check(kept, link)
        for text in (kept.why, kept.days, kept.seen, kept.gone, *kept.columns.values()):
            assert text.strip()


def test_what_the_map_calls_sealed_is_sealed_and_the_other_way_round() -> None:
    named = {(kept.table, column) for kept in KEPT.values() for column in kept.sealed}
    assert named == {(table.name, column.name) for table, column in sealed_columns()}


def test_the_settings_that_the_map_names_exist_with_the_default_it_gives() -> None:
    import re

    for kept in KEPT.values():
        for name, default in re.findall(r"`SIGNPOST_(\w+)` \((\d+)\)", kept.days):
            assert Settings.model_fields[name.lower()].default == int(default), kept.table


def test_the_page_shows_the_map() -> None:
    found = PART.search(PAGE.read_text(encoding="utf-8"))
    assert found
    assert found[0] == f"<!-- map -->\n\n{tables()}\n<!-- /map -->", "run python -m tests.privacy_page"
