"""C simulation against qonnx and the NumPy reference: zero differing integers, every layer, both io types and modes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from crq import hw
from crq.hw.dataflow.units import FORMS, units
from crq.hw.hls.csim import Simulation, compile_simulation
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import all_vectors
from crq.hw.project import Project
from tests.support import reference
from tests.support.random_graphs import NETWORKS, GraphBuilder

IO_TYPES = ("io_stream", "io_parallel")


@pytest.fixture(scope="module")
def graphs() -> dict[str, ModelWrapper]:
    return {name: make(3) for name, make in NETWORKS.items()}


@pytest.fixture(scope="module")
def projects(
    graphs: dict[str, ModelWrapper], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Project]:
    root = tmp_path_factory.mktemp("csim")
    made = {}
    for name, graph in graphs.items():
        for io_type in IO_TYPES:
            made[name, io_type] = hw.build(graph, root / f"{name}_{io_type}", io_type=io_type, project_name=name)
    return made


@pytest.fixture(scope="module")
def vectors(graphs: dict[str, ModelWrapper]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """At least 1,000 random, extreme and bounding images per network and their expected integers."""
    result = {}
    for name, graph in graphs.items():
        network = Network(graph)
        codes = all_vectors(network, 1000)
        result[name] = codes, evaluate(network, codes)
    return result


@pytest.mark.parametrize("name", NETWORKS)
def test_golden_model_equals_reference_and_qonnx(name, graphs, vectors):
    graph, (codes, expected) = graphs[name], vectors[name]
    shape = graph.get_tensor_shape(graph.graph.input[0].name)
    pick = np.r_[0:8, -4:0]
    images = codes[pick].reshape(-1, *shape[1:])
    output = graph.graph.output[0].name
    independent = reference.run(graph, images)[output]
    assert np.array_equal(independent.reshape(len(pick), -1), expected[pick].reshape(len(pick), -1))
    for image, wanted in zip(images, expected[pick], strict=True):
        found = execute_onnx(graph, {graph.graph.input[0].name: image[None].astype(np.float32)})[output]
        assert np.array_equal(found.reshape(-1), wanted.reshape(-1))


@pytest.mark.parametrize("mode", ["fast", "ap"])
@pytest.mark.parametrize("io_type", IO_TYPES)
@pytest.mark.parametrize("name", NETWORKS)
def test_simulation_is_bit_exact(name, io_type, mode, projects, vectors):
    codes, expected = vectors[name]
    found = projects[name, io_type].integers(codes, mode=mode)
    assert found.shape[0] >= 1000
    assert np.array_equal(found.reshape(expected.shape), expected)


@pytest.mark.parametrize("io_type", ["io_stream", pytest.param("io_parallel", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n == "depthwise_net" else ()) for n in NETWORKS]
)
def test_synthesis_branch_is_bit_exact(name, io_type, projects, vectors):
    """The code under __SYNTHESIS__, compiled by g++ with tables of ap types."""
    codes, expected = vectors[name]
    found = projects[name, io_type].integers(codes[-50:], mode="hls")
    assert np.array_equal(found.reshape(-1), expected[-50:].reshape(-1))


@pytest.mark.parametrize("mode", ["fast", pytest.param("ap", marks=pytest.mark.slow)])
@pytest.mark.parametrize("io_type", IO_TYPES)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_traced_layer_is_bit_exact(name, io_type, mode, graphs, projects, vectors):
    codes = vectors[name][0][:24]
    expected: dict[str, np.ndarray] = {}
    evaluate(Network(graphs[name]), codes, wanted=expected.__setitem__)
    traced = projects[name, io_type].trace(codes, mode=mode)
    assert len(traced) == len(projects[name, io_type].folds)
    for layer, values in traced.items():
        assert np.array_equal(values, expected[layer]), layer


def windows_net() -> GraphBuilder:
    """Windows of all kinds: 5x5 pads, strides, dilation, groups, depthwise, also with a multiplier; 1x1 with a stride;
    pools; a residual addition with thresholds, a concatenation, a dense layer on an image."""
    g = GraphBuilder((4, 11, 9), "INT4", seed=5)
    a = g.threshold(g.conv("x", 6, (5, 5), pads=(2, 2, 2, 2)), 4)
    b = g.threshold(g.conv(a, 6, (3, 2), (1, 2), (0, 1, 2, 0), (2, 1), 2), 8)
    c = g.threshold(g.conv(a, 6, (1, 1), (2, 2)), 3)
    d = g.threshold(g.conv(c, 6, group=6, pads=(1, 1, 1, 1)), 4)
    e = g.threshold(g.conv(c, 12, (2, 2), pads=(1, 0, 0, 1), group=6), 4, signed=True)
    f = g.threshold(g.add(c, g.shift(d, 2)), 4)
    h = g.max_pool(g.concat(f, e), (3, 2), (2, 1), (1, 0, 1, 1))
    i = g.matmul(g.flatten(g.max_pool(b, (2, 3), (3, 2))), 8)
    g.concat(g.threshold(g.matmul(g.flatten(h), 4), 5), i)
    return g


FOLDED_NETWORKS = {**NETWORKS, "windows_net": lambda seed: (g := windows_net()).finish(f"{g.nodes[-1].name}_out")}


def drawn(network: Network, seed: int) -> dict[str, tuple[int, int, str]]:
    """A folding of every unit, of either form."""
    choice = random.Random(seed)
    found = {}
    for unit in units(network):
        form = choice.choice(FORMS)
        folds = [f for f in unit.legal_folds() if f.form == form] or unit.legal_folds()
        fold = choice.choice(folds)
        found[unit.name] = fold.pe, fold.simd, fold.form
    return found


SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))]
LONG = ("windows_net", "small_cnn")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in LONG else ()) for n in FOLDED_NETWORKS]
)
def test_every_form_and_folding_is_bit_exact(name: str, seed: int, tmp_path: Path) -> None:
    """Random mixtures: every traced layer with ap types and native integers, the results of the synthesis branch."""
    graph = FOLDED_NETWORKS[name](seed)
    network = Network(graph)
    project = hw.build(graph, tmp_path / "p", project_name=name, folding=drawn(network, seed))
    codes = all_vectors(network, 30)
    layers: dict[str, np.ndarray] = {}
    expected = evaluate(network, codes, wanted=layers.__setitem__)
    for mode in ("ap", "fast"):
        for layer, values in project.trace(codes, mode=mode).items():
            assert np.array_equal(values, layers[layer]), (mode, layer)
    found = project.integers(codes[-20:], mode="hls")
    assert np.array_equal(found.reshape(-1), expected[-20:].reshape(-1))


def test_simulation_does_not_depend_on_threads_or_batches(projects, vectors):
    project = projects["residual_net", "io_stream"]
    codes = project.codes(vectors["residual_net"][0])
    library = compile_simulation(project.directory, "fast")
    simulation = Simulation(library, codes.shape[1], project.network.outputs[0].shape.size)
    whole = simulation.run(codes).integers
    for threads, size in ((1, 1), (4, 7)):
        pieces = np.concatenate([b.integers for b in simulation.batches(codes, threads, size)])
        assert np.array_equal(pieces, whole)


def test_compilation_is_cached_and_does_not_pile_up(projects, vectors):
    project = projects["small_cnn", "io_stream"]
    project.integers(vectors["small_cnn"][0][:1], mode="fast")
    build = project.directory / "build"
    first = {p.name: p.stat().st_mtime_ns for p in build.iterdir()}
    project.integers(vectors["small_cnn"][0][:1], mode="fast")
    assert {p.name: p.stat().st_mtime_ns for p in build.iterdir()} == first
    header = Path(project.directory / "firmware" / "parameters.h")
    text = header.read_text()
    header.write_text(text + "// changed\n")
    try:
        project.integers(vectors["small_cnn"][0][:1], mode="fast")
        assert len(list(build.glob("fast-????????????????.so"))) == 1
    finally:
        header.write_text(text)
