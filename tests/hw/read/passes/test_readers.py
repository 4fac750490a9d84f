"""Nodes that read a tensor, and the host where it is a result."""

from __future__ import annotations

from crq.hw.read.passes.readers import readers
from tests.support.random_graphs import GraphBuilder


def test_nodes_and_results_count() -> None:
    g = GraphBuilder((2, 4, 4), "UINT2")
    a = g.conv("x", 2)
    b = g.threshold(a, 2)
    model = g.finish(g.add(b, g.negate(b)))
    assert [readers(model, name) for name in ("x", a, b)] == [1, 1, 2]
    result = model.graph.output[0].name
    assert readers(model, result) == 1
    model.graph.output.add(name=b)
    assert readers(model, b) == 3
