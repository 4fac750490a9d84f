"""Flatten goes behind what treats all pixels of a channel alike; what does not reads a vector."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.read.passes.flatten_last import flatten_last
from tests.support.passes import assert_leaves_alone, operators
from tests.support.qonnx_files import run
from tests.support.random_graphs import GraphBuilder

TABLE = np.array([[-3, 0, 4], [1, 2, 9]])


def unchecked(g: GraphBuilder, output: str, monkeypatch: pytest.MonkeyPatch):
    """The graph of `g`, which is none before the pass: elementwise nodes read a flattened image."""
    with monkeypatch.context() as patched:
        patched.setattr("tests.support.random_graphs.Network", lambda model: [])
        return g.finish(output)


def annotated(model, **types: str):
    from qonnx.core.datatype import DataType

    for name, kind in types.items():
        model.set_tensor_datatype(name, DataType[kind])
    return model


def assert_moved(model, expected: list[str], shape: tuple[int, ...]):
    x = np.random.default_rng(0).integers(-8, 8, (10, *shape))
    wanted = run(model, x)
    after, changed = flatten_last(model)
    assert changed
    assert operators(after) == expected
    np.testing.assert_array_equal(run(after, x), wanted)
    assert not flatten_last(after)[1]
    return after


@pytest.mark.parametrize("shape", [(2, 3, 2), (2, 6)])
def test_thresholds_per_feature_become_thresholds_per_channel(shape, monkeypatch: pytest.MonkeyPatch) -> None:
    g = GraphBuilder(shape, "INT4")
    table = np.repeat(TABLE, 6, axis=0)
    h = g.threshold(g.flatten("x"), 2, table=table)
    model = unchecked(g, g.matmul(h, 3), monkeypatch)
    after = assert_moved(annotated(model, act2_out="UINT2"), ["MultiThreshold", "Flatten", "MatMul"], shape)
    assert after.get_initializer("act2_t").tolist() == TABLE.tolist()
    node = after.graph.node[0]
    layout = next(a.s for a in node.attribute if a.name == "data_layout")
    assert layout == (b"NCHW" if len(shape) == 3 else b"NCW")
    assert after.get_tensor_shape(node.output[0]) == [1, *shape]
    assert after.get_tensor_datatype(node.output[0]).name == "UINT2"


def test_a_whole_chain_goes_before_the_flatten(monkeypatch: pytest.MonkeyPatch) -> None:
    g = GraphBuilder((2, 2, 2), "INT4")
    per_channel = np.repeat([5, -6], 4)
    h = g.negate(g.bias(g.shift(g.flatten("x"), 1), per_channel), np.repeat([1, -1], 4))
    model = unchecked(g, g.matmul(h, 3), monkeypatch)
    after = assert_moved(model, ["Mul", "Add", "Mul", "Flatten", "MatMul"], (2, 2, 2))
    assert after.get_initializer("bias3_b").reshape(-1).tolist() == [5, -6]


def test_one_threshold_for_all_features_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    g = GraphBuilder((2, 2, 2), "INT4")
    h = g.threshold(g.flatten("x"), 2, table=TABLE[:1])
    after = assert_moved(unchecked(g, g.matmul(h, 3), monkeypatch), ["MultiThreshold", "Flatten", "MatMul"], (2, 2, 2))
    assert after.get_initializer("act2_t").tolist() == TABLE[:1].tolist()


def test_what_differs_from_pixel_to_pixel_reads_a_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    g = GraphBuilder((2, 2, 2), "INT4")
    h = g.threshold(g.bias(g.flatten("x"), np.arange(8)), 2, table=np.arange(24).reshape(8, 3))
    model = unchecked(g, g.matmul(h, 3), monkeypatch)
    x = np.random.default_rng(0).integers(-8, 8, (9, 2, 2, 2))
    wanted = run(model, x)
    after, changed = flatten_last(model)
    assert changed
    assert [n.op_type for n in after.graph.node] == ["Flatten", "MatMul", "Add", "MultiThreshold", "MatMul"]
    np.testing.assert_array_equal(run(after, x), wanted)
    network = Network(after)
    found = evaluate(network, x)
    np.testing.assert_array_equal(found.reshape(wanted.shape), wanted)


def test_too_many_features_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    g = GraphBuilder((2, 30, 20), "INT4")
    model = unchecked(g, g.bias(g.flatten("x"), np.arange(1200)), monkeypatch)
    with pytest.raises(HwError, match=r"1200 features of a flattened image.*\[per-feature\]"):
        flatten_last(model)


def test_a_flatten_in_its_place_and_one_of_single_pixels_stay() -> None:
    g = GraphBuilder((2, 3, 3), "INT4")
    assert_leaves_alone(flatten_last, g.finish(g.matmul(g.flatten("x"), 3)))
    g = GraphBuilder((2, 1, 1), "INT4")
    assert_leaves_alone(flatten_last, g.finish(g.bias(g.flatten("x"), np.array([1, 2]))))


def test_an_image_flattened_at_the_end_stays() -> None:
    g = GraphBuilder((2, 3, 3), "INT4")
    assert_leaves_alone(flatten_last, g.finish(g.flatten("x")))


def joined(g: GraphBuilder) -> str:
    return g.add(g.flatten("x"), g.flatten(g.shift("x", 1)))


def twice_read(g: GraphBuilder) -> str:
    flat = g.flatten("x")
    return g.add(g.shift(flat, 1), flat)


def beside_others(g: GraphBuilder) -> str:
    return g.concat(g.flatten("x"), g.flatten(g.max_pool("x", (2, 2))))


@pytest.mark.parametrize("body", [joined, twice_read, beside_others])
def test_what_is_joined_with_others_reads_a_vector(body, monkeypatch: pytest.MonkeyPatch) -> None:
    g = GraphBuilder((2, 2, 2), "INT4")
    model = unchecked(g, g.matmul(body(g), 3), monkeypatch)
    x = np.random.default_rng(0).integers(-8, 8, (9, 2, 2, 2))
    wanted = run(model, x)
    after, changed = flatten_last(model)
    assert changed
    np.testing.assert_array_equal(run(after, x), wanted)
    np.testing.assert_array_equal(evaluate(Network(after), x).reshape(wanted.shape), wanted)
