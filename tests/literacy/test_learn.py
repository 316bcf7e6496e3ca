"""``signpost learn``: the same lessons in a terminal, by typing, with sources that open."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.app import App
from bot.cli.learn import Desk, register
from bot.knowledge.library import utc_now
from bot.literacy.conversation import build

root = typer.Typer()
register(root)
root.command("other")(lambda: None)


def run(data_dir: Path, monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = "") -> tuple[int, str]:
    monkeypatch.setenv("SIGNPOST_DATA_DIR", str(data_dir))
    monkeypatch.chdir(data_dir)
    result = CliRunner().invoke(root, ["learn", *words], input=typed)
    return result.exit_code, result.output


def test_a_lesson_through_the_command_and_back_where_it_was_left(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = run(data_dir, monkeypatch, "bias", typed="next\nquit\n")
    assert code == 0
    assert "Spot bias with a swap test (2 of 3)" in out
    code, out = run(data_dir, monkeypatch, typed="resume\nnext\nnext\n3\n1\n")
    assert "(2 of 3)" in out
    assert "2 of 2 answered" in out
    code, out = run(data_dir, monkeypatch, "--list")
    assert code == 0
    assert " 6  Spot bias with a swap test (finished)" in out
    assert out.count("\n") == 24


def test_lists_and_lessons_as_json(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = run(data_dir, monkeypatch, "--list", "--json", "--language", "es")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [row["number"] for row in rows] == list(range(1, 13))
    assert all(row["draft"] and not row["finished"] for row in rows)
    code, out = run(data_dir, monkeypatch, "3", "--json")
    lesson = json.loads(out)
    assert lesson["id"] == "student-data"
    assert len(lesson["messages"]) == 3
    assert lesson["sources"]["1"]["document"] == "ferpa"


def test_approving_a_translation_needs_a_name_and_shows(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = run(data_dir, monkeypatch, "2", "--approve", "--language", "es", "--json")
    assert code == 2
    assert json.loads(out)["error"]["code"] == "verifier_missing"
    code, _ = run(data_dir, monkeypatch, "2", "--approve", "--language", "es", "--as", "Rosa Vega")
    assert code == 0
    _, out = run(data_dir, monkeypatch, "--list", "--json", "--language", "es")
    drafts = [json.loads(line)["id"] for line in out.splitlines() if json.loads(line)["draft"]]
    assert len(drafts) == 11
    assert "check-answers" not in drafts


def test_counts_are_refused_without_an_organization_and_hide_few(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(data_dir, monkeypatch, "--counts")[0] == 2
    code, out = run(data_dir, monkeypatch, "--counts", "--org", "pinecrest")
    assert code == 0
    assert out.count("fewer than 5, or none") == 12


@pytest.mark.parametrize("words", [("no-such-lesson",), ("--language", "fr"), ("--role", "king"), ("--approve",)])
def test_what_makes_no_sense_is_refused(data_dir: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    assert run(data_dir, monkeypatch, *words)[0] == 2


def test_a_number_under_a_page_opens_its_source_and_questions_go_to_the_assistant(
    data_dir: Path, make_app: Callable[..., App]
) -> None:
    app = make_app(data_dir)
    _ = app.library
    desk = Desk(app, build(app.settings, app.database, utc_now), "en", None, None)
    assert "(1 of 3)" in desk.respond("lesson 3")
    assert "reasonable person in the school community" in desk.respond("1")
    assert "names and ID numbers from student work" in " ".join(desk.respond("2").split())
    answer = desk.respond("What is the minimum age UNESCO proposes for AI in class?")
    assert "13" in answer
    assert "The lesson Keep student data out waits for you. Type 'resume' to go on" in answer
    assert "(1 of 3)" in desk.respond("resume")
