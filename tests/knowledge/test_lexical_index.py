"""Keeping what single terms score changes nothing of FTS5's ranking, and keeps nothing that was only typed."""

from __future__ import annotations

import random
import sqlite3

import pytest

from bot.knowledge.lexical_index import LexicalIndex

WORDS = "school schools teacher privacy records consent data AI tool vendor vendors years 13 parent décision".split()


def of_fts5(texts: list[str], terms: list[str], count: int) -> list[tuple[int, float]]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE texts USING fts5(body, content='', tokenize='porter unicode61 remove_diacritics 2')")
    connection.executemany("INSERT INTO texts(rowid, body) VALUES (?, ?)", enumerate(texts, 1))
    query = " OR ".join(f'"{term}"' for term in dict.fromkeys(terms))
    found = connection.execute(
        "SELECT rowid, -bm25(texts) FROM texts WHERE texts MATCH ? ORDER BY bm25(texts), rowid LIMIT ?", (query, count)
    )
    return [(row - 1, score) for row, score in found]


@pytest.mark.parametrize("seed", range(20))
def test_the_best_rows_and_their_scores_are_those_of_one_query(seed: int) -> None:
    chance = random.Random(seed)
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(1, 12))) for _ in range(80)]
    terms = [*chance.sample(WORDS, 4), "never"]
    found = LexicalIndex(texts).best(terms, 15)
    expected = of_fts5(texts, terms, 15)
    assert [score for _, score in found] == pytest.approx([score for _, score in expected])
    clear = [row for row, score in expected if score > expected[-1][1] + 1e-9]
    assert {row for row, _ in found} >= set(clear)


def test_nothing_that_was_only_typed_is_kept() -> None:
    index = LexicalIndex(["Schools keep records."])
    assert index.best(["maria", "gonzalez"], 5) == []
    assert index.best(["maria", "records"], 5) == index.best(["records"], 5)
    assert set(index._kept) == {"records"}


def test_equal_rows_come_in_their_order_and_none_is_missing() -> None:
    index = LexicalIndex(["consent"] * 9)
    assert [row for row, _ in index.best(["consent"], 4)] == [0, 1, 2, 3]
    assert LexicalIndex([]).best(["consent"], 4) == []
