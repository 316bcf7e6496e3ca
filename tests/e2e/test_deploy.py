"""The single-machine forms: the Dockerfile's own steps in a folder of their own, what compose and systemd are told.

There is no container engine here. The Dockerfile is parsed, and each of its steps is run as it stands with its absolute paths
moved under a folder; then its entry point serves from a code directory that nobody can write to, without any capability.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from bot.settings import Settings

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
WORDS = {"FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
GRACE = 60.0
"""Seconds between the stop signal and the kill, in compose.yaml and the unit."""

services = pytest.mark.skipif(
    not os.environ.get("SIGNPOST_TEST_SERVICES"), reason="installs everything anew; .ci/run asks for it"
)
pytestmark = pytest.mark.e2e


@dataclass
class Stage:
    """One FROM and what follows it."""

    image: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, word: str) -> str:
        return [rest for found, rest in self.steps if found == word][-1]


def stages() -> list[Stage]:
    found: list[Stage] = []
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        word, rest = line.split(" ", 1)
        assert word in WORDS, word
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            found.append(Stage(image, name))
        else:
            found[-1].steps.append((word, rest.strip()))
    return found


def limited(command: list[str]) -> list[str]:
    """The command without any capability, as ``cap_drop: ALL`` leaves it: root too is then bound by the modes of files."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command] if os.geteuid() == 0 else command


