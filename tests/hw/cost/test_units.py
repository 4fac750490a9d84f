"""Formulas of the fabric, and that the estimate reads the weights."""

from __future__ import annotations

import numpy as np
import pytest

from hw.cost import parallel, primitives
from hw.cost.network import estimate, estimate_unit
from hw.dataflow.units import Fold, units
from hw.ir.graph import Network
from hw.ir.layers import Conv
from tests.support.random_graphs import GraphBuilder


def layer(weights: np.ndarray, bits: int = 4) -> Network:
    g = GraphBuilder((weights.shape[1], 6, 6), f"UINT{bits}")
    return Network(g.finish(g.threshold(g.conv("x", len(weights), weights=weights), 4)))


@pytest.mark.parametrize(("depth", "width", "halves"), [(512, 36, 1), (512, 72, 2), (1024, 18, 1), (16384, 1, 1),
                                                        (513, 36, 2), (300, 128, 4), (32768, 2, 4)])  # fmt: skip
def test_block_ram_by_aspect_ratio(depth: int, width: int, halves: int) -> None:
    assert primitives.bram18(depth, width) == halves


@pytest.mark.parametrize(("depth", "width", "luts"), [(2, 14, 8), (32, 15, 16), (33, 7, 8), (64, 8, 16), (65, 7, 16)])
def test_lutram_by_primitive(depth: int, width: int, luts: int) -> None:
    assert primitives.lutram(depth, width) == luts


def test_rom_columns_that_are_equal_or_constant_cost_nothing() -> None:
    rng = np.random.default_rng(0)
    column = rng.integers(0, 2, (40, 1)).astype(bool)
    repeated = np.hstack([column, column, np.ones((40, 1), bool)])
    assert primitives.rom(repeated) == primitives.rom(column)
    assert primitives.rom(column).ff == 1


def test_zeros_shrink_an_unrolled_layer_and_equal_channels_a_rom() -> None:
    rng = np.random.default_rng(1)
    dense = rng.choice([-1, 1], (8, 4, 3, 3))
    sparse = dense * rng.choice([0, 1], dense.shape, p=[0.7, 0.3])
    full, few = (estimate_unit(n, units(n)[0], Fold(8, 36)).parts["lanes"].logic for n in (layer(dense), layer(sparse)))
    assert few < 0.5 * full
    same = np.repeat(dense[:1], 8, axis=0)
    rom = [estimate_unit(n, units(n)[0], Fold(8, 4)).parts["weights"].logic for n in (layer(dense), layer(same))]
    assert rom[1] < 0.25 * rom[0]


def test_io_parallel_is_one_unrolled_unit_per_pixel_without_the_padding() -> None:
    weights = np.random.default_rng(3).choice([-1, 1], (4, 2, 3, 3))
    inner, g = layer(weights), GraphBuilder((2, 6, 6), "UINT4")
    padded = Network(g.finish(g.threshold(g.conv("x", 4, weights=weights, pads=(1, 1, 1, 1)), 4)))
    lanes = estimate_unit(inner, units(inner)[0], Fold(4, 18)).parts["lanes"]
    assert parallel.parts(units(inner)[0])["lanes"] == lanes.times(16)
    conv = units(padded)[0].layer
    assert isinstance(conv, Conv)
    found = parallel.windows(conv)
    assert sum(found.values()) == 36
    assert found[(True,) * 3, (True,) * 3] == 16
    assert found[(False, True, True), (False, True, True)] == 1
    per_pixel = parallel.parts(units(padded)[0])["lanes"].logic / 36
    assert 0.6 * lanes.logic < per_pixel < lanes.logic
    whole = estimate(padded, {}, io_type="io_parallel")
    assert whole.pipeline.interval == 1
    assert whole.total.bram18 == whole.total.lutram == 0


def test_more_lanes_cost_more_and_no_unit_has_dsp() -> None:
    network = layer(np.random.default_rng(2).choice([-1, 0, 1], (8, 4, 3, 3)))
    unit = units(network)[0]
    lanes = [estimate_unit(network, unit, Fold(pe, 4)).parts["lanes"].lut for pe in (1, 2, 4, 8)]
    assert lanes == [lanes[0] * n for n in (1, 2, 4, 8)]
    assert estimate_unit(network, unit, Fold(8, 4)).total.dsp == 0
