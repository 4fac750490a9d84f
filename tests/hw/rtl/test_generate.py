"""The RTL form against the golden model and the cycle model: every unit kind, narrow, wide and unrolled foldings."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from hw.dataflow.schedule import pipeline, schedule
from hw.dataflow.units import Fold, Unit, units
from hw.fold import search as fold
from hw.ir.graph import Network
from hw.ir.interpret import apply, evaluate
from hw.ir.layers import Concat, IntArray, Shift, Tensor
from hw.rtl.generate import generate, generate_unit
from hw.rtl.verilator import beats, lint, run, run_network
from tests.support import random_graphs

pytestmark = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")

UNITS = [
    ("small_cnn", "pool3", (2, 1)), ("global_pool_net", "conv1", (8, 18)), ("global_pool_net", "gsum5", (2, 1)),
    ("depthwise_net", "conv5", (4, 3)), ("one_dimensional_net", "conv3", (3, 2)), ("residual_net", "add8", (2, 1)),
]  # fmt: skip


def drawn(rng: np.random.Generator, tensor: Tensor, count: int) -> IntArray:
    return rng.integers(tensor.lo[:, None, None], tensor.hi[:, None, None] + 1, (count, *tensor.shape))


def simulated(
    network: Network, unit: Unit, chosen: Fold, folder: Path
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """(integers, expected integers, cycles, expected cycles) of two images back to back."""
    rng = np.random.default_rng(0)
    streams = [network.carried(t) for t in unit.inputs]
    images = [drawn(rng, s, 2) for s in streams]
    shaped = [
        x if s is t else x.transpose(0, 2, 3, 1).reshape(2, -1, 1, 1)
        for x, s, t in zip(images, streams, unit.inputs, strict=True)
    ]
    expected = apply(unit.layer, *shaped)
    if unit.threshold is not None:
        expected = apply(unit.threshold, expected)
    design = generate_unit(network, unit, chosen)
    lint(design, folder)
    shape = unit.output.shape
    found = run(design, folder, [(beats(x), t.format) for x, t in zip(images, unit.inputs, strict=True)],
                unit.output.format, shape.c, 2 * shape.pixels)  # fmt: skip
    pixels = 2 * streams[0].shape.pixels
    wires = isinstance(unit.layer, (Shift, Concat))
    arrivals = np.arange(pixels) if wires else np.zeros(pixels, np.int64)
    return found.values, beats(expected), found.cycles, schedule(network, unit, chosen, arrivals)


@pytest.mark.parametrize(("name", "unit_name", "chosen"), UNITS)
def test_unit_is_bit_exact_and_takes_the_cycles_of_the_model(
    name: str, unit_name: str, chosen: tuple[int, int], tmp_path: Path
) -> None:
    network = Network(random_graphs.NETWORKS[name](0))
    unit = next(u for u in units(network) if u.name == unit_name)
    assert Fold(*chosen) in unit.legal_folds()
    values, expected, cycles, model = simulated(network, unit, Fold(*chosen), tmp_path)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(cycles, model)


@pytest.mark.parametrize("chosen", [(1, 3), (2, 18)])
def test_weights_of_minus_128_are_bit_exact(chosen: tuple[int, int], tmp_path: Path) -> None:
    builder = random_graphs.GraphBuilder((2, 6, 6), "INT8", seed=4)
    weights = np.random.default_rng(4).integers(-128, 128, (2, 2, 3, 3))
    weights[0] = -128
    network = Network(builder.finish(builder.conv("x", 2, weight_type="INT8", weights=weights)))
    values, expected, cycles, model = simulated(network, units(network)[0], Fold(*chosen), tmp_path)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(cycles, model)


@pytest.mark.parametrize("stall", [False, True])
def test_network_is_bit_exact_at_the_interval_of_the_model(stall: bool, tmp_path: Path) -> None:
    model = random_graphs.small_cnn(3)
    network = Network(model)
    folds = fold.choose(network, target_fps=100_000)
    images = random_graphs.random_input(model, 4).reshape(4, *network.input.shape)
    found = run_network(network, generate(network, folds), tmp_path, images, stall=stall)
    np.testing.assert_array_equal(found.values, beats(evaluate(network, images)))
    if not stall:
        expected = pipeline(network, folds)
        assert found.cycles[0] + 1 == expected.latency
        assert found.cycles[-1] - found.cycles[-2] == expected.interval


@pytest.mark.parametrize("fault", ["weight", "threshold"])
def test_a_fault_in_a_memory_is_seen(fault: str, tmp_path: Path) -> None:
    network = Network(random_graphs.small_cnn(0))
    unit = units(network)[0]
    design = generate_unit(network, unit, Fold(1, 3))
    file = {"weight": "conv1_w.mem", "threshold": "conv1_t0.mem"}[fault]
    lines = design.memories[file].split("\n")
    assert unit.threshold is not None
    # One sign or zero flag of a weight; by 32 the threshold nearest 0, on both sides of which random sums fall.
    line = 0 if fault == "weight" else int(np.abs(unit.threshold.thresholds[:, 0]).argmin())
    lines[line] = f"{int(lines[line], 16) ^ {'weight': 1, 'threshold': 32}[fault]:x}"
    design.memories[file] = "\n".join(lines)
    image = drawn(np.random.default_rng(1), unit.layer.input, 4)
    found = run(design, tmp_path, [(beats(image), unit.layer.input.format)], unit.output.format, 4, 4 * 64)
    assert (found.values != beats(apply(unit.threshold, apply(unit.layer, image)))).any()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(random_graphs.NETWORKS))
def test_every_unit_of_every_network_at_three_foldings(name: str, tmp_path: Path) -> None:
    network = Network(random_graphs.NETWORKS[name](0))
    for unit in units(network):
        folds = unit.legal_folds()
        for i, chosen in enumerate({folds[0], folds[len(folds) // 2], folds[-1]}):
            values, expected, cycles, model = simulated(network, unit, chosen, tmp_path / f"{unit.name}_{i}")
            np.testing.assert_array_equal(values, expected)
            np.testing.assert_array_equal(cycles, model)
