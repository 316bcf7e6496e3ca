"""The Slack door under load, in one run on one machine: ``python -m tests.benchmarks.door_load [--only PART ...]``.

- ``ack``: events at a fixed rate, and the time to their acknowledgement; afterwards each must have been answered once.
- ``throughput``: as many events as go through in a closed loop, beside a bare Bolt app that only acknowledges, by turns.
- ``answers``: questions at a fixed rate to the whole server without a model, and the time until the answer stands in Slack.

Each server is a process of its own under uvicorn; the load and the Slack double run in this one. Times depend on the machine
and on what else it does; the ratio does so less. Rate limits are off.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import itertools
import json
import os
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.child import Child, environment
from tests.benchmarks.corpora import held
from tests.benchmarks.report import Bar, Table, bars_table, circumstances, load_average
from tests.benchmarks.timing import percentile
from tests.doubles.slack import SECRET, SlackDouble, message

PARTS = ("ack", "throughput", "answers")
CONNECTIONS = 64
"""Of ``throughput``, unless told: enough that a server has always something to do while it waits for the disk."""

PEOPLE = 200
"""Who ask, one after the other, each in a direct message of their own."""

numbers = itertools.count(1)
BEGAN = int(time.time())
"""Part of each message's time stamp, so that a data directory used before knows none of them."""


def event(number: int, people: int = 40, text: str = "") -> dict[str, Any]:
    """A direct message in one of ``people`` conversations."""
    who = number % people
    return message(text or f"question {number}", f"{BEGAN}.{number:06d}", f"D{who:03d}", f"U{who:03d}")


