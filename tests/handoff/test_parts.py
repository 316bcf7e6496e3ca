"""The parts of a hand-off alone: what asks for a person, what is passed on, whose channel, the words, the tables."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import create_engine, inspect, text

from bot.adapters.markdown_tree import parse
from bot.adapters.markdown_tree import text as plain_text
from bot.errors import ConfigurationError
from bot.handoff.cards import quoted
from bot.handoff.channels import HelperChannels
from bot.handoff.desk import parsed, shown_name
from bot.handoff.passing import passing
from bot.handoff.words import Words, asks_for_person, stops, words
from bot.messages import Place
from bot.store.handoff_tables import TABLES
from tests.handoff.bench import settings_of


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("help me reach somebody", "en"),
        ("Can I talk to a real person, please?", "en"),
        ("I need a human", "en"),
        ("is anyone there", "en"),
        ("Necesito hablar con alguien", "es"),
        ("¿Hay una persona aquí?", "es"),
        ("Can a person grade this essay?", ""),
        ("a person typed this", ""),
        ("help", ""),
        ("may I use it for someone", ""),
        ("", ""),
    ],
)
def test_what_asks_for_a_person_and_nothing_else(said: str, language: str) -> None:
    assert asks_for_person(said) == language


def test_never_mind_is_understood_in_both_languages() -> None:
    assert stops("Never mind.")
    assert stops("Déjalo")
    assert not stops("no, I meant the other form")


def test_both_languages_fill_in_the_same_blanks() -> None:
    import re

    def blanks(value: object) -> list[str]:
        return sorted(re.findall(r"\{\w+\}", value)) if isinstance(value, str) else []

    en, es = words("en"), words("es")
    for name in Words.model_fields:
        assert blanks(getattr(en, name)) == blanks(getattr(es, name)), name


def test_published_contacts_and_links_stay_and_students_do_not() -> None:
    contact = "Dana Reed, dana@oak.org, 555-201-3344"
    said = f"Ask {contact}. See https://oak.org/ai. My student Timmy Jones (timmy@home.net) got a D."
    passed = passing(said, "US", (contact, ""))
    assert f"Ask {contact}. See https://oak.org/ai." in passed.text
    for secret in ("Timmy", "Jones", "timmy@home.net"):
        assert secret not in passed.text
    assert "a name" in passed.hidden("en")
    assert passing("Yes, for drafts.", "US", (contact,)).hidden("en") == ""


@given(st.text(max_size=200))
def test_nothing_a_person_writes_formats_links_or_breaks_out_of_its_quote(written: str) -> None:
    blocks = parse(quoted(written), frozenset())
    shown = plain_text(blocks)
    for word in ("".join(c if c.isalnum() else " " for c in written)).split():
        assert word in shown
    assert all(type(block).__name__ == "Quote" for block in blocks if plain_text((block,)).strip()), blocks


@pytest.mark.parametrize("given", ["*Ann* <b>Lee</b>", "<!channel> Ann Lee", "Ann\nLee [x](y)"])
def test_a_name_is_shown_without_anything_that_formats_or_calls(given: str) -> None:
    assert not set(shown_name(given)) & set("*<>[]!\n")
    assert "Ann" in shown_name(given)


def test_a_name_without_letters_is_none() -> None:
    assert shown_name(" ... 123 ") == ""


def test_a_buttons_value_says_what_it_means_and_others_are_not_ours() -> None:
    assert parsed("signed/handoff:send:ab") == ("signed", "ab")
    assert parsed("handoff:send:ab") == ("send", "ab")
    assert parsed("signed/handoff:draft:ab") == ("draft", "ab")
    assert parsed("why:ab") == ("", "")


def channels(folder: Path, **changes: Any) -> HelperChannels:
    return HelperChannels(settings_of(folder, **changes))


def test_a_question_stays_in_its_workspace_and_its_tenant(tmp_path: Path) -> None:
    many = {"slack_client_id": "1.2", "handoff_slack_channel": "T01/C01 T02/C02", "handoff_teams_channel": "aa/19:x@thread.tacv2"}
    found = channels(tmp_path, **many, teams_tenant_id="aa")

    def goes(platform: Any, team: str) -> str | None:
        channel = found.for_asker(Place(platform, team))
        return channel.channel if channel else None

    assert (goes("slack", "T01"), goes("slack", "T02"), goes("slack", "T03")) == ("C01", "C02", None)
    assert (goes("teams", "aa"), goes("teams", "bb")) == ("19:x@thread.tacv2", None)
    assert goes("web", "") == "C01"


def test_without_a_channel_there_is_none(tmp_path: Path) -> None:
    none = channels(tmp_path, handoff_slack_channel="")
    assert not none
    assert none.for_asker(Place("web")) is None


def test_channels_that_are_none_are_refused(tmp_path: Path) -> None:
    for wrong in ("#help", "T01/help", "19:x"):
        with pytest.raises(ValidationError):
            settings_of(tmp_path, handoff_slack_channel=wrong)
    with pytest.raises(ValidationError):
        settings_of(tmp_path, handoff_teams_channel="C01")
    with pytest.raises(ConfigurationError, match="many workspaces"):
        channels(tmp_path, slack_client_id="1.2", handoff_slack_channel="C01")


def test_the_migration_replaces_the_table_that_was_never_used(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'old.db'}")
    module = next(
        importlib.import_module(f"bot.store.migrations.versions.{path.stem}")
        for path in Path(importlib.import_module("bot.store.migrations").__file__ or "").parent.glob("versions/*_handoffs.py")
    )
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        connection.execute(text("CREATE TABLE handoffs (id TEXT PRIMARY KEY, helper_reply TEXT)"))
        module.upgrade()
    names = {column["name"] for column in inspect(engine).get_columns("handoffs")}
    assert "wants_until" in names
    assert "helper_reply" not in names
    assert {table.name for table in TABLES} <= set(inspect(engine).get_table_names())
    engine.dispose()
