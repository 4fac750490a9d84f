"""The interpreter against plain loops in Python integers, on every kind of layer and on random graphs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import apply, evaluate
from crq.hw.ir.layers import Flatten
from crq.hw.ir.vectors import extremes
from tests.support import reference
from tests.support.random_graphs import NETWORKS, GraphBuilder, random_input


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_equals_the_reference(name: str) -> None:
    model = NETWORKS[name](7)
    network = Network(model)
    codes = np.concatenate([random_input(model, 3).reshape(3, *network.inputs[0].shape), extremes(network)[:2]])
    expected = reference.run(model, codes.reshape(5, *model.get_tensor_shape("x")[1:]))
    seen = []

    def compare(layer: str, values: np.ndarray) -> None:
        seen.append(layer)
        want = expected[network[layer].output.name]
        if isinstance(network[layer], Flatten):
            return  # the stream's order, which ONNX does not have
        assert np.array_equal(values.reshape(want.shape), want), layer

    result = evaluate(network, codes, wanted=compare)
    assert seen == [layer.name for layer in network]
    assert np.array_equal(result.reshape(5, -1), expected[network.outputs[0].name].reshape(5, -1))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)), pads=st.tuples(*[st.integers(0, 2)] * 4),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)), group=st.sampled_from([1, 2, 4]),
)  # fmt: skip
def test_any_convolution_equals_the_reference(seed, kernel, stride, pads, dilation, group) -> None:
    g = GraphBuilder((4, 6, 5), "INT8", seed)
    model = g.finish(g.conv("x", 4, kernel, stride, pads, dilation, group, "INT8"))
    codes = random_input(model, 2, seed)
    assert np.array_equal(evaluate(Network(model), codes), reference.run(model, codes)["conv1_out"])


def test_sums_beyond_24_bits_are_exact() -> None:
    """300 products of -128 and codes up to 255 · 2^9: more than a float32 holds."""
    g = GraphBuilder((300, 1, 1), "UINT8", 1)
    x = g.shift("x", 9)
    weights = np.full((1, 300, 1, 1), -128)
    weights[0, 0] = 127
    network = Network(g.finish(g.conv(x, 1, (1, 1), weight_type="INT8", weights=weights)))
    codes = np.random.default_rng(0).integers(200, 256, (3, 300, 1, 1))
    codes[:, 0] |= 1
    expected = [
        [sum(int(w) * (int(v) << 9) for w, v in zip(weights[0, :, 0, 0], c[:, 0, 0], strict=True))] for c in codes
    ]
    assert evaluate(network, codes).reshape(3, 1).tolist() == expected
    assert min(expected)[0] < -(2**31)


def test_sums_beyond_what_float64_holds_are_refused() -> None:
    g = GraphBuilder((4, 1, 1), "UINT8")
    network = Network(g.finish(g.matmul(g.flatten(g.shift("x", 46)), 1, weights=np.ones((4, 1), np.int64))))
    with pytest.raises(HwError, match=r"layer 'fc3': sums of \d+ bits exceed 2\^53"):
        evaluate(network, np.zeros((1, 4, 1, 1), np.int64))


def test_a_flattened_image_is_in_the_order_of_the_stream() -> None:
    g = GraphBuilder((2, 1, 3), "UINT4")
    network = Network(g.finish(g.matmul(g.flatten("x"), 1)))
    x = np.array([[[[1, 2, 3]], [[10, 11, 12]]]])
    assert apply(network.layers[0], x).reshape(-1).tolist() == [1, 10, 2, 11, 3, 12]


def test_thresholds_count_ties_and_repeats() -> None:
    g = GraphBuilder((1, 1, 5), "INT4")
    table = np.array([[-3, 0, 0]])
    network = Network(g.finish(g.threshold("x", 2, signed=True, table=table)))
    assert evaluate(network, np.array([[[[-4, -3, -1, 0, 7]]]])).reshape(-1).tolist() == [-2, -1, -1, 1, 1]


def test_padding_never_wins_a_pool() -> None:
    g = GraphBuilder((1, 2, 2), "INT4")
    network = Network(g.finish(g.max_pool("x", (2, 2), (1, 1), (1, 1, 1, 1))))
    found = evaluate(network, np.array([[[[-5, -2], [-8, -1]]]]))
    assert found.tolist() == [[[[-5, -2, -2], [-5, -1, -1], [-8, -1, -1]]]]


def test_images_do_not_touch_each_other() -> None:
    model = NETWORKS["residual_net"](1)
    network = Network(model)
    codes = random_input(model, 5)
    together = evaluate(network, codes)
    assert np.array_equal(together, np.concatenate([evaluate(network, c[None]) for c in codes]))


@pytest.mark.parametrize("name", NETWORKS)
def test_of_no_images_there_are_no_results(name: str) -> None:
    network = Network(NETWORKS[name](7))
    shapes: dict[str, tuple[int, ...]] = {}
    nothing = np.empty((0, *network.inputs[0].shape), np.int64)
    result = evaluate(network, nothing, wanted=lambda layer, values: shapes.update({layer: values.shape}))
    assert result.shape == (0, *network.outputs[0].shape)
    assert shapes == {layer.name: (0, *layer.output.shape) for layer in network}
