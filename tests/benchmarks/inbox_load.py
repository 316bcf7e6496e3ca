"""What the durable claim costs at the door: the real Slack route with the inbox behind it, against a bare Bolt app that only
acknowledges, in one run on one machine. Figures are ratios first; absolute ones depend on the machine.

    python -m tests.benchmarks.inbox_load [--seconds 60] [--rate 50] [--rounds 3]

Each server is a process of its own under uvicorn. First events arrive at a fixed rate and the time to their acknowledgement is
taken; afterwards every event must have been posted once. Then as many as go through in a closed loop, the servers by turns.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

SECRET = "0123456789abcdef0123456789abcdef"
CONNECTIONS = 16
numbers = itertools.count(1)


def event(number: int) -> bytes:
    """A signed-to-be event: a direct message in one of 40 conversations."""
    user = f"U{number % 40:03d}"
    inner = {
        "type": "message",
        "channel": f"D{number % 40:03d}",
        "channel_type": "im",
        "user": user,
        "text": f"question {number}",
        "ts": f"1700000000.{number:06d}",
        "team": "T1",
    }
    authorization = {"enterprise_id": None, "team_id": "T1", "user_id": "UBOT", "is_bot": True, "is_enterprise_install": False}
    return json.dumps(
        {
            "type": "event_callback",
            "token": "x",
            "team_id": "T1",
            "api_app_id": "A1",
            "event": inner,
            "event_id": f"Ev{number}",
            "event_time": 1_700_000_000,
            "authorizations": [authorization],
        }
    ).encode()


def request(number: int) -> bytes:
    """The whole HTTP request of an event, signed as Slack signs."""
    body, now = event(number), str(int(time.time()))
    mac = hmac.new(SECRET.encode(), b"v0:" + now.encode() + b":" + body, hashlib.sha256).hexdigest()
    head = (
        f"POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Slack-Request-Timestamp: {now}\r\nX-Slack-Signature: v0={mac}\r\n\r\n"
    )
    return head.encode() + body


# -- the servers ---------------------------------------------------------------------------------------------------------


def bare() -> Any:
    """A Bolt app that only acknowledges."""
    from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.authorization import AuthorizeResult
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def authorize(**_: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_user_id="UBOT")

    bolt = AsyncApp(signing_secret=SECRET, authorize=authorize)

    @bolt.event("message")
    async def _message() -> None:
        return None

    handler = AsyncSlackRequestHandler(bolt)

    async def events(arrived: Request) -> Response:
        return await handler.handle(arrived)

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"])])


def door(folder: Path) -> Any:
    """The real Slack door with the inbox, a turn that answers at once and a platform that counts what is posted."""
    from contextlib import asynccontextmanager
    from dataclasses import dataclass

    from pydantic import SecretStr
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from bot.adapters.slack.app import routes
    from bot.inbox import Inbox, Work
    from bot.knowledge.library import utc_now
    from bot.messages import Answered
    from tests.conftest import settings_for
    from tests.doubles.inbox import Thinker, open_store

    settings = settings_for(
        folder,
        slack_bot_token=SecretStr("xoxb-1"),
        slack_signing_secret=SecretStr(SECRET),
        slack_api_url="http://127.0.0.1:9/api/",
        limit_person=0,
        limit_organization=0,
    )
    store = open_store(folder)
    inbox = Inbox(store, Thinker(), settings, utc_now)
    posted: Counter[str] = Counter()

    class Counting:
        async def working(self, work: Work) -> None:
            pass

        async def send(self, work: Work, answered: Answered) -> str:
            posted[work.identity] += 1
            return "x"

        async def apologise(self, work: Work, incident: str) -> None:
            posted["apologies"] += 1

    @dataclass
    class House:
        settings: Any
        database: Any
        inbox: Any

    found = routes(House(settings, store, inbox))
    inbox.register("slack", Counting())

    async def counts(_: Any) -> JSONResponse:
        return JSONResponse({"posts": sum(posted.values()), "acts": len(posted), "apologies": posted["apologies"]})

    @asynccontextmanager
    async def life(_: Any) -> Any:
        inbox.start()
        yield
        await inbox.drain(10)

    return Starlette(routes=[*found, Route("/counts", counts)], lifespan=life)


def serve(kind: str, port: int, folder: str) -> None:
    """Run one of the two servers."""
    import uvicorn

    uvicorn.run(
        bare() if kind == "bare" else door(Path(folder)), port=port, log_level="error", access_log=False, timeout_keep_alive=600
    )


# -- the load ------------------------------------------------------------------------------------------------------------


class Connection:
    """One kept-alive connection; ``ask`` sends a request and returns the status and the body."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, raw: bytes) -> tuple[int, bytes]:
        """Send and wait for the whole response."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(raw)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = await self._reader.readexactly(length) if length else b""
        return int(head.split(b" ", 2)[1]), body


async def paced(port: int, rate: float, seconds: float) -> list[float]:
    """Times to acknowledgement, in seconds, of events that arrive at a fixed rate whatever the server does."""
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    times: list[float] = []

    async def one() -> None:
        connection = free.get_nowait() if not free.empty() else Connection(port)
        raw = request(next(numbers))
        started = time.perf_counter()
        status, _ = await connection.ask(raw)
        times.append(time.perf_counter() - started)
        assert status == 200, status
        free.put_nowait(connection)

    tasks, began = [], time.perf_counter()
    for n in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    return times


async def flood(port: int, seconds: float) -> tuple[float, list[float]]:
    """Events a second and times to acknowledgement when each connection sends the next as soon as the last is answered."""
    times: list[float] = []
    until = time.perf_counter() + seconds

    async def one() -> None:
        connection = Connection(port)
        while time.perf_counter() < until:
            raw = request(next(numbers))
            started = time.perf_counter()
            status, _ = await connection.ask(raw)
            times.append(time.perf_counter() - started)
            assert status == 200, status

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return len(times) / (time.perf_counter() - began), times


def quantile(times: list[float], share: float) -> float:
    """A quantile in milliseconds."""
    return sorted(times)[min(len(times) - 1, int(share * len(times)))] * 1000


async def settled(port: int, sent: int) -> dict[str, int]:
    """The door's counts once every act has been posted, or after two minutes."""
    ask = b"GET /counts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    connection = Connection(port)
    for _ in range(240):
        _, body = await connection.ask(ask)
        found: dict[str, int] = json.loads(body)
        if found["acts"] >= sent:
            return found
        await asyncio.sleep(0.5)
    return found


