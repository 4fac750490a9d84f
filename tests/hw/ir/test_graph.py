"""The typed view of an integer graph: shapes, exact ranges, and what is no integer graph is refused by its node."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from onnx import TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Conv, Dense, Shift, Threshold
from tests.support import reference
from tests.support.random_graphs import NETWORKS, GraphBuilder, random_input, small_cnn


@pytest.mark.parametrize("name", NETWORKS)
def test_every_tensor_stays_in_its_interval(name: str) -> None:
    """By the loops of the reference, on random codes and on the ends of the input's range."""
    model = NETWORKS[name](5)
    network = Network(model)
    lo, hi = int(network.inputs[0].lo.min()), int(network.inputs[0].hi.max())
    codes = random_input(model, 4)
    values = reference.run(model, np.concatenate([codes, np.full_like(codes[:1], lo), np.full_like(codes[:1], hi)]))
    for layer in network:
        found = values[layer.output.name].reshape(len(codes) + 2, -1)
        if layer.kind == "Flatten":  # its channels are in the order of the stream
            assert layer.output.lo.min() <= found.min()
            assert found.max() <= layer.output.hi.max()
            continue
        found = found.reshape(len(found), layer.output.shape.c, -1)
        assert (layer.output.lo <= found.min(axis=(0, 2))).all(), layer.name
        assert (found.max(axis=(0, 2)) <= layer.output.hi).all(), layer.name


def test_ranges_worked_out_by_hand() -> None:
    """x in [0, 3] on two channels; sums, shift, bias, negation, concatenation and pools of it."""
    g = GraphBuilder((2, 2, 2), "UINT2")
    weights = np.array([[1, 1], [1, -1], [-1, 0]]).reshape(3, 2, 1, 1)
    c = g.conv("x", 3, (1, 1), weights=weights)
    b = g.bias(g.shift(c, 2), np.array([5, 0, -5]))
    n = g.negate(b, np.array([1, -1, -1]))
    both = g.concat(g.max_pool(n), g.global_sum(c))
    network = Network(g.finish(both))
    assert [(t.lo.tolist(), t.hi.tolist()) for t in (layer.output for layer in network)] == [
        ([0, -3, -3], [6, 3, 0]),
        ([0, -12, -12], [24, 12, 0]),
        ([5, -12, -17], [29, 12, -5]),
        ([5, -12, 5], [29, 12, 17]),
        ([5, -12, 5], [29, 12, 17]),
        ([0, -12, -12], [24, 12, 0]),
        ([5, -12, 5, 0, -12, -12], [29, 12, 17, 24, 12, 0]),
    ]


def test_codes_of_a_threshold_are_those_it_can_reach() -> None:
    g = GraphBuilder((2,), "UINT2")
    c = g.matmul("x", 2, weights=np.array([[1, -1], [1, 0]]))  # sums in [0, 6] and [-3, 0]
    table = np.array([[-9, 0, 7], [-9, -2, 1]])
    network = Network(g.finish(g.threshold(c, 2, signed=True, table=table)))
    layer = network.layers[-1]
    assert isinstance(layer, Threshold)
    assert (layer.output.lo.tolist(), layer.output.hi.tolist()) == ([-2 + 2, -2 + 1], [-2 + 2, -2 + 2])
    assert (layer.qmin, layer.code_type, layer.thresholds.tolist()) == (-2, "INT2", table.tolist())


def test_what_is_read_of_each_node() -> None:
    g = GraphBuilder((2, 9), "INT4")
    c = g.conv("x", 4, (3,), strides=(2,), pads=(2, 1), dilations=(3,), group=2)
    network = Network(g.finish(g.matmul(g.flatten(g.shift(c, 3)), 5)))
    conv, shift, _, dense = network
    assert isinstance(conv, Conv)
    assert (conv.kernel, conv.stride, conv.dilation, conv.groups) == ((1, 3), (1, 2), (1, 3), 2)
    assert conv.pads == (0, 2, 0, 1)
    assert conv.input.shape == (2, 1, 9)
    assert conv.output.shape == (4, 1, 3)
    assert isinstance(shift, Shift)
    assert shift.bits == 3
    assert isinstance(dense, Dense)
    assert dense.output.shape == (5, 1, 1)


