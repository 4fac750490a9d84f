"""The graph of a layer against the integer interpreter: groups, padding, integer weights, every family."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.dataflow.schedule import graph_stages
from crq.hw.graphs.layer import OPERANDS, layer_graph, window_matrix, window_weights
from crq.hw.ir.digits import sum_levels
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.layers import Mac
from crq.hw.rtl.synth import FAMILIES
from tests.support.random_graphs import GraphBuilder


def test_every_family_has_its_adders() -> None:
    assert set(OPERANDS) == set(FAMILIES)


@pytest.mark.parametrize("operands", [2, 3])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize(("most", "kind"), [(1, "TERNARY"), (100, "INT8")])
def test_a_pixel_is_the_interpreters(operands: int, groups: int, most: int, kind: str) -> None:
    rng = np.random.default_rng(groups)
    weights = rng.integers(-most, most + 1, (8, 4 // groups, 3, 3))
    g = GraphBuilder((4, 3, 3), "INT4")
    network = Network(g.finish(g.conv("x", 8, weights=weights, group=groups, weight_type=kind)))
    [mac] = network
    assert isinstance(mac, Mac)
    graph = layer_graph(mac, operands)
    x = rng.integers(-8, 8, (20, 4, 3, 3))
    window = x.transpose(0, 2, 3, 1).reshape(20, -1)  # (row, column, channel)
    expected = evaluate(network, x).reshape(20, -1)
    assert np.array_equal(graph.evaluate(window), expected)
    assert np.array_equal(window @ window_matrix(mac).T, expected)
    assert np.array_equal(window_weights(mac, graph.matrix()), weights)
    assert graph.depth <= sum_levels(mac)
    assert graph_stages(mac, 2) == -(-sum_levels(mac) // 2)


def test_padding_is_zero_whatever_the_input_may_be() -> None:
    """Inputs in [3, 5] have sums down to zero at the edges."""
    weights = np.ones((1, 1, 3, 3), np.int64)
    for pads, least in (((0, 0, 0, 0), 27), ((1, 1, 1, 1), 0)):
        g = GraphBuilder((1, 4, 4), "UINT2")
        h = g.conv(g.bias("x", np.array([3])), 1, weights=weights, pads=pads)
        mac = list(Network(g.finish(h)))[-1]
        assert isinstance(mac, Mac)
        graph = layer_graph(mac)
        assert graph.outputs[0] is not None
        assert graph.ranges[graph.outputs[0].value][0] == least
