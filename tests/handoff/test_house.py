"""Hand-offs over the whole application: the terminal, the command line, the draft in the library, retention."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot.adapters.terminal import PERSON, Terminal
from bot.app import App
from bot.cli.commands import cli
from bot.errors import NotAllowed
from bot.handoff import cases
from bot.knowledge.library import utc_now
from bot.messages import Message, Person, Place
from bot.store import outbox
from bot.store.handoff_tables import handoff_lines, handoffs

HELPER = Person("slack:T01:U0BEN", name="Ben Ortiz")


@pytest.fixture
def app(data_dir: Path, make_app: Callable[..., App]) -> App:
    return make_app(data_dir, handoff_slack_channel="C09", handoff_name="the AI help desk", contact="Dana Reed, ext. 12")


def terminal(app: App) -> Terminal:
    return Terminal(app.ask, app.database, None, lambda: app.outbox.shown(PERSON, "terminal"))


def posted(app: App) -> Any:
    """The question stands in the helpers' thread."""
    with app.database.writing() as connection:
        case = connection.execute(select(handoffs)).one()
        cases.posted(connection, case.id, "1.1", "slack:T01:C09:1.1", {"channel": "C09", "thread": "1.1"}, "C09", case.created_at)
        return cases.find(connection, case.id)


def helped(app: App, text: str = "Yes. Use the form on the intranet.") -> None:
    """A helper writes in the thread."""
    place = Place("slack", "T01", "C09", "1.1", "channel")
    between = app.handoff.between(Message(text, person=HELPER, place=place, at=utc_now()))
    assert between is not None
    assert "Passed on" in between.reply.markdown


def test_from_the_terminal_to_the_helpers_and_back_at_the_next_start(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    mine = terminal(app)
    mine.respond("Who at Hillview approves AI tools for the robotics club?")
    assert "the AI help desk" in mine.respond("person")
    assert "Which name" in mine.respond("Send with my name")
    assert "as Ana Ruiz" in mine.respond("Ana Ruiz")
    case = posted(app)
    assert (case.name, case.state, case.platform) == ("Ana Ruiz", "open", "terminal")
    with app.database.reading() as connection:
        [ask] = outbox.due(connection, ("slack",), utc_now().timestamp())
    assert "Asked by Ana Ruiz." in ask.reply
    helped(app)
    later = terminal(app)
    later._catch_up()
    shown = capsys.readouterr().out
    assert "answers your question" in shown
    assert "Yes. Use the form on the intranet." in shown
    assert "1. Resolved" in shown
    assert "Good." in later.respond("1")
    later._catch_up()
    assert capsys.readouterr().out == ""
    with app.database.reading() as connection:
        assert cases.find(connection, case.id).state == "resolved"  # type: ignore[union-attr]


def test_words_of_a_crisis_are_no_name(app: App) -> None:
    mine = terminal(app)
    mine.respond("Who at Hillview approves AI tools for the robotics club?")
    mine.respond("person")
    mine.respond("Send with my name")
    assert "988" in mine.respond("I want to kill myself")
    with app.database.reading() as connection:
        assert connection.execute(select(handoffs.c.state, handoffs.c.name)).one() == ("offered", "")


def test_a_question_that_no_server_took_up_is_given_up_with_the_contact(app: App) -> None:
    mine = terminal(app)
    mine.respond("Who at Hillview approves AI tools for the robotics club?")
    mine.respond("person")
    mine.respond("Send without my name")
    app.handoff_tending.tend(utc_now())
    assert app.outbox.shown(PERSON, "terminal") == []
    later = utc_now() + timedelta(minutes=16)
    app.handoff_tending.tend(later)
    with app.database.reading() as connection:
        [waiting] = outbox.due_for(connection, PERSON, "terminal", later.timestamp())
        assert outbox.due(connection, ("slack",), later.timestamp()) == []
    assert "Dana Reed, ext. 12" in waiting.reply
    assert "Try again" in waiting.reply


def test_without_a_channel_the_contact_is_named_as_before(data_dir: Path, make_app: Callable[..., App]) -> None:
    bare = make_app(data_dir, contact="Dana Reed, ext. 12")
    mine = terminal(bare)
    assert "Dana Reed, ext. 12" in mine.respond("person")
    assert "Dana Reed, ext. 12" in mine.respond("help me reach somebody")


def test_an_exchange_becomes_a_draft_that_only_another_person_can_approve(app: App) -> None:
    mine = terminal(app)
    mine.respond("May we record a class with an AI note taker at Hillview?")
    mine.respond("person")
    mine.respond("Send without my name")
    case = posted(app)
    with pytest.raises(NotAllowed):
        app.handoff.helping.draft(case.id, "Ben Ortiz")
    helped(app, "Only with the consent form.\n\n# Not a heading <b>bold</b> [x](http://y)")
    version = app.handoff.helping.draft(case.id, "Ben Ortiz")
    assert app.handoff.helping.draft(case.id, "Somebody Else") == version
    made = app.library.show(version)
    assert (made.state, made.author) == ("draft", "Ben Ortiz")
    assert "Only with the consent form." in made.text
    assert made.front.title == "May we record a class with an AI note taker at Hillview?"
    assert app.library.pointer("base") == 1
    app.library.submit(version, "Ben Ortiz")
    with pytest.raises(NotAllowed, match="author"):
        app.library.approve(version, "Ben Ortiz")
    assert app.library.approve(version, "Rosa Diaz").state == "published"


def test_the_command_line_lists_shows_drafts_and_closes(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = terminal(app)
    mine.respond("May we record a class with an AI note taker at Hillview?")
    mine.respond("person")
    mine.respond("Send without my name")
    case = posted(app)
    monkeypatch.setenv("SIGNPOST_DATA_DIR", str(app.settings.data_dir))
    monkeypatch.setenv("SIGNPOST_HANDOFF_SLACK_CHANNEL", "C09")

    def run(*arguments: str) -> tuple[int, Any]:
        done = CliRunner().invoke(cli, ["handoff", *arguments, "--json"])
        return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]

    code, [line] = run("list")
    assert code == 0
    assert (line["id"], line["state"], line["asked_by"]) == (case.id, "open", None)
    assert run("list", "--state", "closed") == (0, [])
    assert run("list", "--state", "nonsense")[0] == 2
    assert run("draft", case.id, "--author", "Rosa")[1][0]["error"]["code"] == "no_answer"
    helped(app)
    assert run("show", case.id)[1][0]["lines"][0]["text"] == "Yes. Use the form on the intranet."
    assert run("resolve", case.id)[1][0]["state"] == "closed"
    assert run("resolve", case.id)[1][0]["error"]["code"] == "wrong_state"
    assert run("show", "nothing")[1][0]["error"]["code"] == "not_found"


def test_hand_offs_are_forgotten_with_the_conversations(app: App) -> None:
    mine = terminal(app)
    mine.respond("May we record a class with an AI note taker at Hillview?")
    mine.respond("person")
    mine.respond("Send without my name")
    posted(app)
    helped(app)
    app.handoff_tending.tend(utc_now() + timedelta(days=app.settings.keep_handoff_days - 1))
    with app.database.reading() as connection:
        assert connection.execute(select(handoffs)).all()
    app.handoff_tending.tend(utc_now() + timedelta(days=app.settings.keep_handoff_days + 1))
    with app.database.reading() as connection:
        assert connection.execute(select(handoffs)).all() == []
        assert connection.execute(select(handoff_lines)).all() == []
