"""Files with several inputs and outputs: file = integer graph = C simulation = Verilog simulation = host.py."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

import hw
from hw.errors import HwError
from hw.ir.graph import Network
from hw.ir.host import to_values
from hw.ir.images import input_codes
from hw.ir.interpret import evaluate
from hw.ir.vectors import all_vectors
from hw.read import read_qonnx
from hw.verify.chain import layer_values
from hw.verify.float32 import float_execution
from hw.verify.float64.evaluate import float64_link
from tests.support.qonnx_files import assert_graph_equals_file, base, conv, graph_of, node, quant

RNG = np.random.default_rng(2)


def ternary(*shape: int) -> np.ndarray:
    return (RNG.integers(-1, 2, shape) * 0.5).astype(np.float32)


def both(proto: ModelProto, name: str, shape: tuple[int, ...], output: str | None = None) -> ModelProto:
    """With one more input, and output."""
    proto.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *shape]))
    if output is not None:
        proto.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, None))
    return proto


def images(opset: int = 13) -> ModelProto:
    """An image and a map of other scale, offset and sign; scores per pixel and a map of codes."""
    nodes = [
        quant("x", "xq", "qi"), node("Mul", "z two", "zm"), node("Add", "zm one", "za"),
        quant("za", "zq", "q1", signed=1),
        conv("xq w", "c1", "left", pad=1), conv("zq wz", "c2", "right", pad=1), quant("c1", "a1", "q1", signed=1),
        quant("c2", "a2", "q1", signed=1), node("Add", "a1 a2", "sum"), conv("sum w2", "y", "scores", size=1),
        conv("sum w3", "c3", "codes", size=1), quant("c3", "codes_out", "qi", signed=1),
    ]  # fmt: skip
    constants = base() | {"wz": ternary(5, 1, 3, 3), "two": np.float32(2), "one": np.float32(0.62),
                          "w2": ternary(2, 5, 1, 1), "w3": ternary(3, 5, 1, 1)}  # fmt: skip
    return both(graph_of(nodes, constants, opset=opset), "z", (1, 6, 6), "codes_out")


def vectors() -> ModelProto:
    """Two heads with biases on what two vectors give."""
    nodes = [quant("x", "xq", "qi"), quant("u", "uq", "q1", signed=1), node("MatMul", "xq m1", "h1", "of_x"),
             node("MatMul", "uq m2", "h2", "of_u"), quant("h1", "k1", "q1", signed=1),
             quant("h2", "k2", "q1", signed=1), node("Concat", "k1 k2", "k", axis=1),
             node("MatMul", "k m3", "s", "one"),
             node("Add", "s bias", "y"), node("MatMul", "k m4", "other", "two")]  # fmt: skip
    constants = base() | {"m1": ternary(6, 4), "m2": ternary(3, 5), "m3": ternary(9, 3), "m4": ternary(9, 2),
                          "bias": RNG.normal(size=3).astype(np.float32)}  # fmt: skip
    return both(graph_of(nodes, constants, shape=(1, 6)), "u", (3,), "other")


FILES = {"images": images, "vectors": vectors}


@pytest.mark.parametrize("name", FILES)
def test_the_graph_is_the_file(name: str, tmp_path: Path) -> None:
    proto = FILES[name]()
    network = Network(assert_graph_equals_file(proto, count=8))
    onnx.save(proto, tmp_path / "m.onnx")
    codes = all_vectors(network, 8, bounding_limit=4)
    values = layer_values(network, codes)
    link = float64_link(tmp_path / "m.onnx", network, codes, values)
    assert link.equal, str(link)
    assert float_execution(tmp_path / "m.onnx", network, codes[:4], {k: v[:4] for k, v in values.items()}).images == 4


def test_old_files_split_by_an_attribute() -> None:
    assert_graph_equals_file(images(opset=11), count=3)


@pytest.mark.parametrize(("name", "target"), [
    ("images", "hls"), ("vectors", "hls"),
    pytest.param("images", "rtl", marks=pytest.mark.skipif(shutil.which("verilator") is None, reason="no Verilator")),
])  # fmt: skip
def test_simulations_take_and_give_a_tuple(name: str, target: str, tmp_path: Path) -> None:
    proto = FILES[name]()
    network = Network(read_qonnx(proto))
    codes = all_vectors(network, 6, bounding_limit=4)
    project = hw.build(proto, tmp_path, target=target)
    expected = evaluate(network, codes)
    np.testing.assert_array_equal(project.integers(codes).reshape(expected.shape), expected)
    cut = dict(network.metadata.input_names)["x"]
    shaped = codes if network.input.shape.pixels > 1 else codes[:, :, 0, 0]
    parts = shaped[:, :cut], shaped[:, cut:]
    given = project.simulate(parts)
    named = project.simulate(dict(zip([n for n, _ in network.metadata.input_names], parts, strict=True)))
    host = runpy.run_path(str(tmp_path / "host.py"))
    values = to_values(network, codes).reshape(shaped.shape)
    np.testing.assert_array_equal(host["quantize"]((values[:, :cut], values[:, cut:])), codes)
    told = host["results"](expected)
    for output, (_, channels) in enumerate(network.metadata.output_names):
        assert given[output].shape[1] == channels
        np.testing.assert_array_equal(given[output], named[output])
        np.testing.assert_array_equal(given[output], told[output])


@pytest.mark.parametrize(("change", "message"), [
    (lambda a, b: (a,), r"takes 'x' \(N, 2, …\), 'z' \(N, 1, …\)"), (lambda a, b: {"x": a, "w": b}, "inputs .*'w'"),
    (lambda a, b: (b, a), "the network takes"), (lambda a, b: (a, b[:1]), "as many images of each"),
    (lambda a, b: (a, b.astype(float)), "all integers or all floats"),
])  # fmt: skip
def test_other_inputs_than_the_files_are_refused(change, message: str) -> None:
    network = Network(read_qonnx(images()))
    with pytest.raises(HwError, match=message):
        input_codes(network, change(np.zeros((3, 2, 6, 6), int), np.zeros((3, 1, 6, 6), int)))


def test_ends_of_other_sizes_are_refused() -> None:
    proto = images()
    proto.graph.input[-1].CopyFrom(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 1, 3, 3]))
    with pytest.raises(HwError, match=r"inputs 'x' \[1, 2, 6, 6\], 'z' \[1, 1, 3, 3\].*same height.*\[several\]"):
        read_qonnx(proto)
    pool = node("MaxPool", "y", "p", kernel_shape=[2, 2], strides=[2, 2])
    nodes = [quant("x", "xq", "qi"), conv("xq w2", "c", "conv", pad=1), quant("c", "y", "q1", signed=1), pool]
    proto = graph_of(nodes, base() | {"w2": ternary(3, 2, 3, 3)})
    proto.graph.output.append(helper.make_tensor_value_info("p", TensorProto.FLOAT, None))
    with pytest.raises(HwError, match=r"outputs 'y' \[3, 6, 6\], 'p' \[3, 3, 3\].*\[several\]"):
        read_qonnx(proto)


def test_parts_with_other_zero_points_are_refused() -> None:
    proto = images()
    right = next(n for n in proto.graph.node if n.output[0] == "zq")
    right.input[2] = "three"
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(3), "three"))
    with pytest.raises(HwError, match=r"zero points \[0, 3\]; expected one for all.*\[input-quantizer\]"):
        read_qonnx(proto)
