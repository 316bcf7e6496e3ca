"""The guardrails in the turn: the organization's policy and contacts, the label of a model's part, the alarm of a crisis."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.app import App
from bot.errors import ConfigurationError
from bot.knowledge.embedding import MiniLM
from bot.messages import Citation, Handling, Message, Outcome, Person, Place, Reply
from bot.settings import Settings
from bot.store import Database
from bot.store.outbox_tables import outbox
from bot.store.packed import unpack_answered
from bot.turn import Turn
from bot.turn.alarm import Alarm
from bot.turn.guards import Guards
from tests.conftest import settings_for
from tests.doubles.inbox import open_store
from tests.test_turn import Assistant

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
CRISIS = "my student Zorblatt just told me she wants to die"
QUOTE = Citation(1, "d", "d@1", "s", "p", "T", "P", "", "2025", "2026", "Ann Lee", "national", "A quote.", 0, 8)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = open_store(tmp_path)
    yield database
    database.close()


def guards(settings: Settings) -> Guards:
    return Guards(MiniLM(1), settings, lambda: ())


def asked(text: str, **parts: object) -> Message:
    return Message(text, person=Person("slack:T1:U7"), place=Place("slack", "T1", "C9", "5.0"), at=NOW, **parts)  # type: ignore[arg-type]


def test_an_organizations_contacts_offices_and_rules_hold_in_the_turn(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "oak.yaml").write_text(
        "contacts: {crisis: 'Ms. Bell, room 4', general: the help desk, offices: {never.grading: the registrar}}\n"
        "patterns: {scope.elsewhere: ['\\bbus routes?\\b']}\n",
        encoding="utf-8",
    )
    seen = guards(settings_for(tmp_path, policy_dir=folder, crisis_contact="the district line"))
    for organization, contact in (("oak", "Ms. Bell, room 4"), (None, "the district line")):
        reply = seen.screen(asked(CRISIS, organization=organization)).reply
        assert reply is not None
        assert contact in reply.markdown
    assert seen.screen(asked("when do the bus routes change", organization="oak")).own
    assert not seen.screen(asked("what's the weather tomorrow", organization="oak")).own
    reply = seen.screen(asked("grade this essay for me", organization="oak")).reply
    assert reply is not None
    assert "the registrar" in reply.markdown
    assert seen.screen(asked("who decides the AI bus route", organization="oak")).rule == "scope.elsewhere"
    assert seen.screen(asked("who decides the AI bus route")).rule is None


@pytest.mark.parametrize(("model", "citations", "labelled"), [("m", (QUOTE,), 1), (None, (QUOTE,), 0), ("m", (), 0)])
def test_what_a_model_chose_is_labelled(
    tmp_path: Path, model: str | None, citations: tuple[Citation, ...], labelled: int
) -> None:
    reply = Reply(Outcome.ANSWERED, Handling.ANSWER, "> A quote.", "en", citations=citations)
    shown = guards(settings_for(tmp_path)).inspect(reply, asked("x"), model)
    assert len(shown.notices) == labelled


def rows(store: Database) -> list[tuple[str, str, bool, str]]:
    with store.reading() as connection:
        found = connection.execute(select(outbox).order_by(outbox.c.id)).all()
    return [(r.person, r.conversation, bool(r.at_once), unpack_answered(r.reply).reply.markdown) for r in found]


def test_a_crisis_is_told_once_to_whom_the_settings_name_without_words_or_names(tmp_path: Path, store: Database) -> None:
    settings = settings_for(tmp_path, crisis_notify="slack:T1:U1 oak=slack:T1:C2 elm=teams:X:29:abc")
    turn = Turn(
        Assistant(), store, settings, lambda: NOW, screen=guards(settings).screen, alarm=Alarm(store, settings, lambda: NOW)
    )
    for _ in range(3):  # the same message, tried again
        assert turn.walk(asked(CRISIS, organization="oak"), "").answered.reply.handling is Handling.CRISIS
    told = rows(store)
    assert [(person, place, at_once) for person, place, at_once, _ in told] == [
        ("slack:T1:U1", "", True),
        ("", "slack:T1:C2", True),
    ]
    for _, _, _, text in told:
        assert "2026-11-26 09:30" in text
        assert "U7" not in text
        assert "Zorblatt" not in text
    turn.walk(replace(asked("what is FERPA"), at=NOW), "")
    assert len(rows(store)) == 2
    turn.walk(replace(asked(CRISIS), at=datetime(2026, 11, 26, 9, 31, tzinfo=UTC)), "")
    assert len(rows(store)) == 3


def test_an_alarm_that_fails_or_has_nobody_to_tell_does_not_hold_up_the_crisis_text(
    tmp_path: Path, store: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(message: Message, rule: str) -> None:
        raise OSError(message.text)

    settings = settings_for(tmp_path)
    for alarm in (broken, Alarm(store, settings, lambda: NOW)):
        turn = Turn(Assistant(), store, settings, lambda: NOW, screen=guards(settings).screen, alarm=alarm)
        assert turn.walk(asked(CRISIS), "").answered.reply.handling is Handling.CRISIS
    assert not rows(store)
    assert "incident" in caplog.text
    assert "nobody is set to be told" in caplog.text
    assert "Zorblatt" not in caplog.text


@pytest.mark.parametrize("value", ["U123", "slack:U1", "email:a:b", "oak=", "slack:T1:U1 x"])
def test_recipients_are_checked_when_the_settings_are_read(tmp_path: Path, value: str) -> None:
    with pytest.raises(ValueError, match="platform:team:id"):
        settings_for(tmp_path, crisis_notify=value)


def test_a_model_that_fails_to_load_ahead_ends_no_thread_and_leaves_the_others_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder, loaded = MiniLM(1), threading.Event()
    faults: list[object] = []

    def broken() -> None:
        raise ConfigurationError("minilm.onnx: the file is not the one this release was tested with (hash differs)")

    monkeypatch.setattr(embedder, "load", broken)
    monkeypatch.setattr("bot.assistant.cross_encoder.CrossEncoder.load", lambda _: loaded.set())  # the last of them
    monkeypatch.setattr(threading, "excepthook", faults.append)
    app = App(settings_for(tmp_path))
    app.__dict__["embedder"] = embedder
    app.load_ahead()
    assert loaded.wait(30)
    assert faults == []
