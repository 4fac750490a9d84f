"""What becomes a unit, and the foldings it may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.dataflow.units import FOLDED, PARALLEL, Fold, Unit, divisors, units
from crq.hw.ir.graph import Network
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
    assert fc.output is network.outputs[0]


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


def test_shifts_are_wires() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    h = g.concat(g.shift("x", 2), g.negate("x"))
    network = Network(g.finish(g.bias(h)))
    assert {u.layer.kind: u.is_wires for u in units(network)} == {
        "Shift": True, "Negate": False, "Concat": False, "Bias": False,
    }  # fmt: skip


@given(st.integers(1, 3000))
def test_divisors(n: int) -> None:
    found = divisors(n)
    assert found == sorted(found)
    assert all(n % d == 0 for d in found)
    assert len(found) == sum(1 for d in range(1, n + 1) if n % d == 0)


def folds_of(unit: Unit, form: str) -> set[tuple[int, int]]:
    return {(f.pe, f.simd) for f in unit.legal_folds() if f.form == form}


def test_parallel_foldings_of_a_layer_without_groups_are_all_divisors() -> None:
    g = GraphBuilder((2, 5, 5), "UINT4")
    unit = unit_of(g, g.conv("x", 6))
    assert unit.fan_in == 18
    assert folds_of(unit, PARALLEL) == {(pe, simd) for pe in (1, 2, 3, 6) for simd in (1, 2, 3, 6, 9, 18)}
    assert all(f.rom == "auto" for f in unit.legal_folds())
    assert len(set(unit.legal_folds())) == len(unit.legal_folds())


def test_a_memory_is_read_in_channels_of_a_group() -> None:
    """SIMD divides them, PE the output channels of a group."""
    g = GraphBuilder((4, 5, 5), "UINT4")
    assert folds_of(unit_of(g, g.conv("x", 6)), FOLDED) == {(pe, simd) for pe in (1, 2, 3, 6) for simd in (1, 2, 4)}
    assert folds_of(unit_of(g, g.conv("x", 12, group=2)), FOLDED) == {
        (pe, simd) for pe in (1, 2, 3, 6) for simd in (1, 2)
    }


def test_channels_that_stand_alone_are_read_as_they_are_computed() -> None:
    g = GraphBuilder((6, 5, 5), "UINT4")
    for output in (g.conv("x", 6, group=6), g.sum_pool("x", (2, 2)), g.max_pool("x")):
        unit = unit_of(g, output)
        assert unit.is_lanewise
        assert folds_of(unit, FOLDED) == {(1, 1), (2, 1), (3, 1), (6, 1)}
    several = unit_of(g, g.conv("x", 12, group=6))  # two outputs of each input
    assert not several.is_lanewise
    assert folds_of(several, FOLDED) == {(1, 1), (2, 1)}
    assert folds_of(unit_of(g, g.max_pool("x")), PARALLEL) == {(1, 1), (2, 1), (3, 1), (6, 1)}


def test_a_dense_layer_is_read_in_channels_of_its_pixels() -> None:
    g = GraphBuilder((4, 3, 3), "UINT4")
    unit = unit_of(g, g.matmul(g.flatten("x"), 5))
    assert unit.sources[0].shape.c == 4
    assert unit.inputs[0].shape.c == 36
    assert folds_of(unit, FOLDED) == {(pe, simd) for pe in (1, 5) for simd in (1, 2, 4)}


def test_units_without_a_window_have_one_form() -> None:
    g = GraphBuilder((6, 5, 5), "UINT4")
    for output in (g.bias("x"), g.negate("x"), g.shift("x", 1), g.add("x", "x"), g.global_sum("x")):
        assert unit_of(g, output).legal_folds() == [Fold(1), Fold(2), Fold(3), Fold(6)]


def test_a_concatenation_gives_whole_pixels_or_what_divides_every_input() -> None:
    g = GraphBuilder((4, 5, 5), "UINT4")
    unit = unit_of(g, g.concat("x", g.conv("x", 6, (1, 1))))
    assert unit.legal_folds() == [Fold(1), Fold(2), Fold(10)]


@pytest.mark.parametrize(("channels", "out", "groups"), [(4, 4, 4), (4, 8, 2), (6, 12, 3), (6, 18, 3), (6, 6, 2)])
def test_channels_of_a_cycle_are_in_one_group_or_are_whole_groups(channels: int, out: int, groups: int) -> None:
    """Of every PE that divides the output channels: exactly those; in a memory only those in one group, or where every
    channel stands alone."""
    g = GraphBuilder((channels, 5, 5), "UINT4")
    unit = unit_of(g, g.conv("x", out, group=groups))
    parallel, folded = ({pe for pe, _ in folds_of(unit, form)} for form in (PARALLEL, FOLDED))
    group_of = [channel // (out // groups) for channel in range(out)]
    for pe in (d for d in range(1, out + 1) if out % d == 0):
        blocks = [group_of[start : start + pe] for start in range(0, out, pe)]
        one = all(len(set(block)) == 1 for block in blocks)
        whole = all(block.count(group) == out // groups for block in blocks for group in block)
        assert (pe in parallel) == (one or whole), pe
        assert (pe in folded) == (one or channels == groups == out), pe


def test_a_fold_is_one_product_per_lane_in_parallel_with_its_weights_where_they_fit() -> None:
    assert Fold(4) == (4, 1, "auto", PARALLEL, 2, 0, 0)


def test_cycles_per_pixel_are_what_the_lanes_leave() -> None:
    g = GraphBuilder((2, 5, 5), "UINT4")
    h = g.conv("x", 6)
    unit = unit_of(g, h)
    assert unit.reuse_factor(Fold(6, 18)) == 1
    assert unit.reuse_factor(Fold(2, 3)) == 6 * 3
    assert unit.reuse_factor(Fold(1, 1)) == unit.reuse_factor(Fold(1, 1, form=FOLDED)) == 6 * 18
    assert unit.reuse_factor(Fold(3, 2, form=FOLDED)) == 2 * 9
    pool = unit_of(g, g.max_pool(h, (3, 2)))
    assert pool.fan_in == 1
    assert [pool.reuse_factor(Fold(pe)) for pe in (1, 2, 3, 6)] == [6, 3, 2, 1]
    # A memory gives one tap in a cycle.
    assert [pool.reuse_factor(Fold(pe, form=FOLDED)) for pe in (1, 2, 3, 6)] == [36, 18, 12, 6]


def test_units_of_a_network_are_found_once() -> None:
    g = GraphBuilder((2, 5, 5), "UINT4")
    network = Network(g.finish(g.conv("x", 6)))
    assert units(network) is units(network)
