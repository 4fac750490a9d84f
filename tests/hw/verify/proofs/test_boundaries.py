"""Operands on both sides of every boundary: against sums found by trying every input there is."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from crq.hw.dataflow.units import Fold, units
from crq.hw.hls.plan import Plan, Process, make_plan
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import apply
from crq.hw.verify.proofs.boundaries import enumerable, operands, reachable, taps_of
from crq.hw.verify.proofs.thresholds import boundaries
from tests.support import reference
from tests.support.random_graphs import GraphBuilder

SMALL = {
    "conv": ((2, 3, 3), "UINT2", lambda g: g.conv("x", 3, (1, 2))),
    "padded": ((1, 2, 3), "INT2", lambda g: g.conv("x", 2, (2, 2), pads=(1, 1, 1, 1))),
    "depthwise": ((2, 2, 2), "UINT2", lambda g: g.conv("x", 2, (2, 1), group=2)),
    "bipolar": ((4, 1, 2), "BIPOLAR", lambda g: g.conv("x", 3, (1, 1))),
    "integer": ((3, 1, 2), "UINT2", lambda g: g.conv("x", 2, (1, 1), weight_type="INT4")),
    "dense": ((5,), "INT2", lambda g: g.matmul("x", 3)),
    "integer dense": ((3,), "UINT2", lambda g: g.matmul("x", 3, "INT4")),
    "stream": ((2, 2, 3), "UINT3", lambda g: g.max_pool("x", (1, 1))),
}


def planned(name: str, seed: int = 3) -> tuple[Plan, Process]:
    shape, dtype, layer = SMALL[name]
    g = GraphBuilder(shape, dtype, seed)
    network = Network(g.finish(g.threshold(layer(g), 2)))
    plan = make_plan(network, "io_stream", {u.name: Fold(1, 1) for u in units(network)})
    [process] = [p for p in plan.processes if p.unit and p.unit.quantizer]
    return plan, process


def sums_of_everything(plan: Plan, process: Process) -> np.ndarray:
    """The layer's sums (N, C, H, W) for every operand whose codes are from a small range, by plain loops."""
    tensor = process.input.tensor
    lo, hi = int(tensor.lo.min()), int(tensor.hi.max())
    codes = [c for c in range(lo, hi + 1) if c or plan.network.model.get_tensor_datatype("x").name != "BIPOLAR"]
    rng = np.random.default_rng(0)
    size = tensor.shape.size
    if len(codes) ** size <= 1 << 12:
        rows = np.array(list(itertools.product(codes, repeat=size)))
    else:
        rows = rng.choice(codes, (1 << 12, size))
    return sums(plan, process, rows.reshape(-1, *tensor.shape))


def sums(plan: Plan, process: Process, x: np.ndarray) -> np.ndarray:
    layer = process.unit.layer
    if layer.kind == "Threshold" or not len(x):
        return x
    model = plan.network.model
    taken = x.reshape(len(x), *model.get_tensor_shape("x")[1:])
    return reference.run(model, taken)[layer.output.name].reshape(len(x), *layer.output.shape)


def driven(plan: Plan, process: Process) -> np.ndarray:
    return np.concatenate([np.zeros((0, *process.input.tensor.shape), np.int64), *operands(plan, process)])


def met_by(plan: Plan, process: Process, found: np.ndarray) -> np.ndarray:
    return boundaries(plan, process, [np.unique(found[:, channel]) for channel in range(found.shape[1])])


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("seed", [3, 4])
def test_no_sum_is_found_that_is_not_counted_as_reachable(name: str, seed: int) -> None:
    plan, process = planned(name, seed)
    found = sums_of_everything(plan, process)
    # Of padded kernels `reachable` has the centre's sums; at the rim some operands are missing and others come.
    inner = found[:, :, :1, :1] if name == "padded" else found
    for channel in range(found.shape[1]):
        able = set(reachable(plan, process, channel).tolist())
        assert set(inner[:, channel].reshape(-1).tolist()) <= able or name == "padded"


