"""Activation functions in files: every one is the file in float64, on all forms in which exporters write it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import (
    CONV,
    TAIL,
    assert_equal_to_file,
    assert_graph_equals_file,
    base,
    codes,
    graph_of,
    node,
    quant,
    run,
)

HEAD = [quant("x", "xq", "qi"), CONV, node("Mul", "c g", "n")]
CONSTANTS = base() | {
    "q1_s": np.float32(0.043), "bits": np.float32(5), "one": np.float32(1), "half": np.float32(0.5),
    "root": np.float32(np.sqrt(2)), "third": np.float32(3), "c44": np.float32(0.044715),
    "pi": np.float32(np.sqrt(2 / np.pi)), "six": np.float32(6), "zero6": np.float32(0),
    "slope": np.array([0.1, 0.0, 0.25, 1.0, 2.0], np.float32).reshape(5, 1, 1),
}  # fmt: skip
RISING = {
    "LeakyRelu": {"alpha": 0.2}, "HardSigmoid": {"alpha": 0.3, "beta": 0.4}, "Sigmoid": {}, "Tanh": {}, "Softplus": {},
    "Softsign": {}, "Elu": {"alpha": 0.7}, "Celu": {"alpha": 1.5}, "Selu": {}, "ThresholdedRelu": {"alpha": 0.5},
    "Erf": {}, "Sign": {}, "Exp": {},
}  # fmt: skip
# One activation in the operators that exporters write.
TURNING = {
    "HardSwish": [node("HardSwish", "n", "r")],
    "SiLU": [node("Sigmoid", "n", "s"), node("Mul", "n s", "r")],
    "hardswish": [node("HardSigmoid", "n", "s", alpha=1 / 6, beta=0.5), node("Mul", "s n", "r")],
    "Mish": [node("Softplus", "n", "s"), node("Tanh", "s", "t"), node("Mul", "n t", "r")],
    "GELU": [node("Div", "n root", "d"), node("Erf", "d", "e"), node("Add", "e one", "u"), node("Mul", "n u", "h"),
             node("Mul", "h half", "r")],
    "GELU by tanh": [
        node("Pow", "n third", "cu"), node("Mul", "cu c44", "d"), node("Add", "n d", "e"), node("Mul", "e pi", "h"),
        node("Tanh", "h", "t"), node("Add", "t one", "u"), node("Mul", "n half", "k"), node("Mul", "k u", "r"),
    ],
    "a hill": [node("Sigmoid", "n", "s"), node("Mul", "n s", "t"), node("Sub", "one t", "r")],
}  # fmt: skip


def file(operators: list, tail: list = TAIL, signed: int = 1, opset: int = 14, **constants: object):
    nodes = [*HEAD, *operators, quant("r", "q", "q1", signed=signed), *tail]
    return graph_of(nodes, CONSTANTS | constants, opset=opset)


@pytest.mark.parametrize("kind", RISING)
def test_activations_that_never_fall_are_one_table(kind: str) -> None:
    graph = assert_graph_equals_file(file([node(kind, "n", "r", **RISING[kind])]), count=10)
    assert [layer.kind for layer in Network(graph)][:2] == ["Conv", "Threshold"]


@pytest.mark.parametrize("kind", TURNING)
def test_activations_with_a_valley_are_two_tables(kind: str) -> None:
    graph = assert_graph_equals_file(file(TURNING[kind]), count=10)
    assert [layer.kind for layer in Network(graph)][:5] == ["Conv", "Negate", "Threshold", "Threshold", "Add"]


def test_slopes_of_channels_and_clips_with_one_end() -> None:
    assert_graph_equals_file(file([node("PRelu", "n slope", "r")]), count=10)
    assert_graph_equals_file(file([node("Min", "n six", "m"), node("Max", "zero6 m", "r")], signed=0), count=10)


def test_both_tables_in_c(tmp_path: Path) -> None:
    assert_equal_to_file(file(TURNING["SiLU"]), tmp_path)


FUNCTIONS = [
    nn.SiLU(), nn.GELU(), nn.Hardswish(), nn.Mish(), nn.ELU(), nn.Sigmoid(), nn.Tanh(), nn.Softplus(), nn.Hardsigmoid(),
    nn.CELU(), nn.SELU(), nn.LeakyReLU(0.1),
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_codes_are_those_of_torch(function: nn.Module) -> None:
    """PyTorch in float64 on the sums of random images, quantized by hand: an independent computation."""
    kind = type(function).__name__
    names = TURNING | {
        "Hardswish": TURNING["HardSwish"],
        "LeakyReLU": [node("LeakyRelu", "n", "r", alpha=0.1)],
        "Hardsigmoid": [node("HardSigmoid", "n", "r", alpha=1 / 6, beta=0.5)],
    }
    spelled = {"ELU": "Elu", "CELU": "Celu", "SELU": "Selu"}
    operators = names.get(kind, [node(spelled.get(kind, kind), "n", "r")])
    graph = read_qonnx(file(operators, tail=[node("Identity", "q", "y")]))
    x = codes(graph, 6)
    weights = torch.from_numpy(CONSTANTS["w"].astype(np.float64))
    sums = nn.functional.conv2d(torch.from_numpy(x.astype(np.float64)), weights, padding=1)
    gain = torch.from_numpy(CONSTANTS["g"].astype(np.float64))
    values = function(sums * np.float64(np.float32(0.07)) * gain).numpy() / np.float64(np.float32(0.043))
    assert np.array_equal(run(graph, x), np.clip(np.rint(values), -16, 15))


@pytest.mark.parametrize(
    ("operators", "message"),
    [
        ([node("LeakyRelu", "n", "r", alpha=-0.5)], r"its alpha is -0.5; expected none below zero.*\[activation\]"),
        ([node("PRelu", "n down", "r")], r"a slope is -1; expected none below zero.*\[activation\]"),
        ([node("Pow", "n half", "r")], r"exponent 0.5; expected 1 to 4.*\[activation\]"),
        ([node("Pow", "n third", "cu"), node("Sub", "cu n", "r")], r"turn more than once.*\[turning\]"),
        ([node("Div", "one n", "r")], r"a constant divided by an activation"),
        ([node("Div", "n n", "r")], r"has no value at the sum 0.*\[turning\]"),
        ([node("Max", "n n", "r")], r"Max of 2 activations"),
    ],
)  # fmt: skip
def test_what_has_no_table_is_refused(operators: list, message: str) -> None:
    with pytest.raises(HwError, match=message):
        read_qonnx(file(operators, down=np.float32(-1)))


def test_a_pool_of_what_rises_and_falls_is_refused() -> None:
    pool = node("MaxPool", "t", "r", "mp", kernel_shape=[2, 2], strides=[2, 2])
    operators = [node("Sigmoid", "n", "s"), node("Mul", "n s", "t"), pool]
    with pytest.raises(HwError, match=r"a pool of values that rise and fall.*\[turning\]"):
        read_qonnx(file(operators))
