"""Runs the benchmarks and prints their tables: ``python -m tests.benchmarks [--json FILE] [--only PART ...] [--large]``."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks import limits, tokens, turns
from tests.benchmarks.child import Child
from tests.benchmarks.comparison import compare
from tests.benchmarks.corpora import XQUAD, Corpus, held, own, xquad
from tests.benchmarks.report import Bar, Table, bars_table, circumstances, load_average

PARTS = ("stock", "limits", "growth", "turns", "tokens")
EXTRA = ("langchain_chroma", "langchain_classic", "llama_index", "haystack", "rank_bm25")

Result = tuple[list[Table], list[Bar]]


class Run:
    """One run: its options, its scratch folder, and the shipped library published once."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.shipped = options.data.resolve() if options.data else folder / "shipped"
        self.own = own()
        self.xquad = xquad()
        rows = [row["question"] for row in held() if row["kind"] in ("answerable", "unanswerable")]
        wanted = 20 if options.quick else 200
        self.questions = rows[:: max(len(rows) // wanted, 1)][:wanted]

    def prepare(self) -> Table:
        """Publish the shipped library into a new data directory, or open the one that was given."""
        found = (self.shipped / "signpost.db").exists()
        self.shipped.mkdir(parents=True, exist_ok=True)
        with Child("tests.benchmarks.signpost:ShippedSignpost") as child:
            made = child.call("open", folder=str(self.shipped))
        title = "The shipped library, as found" if found else "The shipped library, published from nothing"
        table = Table(title, ("statements", "keys", "seconds"))
        table.rows.append((made["statements"], made["keys"], made["seconds"]))
        table.notes.append(f"with its question keys; load {load_average()}")
        return table

    def stock(self) -> Result:
        """Beside LangChain, LlamaIndex and Haystack."""
        quick = self.options.quick
        corpora: list[tuple[Corpus, int, Path | None]] = [(self.own, 10 if quick else 1, self.shipped)]
        tables, bars = [], []
        if self.xquad is None:
            print(f"XQuAD is left out: {XQUAD.parent} is not there.\n")
        else:
            corpora.append((self.xquad, 40 if quick else 1 if self.options.full else 4, None))
        for corpus, stride, shipped in corpora:
            table, more = compare(corpus, self.folder, stride=stride, rounds=self.options.rounds, shipped=shipped)
            tables.append(table)
            bars += more
        return tables, bars

    def limits(self) -> Result:
        """Beside the bare embedding and the exact search."""
        return limits.searching(self.shipped, self.folder, self.questions)

    def growth(self) -> Result:
        """From 1,000 to 10,000 passages, and to 100,000 with --large."""
        if not (self.folder / "vectors.npy").exists():
            limits.searching(self.shipped, self.folder, self.questions[:5])
        return limits.growing(self.folder, self.questions, [1_000, 10_000, *([100_000] if self.options.large else [])])

    def turns(self) -> Result:
        """Whole turns, cold commands, memory."""
        asked = self.questions
        parts = [
            turns.warm(self.shipped, asked),
            turns.cold(self.shipped, 1 if self.options.quick else 5),
            turns.resident(self.shipped, asked),
        ]
        return [table for table, _ in parts], [bar for _, bars in parts for bar in bars]

    def tokens(self) -> Result:
        """Tokens an answer with a model."""
        return [tokens.tokens(self.shipped, self.questions[:100])], []


def main() -> None:
    """Run what was asked for; print tables as they come, the bars last."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the shipped library here, and use it when it is there")
    parser.add_argument("--large", action="store_true", help="grow to 100,000 passages too")
    parser.add_argument("--full", action="store_true", help="ask every XQuAD question, not every fourth")
    parser.add_argument("--quick", action="store_true", help="a tenth of the questions, one round: does it run at all")
    parser.add_argument("--rounds", type=int, default=2, help="times each corpus is taken in")
    options = parser.parse_args()
    if options.quick:
        options.rounds = 1
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing and {"stock", "tokens"} & set(options.only):
        sys.exit(f"not installed: {', '.join(missing)}; 'make bench' installs requirements/bench.txt")
    around = circumstances()
    command = shlex.join(["python", "-m", "tests.benchmarks", *sys.argv[1:]])
    began, load = time.perf_counter(), load_average()
    print(f"{command}\nload average {load}; Python {around['python']}; {around['processors']} processors")
    print("; ".join(f"{name} {number}" for name, number in around["versions"].items()))
    print("".join(f"{name}={value} is set, which slows numpy\n" for name, value in around["openblas"].items()))
    tables: list[Table] = []
    bars: list[Bar] = []
    with tempfile.TemporaryDirectory() as scratch:
        run = Run(options, Path(scratch))
        steps: list[Callable[[], Result]] = [lambda: ([run.prepare()], [])]
        steps += [getattr(run, part) for part in PARTS if part in options.only]
        for step in steps:
            made, more = step()
            for table in made:
                print(table.text(), flush=True)
            tables += made
            bars += more
    spent = time.perf_counter() - began
    print(bars_table(bars).text())
    print(f"{spent:.0f} s; load average {load} before, {load_average()} after")
    if options.json:
        data = {
            "command": command,
            "seconds": round(spent, 1),
            "load_average": {"before": load, "after": load_average()},
            **around,
            "tables": [table.data() for table in tables],
            "bars": [{**bar.__dict__, "met": bar.met} for bar in bars],
        }
        options.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
