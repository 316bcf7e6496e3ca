"""A cabinet of six takes the check together, from the list of names to the shared result and one who wants to be forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from bot.app import App
from bot.cli.check import check
from bot.knowledge.library import utc_now
from bot.messages import Action, Message, Person, Place, Reply
from bot.store.outbox_tables import outbox
from bot.store.packed import unpack_answered

CABINET = ("Annika", "Benno", "Cleome", "Devika", "Evander", "Fayette")
ANSWERS = ("321321", "232132", "413241", "122334", "344123", "211432")
CHANNEL = "slack:T1:C9"

Run = Callable[..., Result]


@pytest.fixture
def run(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SIGNPOST_DATA_DIR", str(data_dir))
    monkeypatch.chdir(data_dir)
    return lambda *arguments: CliRunner().invoke(check, ["group", *arguments])


@pytest.fixture
def app(data_dir: Path, run: Run) -> Iterator[App]:
    made = App()
    yield made
    made.close()


def cabinet(folder: Path) -> Path:
    rows = [f"web:{name},{'technology' if name == 'Fayette' else 'cabinet'},district" for name in CABINET]
    path = folder / "cabinet.csv"
    path.write_text("\n".join(["person,role_group,school_level", *rows, ""]), encoding="utf-8")
    return path


class Taker:
    """One of them, in the web chat."""

    def __init__(self, app: App, name: str) -> None:
        self._app, self._person, self._place = app, Person(f"web:{name}"), Place("web", "local", name)
        self.reply: Reply | None = None

    def says(self, text: str, action: Action | None = None) -> Reply:
        self.reply = self._app.turn.take(Message(text, person=self._person, place=self._place, action=action, at=utc_now())).reply
        return self.reply

    def presses(self, label: str) -> Reply:
        assert self.reply is not None
        found = [choice.value for choice in self.reply.choices if choice.label == label]
        assert found, f"no {label!r} under: {self.reply.markdown}"
        return self.says(label, Action(found[0]))


def refused(result: Result, because: str) -> bool:
    return result.exit_code == 2 and because in result.output


def printed(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_cabinet_of_six_from_the_list_of_names_to_the_shared_result(run: Run, app: App, tmp_path: Path) -> None:
    made = printed(run("create", "Cabinet", "--members", str(cabinet(tmp_path)), "--form", "pulse", "--as", "Ann", "--json"))
    group = made["id"]
    assert made["invites"] == {"cabinet": 5, "technology": 1}
    assert group in run("list").output
    foreseen = run("preview", group).output
    assert "everyone together: shown" in foreseen
    assert "technology (1): not shown" in foreseen
    assert refused(run("show", group), "no round of this group is published yet")

    assert "published once" in run("open", group).output
    assert refused(run("open", group), "open already")
    for name, levels in zip(CABINET, ANSWERS, strict=True):
        taker = Taker(app, name)
        taker.says("check")
        assert 'group round "Cabinet"' in taker.presses("Quick pulse").markdown
        taker.presses("Begin")
        for level in levels:
            taker.presses(level)
        assert taker.reply is not None
        assert taker.reply.fixed == "readiness.result"
    assert refused(run("show", group), "no round of this group is published yet"), "nothing is shown while it is open"

    app.rounds.tick(utc_now() + timedelta(days=15))
    shown = run("show", group, "--out", str(tmp_path / "cabinet.png")).output
    assert "5 to 9" in shown
    assert "mean" not in shown, "of so few people stages only"
    assert not any(name in shown for name in CABINET)
    assert (tmp_path / "cabinet.png").read_bytes().startswith(b"\x89PNG")
    assert run("show", group, "--out", str(tmp_path / "cabinet.html")).exit_code == 0
    assert 'scope="row"' in (tmp_path / "cabinet.html").read_text(encoding="utf-8")

    seen = printed(run("share", group, "--to", CHANNEL, "--json"))
    assert refused(run("share", group, "--to", CHANNEL, "--code", "0" * 32), "not the code")
    assert queued(app) == []
    assert run("share", group, "--to", CHANNEL, "--code", seen["code"]).exit_code == 0
    assert refused(run("share", group, "--to", CHANNEL, "--code", seen["code"]), "shared here before")
    [(conversation, reply)] = queued(app)
    assert (conversation, reply.markdown) == (CHANNEL, seen["text"])
    assert reply.picture is not None

    gone = Taker(app, "Benno")
    gone.says("forget me")
    gone.presses(gone.reply.choices[0].label)  # type: ignore[union-attr]
    assert printed(run("show", group, "--json"))["text"] == seen["text"], "what was published stays as it was"


def queued(app: App) -> list[tuple[str, Reply]]:
    """What waits for a channel."""
    with app.database.reading() as connection:
        rows = connection.execute(select(outbox).where(outbox.c.kind == "readiness.round")).all()
    return [(row.conversation, unpack_answered(row.reply).reply) for row in rows]


@pytest.mark.parametrize(
    ("lines", "because"),
    [
        ("name,role\n", ":1: the first line names the columns"),
        ("person,role_group,school_level\n", "nobody stands in it"),
        ("person,role_group,school_level\nAnn,cabinet,district\n", ":2: a person is written"),
        ("person,role_group,school_level\nweb:Ann,boss,district\n", ":2: role_group is one of: cabinet"),
        ("person,role_group,school_level\nweb:Ann,cabinet\n", ":2: school_level is one of"),
        ("person,role_group,school_level\nweb:Ann,cabinet,high\nweb:Ann,cabinet,high\n", ":3: web:Ann stands here twice"),
    ],
)
def test_a_list_with_a_mistake_makes_no_group_and_names_the_line(run: Run, tmp_path: Path, lines: str, because: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(lines, encoding="utf-8")
    assert refused(run("create", "G", "--members", str(path)), because)
    assert run("list").output.strip() == "There are no groups yet."


def test_what_cannot_be_is_refused_in_words(run: Run, tmp_path: Path) -> None:
    members = str(cabinet(tmp_path))
    assert refused(run("create", "G", "--members", members, "--every", "daily"), "--every is one of: once, monthly, quarterly")
    assert refused(run("create", "G", "--members", members, "--min-group", "4"), "never lowered")
    assert refused(run("create", "G", "--members", str(tmp_path / "none.csv")), "there is no file")
    for command in (("preview", "x"), ("open", "x"), ("show", "x"), ("share", "x", "--to", CHANNEL)):
        assert refused(run(*command), "there is no such group"), command
    assert refused(run("share", "x", "--to", "slack:T1:U7"), "a channel is written")
