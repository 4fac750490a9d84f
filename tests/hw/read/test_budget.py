"""Constant folding stays within its budget: no chain of operators may grow a small file without bound."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import NodeProto

from crq.hw.errors import HwError
from crq.hw.read import budget, read_qonnx
from crq.hw.read.budget import Budget, most_elements
from crq.hw.read.constants import Constant, fold
from tests.support.qonnx_files import conv, graph_of, node, quant


def doubling(op: str, times: int) -> list[NodeProto]:
    """d0, then d1 = op(d0, d0), …"""
    attributes = {"axis": 0} if op == "Concat" else {}
    return [node(op, f"d{i} d{i}", f"d{i + 1}", f"double{i}", **attributes) for i in range(times)]


def test_a_chain_of_concatenations_is_refused_before_it_fills_the_memory() -> None:
    nodes = [*doubling("Concat", 60), node("Mul", "x d60", "xd"), quant("xd", "y", "qi")]
    constants = {"d0": np.zeros(1, np.int8), "qi_s": np.float32(1), "zero": np.float32(0), "bits": np.float32(4)}
    with pytest.raises(HwError, match=r"'double\d+' \(Concat\).*\[too-large\]"):
        read_qonnx(graph_of(nodes, constants))


def test_many_small_results_held_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MAX_HELD", 1000)
    nodes = [node("Neg", "d", f"n{i}", f"neg{i}") for i in range(20)]
    names = " ".join(f"n{i}" for i in range(20))
    nodes += [node("Concat", names, "all", axis=0), node("Mul", "x all", "y")]
    with pytest.raises(HwError, match=r"'neg10' \(Neg\).*\[too-large\]"):
        read_qonnx(graph_of(nodes, {"d": np.zeros(100, np.float32)}))


def test_a_long_chain_holds_only_what_is_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MAX_HELD", 4 * 90)
    constants = {"w0": np.ones((5, 2, 3, 3), np.float32), "qi_s": np.float32(1), "zero": np.float32(0)}
    chain = [node("Neg", f"w{i}", f"w{i + 1}", f"neg{i}") for i in range(40)]
    nodes = [quant("x", "xq", "qi"), *chain, node("Identity", "w40", "w"), conv("xq w", "y")]
    read_qonnx(graph_of(nodes, constants | {"bits": np.float32(4)}))
    monkeypatch.setattr(budget, "MAX_MADE", 20 * 90)
    with pytest.raises(HwError, match=r"'neg20' \(Neg\).*\[too-large\]"):
        read_qonnx(graph_of(nodes, constants | {"bits": np.float32(4)}))


CASES: dict[str, tuple[NodeProto, list[tuple[int, ...]]]] = {
    "broadcast": (node("Mul", "a b", "y"), [(7, 1), (1, 9)]),
    "concat": (node("Concat", "a b c", "y", axis=0), [(3, 2), (4, 2), (5, 2)]),
    "gather": (node("Gather", "a b", "y", axis=1), [(3, 2, 4), (5, 6)]),
    "gather scalar": (node("Gather", "a b", "y", axis=-1), [(3, 2), ()]),
    "batch norm": (node("BatchNormalization", "a b c d e", "y"), [(2, 3, 4), (3,), (3,), (3,), (3,)]),
    "batch norm that broadcasts": (node("BatchNormalization", "a b c d e", "y"), [(2, 1, 4), (9,), (1,), (9,), (9,)]),
    "dequantize": (node("DequantizeLinear", "a b", "y", axis=1), [(2, 3), (3,)]),
    "dequantize that broadcasts": (node("DequantizeLinear", "a b", "y", axis=1), [(9, 1), (9,)]),
    "dequantize a scalar": (node("DequantizeLinear", "a b", "y"), [(), ()]),
    "dequantize blocks": (node("DequantizeLinear", "a b", "y", axis=0, block_size=2), [(4, 3), (2, 3)]),
    "transpose": (node("Transpose", "a", "y", perm=[1, 0]), [(2, 3)]),
    "unsqueeze": (node("Unsqueeze", "a b", "y"), [(2, 3), (1,)]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_bound_holds(case: str) -> None:
    proto, shapes = CASES[case]
    kind = np.int8 if proto.op_type == "DequantizeLinear" else np.float32
    values = [np.ones(s, np.float32 if i and kind is np.int8 else kind) for i, s in enumerate(shapes)]
    if proto.op_type in ("Gather", "Unsqueeze"):
        values[1] = np.zeros(shapes[1], np.int64)
    result = fold(proto, [Constant(v) for v in values], 21, Budget())
    assert result.value.size <= most_elements(proto, values) <= max(result.value.size, sum(v.size for v in values))
