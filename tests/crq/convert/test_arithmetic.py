"""Calls that add, subtract, multiply and divide."""

import operator

import pytest
import torch
from torch import fx

import crq
from crq.convert.arithmetic import ARITHMETIC, scaling
from crq.errors import CrqError
from tests.support.bodies import Net, assert_traced

X = torch.randn(2, 3, 8, 8)
CASES = {
    "times": (lambda x: x * 2, "Scaled"),
    "times, the number first": (lambda x: 2 * x, "Scaled"),
    "in place": (lambda x: x.mul_(0.5).add_(1), "Scaled Scaled"),
    "over": (lambda x: x / 3, "Scaled"),
    "less": (lambda x: x - 1, "Scaled"),
    "from": (lambda x: 1 - x, "Scaled"),
    "rsub": (lambda x: torch.rsub(x, 1), "Scaled"),
    "negative": (lambda x: -x, "Scaled"),
    "sum": (lambda x: x + x.relu(), "ReLU add"),
    "difference": (lambda x: torch.sub(x, x.relu()), "ReLU sub"),
    "difference from": (lambda x: torch.rsub(x, x.relu()), "ReLU sub"),
    "difference in place": (lambda x: x.relu().sub_(x), "ReLU sub"),
}


@pytest.mark.parametrize("case", CASES)
def test_same_values(case: str) -> None:
    assert_traced(*CASES[case], X)


def test_products_keep_their_reason() -> None:
    with pytest.raises(CrqError, match="activation × activation .* needs multipliers"):
        crq.prepare(Net(lambda net, x: net.conv2(net.conv1(x) * net.conv1(x).relu())), example_input=X)


@pytest.mark.parametrize("body", [lambda x: 1 / x, lambda x: x / 0, lambda x: x * True, lambda x: x * x])
def test_what_is_no_scaling(body) -> None:
    node = next(n for n in fx.symbolic_trace(body).graph.nodes if n.target in ARITHMETIC)
    assert scaling(node) is None
    assert node.target in (operator.mul, operator.truediv)
