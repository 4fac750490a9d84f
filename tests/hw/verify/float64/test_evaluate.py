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
from crq.export.qonnx import to_qonnx
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import MaxPool
from crq.hw.ir.metadata import Metadata
from crq.hw.ir.vectors import all_vectors
from crq.hw.read import read_qonnx
from crq.hw.verify.chain import layer_values, load_network
from crq.hw.verify.float32 import float_execution
from crq.hw.verify.float64.evaluate import float64_link
from crq.hw.verify.link import Link, output_integers
from tests.support.legal_files import ACT, HEAD, LEGAL, RNG, mode, model, tail
from tests.support.qonnx_files import CONV, base, conv, graph_of, node, quant

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

    from crq.hw.cli.check import check

    wrong = moved(file, 1)
    monkeypatch.setattr("crq.hw.verify.chain.load_network", lambda path: wrong)
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


@pytest.mark.parametrize("name", LEGAL)
def test_legal_files_raise_no_alarm(name: str, tmp_path: Path) -> None:
    onnx.save(LEGAL[name], tmp_path / "legal.onnx")
    network = load_network(tmp_path / "legal.onnx")
    codes = all_vectors(network, 12)[:20]
    expected = layer_values(network, codes)
    found = float64_link(tmp_path / "legal.onnx", network, codes, expected)
    assert found.differing == 0, found
    assert {network.inputs[0].name} <= {*network.metadata.sources} <= {network.inputs[0].name, *expected}
    own = float_execution(tmp_path / "legal.onnx", network, codes, expected)
    if name != "weights rounded in float64":
        assert own.images_differing <= 2, own  # general scales: a tie here and there


@pytest.mark.parametrize(("rounding", "name", "times"), [("FLOOR", "out", 1), ("ROUND", "", 2), ("CEIL", "out", 1)])
def test_sums_that_float64_puts_beside_a_boundary_raise_no_alarm(rounding, name, times, tmp_path: Path) -> None:
    """Means of nine, each a multiple of the output's step."""
    nodes = [
        HEAD[0], conv("xq w", "c", "conv"), *ACT, node("GlobalAveragePool", "q", "p"), node("Flatten", "p", "fl"),
        node("MatMul", "fl f", "y0"), mode("y0", "y", name, rounding, scale="so"),
    ]  # fmt: skip
    f = RNG.integers(-1, 2, (5, 100)).astype(np.float32)
    onnx.save(model(nodes, (1, 2, 5, 5), so=np.float32(np.float32(0.31) * times), f=f), tmp_path / "tie.onnx")
    found = link(tmp_path / "tie.onnx", load_network(tmp_path / "tie.onnx"))
    assert (found.differing, found.integers) == (0, 20 * (5 * 9 + 100))
    assert "images up to an undecided code" in found.name
    unmatched = read_qonnx(tmp_path / "tie.onnx")
    unmatched.set_metadata_prop("crq.sources", "{}")
    found = link(tmp_path / "tie.onnx", Network(unmatched))
    assert (found.differing, found.integers) == (0, 20 * 100)


def test_exact_ties_are_decided(tmp_path: Path) -> None:
    """All scales are powers of two; an integer graph that rounds half up is wrong."""
    nodes = [*HEAD, quant("c", "q", "q1", signed=1), *tail("q")]
    scales = {"qi_s": np.float32(0.25), "q1_s": np.float32(0.5), "q9_s": np.float32(0.25)}
    onnx.save(model(nodes, **scales), tmp_path / "exact.onnx")
    graph = read_qonnx(tmp_path / "exact.onnx")
    assert link(tmp_path / "exact.onnx", Network(graph)).differing == 0
    table = next(i for i in graph.graph.initializer if i.name == "q1_thresholds")
    up = np.broadcast_to((2 * (np.arange(-7, 8) - 0.5)).astype(np.float32), list(table.dims))
    table.CopyFrom(numpy_helper.from_array(up.copy(), table.name))
    found = link(tmp_path / "exact.onnx", Network(graph))
    assert found.first is not None
    assert found.first.layer == "q1"


@pytest.mark.parametrize("names", [("a", "a", "a_2"), ("", "q", "z"), ("act.1", "act_1", "act/1")])
def test_quantizers_are_matched_whatever_their_names(names: tuple[str, str, str], tmp_path: Path) -> None:
    a, b, c = names
    nodes = [
        *HEAD, mode("c", "q", a, "ROUND"), conv("q w5", "c2", "conv2", pad=1), mode("c2", "q2", b, "ROUND", scale="s2"),
        conv("q2 w6", "c3", "conv3", pad=1), node("MultiThreshold", "c3 t", "q3", c, out_dtype="UINT2"), *tail("q3"),
    ]  # fmt: skip
    w5 = RNG.integers(-1, 2, (5, 5, 3, 3)).astype(np.float32)
    t = np.sort(RNG.normal(size=(5, 3)), axis=1).astype(np.float32)
    onnx.save(model(nodes, w5=w5, w6=w5[::-1].copy(), s2=np.float32(0.9), t=t), tmp_path / "named.onnx")
    found = link(tmp_path / "named.onnx", load_network(tmp_path / "named.onnx"))
    assert (found.differing, found.integers) == (0, 20 * (3 * 5 * 36 + 5 + 3))


def test_a_pool_that_moved_behind_its_quantizer_has_the_codes() -> None:
    network = Network(read_qonnx(LEGAL["pool before its quantizer"]))
    assert isinstance(network["mp"], MaxPool)
    assert network.metadata.sources["mp"].tensor == "q"
    assert "q1" not in network.metadata.sources


def test_a_layer_that_has_vanished_is_left_out(file: Path) -> None:
    graph = read_qonnx(file)
    Metadata.of(graph).renamed_source("q1", "gone").write(graph)
    assert link(file, Network(graph)).integers == 20 * (5 + 3)


def test_a_channel_of_gain_0_must_be_its_offset() -> None:
    network = Network(read_qonnx(LEGAL["output with a class of gain 0"]))
    want = np.array([2, 7, -3])
    right = want * network.scores[0].scale.astype(np.float64) + network.scores[0].offset
    assert output_integers(network, network.scores[0], right, want).tolist() == want.tolist()
    assert output_integers(network, network.scores[0], right + [0, 0.01, 0], want).tolist() == [2, 8, -3]
