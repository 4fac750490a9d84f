"""Functional calls as modules: each computes what it replaces."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from crq.convert.calls import is_one
from crq.convert.trace import trace
from crq.errors import CrqError
from tests.support.bodies import Net, calls

X = torch.randn(2, 3, 8, 8)
CASES = {
    "relu": (F.relu, "ReLU"),
    "relu method": (lambda x: x.relu(), "ReLU"),
    "relu6": (F.relu6, "ReLU6"),
    "max pool": (lambda x: F.max_pool2d(x, 3, stride=2, padding=1), "MaxPool2d"),
    "average pool": (lambda x: F.avg_pool2d(x, (2, 1)), "AvgPool2d"),
    "global pool": (lambda x: F.adaptive_avg_pool2d(x, (1, 1)), "AdaptiveAvgPool2d"),
    "mean": (lambda x: x.mean((2, 3)), "AdaptiveAvgPool2d Flatten"),
    "mean, kept": (lambda x: torch.mean(x, [-2, -1], keepdim=True), "AdaptiveAvgPool2d"),
    "flatten": (lambda x: torch.flatten(x, 1), "Flatten"),
    "view": (lambda x: x.view(x.size(0), -1), "Flatten"),
    "reshape": (lambda x: x.reshape((x.shape[0], -1)), "Flatten"),
    "contiguous": (lambda x: x.contiguous().relu(), "ReLU"),
    "add": (lambda x: torch.add(x, x), "add"),
    "add in place": (lambda x: x.add_(x), "add"),
    "concatenation": (lambda x: torch.concat((x, x), dim=1), "cat"),
}


@pytest.mark.parametrize("case", CASES)
def test_same_values(case: str) -> None:
    body, words = CASES[case]
    net = Net(lambda net, x: body(net.conv1(x))).eval()
    with torch.no_grad():
        expected = net(X)
        traced = trace(net)
        assert calls(traced) == f"Conv2d {words}"
        assert torch.allclose(traced(X), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (lambda x: F.adaptive_avg_pool2d(x, 2), "pools to 2: give crq.prepare an example_input"),
        (lambda x: torch.flatten(x, 2), "must start at dimension 1"),
        (lambda x: x.view(-1, 2, 4, 4), r"must be \(batch, -1\): of a map .* of a vector nothing makes a map"),
        (lambda x: x.reshape(x.shape[0], 2, -1), "of a vector nothing makes a map"),
        (lambda x: torch.cat([x, x], 2), r"must be along dimension 1 \(channels\), not 2$"),
        (lambda x: torch.cat([x, x], -3), "not -3; to count from the end give crq.prepare an example_input"),
        (lambda x: x.mean(1), "mean over dimensions"),
        (lambda x: torch.add(x, x, alpha=2), "must join two activations"),
        (lambda x: F.max_pool2d(x, 2, return_indices=True), "'max_pool2d_with_indices' .* is not supported"),
    ],
)
def test_other_arguments_are_refused(body, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        trace(Net(lambda net, x: body(net.conv1(x))))


def test_a_concatenation_may_count_from_the_end_where_ranks_are_known() -> None:
    def body(net, x):
        return torch.cat([net.conv1(x), net.conv1(x)], -3)

    assert calls(trace(Net(body), X)) == "Conv2d Conv2d cat"
    table = nn.Sequential(nn.Linear(3, 2), Joined())
    traced = trace(table, torch.rand(2, 3))
    assert torch.equal(traced(X[:, :, 0, 0]), table(X[:, :, 0, 0]))
    with pytest.raises(CrqError, match=r"dimension 1 \(channels\), not -1$"):
        trace(Net(lambda net, x: torch.cat([net.conv1(x)] * 2, -1)), X)


class Joined(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, -x], dim=-1)


def test_sizes_that_are_one() -> None:
    assert [is_one(size) for size in (1, (1, 1), [1], 2, (1, 2), None)] == [True, True, True, False, False, False]
