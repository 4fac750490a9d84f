"""Formulas of the fabric: the shapes of the data sheets, and adders counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.cost import primitives
from crq.hw.cost.constants import multiplexer
from crq.hw.cost.resources import Resources


@pytest.mark.parametrize(("depth", "width", "halves"), [(512, 36, 1), (512, 72, 2), (1024, 18, 1), (16384, 1, 1),
                                                        (513, 36, 2), (300, 128, 4), (32768, 2, 4)])  # fmt: skip
def test_block_ram_by_aspect_ratio(depth: int, width: int, halves: int) -> None:
    assert primitives.bram18(depth, width) == halves


@pytest.mark.parametrize(
    ("depth", "width", "halves"),
    [(16384, 1, 1), (8192, 2, 1), (4096, 4, 1), (2048, 9, 1), (1024, 18, 1), (512, 36, 1),
     (32768, 1, 2), (16384, 2, 2), (8192, 4, 2), (4096, 9, 2), (2048, 18, 2), (1024, 36, 2), (512, 72, 2)],
)  # fmt: skip
def test_a_block_of_each_shape_is_filled_to_the_last_word_and_bit(depth: int, width: int, halves: int) -> None:
    assert primitives.bram18(depth, width) == halves
    assert primitives.bram18(depth + 1, width) > halves
    assert primitives.bram18(depth, width + 1) > halves


@given(st.integers(1, 40_000), st.integers(1, 300))
def test_blocks_hold_the_memory_and_a_larger_one_never_takes_fewer(depth: int, width: int) -> None:
    halves = primitives.bram18(depth, width)
    assert halves * 18 * 1024 >= depth * width
    assert halves <= primitives.bram18(depth + 1, width)
    assert halves <= primitives.bram18(depth, width + 1)


@pytest.mark.parametrize(("depth", "width", "luts"), [(2, 14, 8), (32, 15, 16), (33, 7, 8), (64, 8, 16), (65, 7, 16)])
def test_lutram_by_primitive(depth: int, width: int, luts: int) -> None:
    assert primitives.lutram(depth, width) == luts


@pytest.mark.parametrize(("depth", "width", "luts"), [(32, 6, 4), (32, 7, 8), (33, 3, 4), (64, 4, 8), (129, 3, 12)])
def test_lutram_of_7_series(depth: int, width: int, luts: int) -> None:
    assert primitives.lutram(depth, width, "xc7") == luts


def test_memory_of_8192_bits_and_more_is_block_ram() -> None:
    assert primitives.memory(256, 32) == Resources(bram18=1)
    below = primitives.memory(256, 31)
    assert below.bram18 == 0
    # 4 banks of 64: 5 groups of 7 bits, 8 LUTs each; joined by a 4:1 multiplexer per bit and 4 write enables.
    assert below.lutram == 4 * 5 * 8
    assert below.logic == 31 * multiplexer(4) + 4
    assert below.ff == 0


def test_memory_of_one_bank_needs_no_multiplexer_and_no_width_no_memory() -> None:
    assert primitives.memory(64, 10) == Resources(lutram=16)
    assert primitives.memory(64, 10, "xc7") == Resources(lutram=16)
    assert primitives.memory(100, 0) == Resources()


def test_rom_columns_that_are_equal_or_constant_cost_nothing() -> None:
    rng = np.random.default_rng(0)
    column = rng.integers(0, 2, (40, 1)).astype(bool)
    repeated = np.hstack([column, column, np.ones((40, 1), bool)])
    assert primitives.rom(repeated) == primitives.rom(column) == Resources(logic=1, ff=1)


def test_a_register_inverts_its_input_for_nothing_but_on_ecp5() -> None:
    column = np.random.default_rng(0).integers(0, 2, (16, 1)).astype(bool)
    both = np.hstack([column, ~column])
    assert primitives.rom(both) == Resources(logic=1, ff=2)
    assert primitives.rom(both, family="ecp5") == Resources(logic=2, ff=2)


def test_a_column_that_is_a_bit_of_the_address_needs_no_lut() -> None:
    address = (np.arange(16)[:, None] >> np.arange(4) & 1).astype(bool)
    assert primitives.rom(address) == primitives.rom(address, family="ecp5") == Resources(ff=4)
    assert primitives.rom(~address) == Resources(ff=4)


@given(st.integers(1, 20), st.integers(1, 8), st.integers(0, 2**32))
def test_columns_that_need_logic_are_those_that_differ_and_vary(depth: int, width: int, seed: int) -> None:
    words = np.random.default_rng(seed).integers(0, 2, (depth, width)).astype(bool)
    expected = {tuple(column) for column in words.T.tolist() if len(set(column)) == 2}
    found = [tuple(column) for column in primitives.distinct_columns(words).T.tolist()]
    assert len(found) == len(expected)
    assert set(found) == expected


@pytest.mark.parametrize(("depth", "luts"), [(3, 1), (64, 1), (65, 2), (128, 2), (129, 4), (256, 4)])
def test_a_column_takes_the_luts_that_hold_its_depth(depth: int, luts: int) -> None:
    column = (np.arange(depth) % 3 == 0)[:, None]
    assert primitives.rom(column) == Resources(logic=luts, ff=1)


def test_a_rom_goes_where_it_is_put() -> None:
    words = np.random.default_rng(1).integers(0, 2, (64, 4)).astype(bool)
    assert primitives.rom(words) == Resources(logic=4, ff=4)
    assert primitives.rom(words, "bram") == Resources(bram18=1)
    large = np.random.default_rng(1).integers(0, 2, (256, 32)).astype(bool)
    assert primitives.rom(large) == Resources(bram18=1)
    assert primitives.rom(large, "lut") == Resources(logic=4 * 32, ff=32)


def test_blocks_on_each_other_are_joined() -> None:
    """2304 words of 16 bits are three blocks of 1024 x 18."""
    assert primitives.block_shape(2304, 16) == (3, 3)
    assert primitives.block_rom(2304, 16) == Resources(logic=16 * multiplexer(3), ff=2, bram18=3)
    assert primitives.block_rom(576, 16) == Resources(bram18=1)


@pytest.mark.parametrize(("depth", "width", "luts"), [(16, 4, 6), (17, 4, 12), (16, 5, 12), (64, 8, 48)])
def test_distributed_ram_of_ecp5(depth: int, width: int, luts: int) -> None:
    assert primitives.lutram(depth, width, "ecp5") == luts
