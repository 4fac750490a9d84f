"""Tensors that renumber others, in files: every one is the file in float64, and becomes no more than it must."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import (
    CONV,
    IN,
    assert_equal_to_file,
    assert_graph_equals_file,
    base,
    conv,
    graph_of,
    node,
    quant,
)

HEAD = [IN, CONV, quant("c", "q", "q1", signed=1)]
POINT = [node("Identity", "v", "y")]


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def file(nodes: list, **constants: object):
    return graph_of([*HEAD, *nodes], base() | constants)


SELECTED = {
    "channels": ([node("Slice", "q a b ax", "y")], {"a": ints(1), "b": ints(4), "ax": ints(1)}),
    "every second channel, backwards": (
        [node("Slice", "q a b ax st", "y")], {"a": ints(4), "b": ints(-(1 << 40)), "ax": ints(1), "st": ints(-2)}),
    "pixels": ([node("Slice", "q a b ax", "y")], {"a": ints(1, 2), "b": ints(5, 1 << 40), "ax": ints(2, 3)}),
    "every second pixel": ([node("Slice", "q a b ax st", "y")],
                           {"a": ints(0, 1), "b": ints(99, 99), "ax": ints(2, 3), "st": ints(2, 3)}),
    "gathered channels": ([node("Gather", "q g1", "y", axis=1)], {"g1": ints(3, 0, 0, -1)}),
    "one channel": ([node("Gather", "q g1", "y", axis=1)], {"g1": ints(2)}),
    "space to depth": ([node("SpaceToDepth", "q", "y", blocksize=2)], {}),
    "padded before and behind": ([node("Pad", "q pd", "y")], {"pd": ints(0, 0, 2, 0, 0, 0, 1, 3)}),
}  # fmt: skip


@pytest.mark.parametrize("name", SELECTED)
def test_selections_are_a_convolution_of_single_ones(name: str) -> None:
    nodes, constants = SELECTED[name]
    network = Network(assert_graph_equals_file(file(nodes, **constants), count=5))
    assert [layer.kind for layer in network] == ["Conv", "Threshold", "Conv"]
    assert (np.abs(network.layers[-1].weights).sum((1, 2, 3)) == 1).all()


GROWN = {
    "pixel shuffle": ([node("DepthToSpace", "four", "y", blocksize=2, mode="CRD")], {}, ["Enlarge"]),
    "depth to space, after which channels are ordered": (
        [node("DepthToSpace", "four", "y", blocksize=2)], {}, ["Conv", "Enlarge"]),
    "spelled out": ([node("Reshape", "four split", "r"), node("Transpose", "r", "t", perm=[0, 1, 4, 2, 5, 3]),
                     node("Reshape", "t joined", "y")],
                    {"split": ints(1, 2, 2, 2, 6, 6), "joined": ints(1, 2, 12, 12)}, ["Enlarge"]),
    "copies by Gather": ([node("Gather", "four twice", "y", axis=3)], {"twice": np.repeat(np.arange(6), 2)},
                         ["Enlarge"]),
    "space to depth and back": ([node("SpaceToDepth", "four", "s", blocksize=2),
                                 node("DepthToSpace", "s", "y", blocksize=2)], {}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", GROWN)
def test_pixels_made_of_channels_or_of_pixels_are_an_enlargement(name: str) -> None:
    nodes, constants, kinds = GROWN[name]
    weights = np.random.default_rng(1).integers(-1, 2, (8, 2, 3, 3)).astype(np.float32)
    four = [
        IN,
        node("Conv", "xq k4", "c", "conv", pads=[1] * 4, kernel_shape=[3, 3]),
        quant("c", "four", "q1", signed=1),
    ]
    proto = graph_of([*four, *nodes], base() | {"k4": weights} | constants)
    network = Network(assert_graph_equals_file(proto, count=5))
    assert [layer.kind for layer in network] == ["Conv", "Threshold", *kinds]


def test_channels_of_other_biases_do_not_become_pixels_of_one_before_their_quantizer() -> None:
    weights = np.random.default_rng(1).integers(-1, 2, (4, 2, 3, 3)).astype(np.float32)
    grow = node("DepthToSpace", "c", "d", "grow", blocksize=2, mode="CRD")
    head = [IN, conv("xq k4 bias", "c", "conv", pad=1), grow, quant("d", "y", "q1", signed=1)]
    same = graph_of(head, base() | {"k4": weights, "bias": np.full(4, 0.3, np.float32)})
    network = Network(assert_graph_equals_file(same, count=5))
    assert [layer.kind for layer in network] == ["Conv", "Threshold", "Enlarge"]
    other = graph_of(head, base() | {"k4": weights, "bias": np.arange(4, dtype=np.float32)})
    with pytest.raises(HwError, match=r"channels of other scales or biases become pixels of one.*\[not-quantized\]"):
        assert_graph_equals_file(other)


def test_a_signal_as_an_image_of_one_row_and_back(tmp_path: Path) -> None:
    """No layer, and no rows where there are none."""
    rng = np.random.default_rng(0)
    constants = base() | {"w1": rng.integers(-1, 2, (4, 2, 3)).astype(np.float32), "two": ints(2),
                          "w2": rng.integers(-1, 2, (3, 4, 1, 3)).astype(np.float32)}  # fmt: skip
    nodes = [IN, node("Conv", "xq w1", "c", "conv", pads=[1, 1], kernel_shape=[3]), quant("c", "q", "q1", signed=1),
             node("Unsqueeze", "q two", "u"), conv("u w2", "c2", "second", kernel_shape=[1, 3], pads=[0, 1, 0, 1]),
             node("Squeeze", "c2 two", "s"), quant("s", "y", "q1", signed=1)]  # fmt: skip
    network = Network(assert_equal_to_file(graph_of(nodes, constants, shape=(1, 2, 9)), tmp_path, count=5))
    assert [layer.kind for layer in network] == ["Conv", "Threshold", "Conv", "Threshold"]


def test_a_channel_shuffle_in_three_nodes_is_one() -> None:
    nodes = [node("Slice", "q zero1 four ax", "s"), node("Reshape", "s five", "r5"),
             node("Transpose", "r5", "t5", perm=[0, 2, 1, 3, 4]), node("Reshape", "t5 back", "y")]  # fmt: skip
    constants = {
        "zero1": ints(0),
        "four": ints(4),
        "ax": ints(1),
        "five": ints(1, 2, 2, 6, 6),
        "back": ints(0, -1, 6, 6),
    }
    network = Network(assert_graph_equals_file(file(nodes, **constants), count=5))
    assert network.layers[-1].weights.reshape(4, 5).argmax(1).tolist() == [0, 2, 1, 3]


def test_parts_of_a_split_are_read_each_by_itself(tmp_path: Path) -> None:
    nodes = [node("Split", "q parts", "p1 p2", axis=1), conv("p1 k1", "y1", "k1"), conv("p2 k2", "y2", "k2")]
    nodes[0].output[:] = ["p1", "p2"]
    rng = np.random.default_rng(0)
    constants = {"parts": ints(2, 3), "k1": rng.integers(-1, 2, (3, 2, 3, 3)).astype(np.float32),
                 "k2": rng.integers(-1, 2, (3, 3, 3, 3)).astype(np.float32)}  # fmt: skip
    tail = [quant("y1", "z1", "q1", signed=1), quant("y2", "z2", "q1", signed=1), node("Add", "z1 z2", "y")]
    assert_equal_to_file(file([*nodes, *tail], **constants), tmp_path, count=10)


def test_features_out_of_order_and_chosen_ones() -> None:
    nodes = [node("Flatten", "q", "fl"), node("Gather", "fl g1", "ga", axis=1), node("MatMul", "ga d", "y")]
    chosen = np.random.default_rng(1).permutation(180)[:40]
    dense = np.random.default_rng(2).integers(-1, 2, (40, 3)).astype(np.float32)
    assert_graph_equals_file(file(nodes, g1=chosen, d=dense), count=5)
    nodes = [node("Flatten", "q", "fl"), node("MatMul", "fl d", "h"), quant("h", "hq", "q1", signed=1),
             node("Slice", "hq a b ax", "y")]  # fmt: skip
    dense = np.random.default_rng(2).integers(-1, 2, (180, 6)).astype(np.float32)
    assert_graph_equals_file(file(nodes, d=dense, a=ints(2), b=ints(5), ax=ints(-1)), count=5)


def test_values_that_wait_for_their_quantizer_keep_their_channels_constants() -> None:
    nodes = [node("Mul", "c g", "m"), node("Slice", "m a b ax", "s"), quant("s", "y", "q1", signed=1)]
    proto = graph_of([IN, CONV, *nodes], base() | {"a": ints(1), "b": ints(4), "ax": ints(1)})
    assert_graph_equals_file(proto, count=5)


def test_a_product_over_the_channels_of_points_is_a_convolution_of_one() -> None:
    nodes = [IN, CONV, quant("c", "q", "q1", signed=1), node("Transpose", "q", "t", perm=[0, 2, 3, 1]),
             node("MatMul", "t k", "m"), node("Transpose", "m", "bk", perm=[0, 3, 1, 2]),
             quant("bk", "y", "q1", signed=1)]  # fmt: skip
    weights = np.random.default_rng(0).integers(-1, 2, (5, 4)).astype(np.float32)
    network = Network(assert_graph_equals_file(graph_of(nodes, base() | {"k": weights}), count=5))
    assert [layer.kind for layer in network] == ["Conv", "Threshold", "Conv", "Threshold"]


@pytest.mark.parametrize(
    ("nodes", "constants", "message"),
    [
        ([node("DepthToSpace", "q", "y", blocksize=2)], {}, "no whole blocks of 2"),
        ([node("Transpose", "q", "y", perm=[0, 1, 3, 2])], {}, "in another order"),
        ([node("Slice", "q a b ax st", "y")], {"a": ints(-1), "b": ints(0), "ax": ints(2), "st": ints(-1)},
         "another order"),
        ([node("Slice", "q a b ax", "y")], {"a": ints(3), "b": ints(3), "ax": ints(1)}, "or nothing"),
        ([node("Gather", "q g1", "y", axis=1)], {"g1": ints(5)}, r"indices \[5\] along an axis of 5"),
        ([node("Split", "q parts", "y", axis=1)], {"parts": ints(2)}, r"splits axis 1 of 5 elements into \[2\]"),
        ([node("SpaceToDepth", "q", "y", blocksize=4)], {}, "no whole blocks of 4"),
    ],
)  # fmt: skip
def test_other_orders_are_refused(nodes: list, constants: dict, message: str) -> None:
    four = [node("Slice", "q zero1 four one1", "d")]
    constants = {"zero1": ints(0), "four": ints(4), "one1": ints(1)} | constants
    with pytest.raises(HwError, match=message):
        read_qonnx(file([*four, *nodes], **constants))
