"""FIFOs, converters and forks, counted by hand."""

from __future__ import annotations

import pytest

from crq.hw.cost.resources import Resources
from crq.hw.cost.streams import converter, fifo, fork, stream_parts
from crq.hw.dataflow.units import Fold, units
from crq.hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder


def test_no_fifo_costs_nothing() -> None:
    assert fifo(0, 64) == Resources()


@pytest.mark.parametrize(("depth", "bits"), [(2, 1), (16, 4), (20, 5), (32, 5)])
def test_a_fifo_is_memory_pointers_and_a_count(depth: int, bits: int) -> None:
    found = fifo(depth, 8)
    assert found.lutram == 8  # 8 bits wide, at most 32 deep
    assert found.ff == 4 * bits + 1
    assert fifo(depth, 8, "xc7").ff == found.ff
    assert fifo(depth, 8, "xc7").lutram == 8


def test_a_fifo_in_block_ram_keeps_the_word_written_last() -> None:
    assert fifo(512, 16) == Resources(logic=fifo(512, 16).logic, ff=3 * 9 + 1 + 17, bram18=1)
    assert fifo(512, 16, "ecp5").ff > fifo(512, 16).ff


def test_beats_are_cut_and_joined() -> None:
    assert converter(4, 4, 8) == Resources()
    assert converter(8, 2, 4).ff == 4 * 8 + 4  # four parts of two channels, and which are left
    assert converter(2, 8, 4).ff == 4 * 8 + 4 + 1
    both = converter(6, 4, 4)  # cut into three parts of two channels, two of which are joined
    assert both.ff == (3 * 8 + 3) + (2 * 8 + 2 + 1)


def test_a_fork_has_a_register_per_reader() -> None:
    assert fork(1) == Resources()
    assert fork(3).ff == 3


def test_every_input_has_its_fifo_and_converter() -> None:
    g = GraphBuilder((8, 4, 4), "UINT4")
    unit = units(Network(g.finish(g.add("x", "x"))))[0]
    found = stream_parts(unit, Fold(4), (4, 2), {(unit.name, 0): 16, (unit.name, 1): 0})
    assert found == {"fifo": fifo(16, 16), "converter": converter(2, 4, 4)}
