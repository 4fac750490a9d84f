"""The end of the network: integers, scale and offset give the file's scores, or the end is refused."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import ACT, CONV, IN, assert_graph_equals_file, base, graph_of, node

CODES = [IN, CONV]


def ending(**constants: np.ndarray) -> Network:
    """A convolution of 5 channels with `scale`, then `offset`."""
    nodes = [*CODES, node("Mul", "c scale", "s"), node("Add", "s offset", "y")]
    shaped = {
        k: np.asarray(v, np.float32).reshape(-1, 1, 1) if np.ndim(v) else np.float32(v) for k, v in constants.items()
    }
    constants = base() | {"qi_s": np.float32(0.5)} | shaped
    return Network(assert_graph_equals_file(graph_of(nodes, constants), count=10))


def test_whole_units_join_the_integers() -> None:
    network = ending(scale=0.25, offset=[0.125, -0.25, 0, 12.5, 1])
    assert network.layers[-1].kind == "Bias"
    assert network.layers[-1].values.tolist() == [1, -2, 0, 100, 8]
    assert network.scores[0].scale == 0.125
    assert not network.scores[0].offset.any()


def test_any_other_offset_is_the_hosts() -> None:
    network = ending(scale=0.25, offset=[0.1, -0.25, 0, 12.5, 1])
    assert [layer.kind for layer in network] == ["Conv"]
    assert network.scores[0].offset.tolist() == np.array([0.1, -0.25, 0, 12.5, 1], np.float32).tolist()


def test_one_scale_per_class_and_one_for_all() -> None:
    scales = [1.0, 2.0, 0.25, 4.0, 0.5]
    assert ending(scale=scales, offset=0.0).scores[0].scale.tolist() == [s / 2 for s in scales]
    assert ending(scale=[2.0] * 5, offset=0.0).scores[0].scale.shape == ()


def test_a_falling_score_has_a_negative_scale() -> None:
    network = ending(scale=[-1.0, 1, -2, 1, 1], offset=0.0)
    assert network.scores[0].scale.tolist() == [-0.5, 0.5, -1.0, 0.5, 0.5]


def test_a_class_that_does_not_depend_on_the_input_keeps_its_score() -> None:
    network = ending(scale=[0.0, 1, 1, 1, 1], offset=[3.5, 0, 0, 0, 0])
    assert (network.scores[0].scale[0], network.scores[0].offset[0]) == (0.0, 3.5)


def test_a_quantizer_at_the_end_gives_codes_and_its_scale() -> None:
    network = Network(assert_graph_equals_file(graph_of([*CODES, *ACT, node("Identity", "q", "y")], base()), count=10))
    assert network.layers[-1].kind == "Threshold"
    assert network.scores[0].scale == np.float32(0.31)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("Identity", "x", "y")], r"output 'y': an input of the network is its output.*\[output\]"),
        ([*CODES, node("Elu", "c", "y")], r"output 'y': .*a Softmax, ArgMax, TopK, .* for the host.*\[output\]"),
        ([*CODES, node("Clip", "c low high", "y")], r"output 'y': .*\[output\]"),
        ([node("Relu", "w", "y")], r"Relu of constants is not folded"),
        ([node("Neg", "w", "y")], r"output 'y': is not computed from the input.*\[output\]"),
    ],
)
def test_other_ends_are_refused(nodes: list, message: str) -> None:
    with pytest.raises(HwError, match=message):
        read_qonnx(graph_of(nodes, base() | {"low": np.float32(0), "high": np.float32(1)}))


def test_one_tensor_may_be_two_outputs() -> None:
    proto = graph_of([*CODES, *ACT, node("Identity", "q", "y")], base())
    proto.graph.output.append(type(proto.graph.output[0])(name="q"))
    network = Network(read_qonnx(proto))
    assert network.metadata.outputs[0].names == (("y", 5), ("q", 5))
    first, second = network.results(np.arange(10 * 36).reshape(1, 10, 6, 6))
    assert first.shape == second.shape == (1, 5, 6, 6)


@pytest.mark.parametrize("name", ["x", "w"])
def test_what_is_given_is_no_output(name: str) -> None:
    with pytest.raises(HwError, match=rf"output '{name}': is an input or a constant of the file.*\[output\]"):
        read_qonnx(graph_of([*CODES, *ACT], base(), output=name))


def test_codes_of_the_input_are_no_output() -> None:
    """There would be no layer."""
    with pytest.raises(HwError, match=r"output 'xq': an input of the network is its output.*\[output\]"):
        read_qonnx(graph_of([IN], base(), output="xq"))


def test_an_output_listed_twice_is_refused() -> None:
    proto = graph_of([*CODES, *ACT], base(), output="q")
    proto.graph.output.append(proto.graph.output[0])
    with pytest.raises(HwError, match=r"output 'q': is listed twice.*\[malformed\]"):
        read_qonnx(proto)
