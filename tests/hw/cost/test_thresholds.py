"""Threshold lanes, priced by the constants of hw/cost/constants.py and the fabric's ROMs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hw.cost.constants import COMPARATOR_LUTS, ENCODER_LUTS, FIXED_COMPARATOR_LUTS, comparator
from hw.cost.resources import Resources
from hw.cost.thresholds import compared, searched, threshold_lanes
from hw.ir.layers import Shape, Tensor, Threshold

# An unsigned sum of at most 126 is compared in 7 bits, the first width of the built-in comparators' sweep.
LO, HI, BITS = 0, 126, 7
EACH = FIXED_COMPARATOR_LUTS[0]


def layer_of(rows: NDArray[np.int64]) -> Threshold:
    channels, levels = rows.shape
    shape = Shape(channels, 1, 1)
    x = Tensor("x", shape, np.full(channels, LO), np.full(channels, HI))
    y = Tensor("y", shape, np.zeros(channels, np.int64), np.full(channels, levels))
    return Threshold("t", (x,), y, rows, 0, "UINT8")


def test_a_lane_of_one_channel_has_its_thresholds_built_in() -> None:
    rows = np.array([[10, 20, 30]])
    assert compared(rows, LO, HI, BITS) == Resources(logic=3 * EACH)
    assert threshold_lanes(layer_of(rows), 1) == Resources(logic=3 * EACH)


def test_equal_thresholds_are_compared_once_and_those_out_of_reach_never() -> None:
    assert compared(np.array([[20, 20, 30]]), LO, HI, BITS).logic == 2 * EACH
    assert compared(np.array([[LO - 5, LO, 30]]), LO, HI, BITS).logic == EACH  # always met
    assert compared(np.array([[30, HI + 1, HI + 9]]), LO, HI, BITS).logic == EACH  # never met
    assert compared(np.array([[LO, HI + 1, HI + 1]]), LO, HI, BITS) == Resources()
    assert compared(np.array([[LO + 1, HI, HI + 1]]), LO, HI, BITS).logic == 2 * EACH  # the ends of what is compared
    assert threshold_lanes(layer_of(np.array([[30, HI, HI + 9]])), 1).logic == 2 * EACH
    assert threshold_lanes(layer_of(np.array([[HI + 1, HI + 2, HI + 3]])), 1) == Resources()


def test_a_lane_of_several_channels_reads_its_thresholds() -> None:
    """Two channels: three comparators of 8 bits, an encoder to 2 bits, and a ROM of 2 x 24 bits, of which those columns
    vary that differ between the channels; of the two kinds of column, 01 and 10, each takes one LUT."""
    rows = np.array([[1, 2, 3], [2, 3, 4]])
    assert COMPARATOR_LUTS[1] == comparator(8)
    found = compared(rows, LO, HI, 8)
    assert found == Resources(logic=3 * COMPARATOR_LUTS[1] + ENCODER_LUTS[2] + 2, ff=2)


def test_a_threshold_that_no_channel_of_the_lane_reaches_needs_no_comparator() -> None:
    rows = np.array([[10, 20, HI + 1], [12, 22, HI + 1]])
    same = np.array([[10, 20], [12, 22]])
    assert compared(rows, LO, HI, 8) == compared(same, LO, HI, 8)


@pytest.mark.parametrize("pe", [1, 2, 3, 6])
def test_lanes_are_priced_by_the_channels_that_pass_through_them(pe: int) -> None:
    rows = np.sort(np.random.default_rng(0).integers(LO, HI, (6, 7)), axis=1)
    lanes = [compared(rows[lane::pe], LO, HI, BITS) for lane in range(pe)]
    assert threshold_lanes(layer_of(rows), pe) == Resources().plus(*lanes)


def test_a_search_takes_a_comparator_per_bit_and_a_smaller_rom_per_step() -> None:
    """Thresholds 1 to 31 of one channel: steps pick 16; 8 or 24; 4, 12, 20 or 28 and so on. A step's ROM stores the
    bits in which its words differ, 0 to 4 of them, and registers the sum and the bits of the code so far."""
    found = searched(np.arange(1, 32)[None], LO, HI, BITS)
    stored = 0 + 1 + 2 + 3 + 4
    assert found.ff == 5 * BITS + (1 + 2 + 3 + 4 + 5) + stored
    assert found.logic == 5 * comparator(BITS) + stored


@pytest.mark.parametrize(("levels", "each"), [(15, compared), (16, searched), (255, searched)])
def test_more_than_four_bits_are_searched(levels: int, each) -> None:
    rows = np.sort(np.random.default_rng(1).integers(LO, HI, (2, levels)), axis=1)
    assert threshold_lanes(layer_of(rows), 1) == each(rows, LO, HI, BITS)
