"""The same library on PostgreSQL, a server of this test's own on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import App
from bot.errors import NotAllowed
from bot.knowledge.checks import verify
from bot.knowledge.intake import Described
from bot.messages import Message, Outcome
from bot.personal import holds
from bot.personal.forgetting import forget_person
from bot.personal.rekeying import rekey
from bot.personal.retention import purge
from bot.personal.search import in_tables
from bot.store import open_database
from tests.conftest import settings_for
from tests.personal.conftest import ANN, BEN, NOW, everything

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not os.environ.get("SIGNPOST_TEST_SERVICES"), reason="needs a PostgreSQL server's programs; .ci/run installs them"
    ),
]


def programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert found, "PostgreSQL's server programs are not installed"
    return found[-1].parent


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pg")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    as_user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        for parent in (folder.parent, folder.parent.parent):
            parent.chmod(0o755)
        as_user = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"

    def run(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, capture_output=True, cwd="/")

    run(str(programs() / "initdb"), "-D", str(data), "-A", "trust", "-U", "signpost", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    run(str(programs() / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://signpost@127.0.0.1:{port}/postgres"
    finally:
        run(str(programs() / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")


def test_the_library_lives_the_same_life_on_postgresql(url: str, tmp_path: Path) -> None:
    app = App(settings_for(tmp_path, database_url=url))
    answered = app.ask(Message("When did the amended COPPA rule take effect?"))
    assert answered.reply.outcome is Outcome.ANSWERED
    page = tmp_path / "a.md"
    page.write_text("# Zorblatt rule\n\n## Sleeping tablets\n\nZorblatt tablets sleep at nine.\n", encoding="utf-8")
    version = app.take_in(page, Described(), author="Ann", organization=None).version.id
    app.library.submit(version, "Ann")
    with pytest.raises(NotAllowed):
        app.library.approve(version, "Ann")
    app.library.approve(version, "Ben")
    question = Message("when do Zorblatt tablets sleep")
    assert any("Zorblatt" in c.quote for c in app.ask(question).reply.citations)
    app.library.erase(version, "Ben", "over")
    assert not any("Zorblatt" in c.quote for c in app.ask(question).reply.citations)
    assert verify(app.library) == []
    app.close()


def test_two_processes_may_open_a_new_database_at_once(url: str, tmp_path: Path) -> None:
    import threading

    problems: list[BaseException] = []

    def start() -> None:
        try:
            app = App(settings_for(tmp_path, database_url=url))
            assert app.library.pointer("base") >= 1
            app.close()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_what_is_kept_of_people_is_sealed_held_purged_and_deleted(url: str, tmp_path: Path) -> None:
    plain = open_database(url)
    everything(plain, ANN, 1)
    everything(plain, BEN, 51)
    plain.close()
    database = open_database(url, ("k" * 40,))
    assert rekey(database)["utterances.text"] == 8
    settings, later = settings_for(tmp_path, database_url=url), datetime.fromtimestamp(NOW, UTC) + timedelta(days=31)
    with database.writing() as connection:
        hold = holds.add(connection, "organization", "pinecrest", "a request", "Rae", NOW)
    assert purge(database, settings, later, dry_run=True).held == {"engagements": 2, "utterances": 8, "inbox": 4}
    assert forget_person(database, tmp_path, ANN, NOW).held is not None
    with database.writing() as connection:
        holds.release(connection, hold.number, "Rae", "answered", NOW)
    done = forget_person(database, tmp_path, ANN, NOW)
    assert (done.left, done.stays, done.deleted["utterances"]) == ((), {"audit": 1}, 4)
    assert purge(database, settings, later).deleted["utterances"] == 4
    with database.reading() as connection:
        assert in_tables(connection, ANN, whole=True) == {"audit.actor": 1}
    database.compact()
    database.close()