def test_rows_of_a_dense_layer_follow_the_stream() -> None:
    """ONNX flattens channel by channel, the stream pixel by pixel."""
    g = GraphBuilder((2, 1, 3), "UINT2")
    codes = np.arange(6).reshape(6, 1) - 3
    network = Network(g.finish(g.matmul(g.flatten("x"), 1, "INT4", codes)))
    dense = network.layers[-1]
    assert isinstance(dense, Dense)
    assert dense.weights.reshape(-1).tolist() == [-3, 0, -2, 1, -1, 2]


def test_neighbours_are_found_by_tensor_and_layers_by_name() -> None:
    network = Network(small_cnn())
    first, act, pool = network.layers[:3]
    assert network.producer(network.inputs[0]) is None
    assert network.producer(act.output) is act
    assert network.consumers(act.output) == [pool]
    assert network[act.name] is act
    assert network.tensor(first.output.name) is first.output
    with pytest.raises(KeyError):
        network["nothing"]
    flat = next(layer for layer in network if layer.kind == "Flatten")
    assert network.carried(flat.output) is flat.input
    assert network.carried(pool.output) is pool.output


def test_scores_are_integers_times_scale_plus_offset_per_channel() -> None:
    g = GraphBuilder((2, 2, 2), "UINT2")
    model = g.finish(g.conv("x", 2, (1, 1)))
    model.set_metadata_prop("crq.output.scale", "[0.5, 2.0]")
    integers = np.array([[[[1, 2]], [[3, 4]]]])
    assert Network(model).logits(integers).tolist() == [[[[0.5, 1.0]], [[6.0, 8.0]]]]
    model.set_metadata_prop("crq.output.offset", "[0.0, 10.0]")
    network = Network(model)
    assert network.logits(integers).tolist() == [[[[0.5, 1.0]], [[16.0, 18.0]]]]
    assert network.logits(np.array([[1, 1]])).tolist() == [[0.5, 12.0]]
    assert network.logits(integers).dtype == np.float32


def test_a_range_narrower_than_the_type_narrows_the_sums() -> None:
    g = GraphBuilder((1, 2, 2), "INT4")
    model = g.finish(g.conv("x", 1, (1, 1), weights=np.ones((1, 1, 1, 1), np.int64)))
    assert Network(model).outputs[0].lo.tolist() == [-8]
    model.set_metadata_prop("crq.input.range", "[-7, 3]")
    model.set_metadata_prop("crq.input.scale", json.dumps(0.25))
    model.set_metadata_prop("crq.input.zero_point", "2")
    network = Network(model)
    assert (network.outputs[0].lo.tolist(), network.outputs[0].hi.tolist()) == ([-7], [3])
    assert (network.metadata.inputs[0].scale, network.metadata.inputs[0].zero_point) == (0.25, 2)


# -- what is no integer graph: the node is named ------------------------------------------------------------------


def conv_graph() -> ModelWrapper:
    g = GraphBuilder((2, 4, 4), "UINT2")
    return g.finish(g.threshold(g.conv("x", 2), 2))


def store(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[ModelWrapper], None]:
    return lambda m: m.set_initializer(name, change(m.get_initializer(name)).astype(np.float32))


