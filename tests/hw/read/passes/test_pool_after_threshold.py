"""A max pool and the thresholds that alone read it trade places: the pool works on narrow codes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.ir.graph import Network
from crq.hw.ir.metadata import FileTensor, Metadata
from crq.hw.read.passes.pool_after_threshold import pool_after_threshold
from tests.support.passes import assert_leaves_alone, assert_rewrites
from tests.support.qonnx_files import run
from tests.support.random_graphs import GraphBuilder


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(2, 2), (3, 2)]), st.tuples(*[st.integers(0, 1)] * 4), st.booleans())
def test_any_pool_keeps_the_integers(seed: int, kernel, pads, signed: bool) -> None:
    """Also a padded one, and below codes that are negative."""
    g = GraphBuilder((3, 6, 7), "INT4", seed)
    model = g.finish(g.threshold(g.max_pool(g.conv("x", 3), kernel, (1, 2), pads), 3, signed=signed))
    after = assert_rewrites(pool_after_threshold, model, ["Conv", "MultiThreshold", "MaxPool"], count=2)
    network = Network(after)
    assert network.layers[2].input.format.bits <= 3
    assert network.outputs[0].name == model.graph.output[0].name


def test_pools_in_a_row_all_move_behind_the_thresholds() -> None:
    g = GraphBuilder((3, 9, 9), "INT4", seed=2)
    model = g.finish(g.threshold(g.max_pool(g.max_pool(g.conv("x", 3)), (2, 2), (1, 1))))
    names = [n.name for n in model.graph.node]
    x = np.random.default_rng(0).integers(-8, 8, (4, 3, 9, 9))
    wanted = run(model, x)
    changed = True
    while changed:
        model, changed = pool_after_threshold(model)
    assert [n.name for n in model.graph.node] == [names[0], names[3], names[1], names[2]]
    np.testing.assert_array_equal(run(model, x), wanted)


def test_the_files_tensor_is_then_the_codes_of_the_pool() -> None:
    g = GraphBuilder((3, 9, 9), "INT4")
    model = g.finish(g.threshold(g.max_pool(g.conv("x", 3))))
    source = FileTensor("codes", 0.5, "NCHW")
    Metadata(sources={"act3": source}).write(model)
    after, _ = pool_after_threshold(model)
    assert Metadata.of(after).sources == {"pool2": source}


def test_a_pool_that_something_else_reads_stays() -> None:
    g = GraphBuilder((3, 8, 8), "INT4")
    p = g.max_pool(g.conv("x", 3))
    assert_leaves_alone(pool_after_threshold, g.finish(g.add(g.threshold(p, 4), p)))


def test_a_pool_that_ends_the_network_or_meets_another_layer_stays() -> None:
    g = GraphBuilder((3, 8, 8), "INT4")
    p = g.max_pool(g.conv("x", 3))
    assert_leaves_alone(pool_after_threshold, g.finish(p))
    assert_leaves_alone(pool_after_threshold, g.finish(g.bias(p, np.array([1, 2, 3]))))
    g = GraphBuilder((3, 8, 8), "INT4")
    assert_leaves_alone(pool_after_threshold, g.finish(g.max_pool(g.threshold(g.conv("x", 3)))))
