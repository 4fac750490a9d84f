"""A graph pass shown on a small graph: what it rewrote, and that no integer of the result changed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.ir.graph import Network
from tests.support import reference
from tests.support.qonnx_files import codes, run

Pass = Callable[[ModelWrapper], tuple[ModelWrapper, bool]]


def operators(model: ModelWrapper) -> list[str]:
    return [node.op_type for node in model.graph.node]


def assert_rewrites(graph_pass: Pass, before: ModelWrapper, expected: list[str], count: int = 8) -> ModelWrapper:
    """`before` becomes a graph of the `expected` operators with the same integers, by qonnx and by plain loops.

    The types of all tensors hold their values, and a second time the pass finds nothing.
    """
    x = codes(before, count)
    name = before.graph.output[0].name
    wanted = reference.run(before, x)[name]
    np.testing.assert_array_equal(run(before, x), wanted)
    after, changed = graph_pass(before)
    assert changed
    assert operators(after) == expected
    np.testing.assert_array_equal(run(after, x), wanted)
    values = reference.run(after, x)
    np.testing.assert_array_equal(values[name], wanted)
    for tensor, found in values.items():
        kind = after.get_tensor_datatype(tensor)
        assert kind.min() <= found.min() <= found.max() <= kind.max(), tensor
        assert found.shape[1:] == tuple(after.get_tensor_shape(tensor)[1:]), tensor
    Network(after)
    assert not graph_pass(after)[1]
    return after


def assert_leaves_alone(graph_pass: Pass, model: ModelWrapper) -> None:
    """`model` stays as it is to the last bit."""
    before = model.model.SerializeToString(deterministic=True)
    after, changed = graph_pass(model)
    assert not changed
    assert after.model.SerializeToString(deterministic=True) == before
