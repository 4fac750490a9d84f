"""Networks without a matrix product, and flattens of what is flat: read, built, simulated, in both io types."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from crq import hw
from crq.hw.errors import HwError
from crq.hw.ir.vectors import all_vectors
from crq.hw.read import read_qonnx
from crq.hw.report.project import project_report
from crq.hw.verify.chain import layer_values, simulation_link
from tests.support.qonnx_files import ACT, CONV, IN, assert_graph_equals_file, base, graph_of, node, quant

RNG = np.random.default_rng(0)
CONSTANTS = base() | {
    "t": np.sort(RNG.normal(0, 4, (2, 7)).astype(np.float32), axis=1), "t1": np.array([[2, 5, 9]], np.float32),
    "big": RNG.integers(-1, 2, (72, 3)).astype(np.float32), "shift": np.float32([[[[1]], [[2]]]]),
    "flat": np.array([1, -1]),
}  # fmt: skip
STEPS = node("MultiThreshold", "x t", "q", "mt", out_dtype="UINT3", data_layout="NCHW")


def pool(x: str, y: str, name: str):
    return node("MaxPool", x, y, name, kernel_shape=[2, 2], strides=[2, 2])


def typed(nodes: list, output: str = "y", shape: tuple[int, ...] = (1, 2, 6, 6)) -> ModelProto:
    """Its input annotated as integers."""
    model = ModelWrapper(graph_of(nodes, CONSTANTS, output=output, shape=shape))
    model.set_tensor_datatype("x", DataType["INT5"])
    return model.model


FILES: dict[str, tuple[ModelProto, list[str]]] = {
    "thresholds": (typed([STEPS], "q"), ["Threshold"]),
    "thresholds of a vector": (
        typed([node("MultiThreshold", "x t", "y", "mt", out_dtype="UINT3")], shape=(1, 2)), ["Threshold"]
    ),
    "thresholds, pool, sum": (
        typed([STEPS, pool("q", "m", "mp"), node("Add", "m m", "y", "add")]), ["Threshold", "MaxPool", "Add"]
    ),
    "pools, sum, quantizer": (
        graph_of(
            [IN, pool("xq", "m", "mp"), pool("xq", "n", "np"), node("Add", "m n", "s", "add"), quant("s", "y", "q1")],
            CONSTANTS,
        ),
        ["MaxPool", "MaxPool", "Add", "Threshold"],
    ),
    "bias": (typed([node("Add", "x shift", "y", "add")]), ["Bias"]),
    "mean": (graph_of([IN, node("GlobalAveragePool", "xq", "y", "gap")], CONSTANTS), ["GlobalSum"]),
    "flat of flat": (
        graph_of(
            [IN, node("Flatten", "xq", "f1", "fl1"), node("Flatten", "f1", "f2", "fl2"), node("MatMul", "f2 big", "y")],
            CONSTANTS,
        ),
        ["Flatten", "Dense"],
    ),
    "flat of flat at the end": (
        graph_of([IN, CONV, *ACT, node("Flatten", "q", "f1", "fl1"), node("Flatten", "f1", "y", "fl2")], CONSTANTS),
        ["Conv", "Threshold", "Flatten"],
    ),
    "flat, thresholds, flat, reshape": (
        typed(
            [node("Flatten", "x", "f1", "fl1"), node("MultiThreshold", "f1 t1", "f2", "mt", out_dtype="UINT3")]
            + [node("Flatten", "f2", "f3", "fl2"), node("Reshape", "f3 flat", "f4"), node("MatMul", "f4 big", "y")]
        ),
        ["Threshold", "Flatten", "Dense"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_the_graph_is_the_file(name: str) -> None:
    proto, kinds = FILES[name]
    model = assert_graph_equals_file(proto, 10)
    assert [layer.kind for layer in hw.Network(model)] == kinds


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
@pytest.mark.parametrize("name", FILES)
def test_the_simulation_is_the_graph(name: str, io_type: str, tmp_path: Path) -> None:
    project = hw.build(FILES[name][0], tmp_path / "p", io_type=io_type)
    codes = all_vectors(project.network, 12)[:16]
    link = simulation_link(project, codes, layer_values(project.network, codes), "fast")
    assert link.equal, link
    assert project_report(project).form


@pytest.mark.parametrize("name", ["thresholds", "pools, sum, quantizer"])
def test_their_proofs_hold(name: str, tmp_path: Path) -> None:
    project = hw.build(FILES[name][0], tmp_path / "p")
    assert [str(proof) for proof in project.check() if not proof.ok] == []


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_what_only_flattens_is_nothing_to_build(io_type: str, tmp_path: Path) -> None:
    proto = graph_of([IN, node("Flatten", "xq", "y", "fl")], CONSTANTS)
    assert [n.op_type for n in read_qonnx(proto).graph.node] == ["Flatten"]
    with pytest.raises(HwError, match="no layers: there is nothing to build"):
        hw.build(proto, tmp_path / "p", io_type=io_type)
