"""Two neighbouring nodes trade places: names of tensors stay, shape and type of the one between follow."""

from __future__ import annotations

import numpy as np

from crq.hw.ir.graph import Network
from crq.hw.read.passes.swap import swap
from tests.support.qonnx_files import codes, run
from tests.support.random_graphs import GraphBuilder


def test_the_tensor_between_gets_the_shape_before_and_the_type_behind() -> None:
    g = GraphBuilder((2, 6, 6), "INT8", seed=1)
    model = g.finish(g.conv(g.threshold(g.max_pool("x"), 2), 3))
    x = codes(model, 4)
    wanted = run(model, x)
    pool, act, conv = model.graph.node
    swap(model, pool, act)
    assert [n.name for n in model.graph.node] == ["act2", "pool1", "conv3"]
    first, second, last = model.graph.node
    assert (first.input[0], first.output[0]) == ("x", "pool1_out")
    assert (second.input[0], second.output[0]) == ("pool1_out", "act2_out")
    assert last.input[0] == "act2_out"
    assert first.input[1] == "act2_t"
    assert model.get_tensor_shape("pool1_out") == [1, 2, 6, 6]
    assert model.get_tensor_datatype("pool1_out").name == "UINT2"
    np.testing.assert_array_equal(run(model, x), wanted)
    assert [layer.kind for layer in Network(model)] == ["Threshold", "MaxPool", "Conv"]


def test_nodes_that_are_apart_in_the_file_trade_their_places_in_it() -> None:
    """Two branches written in turns: the other branch's node stays where it is."""
    g = GraphBuilder((2, 6, 6), "INT8", seed=1)
    a = g.max_pool("x")
    b = g.max_pool("x", (2, 2))
    model = g.finish(g.add(g.threshold(a, 2), g.threshold(b, 2)))
    x = codes(model, 4)
    wanted = run(model, x)
    nodes = {n.name: n for n in model.graph.node}
    assert list(nodes) == ["pool1", "pool2", "act3", "act4", "add5"]
    swap(model, nodes["pool1"], nodes["act3"])
    assert [n.name for n in model.graph.node] == ["act3", "pool2", "pool1", "act4", "add5"]
    np.testing.assert_array_equal(run(model, x), wanted)
