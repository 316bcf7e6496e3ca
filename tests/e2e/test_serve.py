"""A real ``signpost serve``, told to stop: it finishes what it accepted and ends with status 0; told twice, it ends at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from bot.inbox import ledger
from bot.store import open_database

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parent.parent.parent

Start = Callable[..., tuple["subprocess.Popen[bytes]", httpx.Client]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(data_dir: Path, tmp_path: Path) -> Iterator[Start]:
    """Start the server over the shipped library and wait until it answers at ``wait``."""
    began: list[tuple[subprocess.Popen[bytes], httpx.Client]] = []

    def begin(wait: str = "/readyz", **settings: str) -> tuple[subprocess.Popen[bytes], httpx.Client]:
        port = free_port()
        env = {**os.environ, "PYTHONPATH": str(ROOT), "SIGNPOST_DATA_DIR": str(data_dir), **settings}
        command = [sys.executable, "-m", "bot", "serve", "--port", str(port)]
        with (tmp_path / "log.txt").open("ab") as log:
            process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=log)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, headers={"accept": "application/json"})
        began.append((process, client))
        limit = time.monotonic() + 90
        while time.monotonic() < limit:
            assert process.poll() is None, (tmp_path / "log.txt").read_text("utf-8")
            try:
                if client.get(wait).status_code == 200:
                    return process, client
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError("the server did not come up")

    yield begin
    for process, client in began:
        client.close()
        process.kill()
        process.wait(10)


@pytest.fixture
def silent_model() -> Iterator[str]:
    """A chat model's server that takes a call and never answers it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        held: list[socket.socket] = []

        def take() -> None:
            try:
                while True:
                    held.append(listening.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for one in held:
            one.close()


def states(data_dir: Path) -> dict[str, int]:
    database = open_database(f"sqlite:///{data_dir / 'signpost.db'}")
    try:
        with database.reading() as connection:
            return ledger.counts(connection)
    finally:
        database.close()


def ask(client: httpx.Client, n: int) -> None:
    client.get("/")
    taken = client.post("/ask", data={"text": f"May I paste student essays into ChatGPT? {n}", "key": f"key-{n}"})
    assert taken.status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_what_it_accepted_and_ends_with_status_0(
    start: Start, data_dir: Path, number: signal.Signals
) -> None:
    process, client = start()
    for n in range(3):
        ask(client, n)
    process.send_signal(number)
    assert process.wait(40) == 0
    assert states(data_dir) == {"sent": 3}


def test_told_to_stop_while_the_library_loads_it_ends_soon_and_keeps_what_it_accepted(
    start: Start, data_dir: Path, silent_model: str
) -> None:
    # Loading asks the model once, which here holds it for long.
    slow = {"SIGNPOST_OPENAI_BASE_URL": silent_model, "SIGNPOST_OPENAI_API_KEY": "x"}
    slow |= {f"SIGNPOST_MODEL_{name}_SECONDS": "100" for name in ("FIRST_TOKEN", "IDLE", "TOTAL")}
    process, client = start("/healthz", **slow)
    ask(client, 1)
    assert client.get("/readyz").status_code == 503
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert states(data_dir) == {"received": 1}


def test_told_twice_it_ends_at_once_and_the_next_start_answers(start: Start, data_dir: Path, silent_model: str) -> None:
    process, client = start()
    ask(client, 1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0

    slow = {"SIGNPOST_OPENAI_BASE_URL": silent_model, "SIGNPOST_OPENAI_API_KEY": "x", "SIGNPOST_MODEL_RETRIES": "0"}
    slow |= {f"SIGNPOST_MODEL_{name}_SECONDS": "100" for name in ("FIRST_TOKEN", "IDLE", "TOTAL")}
    process, client = start("/healthz", **slow, SIGNPOST_DRAIN_SECONDS="300")
    ask(client, 2)
    with client.stream("GET", "/events/2"):  # an open stream keeps the first signal's stop waiting
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
        assert time.monotonic() - asked < 2
    assert states(data_dir) == {"received": 1, "sent": 1}

    process, client = start()
    limit = time.monotonic() + 30
    while states(data_dir) != {"sent": 2}:
        assert time.monotonic() < limit
        time.sleep(0.1)


def test_an_address_that_is_taken_is_a_failure(data_dir: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "bot", "serve", "--port", str(taken.getsockname()[1])]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "SIGNPOST_DATA_DIR": str(data_dir)}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode not in (0, None)
    assert b"Traceback" not in done.stderr