def request(given: dict[str, Any]) -> bytes:
    """The whole HTTP request of an event, signed as Slack signs."""
    body, now = json.dumps(given).encode(), str(int(time.time()))
    mac = hmac.new(SECRET.encode(), b"v0:" + now.encode() + b":" + body, hashlib.sha256).hexdigest()
    head = (
        f"POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Slack-Request-Timestamp: {now}\r\nX-Slack-Signature: v0={mac}\r\n\r\n"
    )
    return head.encode() + body


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

    async def get(self, path: str) -> tuple[int, Any]:
        """Read a page of JSON."""
        status, body = await self.ask(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        return status, json.loads(body)


@contextmanager
def serving(kind: str, folder: Path, slack: str = "") -> Iterator[int]:
    """A server in a process of its own, answering; its port. Raises RuntimeError when it does not come up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.door_servers", kind, "--port", str(port)]
    process = subprocess.Popen([*command, "--folder", str(folder), "--slack", slack], env=environment())
    try:
        for _ in range(1_200):
            if process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        if process.poll() is not None:
            raise RuntimeError(f"{kind} did not start")
        yield port
    finally:
        process.terminate()
        process.wait(90)


async def ready(port: int) -> None:
    """Wait until the server says that it answers."""
    connection = Connection(port)
    for _ in range(1_800):
        if (await connection.get("/readyz"))[0] == 200:
            return
        await asyncio.sleep(0.1)
    raise RuntimeError("the server is not ready")


async def paced(port: int, rate: float, seconds: float, make: Callable[[int], dict[str, Any]]) -> list[float]:
    """Seconds to acknowledgement of events that arrive at a fixed rate, whatever the server does."""
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    times: list[float] = []

    async def one() -> None:
        connection = free.get_nowait() if not free.empty() else Connection(port)
        raw = request(make(next(numbers)))
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


async def flood(port: int, seconds: float, connections: int) -> tuple[float, list[float]]:
    """Events a second, and seconds to acknowledgement, when each connection sends the next once the last is answered."""
    times: list[float] = []
    began = time.perf_counter()

    async def one() -> None:
        connection = Connection(port)
        while time.perf_counter() < began + seconds:
            raw = request(event(next(numbers)))
            started = time.perf_counter()
            status, _ = await connection.ask(raw)
            times.append(time.perf_counter() - started)
            assert status == 200, status

    await asyncio.gather(*(one() for _ in range(connections)))
    return len(times) / (time.perf_counter() - began), times


async def until(found: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Wait for something, or for so long."""
    limit = time.monotonic() + seconds
    while not await found() and time.monotonic() < limit:
        await asyncio.sleep(0.25)


class Door:
    """The counts of the door that only counts: what was sent to it and what it answered, from the beginning."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sent = 0
        self.found = {"posts": 0, "acts": 0, "apologies": 0}

    async def settled(self) -> None:
        """Wait until every act sent so far has been answered; five minutes at most."""
        connection = Connection(self.port)

        async def all_of_them() -> bool:
            _, self.found = await connection.get("/counts")
            return self.found["acts"] >= self.sent

        await until(all_of_them, 300)

    def bars(self, part: str) -> list[Bar]:
        """Nothing lost, nothing doubled."""
        lost = self.sent - self.found["acts"] + self.found["apologies"]
        return [Bar(f"{part}: lost", lost, 0), Bar(f"{part}: doubled", self.found["posts"] - self.found["acts"], 0)]


async def acknowledged(given: argparse.Namespace, door: Door, bare: int) -> tuple[Table, list[Bar]]:
    """Time to acknowledgement at a fixed rate."""
    table = Table(f"Acknowledgement at {given.rate:g} events a second for {given.seconds:g} s", ("server", "p50 ms", "p99 ms"))
    for name, port in (("bare Bolt, acknowledges only", bare), ("Signpost, durable claim", door.port)):
        times = [1000 * spent for spent in await paced(port, given.rate, given.seconds, event)]
        table.rows.append((name, percentile(times, 50), percentile(times, 99)))
    door.sent += len(times)
    await door.settled()
    table.notes.append(f"{len(times)} events each; load {load_average()}")
    return table, [Bar("ack p99, ms", percentile(times, 99), 500.0), *door.bars("ack")]


async def throughput(given: argparse.Namespace, door: Door, bare: int) -> tuple[Table, list[Bar]]:
    """Events a second in a closed loop, the servers by turns; the door answers everything before its next turn."""
    title = f"Throughput, {given.connections} connections, {given.rounds} rounds of 5 s by turns"
    table = Table(title, ("server", "events/s", "p50 ms", "p99 ms"))
    speeds: dict[str, list[float]] = defaultdict(list)
    spent: dict[str, list[float]] = defaultdict(list)
    for _ in range(given.rounds):
        for name, port in (("bare Bolt, acknowledges only", bare), ("Signpost, durable claim", door.port)):
            speed, times = await flood(port, 5.0, given.connections)
            speeds[name].append(speed)
            spent[name] += [1000 * one for one in times]
        door.sent += len(times)
        await door.settled()
    middles = [statistics.median(rates) for rates in speeds.values()]
    for (name, times), middle in zip(spent.items(), middles, strict=True):
        table.rows.append((name, middle, percentile(times, 50), percentile(times, 99)))
    table.notes.append(f"medians of the rounds; load {load_average()}")
    return table, [Bar("throughput / bare Bolt's", middles[1] / middles[0], 0.5, most=False), *door.bars("throughput")]


async def doors(given: argparse.Namespace, folder: Path) -> list[tuple[Table, list[Bar]]]:
    """The two parts that need no library."""
    (folder / "door").mkdir()
    with serving("bare", folder) as bare, serving("door", folder / "door") as port:
        await ready(port)
        door, made = Door(port), []
        for part in (acknowledged, throughput):
            if {acknowledged: "ack", throughput: "throughput"}[part] in given.only:
                made.append(await part(given, door, bare))
        return made


async def answered(given: argparse.Namespace, folder: Path) -> tuple[Table, list[Bar]]:
    """Time from a question's arrival until the last message of its answer stands in Slack."""
    shipped = given.data.resolve() if given.data else folder / "shipped"
    shipped.mkdir(parents=True, exist_ok=True)
    with Child("tests.benchmarks.signpost:ShippedSignpost") as child:
        child.call("open", folder=str(shipped))
    asked = [row["question"] for row in held() if row["kind"] in ("answerable", "unanswerable")]
    asked = asked[:: max(1, len(asked) // 500)]
    begun: dict[str, list[float]] = defaultdict(list)

    with SlackDouble() as double, serving("whole", shipped, double.url) as port:
        await ready(port)

        def question(number: int) -> dict[str, Any]:
            made = event(number, PEOPLE, asked[number % len(asked)])
            double.channel(made["event"]["channel"]).messages.append(dict(made["event"]))
            begun[made["event"]["channel"]].append(time.monotonic())
            return made

        # Warm: the first turns import and compile what later ones use.
        await paced(port, 2, 5, question)
        await asyncio.sleep(2)
        begun.clear()
        double.calls.clear()
        times = await paced(port, given.questions, given.seconds, question)

        async def all_of_them() -> bool:
            return sum(map(len, posts(double).values())) >= len(times)

        await until(all_of_them, 60)
        found = posts(double)
        parts = Counter((row, part) for _, row, part, _ in _posted(double))
    spent = [1000 * (end - start) for name, starts in begun.items() for start, end in zip(starts, found[name], strict=False)]
    lost = len(times) - sum(map(len, found.values()))
    doubled = sum(count - 1 for count in parts.values())
    title = f"Whole answers at {given.questions:g} questions a second for {given.seconds:g} s, no model"
    table = Table(title, ("measure", "p50 ms", "p95 ms", "p99 ms"))
    for name, values in (("acknowledged", [1000 * one for one in times]), ("answer stands in Slack", spent)):
        table.rows.append((name, *(percentile(values, share) for share in (50, 95, 99))))
    table.notes.append(f"{len(times)} questions of {PEOPLE} people; load {load_average()}")
    return table, [
        Bar("answer p95, ms", percentile(spent, 95), 1000.0),
        Bar("answers: lost", lost, 0),
        Bar("answers: doubled", doubled, 0),
    ]


def _posted(double: SlackDouble) -> Iterator[tuple[str, int, str, float]]:
    """Every message of an answer: its channel, the row it answers, which part, when."""
    for call in double.called("chat.postMessage"):
        payload = (call.body.get("metadata") or {}).get("event_payload")
        if payload:
            yield call.body["channel"], int(payload["row"]), str(payload["part"]), call.at


def posts(double: SlackDouble) -> dict[str, list[float]]:
    """When each answer stood complete, by channel, in the order of the questions."""
    ended: dict[str, dict[int, float]] = defaultdict(dict)
    for channel, row, _, at in _posted(double):
        ended[channel][row] = at
    return defaultdict(list, {name: [at for _, at in sorted(rows.items())] for name, rows in ended.items()})


async def measured(given: argparse.Namespace, folder: Path) -> list[tuple[Table, list[Bar]]]:
    """The parts that were asked for."""
    made = await doors(given, folder) if {"ack", "throughput"} & set(given.only) else []
    return [*made, *([await answered(given, folder)] if "answers" in given.only else [])]


def main() -> None:
    """Measure and print; status 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.door_load", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the paced parts")
    parser.add_argument("--rate", type=float, default=50.0, help="events a second of 'ack'")
    parser.add_argument("--questions", type=float, default=10.0, help="questions a second of 'answers'")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of 'throughput'")
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="of 'throughput'")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the shipped library here, and use it when it is there")
    given = parser.parse_args()
    around, load = circumstances(), load_average()
    print(f"{shlex.join(['python', '-m', 'tests.benchmarks.door_load', *sys.argv[1:]])}")
    print(f"load average {load}; Python {around['python']}; {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as folder:
        made = asyncio.run(measured(given, Path(folder)))
    bars = [bar for _, own in made for bar in own]
    for table, _ in made:
        print(table.text())
    print(bars_table(bars).text())
    sys.exit(0 if all(bar.met for bar in bars) else 1)


if __name__ == "__main__":
    main()
