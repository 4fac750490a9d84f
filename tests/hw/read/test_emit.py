"""Nodes of the integer graph: names, types and intervals as written are those that the typed view derives."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.metadata import Metadata
from crq.hw.read import emit, read_qonnx
from crq.hw.read.emit import Emitter, guard
from tests.support.qonnx_files import base, codes, graph_of, node, quant, run


@given(st.lists(st.text(st.characters(max_codepoint=127), max_size=6), min_size=1, max_size=6))
def test_names_are_different_c_identifiers(names: list[str]) -> None:
    emitter = Emitter()
    made = [emitter.unique(name) for name in names]
    assert len(set(made)) == len(made)
    for name in made:
        assert re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)


@pytest.mark.parametrize(
    ("name", "expected"), [("conv1", "conv1"), ("/body/conv.1/", "body_conv_1"), ("3x3", "n_3x3"), ("", "node")]
)
def test_a_name_stays_near_the_given_one(name: str, expected: str) -> None:
    emitter = Emitter()
    assert [emitter.unique(name) for _ in range(3)] == [expected, f"{expected}_2", f"{expected}_3"]


def test_every_operator_is_written_with_the_range_and_shape_that_the_graph_derives() -> None:
    rng = np.random.default_rng(0)
    e = Emitter()
    x = e.input("input", (2, 7, 6), "INT4")
    c = e.conv("conv", x, rng.integers(-8, 8, (4, 1, 3, 2)), [2, 1], [1, 0, 1, 1], [1, 2], 2)
    n = e.negate("neg", c, np.array([1, -1, -1, 1]))
    t = e.threshold("act", n, np.sort(rng.integers(-60, 60, (4, 7)), axis=1), -3)
    p = e.max_pool("pool", t, [2, 2], [1, 1], [0, 1, 1, 0])
    s = e.add("add", p, e.shift("shift", p, 2))
    both = e.concat("cat", [e.bias("bias", s, np.array([1, -2, 3, 0])), p])
    total = e.global_sum("gsum", both)
    result = e.matmul("fc", e.flatten("flat", total), rng.integers(-1, 2, (8, 3)), "TERNARY")
    model = e.finish([x], [result], Metadata())
    network = Network(model)
    made = {i.name: i for i in (x, c, n, t, p, s, both, total, result)}
    for layer in network:
        assert model.get_tensor_datatype(layer.output.name).name == layer.output.format.qonnx, layer.name
        assert model.get_tensor_shape(layer.output.name)[0] == 1
        if layer.output.name in made:
            known = made[layer.output.name]
            assert known.lo.tolist() == layer.output.lo.tolist(), layer.name
            assert known.hi.tolist() == layer.output.hi.tolist(), layer.name
            assert int(np.prod(known.shape)) == layer.output.shape.size
    run(model, codes(model, 2))  # qonnx checks that shapes and types are those it derives
    assert [i.version for i in model.model.opset_import] == [13, 1]


def test_a_shift_by_nothing_is_no_node_and_an_input_range_narrows() -> None:
    e = Emitter()
    x = e.input("input", (2, 4), "INT4", (-7, 7))
    assert e.shift("shift", x, 0) is x
    assert not e.nodes
    assert (x.lo.tolist(), x.hi.tolist()) == ([-7, -7], [7, 7])


def test_a_window_that_does_not_fit_is_named() -> None:
    e = Emitter()
    x = e.input("input", (1, 3, 3), "UINT4")
    with pytest.raises(HwError, match=r"'big' \(Conv\): window \(4, 2\) does not fit input \(3, 3\).*\[malformed\]"):
        e.conv("big", x, np.ones((1, 1, 4, 2), np.int64), [1, 1], [0] * 4, [1, 1], 1)


def test_what_float64_does_not_hold_is_refused() -> None:
    e = Emitter()
    x = e.input("input", (1,), "UINT8")
    y = e.shift("near", x, 45)
    assert int(y.hi[0]) == 255 << 45
    with pytest.raises(HwError, match=r"'far' \(Mul\): results up to 35888059530608640.*\[range\]"):
        e.shift("far", y, 2)
    with pytest.raises(HwError, match=r"constant 'table': holds 9007199254740993.*\[range\]"):
        e.constant("table", np.array([2**53 + 1]))


def test_constants_are_stored_exactly() -> None:
    e = Emitter()
    e.constant("small", np.array([2**24]))
    e.constant("large", np.array([-(2**24) - 1, 2**53]))
    small, large = (numpy_helper.to_array(tensor) for tensor in e.initializers)
    assert (small.dtype, large.dtype) == (np.float32, np.float64)
    np.testing.assert_array_equal(large.astype(np.int64), [-(2**24) - 1, 2**53])


def test_hostile_dimensions_are_refused_before_anything_is_made() -> None:
    guard("fine", 2**13, 2**13)
    with pytest.raises(HwError, match=r"node 'huge': a tensor of dimensions \[65536, 65536\].*\[too-large\]"):
        guard("huge", 2**16, np.int64(2**16))
    with pytest.raises(HwError, match=r"\[too-large\]"):
        Emitter().input("input", (2**20, 2**20), "UINT8")


def test_many_large_layers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit, "MAX_STORED", 1000)
    constants = {"d0_s": np.float32(1), "zero": np.float32(0), "bits": np.float32(4)}
    nodes = [quant("x", "d0", "d0"), *(node("Concat", f"d{i} d{i}", f"d{i + 1}", f"cat{i}", axis=1) for i in range(9))]
    with pytest.raises(HwError, match=r"'cat6'.*graph holds.*\[too-large\]"):
        read_qonnx(graph_of(nodes, constants, output="d9"))


def test_sums_beyond_float32_are_read() -> None:
    nodes = [quant("x", "xq", "qi", "b8"), node("MatMul", "xq wl", "y", "big")]
    constants = base() | {"b8": np.float32(8), "wl": np.full((1000, 1), 127, np.float32)}
    constants["wl"][0] = 126  # not ternary
    network = Network(read_qonnx(graph_of(nodes, constants, shape=(1, 1000))))
    codes = np.full((1, 1000, 1, 1), 255)
    assert evaluate(network, codes).item() == 255 * (999 * 127 + 126) > 2**24
