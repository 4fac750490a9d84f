"""Activations of up to 16 bits: the file in float64 = integer graph = C simulation = simulated SystemVerilog."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

from crq.hw.dataflow.stages import stage
from crq.hw.dataflow.units import units
from crq.hw.ir.graph import Network
from crq.hw.ir.host import to_values
from crq.hw.ir.layers import IntArray
from crq.hw.ir.vectors import all_vectors
from crq.hw.project import build
from crq.hw.read import read_qonnx
from crq.hw.verify.chain import file_links, fits_float32, layer_values
from tests.support.float64_file import evaluate
from tests.support.qonnx_files import conv, graph_of, node
from tests.support.wide_files import wide_dense, wide_quant, wide_uneven, wide_vgg

needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")


def integer_weights(inputs: int) -> ModelProto:
    """8-bit weights: sums of more than 32 bits."""
    weights = np.random.default_rng(3).integers(-127, 128, (inputs, 3))
    return wide_dense(inputs, 3, weights, scale=2.0**8, gain=0.37)


def residual() -> ModelProto:
    """Two branches of 16 bits, their sum of 15, and the average of its pixels."""
    rng = np.random.default_rng(5)
    constants = {
        "zero": np.float32(0), "inbits": np.float32(16), "bits": np.float32(16), "fewer": np.float32(15),
        "qi_s": np.float32(2**-10), "qa_s": np.float32(2**-9), "qb_s": np.float32(2**-10), "qc_s": np.float32(2**-8),
        "qp_s": np.float32(2**-9), "a": rng.normal(size=(1, 4, 1, 1)).astype(np.float32),
        "wa": rng.integers(-1, 2, (4, 2, 3, 3)).astype(np.float32),
        "wb": rng.integers(-1, 2, (4, 2, 1, 1)).astype(np.float32),
        "wf": rng.integers(-1, 2, (4, 3)).astype(np.float32),
    }  # fmt: skip
    nodes = [
        wide_quant("x", "xq", "qi", "inbits", 1, "ROUND"),
        conv("xq wa", "ca", "conva", pad=1), node("Mul", "ca a", "ma", "gain"),
        wide_quant("ma", "left", "qa", signed=1),
        conv("xq wb", "cb", "convb", size=1), wide_quant("cb", "right", "qb", signed=1),
        node("Add", "left right", "s", "add"), wide_quant("s", "sum", "qc", "fewer", 1, "ROUND"),
        node("GlobalAveragePool", "sum", "p", "gap"), wide_quant("p", "pq", "qp", signed=1),
        node("Flatten", "pq", "fl", "fl"), node("MatMul", "fl wf", "y", "fc"),
    ]  # fmt: skip
    return graph_of(nodes, constants, (1, 2, 4, 4))


FILES: dict[str, Callable[[], ModelProto]] = {
    "floor": lambda: wide_vgg((3, 4), 6, scale=2.0**-13),
    "signed": lambda: wide_vgg((3, 4), 6, signed=1, mode="ROUND", scale=2.0**-13),
    "ties": lambda: wide_dense(mode="ROUND", gain=0.5, scale=2.0**-8),
    "uneven": wide_uneven,
    "33 bits": lambda: integer_weights(1100),
    "residual": residual,
}


SLOW = {"33 bits", "residual", "signed"}


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in FILES]
)
def made(request: pytest.FixtureRequest) -> tuple[str, ModelProto, Network, IntArray, dict[str, IntArray]]:
    model = FILES[request.param]()
    network = Network(read_qonnx(model))
    codes = all_vectors(network, 12, bounding_limit=12)
    return request.param, model, network, codes, layer_values(network, codes)


Made = tuple[str, ModelProto, Network, IntArray, dict[str, IntArray]]


def test_the_integer_graph_is_the_file_in_float64(made: Made) -> None:
    _, model, network, codes, expected = made
    values = to_values(network, codes)
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    tensors = evaluate(model, values.reshape(len(values), *shape[1:]))
    for name, source in network.metadata.sources.items():
        if name in expected:
            found = np.rint(tensors[source.tensor] / source.scale).astype(np.int64)
            np.testing.assert_array_equal(expected[name].reshape(found.shape), found, name)
    logits = expected[network.layers[-1].name].reshape(len(codes), -1) * network.scores[0].scale.astype(np.float64)
    np.testing.assert_array_equal(logits, tensors["y"])


def test_c_simulation_is_exact(made: Made, tmp_path: Path) -> None:
    """Native integers in all; with ap types and the synthesis tool's own branch in one each."""
    name, model, network, codes, _ = made
    project = build(model, tmp_path / "project")
    modes = {"fast", "ap" if name == "residual" else "hls" if name == "ties" else "fast"}
    for mode in modes:
        traced = project.trace(codes, mode=mode, layout="NCHW")
        for layer, values in traced.items():
            np.testing.assert_array_equal(values, made[4][layer], f"{layer} {mode}")


@needs_verilator
def test_rtl_simulation_is_exact(made: Made, tmp_path: Path) -> None:
    _, model, _, codes, expected = made
    project = build(model, tmp_path / "project", target="rtl")
    for layer, values in project.trace(codes, layout="NCHW").items():
        np.testing.assert_array_equal(values, expected[layer], layer)


@needs_verilator
@pytest.mark.parametrize("target", ["hls", "rtl"])
def test_unrolled_networks_are_exact(target: str, tmp_path: Path) -> None:
    model = wide_dense(mode="ROUND", gain=0.5, scale=2.0**-8, bits=14)
    network = Network(read_qonnx(model))
    codes = all_vectors(network, 30)
    project = build(model, tmp_path / "project", target=target, io_type="io_parallel")
    found = project.integers(codes).reshape(len(codes), -1)
    np.testing.assert_array_equal(found, layer_values(network, codes)["last"].reshape(len(codes), -1))


def test_both_ways_of_finding_codes_are_met(tmp_path: Path) -> None:
    """Sums that come slowly are divided one bit per cycle, fast ones in a pipeline."""
    kinds = set()
    for name in ("floor", "ties", "residual"):
        project = build(FILES[name](), tmp_path / name)
        kinds |= {stage(unit, project.folds[unit.name]).kind for unit in units(project.network)}
    assert {"ramp", "divide"} <= kinds


def test_qonnx_is_asked_only_where_float32_holds_the_integers(tmp_path: Path) -> None:
    assert fits_float32(Network(read_qonnx(FILES["ties"]())))
    project = build(FILES["33 bits"](), tmp_path / "project")
    assert max(layer.output.format.bits for layer in project.network) > 32
    links = file_links(project.network, project, all_vectors(project.network, 2)[:3])
    assert not any("qonnx" in link.name for link in links)
    assert all(link.equal for link in links)
