"""Beside the limits of the machine: the bare embedding, the exact search, and growth."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from tests.benchmarks.child import Child
from tests.benchmarks.report import Bar, Table, load_average
from tests.benchmarks.timing import exponent, percentile

INDEX_COLUMNS = ("library", "rows", "recall@10", "hnsw ms", "exact ms", "hnsw / exact")


def searching(shipped: Path, folder: Path, questions: list[str]) -> tuple[list[Table], list[Bar]]:
    """Search and decision beside the bare embedding of the same question, embedding included."""
    with Child("tests.benchmarks.signpost:ShippedSignpost") as child:
        child.call("open", folder=str(shipped))
        rows = child.call("embed_beside", questions=questions)
        near = child.call("neighbours", questions=questions)
        child.call("vectors", path=str(folder / "vectors.npy"))
    table = Table("Search beside the bare embedding, shipped library", ("step", "p50 ms", "p95 ms", "cpu ms", "/ bare"))
    bare = percentile([row["bare"] for row in rows], 50)
    for name, shown in (("bare", "embed the question"), ("whole", "search and decide")):
        times, processor = [row[name] for row in rows], [row[f"{name} cpu"] for row in rows]
        middle = percentile(times, 50)
        table.rows.append((shown, middle, percentile(times, 95), percentile(processor, 50), middle / bare))
    table.notes.append(f"{len(questions)} questions, each embedded alone and then searched; the search embeds it again")
    table.notes.append(f"cpu: median over all threads; load {load_average()}")
    ratio = percentile([row["whole"] / row["bare"] for row in rows], 50)
    bars = [Bar("search and decision / bare embedding (median of ratios)", ratio, 1.6)]
    index = Table("Index beside the exact search", INDEX_COLUMNS)
    index.rows.append(_index_row("shipped", near))
    bars.append(Bar("shipped library: HNSW recall@10", near["recall"], 0.99, most=False))
    return [table, index], bars


def _index_row(name: str, near: dict[str, float]) -> tuple[str, int, float, float, float, float]:
    return name, int(near["rows"]), near["recall"], near["hnsw"], near["exact"], near["hnsw"] / near["exact"]


def growing(folder: Path, questions: list[str], sizes: list[int]) -> tuple[list[Table], list[Bar]]:
    """How taking in, loading and searching grow with the library."""
    saved = str(folder / "vectors.npy")
    columns = ("passages", "take in s", "publish s", "load s", "search ms", "dense ms", "lexical ms", "peak MB")
    table = Table("Growth (synthetic passages, recombined vectors)", columns)
    index = Table("Index beside the exact search, synthetic", INDEX_COLUMNS)
    seen: list[tuple[int, dict[str, float], dict[str, float]]] = []
    bars: list[Bar] = []
    for size in sizes:
        with Child("tests.benchmarks.growth:Synthetic") as child:
            grown = child.call("grow", passages=size, vectors=saved)
            times = child.call("measure", questions=questions, vectors=saved)
        seen.append((size, grown, times))
        table.rows.append(
            (
                size,
                *(grown[name] for name in ("take in", "publish", "load")),
                *(times[name] for name in ("search", "dense", "lexical")),
                grown["peak"],
            )
        )
        index.rows.append(_index_row(f"synthetic {size:,}", times))
        bars.append(Bar(f"synthetic {size:,}: HNSW recall@10", times["recall"], 0.99, most=False))
    for (small, grown0, times0), (large, grown1, times1) in pairwise(seen):
        powers = [exponent((small, grown0[n]), (large, grown1[n])) for n in ("take in", "publish", "load")]
        powers += [exponent((small, times0[n]), (large, times1[n])) for n in ("search", "dense", "lexical")]
        table.rows.append((f"exponent {small:,} to {large:,}", *powers, None))
    table.notes.append("exponent e: time grows as size ** e; one sentence a passage, fifty passages a document, nothing embedded")
    table.notes.append(f"'search' adds fusion over up to 110 candidates to 'dense' and 'lexical'; load {load_average()}")
    return [table, index], bars
