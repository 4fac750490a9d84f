"""The float64 evaluation of a file: it agrees with right integer graphs, layer by layer, and finds wrong ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.infer_shapes import InferShapes

import crq
from crq import models
from export.qonnx import to_qonnx
from hw.equality import Link, layer_values, load_network
from hw.float64 import float64_link
from hw.graph import Network
from hw.read import read_qonnx
from hw.vectors import all_vectors
from tests.hw.qonnx_files import CONV, base, graph_of, node, quant

NODES = [
    quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "q", "q1"),
    node("GlobalAveragePool", "q", "p", "gap"), quant("p", "pq", "q2"), node("Flatten", "pq", "fl"),
    node("MatMul", "fl f", "y", "fc"),
]  # fmt: skip


def link(file: Path, network: Network) -> Link:
    codes = all_vectors(network, 20)[:20]
    return float64_link(file, network, codes, layer_values(network, codes))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    onnx.save(graph_of(NODES, base() | {"q2_s": np.float32(0.31)}), tmp_path / "general.onnx")
    return tmp_path / "general.onnx"


def moved(file: Path, by: int) -> Network:
    """The integer graph of `file` with every threshold of its activation moved."""
    graph = read_qonnx(file)
    table = next(i for i in graph.graph.initializer if i.name == "q1_thresholds")
    table.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(table) + np.float32(by), table.name))
    return Network(graph)


def test_general_scales_equal_layer_by_layer(file: Path) -> None:
    found = link(file, load_network(file))
    assert found.differing == 0
    assert found.integers == 20 * (5 * 36 + 5 + 3)  # q1, q2, the output


NORMED = [
    quant("x", "xq", "qi"), CONV, node("BatchNormalization", "c s t m va", "n"), node("Relu", "n", "r"),
    quant("r", "q", "q1"), node("MaxPool", "q", "p", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0]),
    node("Flatten", "p", "fl"), node("MatMul", "fl d", "y", "fc"),
]  # fmt: skip


def normed(opset: int) -> onnx.ModelProto:
    rng = np.random.default_rng(1)
    constants = {name: rng.uniform(0.5, 1.5, 5).astype(np.float32) for name in ("s", "t", "m", "va")}
    dense = rng.integers(-1, 2, (45, 3)).astype(np.float32)
    return graph_of(NORMED, base() | constants | {"d": dense}, opset=opset)


@pytest.mark.parametrize("opset", [9, 13, 14, 17])
def test_batch_norm_is_inference_at_every_opset(opset: int, tmp_path: Path) -> None:
    onnx.save(normed(opset), tmp_path / "normed.onnx")
    assert link(tmp_path / "normed.onnx", load_network(tmp_path / "normed.onnx")).differing == 0


def test_qonnx_channels_last_operators(tmp_path: Path) -> None:
    last = ModelWrapper(normed(13)).transform(InferShapes()).transform(ConvertToChannelsLastAndClean())
    assert {n.op_type for n in last.graph.node if "channels_last" in n.domain} >= {"BatchNormalization", "Conv"}
    last.save(str(tmp_path / "last.onnx"))
    assert link(tmp_path / "last.onnx", load_network(tmp_path / "last.onnx")).differing == 0


def test_a_threshold_read_wrong_is_found_at_its_layer(file: Path) -> None:
    found = link(file, moved(file, 1))
    assert found.differing > 0
    assert found.first is not None
    assert (found.first.layer, found.first.found - found.first.expected) == ("q1", 1)


def test_check_fails_on_a_file_that_is_read_wrong(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from export.cli import check

    wrong = moved(file, 1)
    monkeypatch.setattr("hw.equality.load_network", lambda path: wrong)
    done = CliRunner().invoke(check, [str(file), "--limit", "20"])
    assert done.exit_code == 1
    assert "DIFFERS  the file in float64 = integer graph" in done.output
    assert "layer 'q1'" in done.output


@pytest.mark.parametrize("carrier", ["packed", "int2", "float"])
def test_our_own_files(carrier, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = crq.prepare(models.build("digits-cnn"))
    crq.set_mode(model, "quantized")
    frozen = crq.freeze(model, [torch.randint(0, 256, (32, 1, 8, 8), dtype=torch.uint8)])
    to_qonnx(frozen, tmp_path / "own.onnx", carrier=carrier)
    assert link(tmp_path / "own.onnx", load_network(tmp_path / "own.onnx")).differing == 0
