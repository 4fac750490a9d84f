"""Circuits of a unit under a folding: hand counts of each, and that the estimate reads the weights."""

from __future__ import annotations

import numpy as np
import pytest

from hw.cost.constants import FIFO_LUTS_BASE, FIFO_LUTS_POINTER, FIFO_LUTS_WRAP, multiplexer
from hw.cost.network import estimate_unit
from hw.cost.resources import Resources
from hw.dataflow.units import Fold, units
from hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder


def layer(weights: np.ndarray, bits: int = 4) -> Network:
    g = GraphBuilder((weights.shape[1], 6, 6), f"UINT{bits}")
    return Network(g.finish(g.threshold(g.conv("x", len(weights), weights=weights), 4)))


def test_zeros_shrink_an_unrolled_layer_and_equal_channels_a_rom() -> None:
    rng = np.random.default_rng(1)
    dense = rng.choice([-1, 1], (8, 4, 3, 3))
    sparse = dense * rng.choice([0, 1], dense.shape, p=[0.7, 0.3])
    full, few = (estimate_unit(n, units(n)[0], Fold(8, 36)).parts["lanes"].logic for n in (layer(dense), layer(sparse)))
    assert few < 0.5 * full
    same = np.repeat(dense[:1], 8, axis=0)
    rom = [estimate_unit(n, units(n)[0], Fold(8, 4)).parts["weights"].logic for n in (layer(dense), layer(same))]
    assert rom[1] < 0.25 * rom[0]


def test_more_lanes_cost_more_and_no_unit_has_dsp() -> None:
    network = layer(np.random.default_rng(2).choice([-1, 0, 1], (8, 4, 3, 3)))
    unit = units(network)[0]
    lanes = [estimate_unit(network, unit, Fold(pe, 4)).parts["lanes"].lut for pe in (1, 2, 4, 8)]
    assert lanes == [lanes[0] * n for n in (1, 2, 4, 8)]
    assert estimate_unit(network, unit, Fold(8, 4)).total.dsp == 0


def parts_of(g: GraphBuilder, output: str, fold: Fold, **more) -> dict[str, Resources]:
    network = Network(g.finish(output))
    return estimate_unit(network, units(network)[-1], fold, **more).parts


def test_the_window_is_registers_and_all_but_one_row_of_memory() -> None:
    """3 x 3 taps of 2 channels at 4 bits; two rows of 32 pixels, 16 bits each, are two words of 14 bits in LUTRAM."""
    g = GraphBuilder((2, 8, 32), "UINT4")
    found = parts_of(g, g.conv("x", 4), Fold(4, 18))["window"]
    assert found.ff >= 9 * 2 * 4
    assert found.lutram == 2 * 8
    lying = parts_of(g, g.conv("x", 4, (1, 3)), Fold(4, 6))["window"]
    assert lying.lutram == lying.bram18 == 0


def test_long_lines_lie_in_block_ram() -> None:
    g = GraphBuilder((8, 4, 512), "UINT8")
    assert parts_of(g, g.conv("x", 2), Fold(2, 72))["window"].bram18 == 4  # 512 words of 2 x 64 bits


@pytest.mark.parametrize(("depth", "wraps"), [(16, 0), (20, 1), (32, 0)])
def test_a_fifo_is_memory_pointers_and_a_count(depth: int, wraps: int) -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    found = parts_of(g, g.bias("x"), Fold(1), depths={("bias1", 0): depth})["fifo"]
    bits = 4 if depth == 16 else 5
    assert found.lutram == 8  # 8 bits wide, at most 32 deep
    assert found.logic == pytest.approx(FIFO_LUTS_BASE + bits * (FIFO_LUTS_POINTER + wraps * FIFO_LUTS_WRAP))
    assert found.ff == 4 * bits + 1


def test_every_input_has_a_fifo_and_a_shift_none() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    one = parts_of(g, g.bias("x"), Fold(1))["fifo"]
    both = parts_of(g, g.add("x", "x"), Fold(1))["fifo"]
    assert both == one.times(2)
    assert parts_of(g, g.shift("x", 2), Fold(1))["fifo"] == Resources()


def test_the_operands_are_chosen_among_the_chunks_of_the_window() -> None:
    """18 products, 6 per cycle: each of 6 x 4 bits is chosen among three."""
    g = GraphBuilder((2, 5, 5), "UINT4")
    found = parts_of(g, g.conv("x", 4), Fold(2, 6))["operands"]
    assert found == Resources(logic=24 * multiplexer(3), ff=24)


@pytest.mark.parametrize(("rom", "blocks"), [("auto", 0), ("lut", 0), ("bram", 1)])
def test_weights_lie_where_they_are_put(rom: str, blocks: int) -> None:
    g = GraphBuilder((4, 5, 5), "UINT4")
    found = parts_of(g, g.conv("x", 8), Fold(1, 4, rom))["weights"]
    assert found.bram18 == blocks
    assert (found.logic == 0) == bool(blocks)


def test_an_unrolled_layer_has_its_weights_in_its_adders() -> None:
    g = GraphBuilder((4, 5, 5), "UINT4")
    assert parts_of(g, g.conv("x", 8), Fold(8, 36))["weights"] == Resources()


def test_the_result_register_holds_a_beat_and_whether_it_is_valid() -> None:
    g = GraphBuilder((4, 5, 5), "UINT4")
    assert parts_of(g, g.threshold(g.conv("x", 8), 3), Fold(2, 6))["output"].ff == 8 * 3 + 1
