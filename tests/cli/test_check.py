"""The readiness check's commands that other programs rely on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot.cli.check import check, converse
from bot.cli.commands import cli
from bot.errors import FormatError
from bot.knowledge.library import utc_now
from bot.messages import Handling, Message, Outcome, Person, Place, Reply
from bot.readiness.conversation import Readiness
from bot.readiness.instrument import instrument
from bot.store import open_database
from bot.store.tables import audit
from tests.readiness.conftest import Clock, clock, database, make_skill  # noqa: F401

RUNNER = CliRunner()


def run(tmp_path: Path, command: str, *lines: object) -> tuple[int, list[dict[str, object]], str]:
    batch = tmp_path / "batch.jsonl"
    batch.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    done = RUNNER.invoke(check, [command, "--batch", str(batch), "--json"])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()], done.stdout


def test_a_batch_is_scored_in_order_with_exact_means(tmp_path: Path) -> None:
    examples = [{"id": e.name, "form": e.form, "answers": dict(e.answers)} for e in instrument().rules.examples]
    code, out, _ = run(tmp_path, "score", *examples)
    assert code == 0
    assert [line["id"] for line in out] == [e["id"] for e in examples]
    assert all(set(line) == {"id", "stage", "capped", "dimensions", "balance", "next"} for line in out)
    assert out[0]["dimensions"] == dict.fromkeys(instrument().rules.dimensions, "2/1")
    assert out[1]["next"] == {"dimension": "rules", "item": "e1"}
    assert out[3]["dimensions"]["data_tools"] is None  # type: ignore[index]
    assert out[5]["balance"] == {}


def test_a_batch_of_groups_says_what_is_shown(tmp_path: Path) -> None:
    lines = [{"id": n, "splits": dict(e.splits)} for n, e in enumerate(instrument().rules.group_examples)]
    code, out, _ = run(tmp_path, "suppress", *lines, {"id": "few", "splits": {"a": 2, "b": 2}})
    assert code == 0
    assert out[0] == {"id": 0, "parent_shown": True, "shown": ["principals"]}
    assert out[-1] == {"id": "few", "parent_shown": False, "shown": []}
    again = {"id": "x", "splits": {"a": 4, "b": 7, "c": 9}, "previous": {"a": 5, "b": 7, "c": 9}}
    assert run(tmp_path, "suppress", again)[1] == [{"id": "x", "parent_shown": False, "shown": []}]


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("score", {"id": 1, "form": "pulse", "answers": {"a1": 5}}),
        ("score", {"id": 1, "form": "pulse", "answers": {"a1": True}}),
        ("score", {"id": 1, "form": "pulse", "answers": {"z1": 1}}),
        ("score", {"id": 1, "form": "long", "answers": {}}),
        ("score", {"form": "pulse", "answers": {}}),
        ("suppress", {"id": 1, "splits": {"a": -1}}),
        ("suppress", {"id": 1, "splits": {"a": 9, "b": 9}, "min_group": 3}),
    ],
)
def test_a_bad_line_refuses_the_batch_and_prints_no_half_of_it(tmp_path: Path, command: str, line: dict[str, object]) -> None:
    good = {"id": 0, "form": "pulse", "answers": {"a1": 1}, "splits": {"a": 6, "b": 6}}
    code, out, _ = run(tmp_path, command, good, line)
    assert code == 2
    assert [set(found) for found in out] == [{"error"}]


def test_a_whole_check_is_taken_by_typing_with_a_question_to_the_library_in_between(
    make_skill: Callable[..., Readiness],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clock: Clock,  # noqa: F811
) -> None:
    said = iter(["begin", "2", "What is a plan?", "show", "three", "not sure", "4", "back", "1", "3", "3", "exit"])
    skill = make_skill()
    skill._clock = __import__("bot.knowledge.library", fromlist=["utc_now"]).utc_now
    monkeypatch.setattr("builtins.input", lambda _prompt: next(said))
    asked: list[str] = []

    def answer(message: Message) -> Reply:
        asked.append(message.text)
        return Reply(Outcome.NOT_COVERED, Handling.ANSWER, "The library does not cover this.", "en")

    converse(skill, answer, "quick pulse", "en")
    shown = capsys.readouterr().out
    assert asked == ["What is a plan?"]
    assert "Question 6 of 6" in shown
    assert "One move for this month" in shown
    assert "check figure --out" in shown


def test_a_translation_is_a_draft_until_someone_else_approves_exactly_these_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNPOST_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SIGNPOST_STARTER_LIBRARY", "false")
    monkeypatch.chdir(tmp_path)
    store = open_database(f"sqlite:///{tmp_path / 'signpost.db'}")

    def intro() -> str:
        skill = Readiness(store, utc_now)
        said = skill.take(Message("check", person=Person("terminal:x"), place=Place("terminal"), language="es"))
        assert said is not None
        return said.markdown

    draft = instrument().say("es", "draft")
    assert draft in intro()
    refused = RUNNER.invoke(check, ["approve", "--language", "es", "--author", "Ana Ruiz", "--as", "ana ruiz"])
    assert refused.exit_code == 2
    unknown = RUNNER.invoke(check, ["approve", "--language", "fr", "--author", "Ana Ruiz", "--as", "Ben Oak"])
    assert unknown.exit_code == 2
    assert draft in intro()
    done = RUNNER.invoke(check, ["approve", "--language", "es", "--author", "Ana Ruiz", "--as", "Ben Oak", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["reviewer"] == "Ben Oak"
    assert draft not in intro()
    with store.reading() as connection:
        assert connection.execute(select(audit.c.action)).scalars().all() == ["approve_texts"]
    store.close()


@pytest.mark.parametrize(
    ("name", "value"), [("QUIET_HOURS", "late"), ("TIME_ZONE", "Mars/Olympus"), ("TIME_ZONES", "oak"), ("NUDGES_A_WEEK", "3")]
)
def test_config_check_names_hours_zones_and_limits_that_make_no_sense(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"SIGNPOST_{name}", value)
    refused = RUNNER.invoke(cli, ["config", "check"])
    assert refused.exit_code == 2
    assert f"SIGNPOST_{name}" in refused.output


@pytest.mark.parametrize(
    "broken", ["bot.literacy.phrases.check", "bot.literacy.lessons.catalogue", "bot.readiness.instrument.instrument"]
)
def test_config_check_reads_the_lessons_and_the_instrument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    def wrong() -> None:
        raise FormatError("no such item", where="file.yaml:3")

    monkeypatch.chdir(tmp_path)
    assert RUNNER.invoke(cli, ["config", "check"]).exit_code == 0
    monkeypatch.setattr(broken, wrong)
    refused = RUNNER.invoke(cli, ["config", "check"])
    assert refused.exit_code == 2
    assert "file.yaml:3" in refused.output
