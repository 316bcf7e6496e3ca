"""Vectors at a byte a number: what they lose, and that nothing else is lost."""

from __future__ import annotations

import numpy as np
import pytest

from bot.knowledge.packed import CHUNK, Packed


@pytest.mark.parametrize(("rows", "dimension"), [(1, 384), (CHUNK, 384), (2 * CHUNK + 7, 384), (50, 3_072)])
def test_cosines_are_those_of_the_vectors_within_a_five_hundredth(rows: int, dimension: int) -> None:
    chance = np.random.default_rng(rows)
    vectors = chance.normal(size=(rows, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    packed = Packed(vectors)
    asked = vectors[rows // 2]
    assert len(packed) == rows
    assert np.abs(packed.cosines(asked) - vectors @ asked).max() < 0.002
    assert np.argmax(packed.cosines(asked)) == rows // 2
    assert np.array_equal(packed[rows - 1], packed.unpacked()[rows - 1])


def test_a_row_of_zeros_and_no_rows_at_all_are_fine() -> None:
    assert Packed(np.zeros((2, 4), np.float32)).cosines(np.ones(4, np.float32)).tolist() == [0.0, 0.0]
    assert len(Packed(np.zeros((0, 0), np.float32)).cosines(np.ones(4, np.float32))) == 0
