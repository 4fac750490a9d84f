"""Parts of the network's input with quantizers of their own: what the host does to each, and what gives them."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.host import to_codes, to_values
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import assert_graph_equals_file, base, graph_of, node, quant

SIZES = {"sizes": np.array([2, 3])}


def file(*more: object, second: str = "p2") -> object:
    """The first two of five inputs at one scale, the others at another behind `more`."""
    nodes = [node("Split", "x sizes", "p1", axis=1), *more, quant("p1", "aq", "qi"),
             quant(second, "bq", "q1", signed=1),
             node("Concat", "aq2 bq2", "all", axis=1), node("MatMul", "all f5", "y")]  # fmt: skip
    nodes[0].output.append("p2")
    same = [node("MatMul", "aq one2", "ap"), quant("ap", "aq2", "q1"), node("MatMul", "bq one3", "bp"),
            quant("bp", "bq2", "q1", signed=1)]  # fmt: skip
    nodes[-2:-2] = same
    constants = base() | SIZES | {
        "one2": np.eye(2, dtype=np.float32), "one3": np.eye(3, dtype=np.float32), "two": np.float32(2),
        "f5": np.ones((5, 2), np.float32)}  # fmt: skip
    return graph_of(nodes, constants, shape=(1, 5))


def test_each_part_has_its_scale_and_range() -> None:
    network = Network(assert_graph_equals_file(file(), count=20))
    assert network.inputs[0].lo.tolist() == [0, 0, -8, -8, -8]
    assert network.inputs[0].hi.tolist() == [15, 15, 7, 7, 7]
    assert {layer.name for layer in network.layers[:2]} == {"input1", "input2"}
    codes = np.array([[[[3]], [[15]], [[-8]], [[7]], [[0]]]])
    values = to_values(network, codes)
    np.testing.assert_allclose(values.ravel(), np.float32([0.07, 0.07, 0.31, 0.31, 0.31]) * codes.ravel(), rtol=1e-6)
    np.testing.assert_array_equal(to_codes(network, values * 100 + 0.01)[0, :2].ravel(), [15, 15])


def test_what_a_file_does_to_one_part_is_done_to_it_alone() -> None:
    network = Network(assert_graph_equals_file(file(node("Mul", "p2 two", "b2"), second="b2"), count=20))
    assert network.metadata.inputs[0].preprocessing[0] == ("Mul", [1.0, 1.0, 2.0, 2.0, 2.0])


def test_a_step_without_an_identity_is_refused() -> None:
    with pytest.raises(HwError, match=r"step RSub cannot stand beside others.*\[input-quantizer\]"):
        read_qonnx(file(node("Sub", "two p2", "b2"), second="b2"))
