"""Beside stock pipelines: same machine, corpus and embedder, every pipeline in its own process, asked in turns."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.child import Child
from tests.benchmarks.corpora import Asked, Corpus
from tests.benchmarks.pipelines import STOCK, targets
from tests.benchmarks.report import Bar, Table, load_average
from tests.benchmarks.timing import percentile

BLOCK = 30
"""Questions put to one pipeline before the next has its turn."""

WORDS_ONLY, SHIPPED = "Signpost, words only", "Signpost as shipped"


@dataclass
class Measured:
    """What one pipeline did: milliseconds a question (waited, and of processor), ranked documents by group, seconds to
    ingest (waited, and of processor), peak megabytes.

    ``embed`` is what embedding the same texts in one call took, ``one_by_one`` approving each document alone; Signpost only.
    """

    kind: str
    times: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    ranked: dict[str, list[list[str]]] = field(default_factory=dict)
    ingest: float = math.inf
    ingest_processor: float = math.inf
    embed: float = math.inf
    one_by_one: float = math.inf
    passages: int = 0
    peak: float = 0.0


def recall(asked: list[Asked], ranked: list[list[str]], count: int) -> float:
    """Share of questions with a right document among the first ``count``."""
    return sum(any(d in a.gold for d in r[:count]) for a, r in zip(asked, ranked, strict=True)) / len(asked)


def ndcg(asked: list[Asked], ranked: list[list[str]]) -> float:
    """Mean nDCG@10 with binary relevance."""
    total = 0.0
    for a, r in zip(asked, ranked, strict=True):
        gain = sum(1 / math.log2(i + 2) for i, d in enumerate(r[:10]) if d in a.gold)
        total += gain / sum(1 / math.log2(i + 2) for i in range(min(len(set(a.gold)), 10)))
    return total / len(asked)


def compare(corpus: Corpus, folder: Path, *, stride: int, rounds: int, shipped: Path | None = None) -> tuple[Table, list[Bar]]:
    """Measure every pipeline on every ``stride``-th question; ingest ``rounds`` times each, in turns, and keep the fastest.

    ``shipped`` is a prepared data directory of the shipped library, to be measured beside its words alone.
    """
    saved = folder / "corpus.json"
    corpus.save(saved)
    groups = {name: list(asked[::stride] if len(asked) > 100 else asked) for name, asked in corpus.asked.items()}
    before = load_average()
    with ExitStack() as stack:
        children = {name: stack.enter_context(Child(target)) for name, target in targets().items()}
        children[WORDS_ONLY] = stack.enter_context(Child("tests.benchmarks.signpost:Signpost"))
        measured = {name: Measured(STOCK[name][0] if name in STOCK else "signpost") for name in children}
        for _ in range(rounds):
            for name, child in children.items():
                got = child.call("ingest", path=str(saved))
                measured[name].ingest = min(got["seconds"], measured[name].ingest)
                measured[name].ingest_processor = min(got["processor"], measured[name].ingest_processor)
                measured[name].passages = got["passages"]
            own = measured[WORDS_ONLY]
            own.embed = min(children[WORDS_ONLY].call("encode_all")["seconds"], own.embed)
        own.one_by_one = children[WORDS_ONLY].call("one_by_one", path=str(saved))["seconds"]
        if shipped is not None:
            children[SHIPPED] = stack.enter_context(Child("tests.benchmarks.signpost:ShippedSignpost"))
            opened = children[SHIPPED].call("open", folder=str(shipped))
            measured[SHIPPED] = Measured("signpost", passages=opened["statements"] + opened["keys"])
        for group, asked in groups.items():
            for begin in range(0, len(asked), BLOCK):
                questions = [a.question for a in asked[begin : begin + BLOCK]]
                for name, child in children.items():
                    for ms, processor, ranked in child.call("ask", questions=questions):
                        measured[name].times.append(ms)
                        measured[name].processor.append(processor)
                        measured[name].ranked.setdefault(group, []).append(ranked)
        for name, child in children.items():
            measured[name].peak = child.call("memory")["peak"]
    table = _table(corpus, groups, measured)
    table.notes.append(f"load average {before} before, {load_average()} after")
    return table, _bars(corpus, groups, measured)


def _table(corpus: Corpus, groups: dict[str, list[Asked]], measured: dict[str, Measured]) -> Table:
    other = [group for group in groups if group != "English"]
    columns = ("pipeline", "first", "in five", "nDCG@10", *(f"{g} first" for g in other), "p50 ms", "p95 ms", "cpu ms")
    table = Table(f"Beside stock pipelines: {corpus.name}", (*columns, "ingest s", "cpu s", "passages", "peak MB"))
    for name, m in measured.items():
        english = groups["English"], m.ranked["English"]
        table.rows.append(
            (
                name,
                recall(*english, 1),
                recall(*english, 5),
                ndcg(*english),
                *(recall(groups[g], m.ranked[g], 1) for g in other),
                percentile(m.times, 50),
                percentile(m.times, 95),
                percentile(m.processor, 50),
                None if math.isinf(m.ingest) else m.ingest,
                None if math.isinf(m.ingest) else m.ingest_processor,
                m.passages,
                m.peak,
            )
        )
    own = measured[WORDS_ONLY]
    table.notes.append(
        f"Signpost's own texts: embedding them in one call {own.embed:.2f} s, with everything around it {own.ingest:.2f} s, "
        f"each document submitted and approved alone {own.one_by_one:.2f} s"
    )
    sizes = ", ".join(f"{len(asked)} {group}" for group, asked in groups.items())
    table.notes.append(
        f"{len(corpus.texts)} documents; questions: {sizes}; first, in five: a right document there; cpu: median, all threads"
    )
    return table


def _bars(corpus: Corpus, groups: dict[str, list[Asked]], measured: dict[str, Measured]) -> list[Bar]:
    own = measured[WORDS_ONLY]
    stock = {name: m for name, m in measured.items() if m.kind != "signpost"}
    fastest = {k: min(percentile(m.times, 50) for m in stock.values() if m.kind == k) for k in ("dense", "hybrid")}
    english = groups["English"]
    best = max(ndcg(english, s.ranked["English"]) for s in stock.values())
    first = max(recall(english, s.ranked["English"], 1) for s in stock.values())
    bars: list[Bar] = []
    for name in (WORDS_ONLY, SHIPPED):
        if name not in measured:
            continue
        m = measured[name]
        label = f"{corpus.name}, {name.split(maxsplit=1)[1]}"
        bars += [
            Bar(f"{label}: nDCG@10 / best stock", ndcg(english, m.ranked["English"]) / best, 1.0, most=False),
            Bar(f"{label}: right first / best stock", recall(english, m.ranked["English"], 1) / first, 1.0, most=False),
            Bar(f"{label}: query p50 / fastest dense", percentile(m.times, 50) / fastest["dense"], 1.2),
            Bar(f"{label}: query p50 / fastest hybrid", percentile(m.times, 50) / fastest["hybrid"], 0.7),
        ]
    bars.append(Bar(f"{corpus.name}: ingest / fastest stock", own.ingest / min(s.ingest for s in stock.values()), 1.0))
    bars.append(Bar(f"{corpus.name}: ingest throughput / embedder's own", own.embed / own.ingest, 0.85, most=False))
    bars.append(Bar(f"{corpus.name}: peak memory / least stock", own.peak / min(s.peak for s in stock.values()), 1.0))
    return bars
