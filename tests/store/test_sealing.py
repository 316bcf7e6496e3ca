"""People's words are sealed where a key is set: unreadable without it, readable after it changes, never garbage."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.adapters.slack.installations import PURPOSE
from bot.errors import ConfigurationError
from bot.personal.forgetting import forget_person
from bot.personal.rekeying import rekey
from bot.personal.search import in_files, in_tables
from bot.store import Database, open_database
from bot.store.conversations import history, last_reply
from bot.store.packed import unpack_answered
from bot.store.sealing import MARK, KeyRing, Seal, sealed
from tests.conftest import settings_for
from tests.personal.conftest import ANN, NOW, everything, said

OLD, NEW, OTHER = "o" * 40, "n" * 40, "x" * 40
TALK = f"slack:T01:D{ANN[-3:]}"
WORDS = "may the robot grade the essays of my class"


def opened(folder: Path, *keys: str) -> Database:
    return open_database(f"sqlite:///{folder / 'signpost.db'}", keys)


def raw(folder: Path, query: str) -> list[str]:
    with sqlite3.connect(folder / "signpost.db") as plain:
        return [row[0] for row in plain.execute(query)]


def test_words_are_sealed_on_the_disk_and_open_for_the_house(tmp_path: Path) -> None:
    database = opened(tmp_path, OLD)
    everything(database, ANN)
    said(database, 9, ANN, WORDS)
    assert [line.text for line in history(database, TALK, 2)] == [WORDS, f"re: {WORDS}"]
    packed = last_reply(database, TALK)
    assert packed is not None
    assert unpack_answered(packed).reply.markdown == f"re: {WORDS}"
    assert in_files(database, tmp_path, [WORDS, "please ask about robots", f"no, {WORDS}"]) == {}
    for column in ("utterances.text", "feedback.comment", "handoffs.question", "inbox.answered"):
        table, _, name = column.partition(".")
        stored = [value for value in raw(tmp_path, f"SELECT {name} FROM {table}") if value]
        assert stored
        assert all(sealed(value) for value in stored), column
    with database.reading() as connection:
        assert in_tables(connection, WORDS)["utterances.text"] == 2
    assert forget_person(database, tmp_path, ANN, NOW).left == ()
    database.close()


def test_rows_from_before_stay_readable_and_are_sealed_by_rekey(tmp_path: Path) -> None:
    plain = opened(tmp_path)
    said(plain, 1, ANN, WORDS)
    plain.close()
    database = opened(tmp_path, OLD)
    assert history(database, TALK)[0].text == WORDS
    assert in_files(database, tmp_path, [WORDS])
    assert rekey(database) == {"inbox.answered": 1, "utterances.text": 2, "feedback.comment": 1}
    assert rekey(database) == {}
    assert in_files(database, tmp_path, [WORDS]) == {}
    assert history(database, TALK)[0].text == WORDS
    database.close()


def test_a_key_is_changed_by_naming_both_and_rewriting(tmp_path: Path) -> None:
    first = opened(tmp_path, OLD)
    said(first, 1, ANN, WORDS)
    first.close()
    both = opened(tmp_path, NEW, OLD)
    said(both, 2, ANN, "and the next one after that")
    assert history(both, TALK)[0].text == WORDS
    assert rekey(both)["utterances.text"] == 2
    both.close()
    alone = opened(tmp_path, NEW)
    assert history(alone, TALK)[0].text == WORDS
    alone.close()
    with pytest.raises(ConfigurationError):
        opened(tmp_path, OLD)


def test_a_wrong_or_missing_key_stops_the_start_and_says_which(tmp_path: Path) -> None:
    database = opened(tmp_path, OLD)
    said(database, 1, ANN, WORDS)
    database.close()
    name = KeyRing((OLD,)).first.name
    for keys in ((), (OTHER,)):
        with pytest.raises(ConfigurationError, match=name):
            opened(tmp_path, *keys)
    opened(tmp_path, OTHER, OLD).close()


def test_sealed_words_are_opened_for_good_before_the_key_is_taken_away(tmp_path: Path) -> None:
    database = opened(tmp_path, OLD)
    said(database, 1, ANN, WORDS)
    assert rekey(database, plain=True)["utterances.text"] == 2
    database.close()
    plain = opened(tmp_path)
    assert history(plain, TALK)[0].text == WORDS
    with pytest.raises(ConfigurationError):
        rekey(plain)
    plain.close()


def test_a_text_that_was_changed_or_belongs_to_another_key_is_refused_not_guessed() -> None:
    ring = KeyRing((OLD,))
    stored = ring.close(WORDS)
    for bad in (stored[:-4] + "AAAA", KeyRing((OTHER,)).close(WORDS), f"{MARK}{ring.first.name}:"):
        with pytest.raises(ConfigurationError):
            ring.open(bad)
    with pytest.raises(ConfigurationError):
        KeyRing(("short",))


@given(st.text())
def test_any_text_comes_back_as_it_was(text: str) -> None:
    ring = KeyRing((NEW, OLD))
    assert ring.open(ring.close(text)) == text
    assert ring.is_current(ring.close(text))
    assert ring.open(KeyRing((OLD,)).close(text)) == text


def test_a_person_cannot_write_what_looks_sealed(tmp_path: Path) -> None:
    database = opened(tmp_path)
    said(database, 1, ANN, f"{MARK}0000:nothing")
    assert history(database, TALK)[0].text == f"{MARK}0000:nothing"[1:]
    database.close()
    again = opened(tmp_path, OLD)
    assert history(again, TALK)[0].text == f"{MARK}0000:nothing"[1:]
    again.close()


def test_the_slack_tokens_of_before_open_with_the_shared_seal() -> None:
    token = b"gAAAAABpNn0AAAECAwQFBgcICQoLDA0OD3Yb"
    assert Seal("k" * 40, PURPOSE).open(token) is None
    assert Seal("k" * 40, PURPOSE).open(Seal("k" * 40, PURPOSE).close("xoxb")) == "xoxb"
    assert Seal("k" * 40, b"signpost data").open(Seal("k" * 40, PURPOSE).close("xoxb")) is None


def test_short_keys_are_refused_by_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="32 characters"):
        settings_for(tmp_path, data_key=f"{OLD},short")
    assert settings_for(tmp_path, data_key=f"{NEW}, {OLD}").data_keys == (NEW, OLD)
    assert settings_for(tmp_path).data_keys == ()
