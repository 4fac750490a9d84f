"""Channels-last files: the same integers as the channels-first file, or as the file's own float64 evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.infer_shapes import InferShapes

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from tests.support.float64_file import evaluate
from tests.support.qonnx_files import CONV, assert_graph_equals_file, base, codes, conv, graph_of, node, quant, run

POOL = node("MaxPool", "q", "m", "pool", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])


def to_first(x: str, y: str):
    return node("Transpose", x, y, perm=[0, 3, 1, 2])


def to_last(x: str, y: str):
    return node("Transpose", x, y, perm=[0, 2, 3, 1])


def assert_equal_to_channels_last_file(proto: ModelProto) -> ModelWrapper:
    graph = read_qonnx(proto)
    network = Network(graph)
    x = codes(graph, 30)
    assert graph.get_metadata_prop("crq.input.layout") == "NHWC"
    file_x = np.moveaxis(x, 1, -1).astype(np.float64) * network.metadata.inputs[0].scale
    expected = evaluate(proto, file_x)[proto.graph.output[0].name]
    found = run(graph, x) * network.scores[0].scale.astype(np.float64) + network.scores[0].offset
    np.testing.assert_allclose(found.reshape(len(x), -1), expected.reshape(len(x), -1), rtol=1e-5, atol=1e-6)
    return graph


@pytest.mark.parametrize("shape", [(1, 7, 6), (1, 3, 4, 6)])
def test_products_over_the_features_of_points(shape: tuple[int, ...]) -> None:
    """A product over the last axis says that features are last; the maximum over the points, and a vector's product."""
    rng = np.random.default_rng(2)
    nodes = [
        quant("x", "xq", "qi"), node("MatMul", "xq shared", "c", "shared"), node("Relu", "c", "r"),
        quant("r", "q", "q1"), node("MatMul", "q second", "d", "second"), quant("d", "dq", "q1", signed=1),
        node("ReduceMax", "dq", "m", "pool", axes=list(range(1, len(shape) - 1)), keepdims=0),
        node("MatMul", "m fc", "y", "fc"),
    ]  # fmt: skip
    given = {name: rng.integers(-1, 2, size).astype("f4") for name, size in
             {"shared": (6, 5), "second": (5, 4), "fc": (4, 3)}.items()}  # fmt: skip
    proto = graph_of(nodes, base() | given, shape=shape)
    graph = read_qonnx(proto)
    network = Network(graph)
    x = codes(graph, 30)
    values = np.moveaxis(x, 1, -1).reshape(-1, *shape[1:]).astype(np.float64) * network.metadata.inputs[0].scale
    expected = evaluate(proto, values)["y"]
    found = run(graph, x) * network.scores[0].scale.astype(np.float64) + network.scores[0].offset
    np.testing.assert_allclose(found.reshape(len(x), -1), expected.reshape(len(x), -1), rtol=1e-5, atol=1e-6)


def test_transposes_around_each_layer_and_a_flatten_in_their_order() -> None:
    """As converters from channels-last frameworks write it; the dense layer's rows count rows, columns, channels."""
    nodes = [
        quant("x", "xt", "qi"),
        to_first("xt", "xq"),
        CONV,
        to_last("c", "cl"),
        node("Mul", "cl scale", "s"),
        node("Add", "s offset", "o"),
        node("Relu", "o", "r"),
        quant("r", "ql", "q1"),
        to_first("ql", "q"),
        POOL,
        to_last("m", "ml"),
        node("Reshape", "ml to", "fl"),
        node("Mul", "fl half", "fa"),
        quant("fa", "fq", "q1", signed=1),
        node("MatMul", "fq dense", "y", "fc"),
    ]
    rng = np.random.default_rng(1)
    constants = base() | {
        "scale": rng.normal(size=5).astype(np.float32),
        "offset": rng.normal(size=(1, 1, 1, 5)).astype(np.float32),
        "to": np.array([1, -1]),
        "half": np.float32(0.5),
        "dense": (rng.integers(-1, 2, (45, 3)) * 0.37).astype(np.float32),
    }
    assert_equal_to_channels_last_file(graph_of(nodes, constants, shape=(1, 6, 6, 2)))


@pytest.mark.parametrize("transposed", [False, True])
def test_concatenation_mean_and_gemm(transposed: bool) -> None:
    nodes = [
        quant("x", "xt", "qi"),
        to_first("xt", "xq"),
        CONV,
        quant("c", "qa", "q1", signed=1),
        to_last("qa", "ql"),
        node("Concat", "ql ql", "cat", axis=-1),
        node("ReduceMean", "cat", "mean", axes=[1, 2], keepdims=0),
        quant("mean", "mq", "q1", signed=1),
        node("Gemm", "mq dense", "y", "fc", transB=int(transposed)),
    ]
    dense = (np.random.default_rng(2).integers(-1, 2, (10, 3)) * 0.5).astype(np.float32)
    constants = base() | {"dense": dense.T if transposed else dense}
    assert_equal_to_channels_last_file(graph_of(nodes, constants, shape=(1, 6, 6, 2)))