class Built:
    """The image's files under ``root``, and its last stage's orders."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = ""
        path = root / "bin"
        path.mkdir(parents=True)
        (path / "python").symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
        self.path = f"{path}:/usr/local/bin:/usr/bin:/bin"

    def moved(self, text: str) -> str:
        """Absolute paths of the image, under our folder."""
        return re.sub(r"(?<![\w./])/(opt|src|data)\b", rf"{self.root}/\1", text)

    def build(self, stage: Stage) -> None:
        where = self.root
        for word, rest in stage.steps:
            if word == "WORKDIR":
                where = Path(self.moved(rest))
                where.mkdir(parents=True, exist_ok=True)
            elif word == "COPY" and not rest.startswith("--from"):
                self._copy(rest.split(), where)
            elif word == "RUN":
                self._run(rest, where)

    def _copy(self, names: list[str], where: Path) -> None:
        *sources, target = names
        for source in sources:
            into = where / target if not target.endswith("/") else where / target / Path(source).name
            into.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, into)

    def _run(self, line: str, where: Path) -> None:
        if os.geteuid() != 0:
            line = re.sub(r"-o \d+ -g \d+ ", "", line)
        through = ("PIP_", "SSL_", "HTTP", "NO_PROXY")  # how this machine reaches its package index
        kept = {name: value for name, value in os.environ.items() if name.upper().startswith(through)}
        env = {**kept, "PATH": self.path, "HOME": str(self.root)}
        done = subprocess.run(
            ["/bin/sh", "-c", self.moved(line)], cwd=where, env=env, capture_output=True, text=True, check=False
        )
        self.log += done.stdout + done.stderr
        assert done.returncode == 0, f"{line}\n{done.stderr[-3_000:]}"

    def environment(self, stage: Stage) -> dict[str, str]:
        pairs = [pair.split("=", 1) for word, rest in stage.steps if word == "ENV" for pair in rest.split()]
        return {"PATH": self.path} | {name: self.moved(value) for name, value in pairs}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    made = Built(tmp_path_factory.mktemp("image"))
    for stage in stages():
        made.build(stage)
    shutil.rmtree(made.root / "src")  # what is not in the image must not be needed
    shutil.rmtree(made.root / "opt" / "build")
    code = made.root / "opt"
    for path in [code, *code.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    data = made.root / "data"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    if os.geteuid() == 0:
        assert str(data.stat().st_uid) == stages()[-1].last("USER").split(":")[0]
        # Here the server runs as root without capabilities, not as that user, who may not be able to reach our interpreter.
        os.chown(data, 0, 0)
    yield made
    for path in [code, *(one for one in code.rglob("*") if one.is_dir())]:
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


def test_the_image_is_slim_runs_as_nobody_and_installs_only_what_is_hashed() -> None:
    build, final = stages()
    assert build.image == final.image
    assert re.fullmatch(r"python:3\.1[1-3]-slim", final.image)
    uid, gid = final.last("USER").split(":")
    assert min(int(uid), int(gid)) >= 1_000
    assert json.loads(final.last("VOLUME")) == ["/data"]
    assert final.last("STOPSIGNAL") == "SIGTERM"
    check = final.last("HEALTHCHECK")
    assert "/healthz" in check
    entry, checking = Path(json.loads(final.last("ENTRYPOINT"))[0]), Path(json.loads(check.split(" CMD ")[1])[0])
    assert entry.parent == checking.parent  # the same environment
    installs = [rest for stage in (build, final) for word, rest in stage.steps if word == "RUN" and "pip install" in rest]
    assert installs
    for line in installs:
        assert "--require-hashes" in line or ("--no-index" in line and "--no-deps" in line)
        assert not re.search(r"https?:|index-url|trusted-host", line)
    for name in ("runtime", "build"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for block in re.split(r"\n(?=\S)", text.strip()):
            assert block.startswith("#") or "--hash=sha256:" in block, block[:80]


def test_the_image_gets_no_file_that_its_steps_do_not_name() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = {name for word, rest in stages()[0].steps if word == "COPY" for name in rest.split()[:-1]}
    assert allowed == copied
    assert all((ROOT / name).exists() for name in copied)


@services
@pytest.mark.timeout(1_200)
def test_its_own_steps_build_what_its_entry_point_serves_read_only_until_it_is_stopped(built: Built, tmp_path: Path) -> None:
    final = stages()[-1]
    assert re.search(r"Successfully (built|installed) .*signpost", built.log) or "signpost-" in built.log
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [built.moved(part) for part in json.loads(final.last("ENTRYPOINT")) + json.loads(final.last("CMD"))]
    command = [str(port) if part == "8080" else part for part in command]
    env = {**built.environment(final), "SIGNPOST_WEB_SECRET": "a-secret-of-at-least-32-characters"}
    code = built.root / "opt"
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in code.rglob("*"))
    tried = subprocess.run(limited(["touch", str(code / "signpost" / "new")]), capture_output=True, check=False)
    assert tried.returncode != 0
    with (tmp_path / "log.txt").open("wb") as log:
        server = subprocess.Popen(limited(command), cwd=built.root / "data", env=env, stdout=log, stderr=log)
    try:
        _check(built, final, port, env, server, tmp_path / "log.txt")
        server.send_signal(signal.Signals[final.last("STOPSIGNAL")])
        assert server.wait(GRACE) == 0
    finally:
        server.kill()
        server.wait(10)
    assert sorted((str(path), path.lstat().st_mtime_ns) for path in code.rglob("*")) == before
    assert (built.root / "data" / "signpost.db").exists()
    assert {path.name.split("-")[0] for path in (built.root / "data").iterdir()} == {"signpost.db"}


def _check(built: Built, final: Stage, port: int, env: dict[str, str], server: subprocess.Popen[bytes], log: Path) -> None:
    """The image's health check passes, then the server is ready, with the web chat's door open for signed links."""
    check = json.loads(final.last("HEALTHCHECK").split(" CMD ")[1])
    command = limited([built.moved(part).replace("8080", str(port)) for part in check])
    limit = time.monotonic() + 120
    while subprocess.run(command, env=env, capture_output=True, check=False).returncode != 0:
        assert server.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < limit
        time.sleep(0.2)
    while (found := httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=30)).status_code != 200:
        assert server.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < limit + 240, found.text
        time.sleep(0.5)
    assert found.json()["doors"]["web"] == "open"
    assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 403


# -- compose and systemd -------------------------------------------------------------------------------------------------

SERVICE_KEYS: dict[str, tuple[type, ...]] = {
    "build": (dict,),
    "image": (str,),
    "env_file": (str, list),
    "environment": (dict,),
    "ports": (list,),
    "volumes": (list,),
    "read_only": (bool,),
    "tmpfs": (str, list),
    "cap_drop": (list,),
    "security_opt": (list,),
    "pids_limit": (int,),
    "mem_limit": (str, int),
    "restart": (str,),
    "stop_grace_period": (str,),
}
"""The keys of a service that we use, with the types of the Compose Specification (05-services.md)."""


def test_compose_runs_one_process_with_one_volume_and_nothing_it_does_not_need() -> None:
    compose: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert set(compose) <= {"name", "services", "volumes"}
    (service,) = compose["services"].values()
    for key, value in service.items():
        assert isinstance(value, SERVICE_KEYS[key]), key
    assert set(service["build"]) <= {"context", "dockerfile", "args", "target"}
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    (volume,) = service["volumes"]
    name, target = volume.split(":")
    assert set(compose["volumes"]) == {name}
    assert [target] == json.loads(stages()[-1].last("VOLUME"))
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["env_file"] == ".env"
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["tmpfs"][0].split(":")[0] == stages()[-1].last("ENV").split("HOME=")[1].split()[0]
    assert service["stop_grace_period"] == f"{GRACE:g}s"
    assert 2 * Settings.model_fields["drain_seconds"].default < GRACE


def test_the_unit_is_hardened_and_systemd_understands_it(tmp_path: Path) -> None:
    text = (DEPLOY / "systemd" / "signpost.service").read_text(encoding="utf-8")
    told: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            told.setdefault(line.partition("=")[0], []).append(line.partition("=")[2])
    assert shlex.split(told["ExecStart"][0])[1] == "serve"
    assert told["NoNewPrivileges"] == ["yes"]
    assert told["ProtectSystem"] == ["strict"]
    assert told["CapabilityBoundingSet"] == [""]
    assert told["User"][0] != "root"
    assert float(told["TimeoutStopSec"][0]) == GRACE
    assert "SIGNPOST_DATA_DIR=/var/lib/signpost" in told["Environment"][0]
    assert told["StateDirectory"] == ["signpost"]
    if shutil.which("systemd-analyze"):
        unit = tmp_path / "signpost.service"
        unit.write_text(text.replace("/opt/signpost/bin/signpost", sys.executable), encoding="utf-8")
        done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
