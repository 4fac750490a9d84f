"""Widths and bit columns, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.dataflow.bits import as_bits, clog2, signed_width


@pytest.mark.parametrize(("things", "bits"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (1024, 10)])
def test_bits_of_an_index(things: int, bits: int) -> None:
    assert clog2(things) == bits


@given(st.integers(1, 1 << 40))
def test_an_index_has_as_many_bits_as_the_last_thing_needs(things: int) -> None:
    assert len(np.binary_repr(things - 1)) == max(1, clog2(things))


@given(st.integers(-(1 << 40), 1 << 40), st.integers(1, 1 << 41))
def test_a_signed_width_holds_the_interval_and_no_narrower_one_does(lo: int, length: int) -> None:
    hi = lo + length

    def holds(bits: int) -> bool:
        return -(1 << (bits - 1)) <= lo and hi < 1 << (bits - 1)

    width = signed_width(lo, hi)
    assert holds(width)
    assert width == 1 or not holds(width - 1)


@pytest.mark.parametrize(("lo", "hi", "bits"), [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-128, 127, 8), (-129, 0, 9)])
def test_widths_of_small_intervals(lo: int, hi: int, bits: int) -> None:
    assert signed_width(lo, hi) == bits


def test_bits_of_words_lie_lowest_first() -> None:
    bits = as_bits(np.array([[1, -1], [-4, 3]]), 3)
    assert bits.dtype == bool
    assert bits.astype(int).tolist() == [[1, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 0]]


@given(st.lists(st.lists(st.integers(-128, 127), min_size=3, max_size=3), min_size=1, max_size=5))
def test_words_come_back_from_their_bits(words: list[list[int]]) -> None:
    columns = as_bits(np.array(words), 8).reshape(-1, 3, 8).astype(np.uint8)
    assert np.packbits(columns, axis=2, bitorder="little")[..., 0].view(np.int8).tolist() == words
