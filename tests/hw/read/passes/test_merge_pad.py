"""A convolution that only pads gives its padding to the convolutions behind it, and stays for everything else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.ir.graph import Network
from crq.hw.read.passes.merge_pad import merge_pad
from tests.support.passes import assert_leaves_alone, assert_rewrites
from tests.support.random_graphs import GraphBuilder


def padded(g: GraphBuilder, pads: tuple[int, ...] = (1, 0, 2, 3), **changes: object) -> str:
    channels, rank = g.shapes["x"][1], len(pads) // 2
    ones = np.ones((channels, 1, *[1] * rank), np.int64)
    return g.conv("x", channels, (1,) * rank, **({"pads": pads, "group": channels, "weights": ones} | changes))


def test_pads_add_up_and_the_padding_layer_goes() -> None:
    g = GraphBuilder((2, 5, 6), "INT4", seed=3)
    after = assert_rewrites(merge_pad, g.finish(g.conv(padded(g), 3, pads=(0, 1, 0, 0), dilations=(2, 2))), ["Conv"])
    assert Network(after)["conv2"].pads == (1, 1, 2, 3)
    assert [i.name for i in after.graph.initializer] == ["conv2_w"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.tuples(*[st.integers(0, 2)] * 4), st.sampled_from([(1, 1), (2, 1), (2, 2)]))
def test_any_padding_and_stride_keep_the_integers(seed: int, pads, strides) -> None:
    g = GraphBuilder((2, 5, 4), "INT4", seed)
    pads = (pads[0] + 1, *pads[1:])
    assert_rewrites(merge_pad, g.finish(g.conv(padded(g, pads), 2, strides=strides, pads=(1, 0, 0, 1))), ["Conv"], 2)


def test_it_stays_for_other_readers_and_a_convolution_beside_them_takes_its_pads() -> None:
    """A pool would not let the padding win, where the layer's zeros can."""
    g = GraphBuilder((2, 5, 6), "INT4", seed=5)
    p = padded(g)
    pooled = g.threshold(g.conv(g.max_pool(p, (2, 2), (1, 1)), 2), 4)
    direct = g.threshold(g.conv(p, 2, (4, 4)), 4)
    model = g.finish(g.add(pooled, direct))
    after = assert_rewrites(
        merge_pad, model, ["Conv", "MaxPool", "Conv", "MultiThreshold", "Conv", "MultiThreshold", "Add"]
    )
    network = Network(after)
    assert network["conv5"].input is network.inputs[0]
    assert network["conv3"].pads == (0, 0, 0, 0)


def test_the_networks_output_is_kept() -> None:
    g = GraphBuilder((2, 5, 6), "INT4")
    assert_leaves_alone(merge_pad, g.finish(padded(g)))


@pytest.mark.parametrize(
    "changes",
    [
        {"pads": (0, 0, 0, 0)},
        {"strides": (2, 2)},
        {"weights": np.array([1, -1]).reshape(2, 1, 1, 1)},
        {"group": 1, "weights": np.ones((2, 2, 1, 1), np.int64)},
    ],
    ids=["no pads", "strided", "signs", "not depthwise"],
)
def test_a_layer_that_does_more_or_less_than_pad_is_left_alone(changes: dict) -> None:
    g = GraphBuilder((2, 5, 6), "INT4")
    assert_leaves_alone(merge_pad, g.finish(g.conv(padded(g, **changes), 3, (2, 2))))


def test_a_sum_pool_of_one_row_is_no_padding() -> None:
    g = GraphBuilder((2, 5, 6), "INT4")
    p = g.conv("x", 2, (1, 2), pads=(0, 1, 0, 0), group=2, weights=np.ones((2, 1, 1, 2), np.int64))
    assert_leaves_alone(merge_pad, g.finish(g.conv(p, 3)))


def test_signals_of_one_dimension() -> None:
    g = GraphBuilder((2, 7), "INT4")
    p = g.conv("x", 2, (1,), pads=(2, 1), group=2, weights=np.ones((2, 1, 1), np.int64))
    after = assert_rewrites(merge_pad, g.finish(g.conv(p, 3, (3,), pads=(0, 1))), ["Conv"])
    assert Network(after)["conv2"].pads == (0, 2, 0, 2)
