"""How the thresholds of a unit are found: one after the other only where the next sums leave time."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.dataflow.beats import beats_in
from crq.hw.dataflow.schedule import schedule
from crq.hw.dataflow.stages import TABLE_WORDS, block_cycles, is_progression, stage
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac
from tests.support.random_graphs import NETWORKS, GraphBuilder


def layer(bits: int, channels: int = 8, rising: bool = False) -> Unit:
    """A convolution of 72 products with thresholds that are a progression, or irregular."""
    g = GraphBuilder((8, 5, 5), "UINT4", seed=2)
    h, count = g.conv("x", channels), (1 << bits) - 1
    table = np.sort(g.rng.integers(-200, 200, (channels, count)), axis=1)
    if rising:
        table = np.tile(np.arange(count) * 400 // count - 200, (channels, 1))
    return units(Network(g.finish(g.threshold(h, bits, table=table))))[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_searcher_is_done_before_the_next_block_of_sums(name: str) -> None:
    """And one searcher fewer would not be."""
    for unit in units(Network(NETWORKS[name](0))):
        for fold in unit.legal_folds():
            found = stage(unit, fold)
            if not found.sequential:
                continue
            bits, time = unit.output.format.bits, block_cycles(unit, fold)
            each = -(-fold.pe // found.searchers)
            assert each * bits <= time
            assert found.latency == each * bits + 1
            fewer = found.searchers - 1
            assert not fewer or -(-fold.pe // fewer) * bits > time


@pytest.mark.parametrize("name", NETWORKS)
def test_blocks_of_a_pixel_are_as_far_apart_as_the_stage_is_told(name: str) -> None:
    for unit in units(Network(NETWORKS[name](0))):
        if not isinstance(unit.layer, Mac):
            continue
        for fold in (f for f in unit.legal_folds() if f.pe < unit.output.shape.c):
            beats = unit.sources[0].shape.size // beats_in(unit, fold)[0]
            given = schedule(unit, fold, [np.zeros(beats, np.int64)]).given
            blocks = unit.output.shape.c // fold.pe
            assert set(np.diff(given.reshape(-1, blocks), axis=1).ravel()) == {block_cycles(unit, fold)}


def test_without_thresholds_there_is_no_stage() -> None:
    g = GraphBuilder((4, 5, 5), "UINT4")
    [unit] = units(Network(g.finish(g.conv("x", 4))))
    assert stage(unit, Fold(1, 1)) == ("none", 0, 0)


def test_thresholds_are_compared_at_once_where_sums_come_too_fast_or_are_signs() -> None:
    unit = layer(4)
    assert stage(unit, Fold(8, 72)) == ("compare", 0, 1)
    assert stage(unit, Fold(8, 24)).kind == "compare"  # three cycles, four bits
    assert stage(unit, Fold(8, 18)) == ("lut", 8, 5)
    assert stage(layer(1), Fold(1, 1)).kind == "compare"
    assert stage(layer(6), Fold(8, 72)) == ("compare", 0, 7)  # searched in a pipeline


def test_a_small_table_lies_in_luts_a_large_one_in_a_block_unless_it_is_a_progression() -> None:
    assert TABLE_WORDS == 256
    assert stage(layer(4, 16), Fold(1, 1)).kind == "lut"  # 16 channels of 16 words
    assert stage(layer(4, 32, rising=True), Fold(1, 1)).kind == "ramp"
    assert stage(layer(4, 32), Fold(1, 1)).kind == "lut"  # 512 words of some 11 bits
    assert stage(layer(6, 32), Fold(1, 1)).kind == "bram"
    assert stage(layer(6, 32, rising=True), Fold(1, 1)).kind == "ramp"
    assert is_progression(layer(6, 32, rising=True).quantizer)
    assert not is_progression(layer(6, 32).quantizer)


def test_both_forms_have_the_time_of_their_products() -> None:
    unit = layer(4)
    assert block_cycles(unit, Fold(2, 4)) == block_cycles(unit, Fold(2, 4, form=FOLDED)) == 72 // 4


def test_sums_without_products_are_rounded_where_the_thresholds_are_that() -> None:
    """Sixteen apart; a tie goes up to an even code, and an odd one needs one more."""
    steps = [9, 24, 41, 56, 73, 88, 105]
    codes = np.rint(np.arange(128) / 16).clip(0, 7)
    assert [int(np.flatnonzero(codes >= k)[0]) for k in range(1, 8)] == steps
    for table, expected in ((steps, ("round", 0, 1)), ([8, *steps[1:]], ("compare", 0, 1))):
        g = GraphBuilder((2, 3, 3), "UINT7")
        [unit] = units(Network(g.finish(g.threshold("x", 3, table=np.tile(np.array(table), (2, 1))))))
        assert stage(unit, Fold(2)) == expected
