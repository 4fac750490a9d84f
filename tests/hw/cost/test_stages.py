"""Stages behind sums, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.cost.resources import Resources
from crq.hw.cost.stages import Searchers, output_register, rounded, searchers
from crq.hw.dataflow.progressions import Rounding
from crq.hw.dataflow.thresholds import Table


def straight(channels: int, bits: int, width: int, step: int = 7) -> Table:
    """Entries step, 2 step ... of every channel, a little apart."""
    top = (1 << (width - 1)) - 2
    rows = step * np.arange(1, 1 << bits)[None] + np.arange(channels)[:, None]
    return Table(rows, np.full(channels, -top), np.full(channels, top), bits, False, width)


def test_the_result_register_holds_a_beat_and_whether_it_is_valid() -> None:
    assert output_register(24).ff == 25


def test_a_searcher_holds_sums_and_codes() -> None:
    """Four lanes of 11 bits, 4-bit codes, four blocks: two flags, place of the bit (4), lane (2) and block (2); three
    sums held, four codes, the node; the channel (4) and the sum that are searched."""
    found = searchers(straight(16, 4, 11), 4, 1, "lut")
    assert found.ff == (2 + 4 + 2 + 2) + (3 * 11 + 4 * 4 + 4) + (4 + 11)


def test_searchers_share_the_channel_and_spare_lanes_are_constants() -> None:
    """Four searchers of a lane each, one block of 2: two flags, four places, the block; per searcher its code, the
    node and the sum; the channel once."""
    four = searchers(straight(8, 4, 11), 4, 4, "lut")
    assert four.ff == (2 + 4 + 1) + 4 * (4 + 4 + 11) + 1
    spare = Searchers(straight(5, 4, 11), 5, 2, "lut")  # 3 and 2 lanes
    assert (spare.each, spare.used) == (3, 2)
    assert spare.registers() == (2 + 4 + 2) + 2 * (2 * 11 + 3 * 4 + 4) - 11 + 2 + 2 * 11


def test_a_table_in_block_ram_takes_no_luts_for_its_words() -> None:
    found = straight(64, 4, 12)
    assert searchers(found, 4, 1, "bram").bram18 == 1
    assert searchers(found, 4, 1, "bram").logic < searchers(found, 4, 1, "lut").logic


def test_a_progression_needs_two_words_per_channel() -> None:
    many = straight(64, 8, 13, 3)
    assert searchers(many, 4, 1, "ramp").bram18 == 0
    assert searchers(many, 4, 1, "ramp").logic < searchers(many, 4, 1, "lut").logic


@pytest.mark.parametrize(("offset", "ones"), [(0, 0), (1, 1), (17, 2)])
def test_the_ones_of_an_offset_are_inverters(offset: int, ones: int) -> None:
    found = straight(4, 4, 9)
    plain = rounded(found, Rounding(4, 0), 4)
    more = rounded(found, Rounding(4, offset), 4).logic - plain.logic
    assert (more > 0) == (ones > 0)
    assert rounded(found, Rounding(4, 0), 8) == Resources(logic=2 * plain.logic)