DAMAGES: dict[str, tuple[Callable[[ModelWrapper], object], str]] = {
    "operator": (lambda m: setattr(m.graph.node[0], "op_type", "Relu"), r"'conv1' \(Relu\): is not an operation"),
    "fraction": (store("conv1_w", lambda w: w + 0.5), r"'conv1' \(Conv\): .*no integers"),
    "annotation": (store("conv1_w", lambda w: w * 0 + 2), r"'conv1' \(Conv\): weights do not fit .* TERNARY"),
    "falling": (store("act2_t", lambda t: t[:, ::-1]), r"'act2' \(MultiThreshold\): thresholds are not ascending"),
    "order": (lambda m: m.graph.node.insert(0, m.graph.node.pop()), r"'act2' .*'conv1_out' is produced by no earlier"),
    "constants": (lambda m: m.del_initializer("conv1_w"), r"'conv1' .*input 'conv1_w' is produced by no earlier"),
    "outputs": (lambda m: m.graph.output.append(m.graph.output[0]), r"of different names, .*'act2_out', 'act2_out'\]"),
    "range": (lambda m: m.set_metadata_prop("crq.input.range", "[0, 4]"), r"crq\.input\.range .*within UINT2"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_integer_graph_is_refused(damage: str) -> None:
    model = conv_graph()
    Network(model)
    apply, message = DAMAGES[damage]
    apply(model)
    with pytest.raises(HwError, match=message):
        Network(model)


@pytest.mark.parametrize(
    ("factor", "dtype", "message"),
    [(3, "UINT2", "factor 3 is no power of two"), (0, "UINT2", "other than -1 and"), (-2, "INT2", "other than -1 and")],
)
def test_a_factor_is_a_sign_or_a_power_of_two(factor: int, dtype: str, message: str) -> None:
    g = GraphBuilder((2, 4, 4), "UINT2")
    model = g.finish(g.shift("x", 1))
    model.set_initializer("shift1_s", np.array(factor, np.float32))
    model.set_tensor_datatype("shift1_s", DataType[dtype])
    with pytest.raises(HwError, match=rf"'shift1' \(Mul\): .*{message}"):
        Network(model)


def test_integer_weights_have_eight_signed_bits() -> None:
    g = GraphBuilder((2,), "UINT2")
    model = g.finish(g.matmul("x", 2, "INT8"))
    model.set_initializer("fc1_w", np.full((2, 2), 200, np.float32))
    model.set_tensor_datatype("fc1_w", DataType["INT16"])
    with pytest.raises(HwError, match=r"'fc1' \(MatMul\): weight codes outside \[-128, 127\]"):
        Network(model)


def test_only_a_matrix_product_may_read_a_flattened_image() -> None:
    g = GraphBuilder((2, 2, 2), "UINT2")
    with pytest.raises(HwError, match=r"'flat1' \(Flatten\): only MatMul may follow a flattened image"):
        g.finish(g.bias(g.flatten("x"), np.ones(8, np.int64)))
    g = GraphBuilder((2, 1, 1), "UINT2")
    assert len(Network(g.finish(g.bias(g.flatten("x"), np.ones(2, np.int64)))).layers) == 2


def test_operands_of_different_shapes_and_wrong_numbers_of_rows_are_refused() -> None:
    g = GraphBuilder((2, 4, 4), "UINT2")
    g.node("Add", "sum", ["x", g.max_pool("x")], [1, 2, 4, 4])
    with pytest.raises(HwError, match=r"'sum' \(Add\): operands of shapes \(2, 4, 4\) and \(2, 2, 2\)"):
        g.finish("sum_out")
    g = GraphBuilder((3,), "UINT2")
    with pytest.raises(HwError, match=r"'fc1' \(MatMul\): 4 weight rows for 3 inputs"):
        g.finish(g.matmul("x", 2, weights=np.ones((4, 2), np.int64)))


def test_five_dimensions_are_refused() -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 3, 4, 5])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 120])
    node = helper.make_node("Flatten", ["x"], ["y"], "flat")
    model = ModelWrapper(helper.make_model(helper.make_graph([node], "g", [value], [result])))
    with pytest.raises(HwError, match=r"tensor 'x': expected shape \(N, C\), .* found \[1, 2, 3, 4, 5\]"):
        Network(model)
