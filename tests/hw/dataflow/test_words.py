"""Words of a bus: what is packed comes back, and lies where it is said to lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.dataflow.words import Port, Words, pack, unpack, whole_beats, words_of
from crq.hw.ir.layers import Shape, Tensor


def port(c: int, h: int, w: int, beat: int, lo: int = 0, hi: int = 15) -> Port:
    return Port(Tensor("t", Shape(c, h, w), np.full(c, lo), np.full(c, hi)), beat)


def test_a_port_counts_its_beats_and_their_bits() -> None:
    found = port(6, 2, 3, 2)
    assert (found.shape, found.beats, found.bits) == (Shape(6, 2, 3), 18, 8)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (port(3, 1, 1, 3), Words(16, 3, 4, 1, 1)),
        (port(4, 2, 2, 2), Words(8, 2, 4, 1, 8)),
        (port(300, 1, 1, 300), Words(1024, 150, 4, 2, 2)),
        (port(1, 30, 30, 900), Words(1024, 225, 4, 4, 4)),
    ],
)  # fmt: skip
def test_words_are_the_smallest_powers_of_two(found: Port, words: Words) -> None:
    if found.beat > found.shape.c:  # a whole image
        found = port(900, 1, 1, 900)
    assert words_of(found) == words


def test_a_simulation_holds_whole_beats() -> None:
    assert whole_beats(port(300, 2, 1, 300)) == Words(1200, 300, 4, 1, 2)
    assert whole_beats(port(3, 1, 1, 3)) == Words(16, 3, 4, 1, 1)


def test_the_first_value_has_the_low_bits() -> None:
    found = port(3, 1, 1, 3)
    assert pack(np.array([[[[1]], [[2]], [[15]]]]), found, words_of(found)).tolist() == [[[0x21, 0x0F]]]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_packed_comes_back(data: st.DataObject) -> None:
    c, h, w = (data.draw(st.integers(1, 6)) for _ in range(3))
    beat = data.draw(st.sampled_from([b for b in range(1, c * h * w + 1) if c * h * w % b == 0]))
    lo, hi = data.draw(st.sampled_from([(0, 1), (0, 255), (-8, 7), (-1, 0), (-1000, 500), (0, 4095)]))
    found, rng = port(c, h, w, beat, lo, hi), np.random.default_rng(0)
    values = rng.integers(lo, hi + 1, (3, c, h, w))
    for words in (words_of(found), whole_beats(found)):
        packed = pack(values, found, words)
        assert packed.shape == (3, words.per_image, words.bits // 8)
        np.testing.assert_array_equal(unpack(packed, found, words), values)