@pytest.mark.parametrize("name", [n for n in SMALL if n != "padded"])
def test_every_sum_that_is_counted_as_reachable_is_found(name: str) -> None:
    plan, process = planned(name)
    found = sums_of_everything(plan, process)
    for channel in range(found.shape[1]):
        assert set(reachable(plan, process, channel).tolist()) == set(found[:, channel].reshape(-1).tolist())


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("seed", range(3, 8))
def test_both_sides_of_every_boundary_are_driven_by_legal_operands(name: str, seed: int) -> None:
    plan, process = planned(name, seed)
    x, tensor = driven(plan, process), process.input.tensor
    assert x.shape[1:] == tensor.shape
    assert (x >= tensor.lo[:, None, None]).all()
    assert (x <= tensor.hi[:, None, None]).all()
    if name == "bipolar":
        assert set(np.unique(x)) <= {-1, 1}
    met = met_by(plan, process, sums(plan, process, x))
    assert met.all()
    # Counted once more: thresholds inside the range of the sums, and the two sums next to each.
    levels = process.unit.quantizer.thresholds
    able = [reachable(plan, process, channel) for channel in range(len(levels))]
    assert len(met) == sum(int(((row > a[0]) & (row <= a[-1])).sum()) for row, a in zip(levels, able, strict=True))


@pytest.mark.parametrize("name", SMALL)
def test_every_table_that_is_off_by_one_gives_another_code(name: str) -> None:
    plan, process = planned(name)
    found = sums(plan, process, driven(plan, process))
    quantizer = process.unit.quantizer
    codes = apply(quantizer, found)
    for (channel, k), by in itertools.product(np.ndindex(quantizer.thresholds.shape), (1, -1)):
        able, level = reachable(plan, process, channel), quantizer.thresholds[channel, k]
        beside = {int(s) for s in able if min(level, level + by) <= s < max(level, level + by)}
        if beside and able[0] < level <= able[-1]:
            moved = quantizer.thresholds.copy()
            moved[channel, k] += by
            if (np.diff(moved[channel]) < 0).any():
                continue
            assert not np.array_equal(apply(replace(quantizer, thresholds=moved), found), codes)


def test_operands_that_miss_a_side_are_noticed() -> None:
    plan, process = planned("conv")
    found = sums(plan, process, driven(plan, process))
    level = next(
        int(level) for level in process.unit.quantizer.thresholds[0]
        if reachable(plan, process, 0)[0] < level <= reachable(plan, process, 0)[-1]
    )  # fmt: skip
    without = np.where(found[:, :1] == level, level - 1, found[:, :1])
    assert not met_by(plan, process, np.concatenate([without, found[:, 1:]], axis=1)).all()


def test_a_channel_of_zeros_has_one_sum() -> None:
    g = GraphBuilder((2, 2, 2), "UINT2")
    weights = np.zeros((2, 2, 1, 1), np.int64)
    weights[0, 0] = 1
    network = Network(g.finish(g.threshold(g.conv("x", 2, (1, 1), weights=weights), 2)))
    plan = make_plan(network, "io_stream", {u.name: Fold(1, 1) for u in units(network)})
    process = plan.processes[0]
    assert reachable(plan, process, 1).tolist() == [0]
    assert taps_of(process.unit.layer, process.input.tensor, 1).where.size == 0
    assert met_by(plan, process, sums(plan, process, driven(plan, process))).all()


def test_sums_of_too_wide_a_range_are_not_enumerated() -> None:
    g = GraphBuilder((300,), "UINT8")
    network = Network(g.finish(g.threshold(g.matmul("x", 2, "INT8"), 2)))
    plan = make_plan(network, "io_stream", {u.name: Fold(1, 1) for u in units(network)})
    assert not enumerable(plan.processes[0])
    assert enumerable(planned("integer")[1])
    assert enumerable(planned("stream")[1])


@pytest.mark.parametrize("name", SMALL)
def test_operands_come_in_parts_that_are_the_same_together(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, process = planned(name)
    whole = driven(plan, process)
    monkeypatch.setattr("crq.hw.verify.proofs.boundaries.MAX_VALUES", 1)
    parts = list(operands(plan, process))
    assert len(parts) > 1 or name == "stream"
    assert np.array_equal(np.concatenate(parts), whole)


def test_of_too_many_boundaries_an_even_share_is_driven_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    g = GraphBuilder((32,), "UINT8", 3)
    network = Network(g.finish(g.threshold(g.matmul("x", 3), 6)))
    plan = make_plan(network, "io_stream", {u.name: Fold(1, 1) for u in units(network)})
    process = plan.processes[0]
    monkeypatch.setattr("crq.hw.verify.proofs.boundaries.MAX_PRODUCTS", 40 * 32 * 3)
    x = driven(plan, process)
    assert 30 <= len(x) <= 40
    met = met_by(plan, process, sums(plan, process, x))
    assert met.sum() * 2 >= len(x)
    assert len(met) > 3 * met.sum()
