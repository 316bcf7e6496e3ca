"""Whole turns without a key, cold commands, and resident memory."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.child import Child, environment
from tests.benchmarks.report import Bar, Table, load_average
from tests.benchmarks.timing import percentile

BARE = "import chromadb; from bot.knowledge.embedding import MiniLM; MiniLM().load()"

COMMANDS: dict[str, list[str]] = {
    "python -c pass": ["-c", "pass"],
    "import chromadb, load embedder": ["-c", BARE],
    "signpost ask": ["-m", "bot", "ask", "does a parent have to consent before a kid under 13 uses a chatbot"],
    "signpost --help": ["-m", "bot", "--help"],
    "signpost kb list": ["-m", "bot", "kb", "list"],
}


def warm(shipped: Path, questions: list[str]) -> tuple[Table, list[Bar]]:
    """Whole turns in one warm process, step by step, with the bare embedding of each question beside it."""
    with Child("tests.benchmarks.signpost:ShippedSignpost") as child:
        child.call("open", folder=str(shipped))
        rows = child.call("walk", questions=questions)
    steps = ("bare", "screen", "load", "understand", "embed", "search", "total", "turn")
    table = Table("Whole turn without a key, warm", ("step", "p50 ms", "p95 ms", "cpu ms", "/ bare embedding"))
    bare = percentile([row["bare"] for row in rows], 50)
    for name in steps:
        times = [row.get(name, 0.0) for row in rows]
        shown = {"bare": "bare embedding", "total": "assistant", "load": "pointer check"}.get(name, name)
        processor = percentile([row[f"{name} cpu"] for row in rows], 50) if f"{name} cpu" in rows[0] else None
        table.rows.append((shown, percentile(times, 50), percentile(times, 95), processor, percentile(times, 50) / bare))
    table.notes.append("'turn' adds to 'assistant' the outgoing inspection and the receipt's write to the database")
    table.notes.append(f"{len(questions)} questions; load {load_average()}")
    return table, [
        Bar("whole turn p50, ms", percentile([row["turn"] for row in rows], 50), 25.0),
        Bar("screening beyond the bare embedding p95, ms", percentile([row["screen"] - row["bare"] for row in rows], 95), 8.0),
    ]


def cold(shipped: Path, rounds: int) -> tuple[Table, list[Bar]]:
    """Commands in new processes, in turns, medians."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            spent = _run(arguments, shipped)
            # The first round fills the file cache and writes byte code.
            if number:
                times[name].append(spent)
    middle = {name: statistics.median(values) for name, values in times.items()}
    bare = middle["import chromadb, load embedder"]
    table = Table("Cold commands", ("command", "median s", "fastest s", "/ bare import and load"))
    for name, values in times.items():
        table.rows.append((name, middle[name], min(values), middle[name] / bare))
    table.notes.append(f"{rounds} rounds after one that is not counted; load {load_average()}")
    return table, [
        Bar("signpost ask cold / bare import and load", middle["signpost ask"] / bare, 1.5),
        Bar("signpost --help, s", middle["signpost --help"], 0.4),
        Bar("signpost kb list, s", middle["signpost kb list"], 0.4),
    ]


def _run(arguments: list[str], shipped: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=shipped,
        env=environment(SIGNPOST_DATA_DIR=str(shipped)),
        capture_output=True,
        check=False,
    )
    spent = time.perf_counter() - started
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace")[-1000:])
    return spent


def resident(shipped: Path, questions: list[str]) -> tuple[Table, list[Bar]]:
    """Memory of a process that serves the shipped library, beside one that only imports chromadb and loads the embedder."""
    with Child("tests.benchmarks.resident:Resident") as child:
        bare = child.call("bare")
    with Child("tests.benchmarks.resident:Resident") as child:
        served = child.call("answer", folder=str(shipped), questions=questions)
    table = Table("Memory, shipped library", ("process", "resident MB", "peak MB"))
    table.rows.append(("chromadb imported, embedder loaded", bare["resident"], bare["peak"]))
    table.rows.append((f"after {len(questions)} answers", served["resident"], served["peak"]))
    return table, [Bar("resident memory, MB", served["resident"], 350.0)]
