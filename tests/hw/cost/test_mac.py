"""Convolutions and dense layers, counted by hand; what is priced is what hw/rtl writes."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.cost.constants import multiplexer
from crq.hw.cost.mac import mac_parts, weight_words
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac
from crq.hw.rtl.generate import generate_unit
from tests.support.random_graphs import GraphBuilder


def layer(weights: np.ndarray, bits: int = 4) -> Unit:
    g = GraphBuilder((weights.shape[1], 6, 6), f"UINT{bits}")
    return units(Network(g.finish(g.threshold(g.conv("x", len(weights), weights=weights), 4))))[0]


def drawn(o: int, i: int, zeros: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.choice([-1, 1], (o, i, 3, 3)) * rng.choice([0, 1], (o, i, 3, 3), p=[zeros, 1 - zeros])


def test_zeros_shrink_an_unrolled_layer_and_equal_channels_a_rom() -> None:
    dense, sparse = drawn(8, 4, 0), drawn(8, 4, 0.7)
    full, few = (mac_parts(layer(w), Fold(8, 36))["lanes"].logic for w in (dense, sparse))
    assert few < 0.6 * full  # fewer sums to share, too
    same = np.repeat(dense[:1], 8, axis=0)
    rom = [mac_parts(layer(w), Fold(8, 4))["weights"].logic for w in (dense, same)]
    assert rom[1] < 0.25 * rom[0]


@pytest.mark.parametrize("fold", [Fold(2, 4), Fold(2, 4, form=FOLDED), Fold(4, 2, form=FOLDED)])
def test_the_words_of_the_rom_are_those_that_are_written(fold: Fold) -> None:
    unit = layer(drawn(4, 4))
    assert isinstance(unit.layer, Mac)
    text = generate_unit(unit, fold).memories[f"{unit.name}_w.mem"]
    written = [int(line, 16) for line in text.split()]
    found = weight_words(unit.layer, fold.pe, fold.simd)
    assert [sum(int(bit) << i for i, bit in enumerate(word)) for word in found] == written


def test_weights_that_are_all_alike_are_wires() -> None:
    g = GraphBuilder((4, 6, 6), "UINT4")
    pooled = units(Network(g.finish(g.sum_pool("x", (2, 2)))))[0]
    assert mac_parts(pooled, Fold(2, form=FOLDED))["weights"] == Resources()


@pytest.mark.parametrize(("rom", "blocks"), [("auto", 0), ("lut", 0), ("bram", 1)])
@pytest.mark.parametrize("form", ["parallel", "folded"])
def test_weights_lie_where_they_are_put(rom: str, blocks: int, form: str) -> None:
    found = mac_parts(layer(drawn(8, 4)), Fold(1, 4, rom, form))["weights"]
    assert found.bram18 == blocks
    assert (found.logic == 0) == bool(blocks)


def test_the_operands_are_chosen_among_the_chunks_of_the_window() -> None:
    """18 products, 6 per cycle: each of 6 x 4 bits is chosen among three. A folded unit reads them from memory."""
    unit = layer(drawn(4, 2))
    assert mac_parts(unit, Fold(2, 6))["operands"] == Resources(logic=24 * multiplexer(3), ff=24)
    folded = mac_parts(unit, Fold(2, 2, form=FOLDED))
    assert "operands" not in folded
    assert "ring" in folded


def test_sums_without_thresholds_start_from_a_rom() -> None:
    g = GraphBuilder((4, 5, 5), "UINT4")
    bare = units(Network(g.finish(g.conv("x", 8))))[0]
    assert mac_parts(bare, Fold(2, 4))["start"].ff > 0
    assert mac_parts(bare, Fold(8, 4))["start"] == Resources()  # one block: a constant
    assert mac_parts(layer(drawn(8, 4)), Fold(2, 4))["start"] == Resources()


def test_an_unrolled_layer_has_its_weights_in_its_adders_and_its_thresholds_at_once() -> None:
    found = mac_parts(layer(drawn(8, 4)), Fold(8, 36))
    assert "weights" not in found
    assert found["output"].ff == 8 * 4 + 1
    # In the folded form there is time to search them one after the other, without a register of its own.
    assert "output" not in mac_parts(layer(drawn(8, 4)), Fold(2, 4, form=FOLDED))
