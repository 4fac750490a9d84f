"""Units without sums of products, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.cost.constants import maxima
from crq.hw.cost.elements import arg_max_parts, enlarge_parts, overlap
from crq.hw.cost.primitives import lutram
from crq.hw.cost.resources import Resources
from crq.hw.cost.units import cost
from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Format
from crq.hw.read.origin import load_graph
from tests.support.random_graphs import GraphBuilder
from tests.support.scores import scores_of

U4, U8, S4, S8 = Format(4, False), Format(8, False), Format(4, True), Format(8, True)


def parts_of(g: GraphBuilder, output: str, fold: Fold, family: str = "xcup") -> dict[str, Resources]:
    return cost(units(Network(g.finish(output)))[-1], fold, family).parts()


@pytest.mark.parametrize(
    ("x", "y", "out", "bits"), [(U8, U8, 9, 8), (U8, U4, 9, 4), (S8, U4, 9, 4), (S8, S4, 9, 8), (U4, U4, 5, 4)]
)
def test_an_adder_takes_luts_where_both_operands_vary(x: Format, y: Format, out: int, bits: int) -> None:
    assert overlap(x, y, out) == overlap(y, x, out) == bits


def test_a_sum_is_an_adder_per_lane_and_a_register() -> None:
    g = GraphBuilder((8, 4, 4), "UINT4")
    found = parts_of(g, g.add("x", "x"), Fold(4))
    assert found["adders"] == Resources(logic=4 * 4)
    assert found["output"].ff == 4 * 5 + 1
    g = GraphBuilder((8, 4, 4), "UINT4")
    assert parts_of(g, g.add("x", "x"), Fold(4), "ecp5")["adders"] == Resources(logic=4 * 6)  # pairs of LUTs


def test_the_constants_of_one_block_are_wires() -> None:
    g = GraphBuilder((8, 4, 4), "UINT4")
    assert parts_of(g, g.bias("x"), Fold(8))["constants"] == Resources()
    g = GraphBuilder((8, 4, 4), "UINT4")
    found = parts_of(g, g.bias("x", np.arange(8)), Fold(2))["constants"]
    assert found.ff == 2 + 2  # which block; of 0, 2, 4, 6 and 1, 3, 5, 7 two bits vary, alike in both lanes


def test_thresholds_of_a_power_of_two_are_rounded() -> None:
    k = np.arange(1, 16)
    g = GraphBuilder((4, 4, 4), "UINT8")
    even = parts_of(g, g.threshold("x", 4, table=np.repeat(16 * k[None] - 8 + (k & 1), 4, axis=0)), Fold(4))
    g = GraphBuilder((4, 4, 4), "UINT8")
    uneven = parts_of(g, g.threshold("x", 4, table=np.repeat(16 * k[None] - 8 + (k % 3), 4, axis=0)), Fold(4))
    assert even["thresholds"].logic < 0.5 * uneven["thresholds"].logic


def test_a_pool_compares_all_taps_or_one_after_the_other() -> None:
    g = GraphBuilder((8, 6, 6), "UINT4")
    parallel = parts_of(g, g.max_pool("x"), Fold(2))
    assert parallel["lanes"].logic == 2 * maxima(4, 4)
    assert parallel["operands"].ff == 2 * 4 * 4
    g = GraphBuilder((8, 6, 6), "UINT4")
    folded = parts_of(g, g.max_pool("x"), Fold(2, form=FOLDED))
    assert folded["lanes"].ff == 2 * 4 + 1
    assert "ring" in folded


def test_the_sums_of_a_pixel_wait_in_memory_unless_they_all_run_at_once() -> None:
    g = GraphBuilder((8, 4, 4), "UINT4")
    turns = parts_of(g, g.global_sum("x"), Fold(2))["sums"]
    assert turns.lutram == 2 * 8  # 2 lanes of 8 bits: two words of 14
    assert turns.ff == 4 + 2 * 2 + 1 + 2 * 8
    g = GraphBuilder((8, 4, 4), "UINT4")
    assert parts_of(g, g.global_sum("x"), Fold(8))["sums"].ff == 4 + 1 + 2 * 64


@pytest.mark.parametrize(("parts", "factor", "ff"), [(True, (2, 2), 2 + 1 + 1 + 3 + 5 + 1 + 4 * 2),
                                                    (False, (1, 3), 2 + 2 + 1 + 4 * 2)])  # fmt: skip
def test_blocks_of_pixels_wait_in_a_memory_of_a_row(parts: bool, factor: tuple[int, int], ff: int) -> None:
    """Counters of words, the block and the image's columns; the address, a flag, and what leaves."""
    g = GraphBuilder((32 if parts else 8, 4, 8), "UINT4")
    [unit] = units(Network(g.finish(g.enlarge("x", factor, parts))))
    [price] = enlarge_parts(unit, Fold(2)).values()
    assert price.ff == ff
    assert price.lutram == (lutram(32, 2 * 4 * 4) if parts else lutram(4, 2 * 4))


def test_whole_pixels_are_joined_by_wires() -> None:
    g = GraphBuilder((4, 4, 4), "UINT4")
    assert parts_of(g, g.concat("x", "x"), Fold(8))["handshake"].ff == 0
    g = GraphBuilder((4, 4, 4), "UINT4")
    assert parts_of(g, g.concat("x", "x"), Fold(2))["handshake"].ff == 2  # four beats in turn
    g = GraphBuilder((4, 4, 4), "UINT4")
    assert parts_of(g, g.shift("x", 2), Fold(2)) == {"handshake": Resources()}


def test_an_argmax_compares_in_a_tree_or_one_after_the_other() -> None:
    """Measured with Yosys 0.70 for xcup: 24, 38, 71 and 98 LUTs of ten classes of five bits, and these registers."""
    model, _ = load_graph(scores_of(10, 1), argmax=True)
    [unit] = [u for u in units(Network(model)) if u.name == "argmax"]
    for simd, lut, ff in ((1, 24, 22), (2, 38, 21), (5, 71, 19), (10, 98, 5)):
        total = Resources().plus(*arg_max_parts(unit, Fold(1, simd)).values())
        assert abs(total.logic - lut) <= 4
        assert total.ff == ff
