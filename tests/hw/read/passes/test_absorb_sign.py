"""A negation behind a convolution or matrix product goes into its weights, and stays anywhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq import export
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from crq.hw.read.passes.absorb_sign import absorb_sign
from tests.support.nets import Plain, frozen
from tests.support.passes import assert_leaves_alone, assert_rewrites
from tests.support.random_graphs import GraphBuilder

SIGNS = np.array([1, -1, -1, 1])


@pytest.mark.parametrize(("weight_type", "greatest"), [("TERNARY", 1), ("INT4", 7), ("INT8", 127)])
def test_rows_of_a_convolution_are_flipped(weight_type: str, greatest: int) -> None:
    g = GraphBuilder((2, 5, 5), "INT4", seed=1)
    weights = np.clip(g.codes((4, 2, 3, 3), weight_type), -greatest, greatest)
    model = g.finish(g.negate(g.conv("x", 4, weight_type=weight_type, weights=weights), SIGNS))
    before = model.get_initializer("conv1_w").copy()
    after = assert_rewrites(absorb_sign, model, ["Conv"])
    assert np.array_equal(after.get_initializer("conv1_w"), before * SIGNS.reshape(-1, 1, 1, 1))
    assert Network(after).outputs[0].name == "neg2_out"


def test_columns_of_a_matrix_product_are_flipped() -> None:
    g = GraphBuilder((6,), "INT4", seed=2)
    model = g.finish(g.threshold(g.negate(g.matmul("x", 4), SIGNS)))
    before = model.get_initializer("fc1_w").copy()
    after = assert_rewrites(absorb_sign, model, ["MatMul", "MultiThreshold"])
    assert np.array_equal(after.get_initializer("fc1_w"), before * SIGNS)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 4]))
def test_any_signs_and_groups_keep_the_integers(seed: int, group: int) -> None:
    g = GraphBuilder((4, 4, 4), "INT4", seed)
    assert_rewrites(absorb_sign, g.finish(g.negate(g.conv("x", 4, group=group))), ["Conv"], count=2)


def test_a_sum_that_something_else_reads_keeps_its_sign() -> None:
    g = GraphBuilder((2, 5, 5), "INT4")
    c = g.conv("x", 4)
    assert_leaves_alone(absorb_sign, g.finish(g.add(g.negate(c, SIGNS), c)))


def test_only_signs_behind_a_sum_are_absorbed() -> None:
    g = GraphBuilder((4, 5, 5), "INT4")
    shifted = g.finish(g.shift(g.conv("x", 4), 2))
    assert_leaves_alone(absorb_sign, shifted)
    g = GraphBuilder((4, 5, 5), "INT4")
    assert_leaves_alone(absorb_sign, g.finish(g.negate("x", SIGNS)))
    g = GraphBuilder((4, 6, 6), "INT4")
    assert_leaves_alone(absorb_sign, g.finish(g.negate(g.max_pool(g.conv("x", 4)), SIGNS)))


def test_signs_are_absorbed_only_where_nothing_else_reads_the_sum(tmp_path) -> None:
    model = frozen(Plain, seed=4)
    assert any((s.signs < 0).any() for s in model.steps.values() if hasattr(s, "signs"))
    graph = read_qonnx(export.to_qonnx(model, tmp_path / "m.onnx"))
    assert "Mul" not in [n.op_type for n in graph.graph.node]
    codes = model.steps["conv1"].codes.numpy().astype(np.float32)
    signs = model.steps["conv1_quant"].signs if "conv1_quant" in model.steps else None
    stored = graph.get_initializer("conv1_weight")
    assert not np.array_equal(stored, codes) or signs is None
