"""Starts the Microsoft 365 Agents Playground safely: a Teams-like client that runs on one machine.

``.ci/run`` installs it beside the virtual environment, in ``.venv/node``. ``loopback_only.cjs`` is loaded into Node before it:
everything it opens is bound to 127.0.0.1, and nothing beyond this machine is reached.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def folder() -> Path:
    """Where the playground is installed."""
    return ROOT / ".venv" / "node"


def missing() -> str:
    """What is not installed here, in words; empty when all is."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (folder() / "node_modules/@microsoft/m365agentsplayground/cli.js").exists():
        return "the playground is not installed"
    return "" if chromium() else "Chromium is not installed"


def chromium() -> str:
    """The browser's path, or nothing."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or ""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running(command: list[str], log: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the test."""
    with log.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=written, env=environment, cwd=log.parent)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float, holds: bytes = b"") -> None:
    """Wait until an address answers, and with ``holds``. Raises AssertionError."""
    until, tick = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < until:
        assert process.poll() is None, "the process ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            if holds in answer.read():
                return
        tick.wait(0.2)
    raise AssertionError(f"{url} did not answer in time")


@contextmanager
def playground(endpoint: str, log: Path) -> Iterator[str]:
    """The playground before a bot; yields its address."""
    port, guard = free_port(), str(HERE / "loopback_only.cjs")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(log.parent),
        "TEAMSAPPTESTER_BROWSER": "none",
        "SEND_INSTALLATION_ACTIVITY": "true",
        "NODE_OPTIONS": f"--require {guard}",
    }
    cli = str(folder() / "node_modules/@microsoft/m365agentsplayground/cli.js")
    command = ["node", "--require", guard, cli, "start", "--app-endpoint", endpoint, "--channel-id", "msteams"]
    with running([*command, "--port", str(port), "--disable-telemetry"], log, environment) as process:
        wait_for(f"http://127.0.0.1:{port}/", process, 240)
        yield f"http://127.0.0.1:{port}/"
