"""What becomes a unit, and the foldings it may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.dataflow.units import Fold, Unit, divisors, units
from hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder


def unit_of(g: GraphBuilder, output: str) -> Unit:
    return units(Network(g.finish(output)))[-1]


def test_thresholds_join_the_sums_that_they_alone_read() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    h = g.threshold(g.conv("x", 4), 3)
    h = g.threshold(g.max_pool(h, (2, 2)), 2)  # not sums: a unit of its own
    h = g.flatten(h)  # a name, no hardware
    network = Network(g.finish(g.matmul(h, 3)))
    found = units(network)
    assert [u.name for u in found] == ["conv1", "pool3", "act4", "fc6"]
    conv, pool, act, fc = found
    assert conv.threshold is network["act2"]
    assert conv.output is network["act2"].output
    assert conv.quantizer is network["act2"]
    assert act.threshold is None
    assert act.quantizer is network["act4"]
    assert pool.quantizer is fc.quantizer is None
    assert fc.output is network.output


def test_sums_that_others_read_too_stay_a_unit_of_their_own() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    sums = g.conv("x", 2)
    codes = g.threshold(sums, 3)
    found = units(Network(g.finish(g.add(sums, codes))))
    assert [u.name for u in found] == ["conv1", "act2", "add3"]
    assert found[0].threshold is None


def test_sums_behind_which_stands_no_threshold_are_bare() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    found = units(Network(g.finish(g.bias(g.conv("x", 2)))))
    assert [(u.name, u.threshold) for u in found] == [("conv1", None), ("bias2", None)]


def test_shifts_and_concatenations_are_wires() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    h = g.concat(g.shift("x", 2), g.negate("x"))
    network = Network(g.finish(g.bias(h)))
    assert {u.layer.kind: u.is_wires for u in units(network)} == {
        "Shift": True, "Negate": False, "Concat": True, "Bias": False,
    }  # fmt: skip


@given(st.integers(1, 3000))
def test_divisors(n: int) -> None:
    found = divisors(n)
    assert found == sorted(found)
    assert all(n % d == 0 for d in found)
    assert len(found) == sum(1 for d in range(1, n + 1) if n % d == 0)


def test_foldings_of_a_layer_without_groups_are_all_divisors() -> None:
    g = GraphBuilder((2, 5, 5), "UINT4")
    unit = unit_of(g, g.conv("x", 6))
    assert unit.fan_in == 18
    assert {(f.pe, f.simd) for f in unit.legal_folds()} == {
        (pe, simd) for pe in (1, 2, 3, 6) for simd in (1, 2, 3, 6, 9, 18)
    }
    assert all(f.rom == "auto" for f in unit.legal_folds())


@pytest.mark.parametrize(("channels", "out", "groups"), [(4, 4, 4), (4, 8, 2), (6, 12, 3), (6, 18, 3), (6, 6, 2)])
def test_channels_of_a_cycle_are_in_one_group_or_are_whole_groups(channels: int, out: int, groups: int) -> None:
    """Of every PE that divides the output channels: exactly those."""
    g = GraphBuilder((channels, 5, 5), "UINT4")
    found = {f.pe for f in unit_of(g, g.conv("x", out, group=groups)).legal_folds()}
    group_of = [channel // (out // groups) for channel in range(out)]
    for pe in (d for d in range(1, out + 1) if out % d == 0):
        blocks = [group_of[start : start + pe] for start in range(0, out, pe)]
        one = all(len(set(block)) == 1 for block in blocks)
        whole = all(block.count(group) == out // groups for block in blocks for group in block)
        assert (pe in found) == (one or whole), pe


def test_a_fold_is_one_product_per_lane_with_its_weights_where_they_fit() -> None:
    assert Fold(4) == (4, 1, "auto")


def test_cycles_per_pixel_are_what_the_lanes_leave() -> None:
    g = GraphBuilder((2, 5, 5), "UINT4")
    h = g.conv("x", 6)
    unit = unit_of(g, h)
    assert unit.reuse_factor(Fold(6, 18)) == 1
    assert unit.reuse_factor(Fold(2, 3)) == 6 * 3
    assert unit.reuse_factor(Fold(1, 1)) == 6 * 18
    pool = unit_of(g, g.max_pool(h, (3, 3)))
    assert pool.fan_in == 1
    assert [pool.reuse_factor(f) for f in pool.legal_folds()] == [6, 3, 2, 1]
