"""``signpost data``: what is kept of people, shown, found, deleted and held from the command line, with its exit statuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.commands import cli
from bot.store import open_database
from tests.personal.conftest import ANN, BEN, DAY, NOW, everything, said

HELD = ["person", BEN, "a request", "Rae"]
WORDS = "may the robot grade the essays of my class"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("SIGNPOST_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SIGNPOST_STARTER_LIBRARY", "0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.knowledge.library.utc_now", lambda: datetime.fromtimestamp(NOW + DAY / 2, UTC))
    database = open_database(f"sqlite:///{tmp_path / 'signpost.db'}")
    everything(database, ANN, 1)
    said(database, 50, ANN, WORDS)
    said(database, 51, BEN, "a question of Ben's")
    database.close()

    def invoke(*arguments: str, stdin: str = "", status: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["data", *arguments], input=stdin)
        assert result.exit_code == status, result.output
        return result

    return invoke


def test_an_export_holds_every_row_opened_and_nothing_of_others(run) -> None:  # type: ignore[no-untyped-def]
    found = json.loads(run("export", ANN, "--json").output)
    assert found["format"] == "signpost-person-1"
    assert found["person"] == ANN
    assert WORDS in [row["text"] for row in found["tables"]["utterances"]["rows"]]
    assert found["tables"]["inbox"]["rows"][-1]["answered"]["reply"]["markdown"] == f"re: {WORDS}"
    assert found["tables"]["utterances"]["kept"] == "30 days"
    assert {"readiness_events", "lesson_runs", "handoffs", "feedback", "preferences", "audit"} <= set(found["tables"])
    assert "Ben's" not in json.dumps(found)
    text = run("export", ANN).output
    assert WORDS in text
    assert run("export", "slack:T01:NOBODY", status=1).output.startswith("Nothing is held")


def test_find_says_where_and_how_often_and_never_what(run) -> None:  # type: ignore[no-untyped-def]
    found = json.loads(run("find", WORDS, "--json").output)
    assert found["tables"]["utterances.text"] == 2
    assert found["files"] == ["signpost.db"]
    typed = run("find", "-", stdin=f"{WORDS}\n").output
    assert "utterances.text: 2" in typed
    assert "robot" not in typed
    assert run("find", "nobody ever said this", status=1).output == "It occurs nowhere.\n"
    assert run("find", "-", stdin=" \n", status=2)


def test_a_person_is_deleted_and_found_nowhere_but_in_the_record(run) -> None:  # type: ignore[no-untyped-def]
    would = json.loads(run("purge", "--person", ANN, "--dry-run", "--json").output)
    assert would["deleted"]["utterances"] == 6
    gone = json.loads(run("purge", "--person", ANN, "--json").output)
    assert gone["deleted"]["utterances"] == 6
    assert gone["stays"] == {"audit": 1}
    assert gone["left"] == []
    run("find", WORDS, status=1)
    assert json.loads(run("export", ANN, "--json").output)["tables"].keys() == {"audit"}
    assert json.loads(run("export", BEN, "--json").output)["tables"]["utterances"]["rows"]


def test_old_rows_are_purged_by_days_and_a_hold_is_exit_status_1(run) -> None:  # type: ignore[no-untyped-def]
    assert "hold 1" in run("hold", "add", "person", BEN, "--reason", "a request", "--by", "Rae").output.lower()
    assert json.loads(run("purge", "--dry-run", "--json").output)["deleted"] == {}, "nothing is over yet"
    counted = json.loads(run("purge", "--older-than", "0", "--dry-run", "--json", status=1).output)
    assert counted["deleted"]["utterances"] == 6
    assert counted["held"]["utterances"] == 2
    assert json.loads(run("purge", "--older-than", "0", "--person", ANN, "--json").output)["deleted"] == counted["deleted"]
    assert run("purge", "--person", BEN, status=1).output.startswith("Nothing was deleted: hold 1")
    listed = json.loads(run("hold", "list", "--json").output)
    assert [(one["kind"], one["subject"], one["reason"], one["author"]) for one in listed] == [
        ("person", BEN, "a request", "Rae")
    ]
    run("hold", "release", "1", "--reason", "answered", "--by", "Rae")
    assert run("hold", "list").output == "No hold is in force.\n"
    assert "answered" in run("hold", "list", "--all").output
    assert json.loads(run("purge", "--json").output)["forgotten"] == 1
    run("export", BEN, status=0)
    assert "utterances" not in json.loads(run("export", BEN, "--json").output)["tables"]


def test_what_is_wrong_is_refused_with_status_2(run) -> None:  # type: ignore[no-untyped-def]
    assert "reason" in run("hold", "add", "person", ANN, status=2).stderr
    assert "one of" in run("hold", "add", "planet", "x", "--reason", "r", status=2).stderr
    assert "number 9" in run("hold", "release", "9", "--reason", "r", status=2).stderr
    assert "SIGNPOST_DATA_KEY" in run("rekey", status=2).stderr


def test_words_are_sealed_by_rekey_and_the_start_refuses_the_wrong_key(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("SIGNPOST_DATA_KEY", "a" * 40)
    assert json.loads(run("rekey", "--json").output)["utterances.text"] == 8
    assert json.loads(run("find", WORDS, "--json").output) == {
        "tables": {"inbox.answered": 1, "utterances.text": 2, "feedback.comment": 1},
        "files": [],
    }
    monkeypatch.setenv("SIGNPOST_DATA_KEY", "b" * 40)
    assert "lacks the key" in run("find", WORDS, status=2).stderr
    monkeypatch.delenv("SIGNPOST_DATA_KEY")
    assert "is not set" in run("export", ANN, status=2).stderr
