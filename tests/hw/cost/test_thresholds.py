"""Threshold lanes, priced by the constants of hw/cost/constants.py and the fabric's ROMs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from crq.hw.cost import thresholds
from crq.hw.cost.constants import comparator, encoder
from crq.hw.cost.resources import Resources
from crq.hw.cost.thresholds import (
    block_constants,
    built_in,
    built_in_features,
    counter,
    divided,
    searched,
    table_lanes,
    threshold_lanes,
)
from crq.hw.dataflow.stages import code_table
from crq.hw.dataflow.thresholds import Ramp
from crq.hw.ir.layers import IntArray, Shape, Tensor, Threshold
from crq.hw.ir.progression import Progression

LO, HI, BITS = 0, 126, 8  # signed


def compared(rows: IntArray) -> Resources:
    """One lane."""
    return thresholds.compared(rows, np.full(len(rows), LO), np.full(len(rows), HI), BITS)


def layer_of(rows: NDArray[np.int64]) -> Threshold:
    channels, levels = rows.shape
    shape = Shape(channels, 1, 1)
    x = Tensor("x", shape, np.full(channels, LO), np.full(channels, HI))
    y = Tensor("y", shape, np.zeros(channels, np.int64), np.full(channels, levels))
    return Threshold("t", (x,), y, rows, 0, "UINT8")


def one(*entries: int, bits: int = 2) -> Resources:
    """A lane of one channel that compares with `entries`."""
    return Resources(logic=built_in(np.array(entries), BITS, bits))


def test_a_lane_of_one_channel_has_its_thresholds_built_in() -> None:
    rows = np.array([[10, 20, 30]])
    assert compared(rows) == one(10, 20, 30)
    assert threshold_lanes(layer_of(rows), 1) == one(10, 20, 30)


def test_equal_thresholds_are_compared_once_and_those_out_of_reach_never() -> None:
    assert compared(np.array([[20, 20, 30]])) == one(20, 30)
    assert compared(np.array([[LO - 5, LO, 30]])) == one(30)  # always met
    assert compared(np.array([[30, HI + 1, HI + 9]])) == one(30)  # never met
    assert compared(np.array([[LO, HI + 1, HI + 1]])) == Resources()
    assert compared(np.array([[LO + 1, HI, HI + 1]])) == one(LO + 1, HI)  # the ends of what is compared
    assert threshold_lanes(layer_of(np.array([[30, HI, HI + 9]])), 1) == one(30, HI)
    assert threshold_lanes(layer_of(np.array([[HI + 1, HI + 2, HI + 3]])), 1) == Resources()


def test_built_in_thresholds_are_told_by_their_upper_and_lower_bits() -> None:
    """Of 8 bits 6 fill a LUT: 10, 20 and 30 differ there, and two of them have the same two bits below."""
    assert built_in_features(np.array([10, 20, 30]), 8, 2) == (3, 24, 3, 1, False)
    assert built_in_features(np.array([10, 20, 30]), 8, 4, "ecp5") == (3, 24, 2, 3, True)


def test_a_code_of_few_bits_is_a_lut_per_bit() -> None:
    assert built_in(np.array([3, 9, 21]), 6, 2) == 2
    assert built_in(np.array([3]), 6, 4) == 1
    assert built_in(np.array([3, 9, 21]), 4, 2, "ecp5") == 2


def test_a_lane_of_several_channels_reads_its_thresholds() -> None:
    """Two channels: three comparators of 8 bits, an encoder to 2 bits, and a ROM of two words, of which those columns
    vary that differ between the channels. Of the two kinds of column one is the address and one its inverse, which a
    register inverts for nothing; they are two registers."""
    found = compared(np.array([[1, 2, 3], [2, 3, 4]]))
    assert found == Resources(logic=3 * comparator(8) + encoder(2) + counter(2).logic, ff=2 + 1)


def test_a_threshold_that_no_channel_of_the_lane_reaches_needs_no_comparator() -> None:
    rows = np.array([[10, 20, HI + 1], [12, 22, HI + 1]])
    assert compared(rows).logic == compared(rows[:, :2]).logic


@pytest.mark.parametrize("pe", [1, 2, 3, 6])
def test_lanes_are_priced_by_the_channels_that_pass_through_them(pe: int) -> None:
    rows = np.sort(np.random.default_rng(0).integers(LO + 1, HI, (6, 7)), axis=1)
    lanes = [compared(rows[lane::pe]) for lane in range(pe)]
    assert threshold_lanes(layer_of(rows), pe) == Resources().plus(*lanes)


def test_a_search_takes_a_comparator_per_bit_and_a_smaller_rom_per_step() -> None:
    """Thresholds 1 to 31 of one channel: steps pick 16; 8 or 24; 4, 12, 20 or 28 and so on. A step's ROM stores the
    bits in which its words differ, 0 to 4 of them, all bits of the address; it registers the sum, the bits of the code
    so far and which channel."""
    found = searched(np.arange(1, 32)[None], code_table(layer_of(np.arange(1, 32)[None])))
    stored = 0 + 1 + 2 + 3 + 4
    assert found.ff == 5 * BITS + (0 + 1 + 2 + 3 + 4) + 5 + stored
    assert found.logic == 5 * comparator(BITS)


def test_more_than_four_bits_are_searched() -> None:
    rows = np.sort(np.random.default_rng(1).integers(LO, HI, (2, 31)), axis=1)
    layer = layer_of(rows)
    assert threshold_lanes(layer, 1) == searched(code_table(layer).rows, code_table(layer)).plus(counter(2))


def test_constants_that_are_all_alike_are_wires() -> None:
    words = np.random.default_rng(2).integers(0, 2, (1, 8)).astype(bool)
    assert block_constants(words) == block_constants(np.repeat(words, 4, axis=0)) == Resources()


def test_a_pipelined_division_has_a_step_per_bit_and_no_table() -> None:
    """Registers of a step: D, what is left and two flags; on ECP5 also the bits that wait."""
    along = Progression(np.array([0, 5]), np.array([9, 13]), 2, (1 << 14) - 1)
    found = Ramp(along, np.full(2, -1000), np.full(2, 60000), 14, False, 17)
    assert found.d_bits == 4
    assert divided(found, 2).ff == 2 * 14 * (2 * 4 + 2)
    assert divided(found, 2, "ecp5").ff == 2 * 14 * (2 * 4 + 2 + 13)
    assert divided(found, 2).logic == 2 * (14 * 11 + found.sum_bits - 2)
    clamped = replace(found, progression=replace(along, most=10000))
    assert divided(clamped, 2).logic == divided(found, 2).logic + 2 * 2 * 14
    assert table_lanes(found, 1).logic > divided(found, 2).logic / 2  # two words and their counter