def start(kind: str, folder: str) -> tuple[subprocess.Popen[bytes], int]:
    """A server in a process of its own, answering."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.benchmarks.inbox_load", "--serve", kind, "--port", str(port), "--folder", folder]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    for _ in range(1_200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, port
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"{kind} did not start")


async def measure(seconds: float, rate: float, rounds: int, ports: dict[str, int]) -> dict[str, Any]:
    """Everything that is measured, by server."""
    result: dict[str, Any] = {}
    sent = 0
    for kind, port in ports.items():
        times = await paced(port, rate, seconds)
        sent += len(times) if kind == "door" else 0
        result[kind] = {"paced_p50_ms": quantile(times, 0.5), "paced_p99_ms": quantile(times, 0.99)}
    result["after_paced"] = await settled(ports["door"], sent)
    result["paced_events"] = sent
    rates: dict[str, list[float]] = {kind: [] for kind in ports}
    tails: dict[str, list[float]] = {kind: [] for kind in ports}
    for _ in range(rounds):
        for kind, port in ports.items():
            speed, times = await flood(port, 5.0)
            sent += len(times) if kind == "door" else 0
            rates[kind].append(speed)
            tails[kind].append(quantile(times, 0.99))
            if kind == "door":
                await settled(port, sent)
    for kind in ports:
        result[kind] |= {"flood_per_second": statistics.median(rates[kind]), "flood_p99_ms": statistics.median(tails[kind])}
    result["after_flood"] = await settled(ports["door"], sent)
    result["events"] = sent
    result["throughput_ratio"] = result["door"]["flood_per_second"] / result["bare"]["flood_per_second"]
    result["p99_ratio"] = result["door"]["flood_p99_ms"] / result["bare"]["flood_p99_ms"]
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", choices=("bare", "door"))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", default="")
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.port, given.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        started: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
        try:
            for kind in ("bare", "door"):
                started[kind] = start(kind, folder)
            ports = {kind: port for kind, (_, port) in started.items()}
            result = asyncio.run(measure(given.seconds, given.rate, given.rounds, ports))
        finally:
            for process, _ in started.values():
                process.terminate()
                process.wait(30)
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    lost = result["after_flood"]["acts"] < result["events"]
    doubled = result["after_flood"]["posts"] != result["after_flood"]["acts"]
    sys.stdout.write(f"lost: {lost}; doubled: {doubled}; throughput {result['throughput_ratio']:.2f} of bare Bolt's\n")


if __name__ == "__main__":
    main()