def test_qonnx_channels_last_conversion_gives_the_same_integers() -> None:
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        node("Mul", "c g", "s"),
        quant("s", "q", "q1"),
        POOL,
        conv("m w2", "d", "conv2"),
        quant("d", "dq", "q1", signed=1),
        node("Flatten", "dq", "fl"),
        node("MatMul", "fl f", "y", "fc"),
    ]
    rng = np.random.default_rng(3)
    constants = base() | {
        "w2": rng.integers(-1, 2, (4, 5, 3, 3)).astype(np.float32),
        "f": rng.integers(-1, 2, (4, 3)).astype(np.float32),
    }
    original = graph_of(nodes, constants)
    last = ModelWrapper(original).transform(InferShapes()).transform(ConvertToChannelsLastAndClean())
    assert any("channels_last" in n.domain for n in last.graph.node)
    first, second = read_qonnx(original), read_qonnx(last)
    x = codes(first, 30)
    np.testing.assert_array_equal(run(second, x), run(first, x))


def test_a_channels_last_result_and_other_transpositions_are_refused() -> None:
    head = [quant("x", "xq", "qi"), CONV, quant("c", "q", "q1")]
    with pytest.raises(HwError, match=r"'y'.*\[channels-last\]"):
        read_qonnx(graph_of([*head, to_last("q", "y")], base()))
    with pytest.raises(HwError, match=r"'swap'.*in another order.*\[reshape\]"):
        read_qonnx(graph_of([*head, node("Transpose", "q", "y", "swap", perm=[0, 1, 3, 2])], base()))


def test_depthwise_convolutions_and_pools_take_one_scale_per_channel() -> None:
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        quant("c", "q", "per", signed=1),
        conv("q dw", "d", "depthwise", group=5),
        quant("d", "dq", "per2", signed=1),
        node("GlobalAveragePool", "dq", "p", "gap"),
        quant("p", "pq", "q1", signed=1),
        node("Flatten", "pq", "fl"),
        node("MatMul", "fl f", "y", "fc"),
    ]
    rng = np.random.default_rng(4)
    constants = base() | {
        "dw": rng.integers(-1, 2, (10, 1, 3, 3)).astype(np.float32),
        "f": rng.integers(-1, 2, (10, 3)).astype(np.float32),
        "per_s": rng.uniform(0.1, 0.5, (1, 5, 1, 1)).astype(np.float32),
        "per2_s": rng.uniform(0.1, 0.5, (1, 10, 1, 1)).astype(np.float32),
    }
    proto = graph_of(nodes, constants)
    graph = read_qonnx(proto)
    network, x = Network(graph), codes(graph, 40)
    expected = evaluate(proto, x.astype(np.float64) * network.metadata.inputs[0].scale)["y"]
    found = run(graph, x) * network.scores[0].scale.astype(np.float64) + network.scores[0].offset
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("axes", [[1], [2], [1, 2], [3]], ids=str)
@pytest.mark.parametrize("flatten", ["Flatten", "Reshape"])
def test_a_squeeze_of_channels_last_keeps_their_order(axes: list[int], flatten: str) -> None:
    """Partly squeezed the channels are still last: features then count through pixels first."""
    size = (1, 2, 1, 6) if 1 in axes else (1, 2, 6, 1)
    size = (1, 2, 1, 1) if axes == [1, 2] else (1, 1, 2, 6) if axes == [3] else size
    shrunk = node(flatten, "sq to" if flatten == "Reshape" else "sq", "fl")
    count = int(np.prod(size))
    nodes = [
        quant("x", "xq", "qi"),
        to_last("xq", "l"),
        node("Squeeze", "l ax", "sq"),
        shrunk,
        node("MatMul", "fl f2", "y"),
    ]
    dense = np.random.default_rng(0).integers(-1, 2, (count, 3)).astype(np.float32)
    constants = base() | {"ax": np.array(axes), "f2": dense, "to": np.array([1, -1])}
    proto = graph_of(nodes, constants, shape=size)
    graph = read_qonnx(proto)
    network, x = Network(graph), codes(graph, 20)
    expected = evaluate(proto, x.astype(np.float64) * network.metadata.inputs[0].scale)["y"]
    np.testing.assert_allclose(
        run(graph, x) * network.scores[0].scale.astype(np.float64), expected, rtol=1e-6, atol=1e-9
    )


def test_a_squeeze_without_axes_is_refused() -> None:
    with pytest.raises(HwError, match=r"a Squeeze of .* by the axes \[\]"):
        read_qonnx(graph_of([quant("x", "xq", "qi"), node("Squeeze", "xq", "y")], base()))


def test_a_squeezed_image_is_a_signal() -> None:
    """(N, 1, W, C) → (N, W, C) → (N, C, W)."""
    nodes = [quant("x", "xq", "qi"), to_last("xq", "l"), node("Squeeze", "l ax", "sq"),
             node("Transpose", "sq", "t", perm=[0, 2, 1]),
             node("Conv", "t w1", "y", "conv", kernel_shape=[1])]  # fmt: skip
    constants = base() | {"ax": np.array([1]), "w1": np.ones((1, 2, 1), np.float32)}
    network = Network(assert_graph_equals_file(graph_of(nodes, constants, shape=(1, 2, 1, 6)), count=3))
    assert [layer.kind for layer in network] == ["Conv"]
