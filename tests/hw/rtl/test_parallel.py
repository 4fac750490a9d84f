"""Unrolled networks against the golden model and the cycle model: every kind of unit, both ends hesitant or not."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from crq.hw.dataflow.unrolled import pipeline
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.rtl.parallel import generate_parallel
from crq.hw.rtl.verilator import lint, run_parallel
from crq.hw.rtl.verilog import Design
from tests.support import random_graphs
from tests.support.graphs import PRIMITIVES
from tests.support.random_graphs import GraphBuilder
from tests.support.rtl_cases import STREAMS, WINDOWS, network_of
from tests.support.rtl_units import build, read, start, stream_bench

needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
Integers = NDArray[np.int64]
LONG = ("plain", "stride 2", "5x5", "dilation", "groups", "depthwise", "1x1", "INT8", "INT4", "six bits", "uneven pads",
        "1x1, stride 2", "add, six bits", "1-D, dilated")  # fmt: skip
"""Cases of so many circuits that their simulation compiles slowly."""
CASES = [case for case in [*WINDOWS, *STREAMS] if case not in LONG]
IMAGES = 12


def images_of(network: Network, count: int, seed: int = 0) -> Integers:
    """Codes (N, C, H, W): all least, all greatest, some of both, then random ones."""
    rng, x = np.random.default_rng(seed), network.inputs[0]
    lo, hi = x.lo[:, None, None], x.hi[:, None, None]
    found = rng.integers(lo, hi + 1, (count, *x.shape))
    found[0], found[1] = lo, hi
    found[2 : count // 2] = np.where(rng.random((count // 2 - 2, *x.shape)) < 0.5, lo, hi)
    return found


def vectors(images: Integers) -> Integers:
    """Whole images by row, column and channel."""
    return images.transpose(0, 2, 3, 1).reshape(len(images), -1)


def results(network: Network, images: Integers) -> Integers:
    shape = network.carried(network.outputs[0]).shape
    return vectors(evaluate(network, images).reshape(len(images), *shape))


class Outcome(NamedTuple):
    """Results at full speed and with hesitation, those of the golden model, cycles, and the latency of the model."""

    values: Integers
    hesitant: Integers
    expected: Integers
    cycles: Integers
    latency: int


def simulate(cases: Sequence[str], folder: Path) -> dict[str, Outcome]:
    """All cases in one simulation."""
    whole = Design("bench")
    networks = {case: network_of(case, i) for i, case in enumerate(cases)}
    expected = {}
    for i, (case, network) in enumerate(networks.items()):
        design, images = generate_parallel(network, name=f"net{i}"), images_of(network, IMAGES, i)
        expected[case] = results(network, images)
        streams = [(vectors(images), network.inputs[0].format.bits)]
        out_bits = network.outputs[0].shape.size * network.outputs[0].format.bits
        whole.sources |= design.sources
        whole.sources[f"net{i}_bench.sv"] = stream_bench(f"net{i}", streams, out_bits, IMAGES, whole, i)
        whole.memories |= design.memories
    build(whole, [f"net{i}" for i in range(len(cases))], folder)
    found: list[dict[str, tuple[Integers, Integers]]] = []
    for hesitant in (False, True):
        start(folder, hesitant)
        found.append({
            case: read(f"net{i}", n.outputs[0].format, n.outputs[0].shape.size, folder)
            for i, (case, n) in enumerate(networks.items())
        })  # fmt: skip
    plain, other = found
    return {
        case: Outcome(plain[case][0], other[case][0], expected[case], plain[case][1], pipeline(n).latency)
        for case, n in networks.items()
    }


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return simulate(CASES, tmp_path_factory.mktemp("parallel"))


def compare(found: Outcome, case: str) -> None:
    np.testing.assert_array_equal(found.values, found.expected, err_msg=case)
    np.testing.assert_array_equal(found.hesitant, found.expected, err_msg=f"{case}, hesitant")
    # The first image is there in cycle 0.
    np.testing.assert_array_equal(found.cycles, found.latency + np.arange(IMAGES), err_msg=f"{case}, cycles")


@needs_verilator
@pytest.mark.parametrize("case", CASES)
def test_every_unit_is_exact_and_takes_an_image_in_every_cycle(case: str, outcomes: dict[str, Outcome]) -> None:
    compare(outcomes[case], case)


@needs_verilator
@pytest.mark.slow
def test_larger_units(tmp_path: Path) -> None:
    for case, found in simulate(LONG, tmp_path).items():
        compare(found, case)


def check(network: Network, design: Design, folder: Path, stall: bool, images: int = 20) -> None:
    x = images_of(network, images)
    found = run_parallel(network, design, folder, x, stall=stall)
    np.testing.assert_array_equal(found.values, results(network, x))
    if not stall:
        latency = pipeline(network).latency
        np.testing.assert_array_equal(found.cycles, latency + np.arange(images))


@needs_verilator
def test_branches_of_different_length_meet_again(tmp_path: Path) -> None:
    network = Network(random_graphs.residual_net(1, channels=2, size=4))
    design = generate_parallel(network)
    assert "late" in design.sources["network.sv"]
    lint(design, tmp_path / "lint")
    check(network, design, tmp_path, stall=False)


@needs_verilator
def test_the_form_of_xilinx_is_exact(tmp_path: Path) -> None:
    """With its primitives' models, which compile slowly."""
    g = GraphBuilder((1, 3, 3), "UINT4", seed=2)
    h = g.threshold(g.conv("x", 3, pads=(1, 1, 1, 1)), 2)
    network = Network(g.finish(g.matmul(g.flatten(h), 3)))
    design = generate_parallel(network)
    assert "crq_sum3" in "".join(design.sources[n] for n in design.sources if "_sums" in n)
    defines = {"defines.sv": "`define CRQ_XILINX 8\n"}
    design.sources = {**defines, **design.sources, "primitives.sv": PRIMITIVES.read_text()}
    check(network, design, tmp_path, stall=True)


@needs_verilator
@pytest.mark.parametrize("case", CASES)
@pytest.mark.slow
def test_units_are_free_of_warnings(case: str, tmp_path: Path) -> None:
    lint(generate_parallel(network_of(case, 0)), tmp_path)


@needs_verilator
@pytest.mark.slow
@pytest.mark.parametrize("family", ["xcup", "ecp5"])
@pytest.mark.parametrize("name", random_graphs.NETWORKS)
def test_networks(name: str, family: str, tmp_path: Path) -> None:
    """Of adders of three operands, and of two."""
    network = Network(random_graphs.NETWORKS[name](3))
    design = generate_parallel(network, family)
    lint(design, tmp_path / "lint")
    for stall in (False, True):
        check(network, design, tmp_path / str(stall), stall)


def test_levels_between_registers_set_the_latency() -> None:
    network = network_of("5x5", 0)
    cycles = [pipeline(network, levels).latency for levels in (1, 2, 3, 5)]
    assert cycles == [6, 4, 3, 2]
    stages = [generate_parallel(network, levels=n).sources["conv1_sums0.sv"].splitlines()[0] for n in (1, 5)]
    assert "in 5 stages" in stages[0]
    assert "in 1 stages" in stages[1]


def test_windows_with_the_same_taps_inside_share_a_module() -> None:
    """3 x 3 with padding over 5 x 6: inside, four edges, four corners."""
    network = network_of("groups", 0)
    sources = generate_parallel(network).sources
    assert sum(name.startswith("conv1_sums") for name in sources) == 9
    assert sources["unit_conv1.sv"].count("conv1_sums") == 20
