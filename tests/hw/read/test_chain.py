"""Chains of float operators and the thresholds they amount to, against evaluating every integer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.read.chain import Chain, Quantizer, Steps, thresholds
from tests.support.qonnx_files import CONV, TAIL, assert_equal_to_file, base, graph_of, node, quant

CHANNELS = 3


def constant(rng: np.random.Generator, positive: bool = False) -> np.ndarray:
    shape = () if rng.random() < 0.5 else (CHANNELS,)
    return np.asarray(rng.uniform(0.25, 4, shape) if positive else rng.normal(0, 4, shape), np.float32)


def random_chain(rng: np.random.Generator) -> tuple[Chain, list[tuple[str, tuple[np.ndarray, ...]]]]:
    chain, ops = Chain(CHANNELS), []
    for _ in range(rng.integers(1, 5)):
        kind = str(rng.choice(["Mul", "Div", "Add", "Sub", "RSub", "BatchNormalization", "Relu", "Clip"]))
        constants: tuple[np.ndarray, ...] = ()
        if kind == "BatchNormalization":
            gain, bias, mean = (rng.normal(0, 2, CHANNELS).astype(np.float32) for _ in range(3))
            constants = (gain, bias, mean, rng.uniform(0.5, 2, CHANNELS).astype(np.float32), np.float32(1e-5))
            constants = (*constants[:4], np.asarray(constants[4]))
        elif kind == "Clip":
            constants = (np.asarray(np.float32(-3)), np.asarray(np.float32(6)))
        elif kind != "Relu":
            constants = (constant(rng, positive=kind == "Div"),)
        chain = chain.then(kind, *constants)
        ops.append((kind, constants))
    return chain, ops


def by_hand(ops: list, channel: int, acc: int) -> float:
    """One integer through the operators in Python floats, which are IEEE doubles."""
    x = float(acc)
    for kind, constants in ops:
        c = [float(k[channel]) if k.ndim else float(k) for k in constants]
        if kind == "BatchNormalization":
            x = (x - c[2]) / float(np.sqrt(c[3] + c[4])) * c[0] + c[1]
        elif kind == "Relu":
            x = max(x, 0.0)
        elif kind == "Clip":
            x = min(max(x, c[0]), c[1])
        else:
            x = {"Mul": x * c[0], "Div": x / c[0] if c[0] else 0, "Add": x + c[0], "Sub": x - c[0], "RSub": c[0] - x}[
                kind
            ]
    return x


@settings(max_examples=80)
@given(st.integers(0, 2**32 - 1))
def test_thresholds_give_the_code_of_every_integer(seed: int) -> None:
    """All integers of the interval, one after the other, in Python: code = qmin + #{T <= σ·acc}."""
    rng = np.random.default_rng(seed)
    chain, ops = random_chain(rng)
    lo = rng.integers(-40, 10, CHANNELS)
    hi = lo + rng.integers(0, 50, CHANNELS)
    zero, low, high = ((0, -4, 3), (0, 0, 7), (3, 0, 7))[int(rng.integers(3))]
    scale = np.asarray(np.float32(rng.uniform(0.1, 2)))
    quantizer = Quantizer(scale, zero, low, high, np.rint)
    table = thresholds(chain, quantizer, lo, hi)
    assert (np.diff(table.thresholds, axis=1) >= 0).all()
    for c in range(CHANNELS):
        for acc in range(int(lo[c]), int(hi[c]) + 1):
            units = min(max(by_hand(ops, c, acc) / float(scale) + zero, low), high)
            code = round(units) - zero
            assert quantizer.qmin + (table.signs[c] * acc >= table.thresholds[c]).sum() == code


def test_a_bipolar_quantizer_and_a_multithreshold_as_tables() -> None:
    chain = Chain(1).then("Mul", np.asarray(np.float32(-0.5))).then("Add", np.asarray(np.float32(2)))
    lo, hi = np.array([-10]), np.array([10])
    sign = thresholds(chain, Quantizer(np.asarray(np.float32(1)), 0, -1, 1, np.rint, bipolar=True), lo, hi)
    assert sign.signs.tolist() == [-1]
    assert sign.thresholds.tolist() == [[-4, -4]]  # 2 - acc/2 >= 0 where -acc >= -4
    steps = Steps(np.array([[0.0, 1.0]]), qmin=-1, repeat=2)
    assert steps.qmax == 3
    found = thresholds(chain, steps, lo, hi)
    assert found.thresholds.tolist() == [[-4, -4, -2, -2]]  # and >= 1 where -acc >= -2


def test_a_code_that_is_never_reached_has_a_threshold_beyond_the_interval() -> None:
    quantizer = Quantizer(np.asarray(np.float32(1)), 0, 0, 3, np.rint)
    found = thresholds(Chain(1).then("Mul", np.asarray(np.float32(0.25))), quantizer, np.array([0]), np.array([7]))
    assert found.thresholds.tolist() == [[3, 6, 8]]  # 0.75, 1.5 (half to even) and never


def test_a_scale_per_channel_quantizes_each_with_its_own() -> None:
    quantizer = Quantizer(np.array([1, 2], np.float32), 0, 0, 1, np.rint)
    found = thresholds(Chain(2).then("Add", np.asarray(np.float32(0.25))), quantizer, np.zeros(2, int), np.full(2, 9))
    assert found.thresholds.tolist() == [[1], [1]]
    assert quantizer.apply(np.array([[0.6, 1.5], [0.6, 1.5]])).tolist() == [[1, 1], [0, 1]]


def test_where_float32_decides_otherwise_the_channel_is_listed() -> None:
    """0.1f · 5 is 0.5 in float32, and a tie to even; in float64 it is more. 0.125 · 4 is a tie in both."""
    quantizer = Quantizer(np.asarray(np.float32(1)), 0, 0, 3, np.rint)
    chain = Chain(2).then("Mul", np.array([0.1, 0.125], np.float32))
    found = thresholds(chain, quantizer, np.zeros(2, int), np.full(2, 30))
    assert found.ties.tolist() == [0]
    assert found.thresholds[:, 0].tolist() == [5, 5]


@given(st.integers(0, 2**32 - 1))
def test_an_affine_chain_is_its_gain_and_offset(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chain, ops = random_chain(rng)
    found = chain.affine()
    assert (found is None) == any(kind in ("Relu", "Clip") for kind, _ in ops)
    if found is None:
        return
    gain, offset = found
    assert chain.signs.tolist() == np.where(gain < 0, -1, 1).tolist()
    for c in range(CHANNELS):
        for acc in (-9, 0, 13):
            assert gain[c] * acc + offset[c] == pytest.approx(by_hand(ops, c, acc), rel=1e-9, abs=1e-9)


def test_an_operator_may_go_before_the_chain() -> None:
    chain = Chain(1).then("Add", np.asarray(np.float32(1)))
    doubled = chain.after("Mul", np.asarray(np.float32(2)))
    assert doubled(np.array([[3]]), np.float64).tolist() == [[7.0]]
    assert chain(np.array([[3]]), np.float64).tolist() == [[4.0]]


def test_ties_within_float32_error_are_listed(tmp_path) -> None:
    """0.1f·5 = 0.5 in float32 and more in float64: another runtime may round the other way, and the file says where."""
    constants = base() | {"w": np.ones((5, 2, 3, 3), np.float32), "q1_s": np.float32(1), "qi_s": np.float32(0.1)}
    nodes = [quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "q", "q1"), *TAIL]
    graph = assert_equal_to_file(graph_of(nodes, constants), tmp_path)
    assert '"q1": [0, 1, 2, 3, 4]' in graph.get_metadata_prop("crq.ties")
