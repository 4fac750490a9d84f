"""Flatten and what amounts to it: Reshape, Squeeze, parts of shapes; every other reshape is refused."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import (
    ACT,
    CONV,
    IN,
    assert_equal_to_file,
    assert_graph_equals_file,
    base,
    graph_of,
    node,
    quant,
)  # fmt: skip

DENSE = np.random.default_rng(5).integers(-1, 2, (180, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("made", "target"),
    [
        (node("Flatten", "q", "fl"), None),
        (node("Flatten", "q", "fl", axis=1), None),
        (node("Flatten", "q", "fl", axis=-3), None),
        (node("Reshape", "q to", "fl"), [1, 180]),
        (node("Reshape", "q to", "fl"), [-1, 180]),
        (node("Reshape", "q to", "fl"), [0, -1]),
        (node("Reshape", "q to", "fl"), [1, -1]),
    ],
    ids=lambda v: str([a.i for a in v.attribute]) if hasattr(v, "op_type") else str(v),
)
def test_a_flatten_in_any_spelling_is_one(made, target) -> None:
    nodes = [IN, CONV, *ACT, made, node("MatMul", "fl dense", "y", "fc")]
    constants = {"dense": DENSE} | ({"to": np.array(target)} if target else {})
    network = Network(assert_graph_equals_file(graph_of(nodes, base() | constants), count=10))
    assert [layer.kind for layer in network] == ["Conv", "Threshold", "Flatten", "Dense"]


@pytest.mark.parametrize(
    ("made", "opset"),
    [
        (node("Squeeze", "p axes", "fl"), 13),
        (node("Squeeze", "p", "fl", axes=[3, 2]), 11),
        (node("Squeeze", "p", "fl", axes=[-1, -2]), 11),
        (node("Reshape", "p to", "fl"), 13),
        (node("Flatten", "p", "fl"), 13),
    ],
    ids=lambda v: str(v) if isinstance(v, int) else v.op_type,
)
def test_single_pixels_are_flattened_before_their_quantizer_too(made, opset: int) -> None:
    nodes = [IN, CONV, *ACT, node("GlobalAveragePool", "q", "p"), made, quant("fl", "fq", "q1")]
    constants = base() | {"axes": np.array([2, 3]), "to": np.array([0, 5])}
    constants = {k: v for k, v in constants.items() if k not in ("axes", "to") or k in made.input}
    proto = graph_of([*nodes, node("MatMul", "fq f", "y", "fc")], constants, opset=opset)
    assert_graph_equals_file(proto, count=10)


def test_a_reshape_to_the_same_shape_and_a_second_flatten_are_nothing() -> None:
    nodes = [IN, CONV, *ACT, node("Reshape", "q same", "q2"), node("Flatten", "q2", "fl"), node("Flatten", "fl", "f2")]
    constants = {"dense": DENSE, "same": np.array([0, 5, -1, 6])}
    proto = graph_of([*nodes, node("MatMul", "f2 dense", "y", "fc")], base() | constants)
    network = Network(assert_graph_equals_file(proto, count=5))
    assert [layer.kind for layer in network].count("Flatten") == 1


def test_a_scale_per_channel_becomes_one_per_feature() -> None:
    """The codes' host sees every pixel in its channel's scale."""
    scales = np.array([0.1, 0.2, 0.3, 0.4, 0.5], np.float32)
    nodes = [IN, CONV, quant("c", "q", "per", signed=1), node("Flatten", "q", "y")]
    network = Network(read_qonnx(graph_of(nodes, base() | {"per_s": scales.reshape(1, 5, 1, 1)})))
    assert network.scores[0].scale.tolist() == np.repeat(scales, 36).tolist()


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (node("Flatten", "q", "y", "n", axis=2), r"Flatten over axis 2"),
        (node("Flatten", "q", "y", "n", axis=0), r"Flatten over axis 0"),
        (node("Reshape", "q to", "y", "n"), r"reads a tensor of shape \(5, 6, 6\) rearranged to \(5, 36\)"),
        (node("Reshape", "q apart", "y", "n"), r"reshape of \[1, 5, 6, 6\] to \[5, 36\]"),
        (node("Squeeze", "q first", "y", "n"), r"reshape of \[1, 5, 6, 6\] to \[5, 6, 6\]"),
        (node("Flatten", "c", "y", "n"), r"flattening values that have no quantizer yet.*\[not-quantized\]"),
    ],
)
def test_other_reshapes_are_named(made, message: str) -> None:
    constants = {"to": np.array([1, 5, -1]), "apart": np.array([5, -1]), "first": np.array([0])}
    with pytest.raises(HwError, match=rf"'n' \({made.op_type}\): {message}"):
        read_qonnx(graph_of([IN, CONV, *ACT, made], base() | constants))


@pytest.mark.parametrize("opset", [9, 11, 13, 18, 21])
def test_flatten_in_disguise_and_opsets(opset: int, tmp_path) -> None:
    """Shape → Gather → Concat → Reshape, as torch writes x.view(x.size(0), -1)."""
    unsqueeze = node("Unsqueeze", "n", "n1", axes=[0]) if opset < 13 else node("Unsqueeze", "n axis", "n1")
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        node("Relu", "c", "r"),
        quant("r", "q", "q1"),
        node("Shape", "q", "s"),
        node("Gather", "s index", "n", axis=0),
        unsqueeze,
        node("Concat", "n1 rest", "target", axis=0),
        node("Reshape", "q target", "fl"),
        node("Transpose", "ft", "ftt", perm=[1, 0]),
        node("MatMul", "fl ftt", "y", "fc"),
    ]
    constants = base() | {
        "ft": np.random.default_rng(3).integers(-1, 2, (3, 180)).astype(np.float32),
        "index": np.array(0),
        "rest": np.array([-1]),
        "axis": np.array([0]),
    }
    constants = {k: v for k, v in constants.items() if k != "axis" or opset >= 13}
    proto = graph_of(nodes, constants, opset=opset)
    assert_equal_to_file(proto, tmp_path)


def test_an_unsqueeze_of_one_axis_twice_is_refused() -> None:
    nodes = [IN, CONV, *ACT, node("Unsqueeze", "q axes", "y", "twice")]
    with pytest.raises(HwError, match=r"'twice' \(Unsqueeze\): an Unsqueeze with the axes \[2, 2\].*\[malformed\]"):
        read_qonnx(graph_of(nodes, base() | {"axes": np.array([2, 2])}))
