"""Modules in place of nodes."""

import operator

import pytest
import torch
import torch.nn.functional as F
from torch import fx, nn

import crq
from crq.convert.rewriter import add_module, name_of
from crq.convert.trace import trace
from crq.errors import CrqError
from tests.support.bodies import Net


def test_names_that_are_taken_get_a_number() -> None:
    traced = trace(Net(lambda net, x: net.conv1(x)))
    assert [add_module(traced, "a.b", nn.ReLU()) for _ in range(3)] == ["a_b", "a_b_1", "a_b_2"]
    assert isinstance(traced.get_submodule("a_b_2"), nn.ReLU)


def test_names_of_what_is_called() -> None:
    traced = fx.symbolic_trace(Net(lambda net, x: operator.add(F.relu(net.conv1(x)), x).view(2, 3)))
    assert [name_of(node) for node in traced.graph.nodes][1:-1] == ["Conv2d", "relu", "add", "view"]


def test_a_slice_shares_memory_with_what_an_in_place_operation_changes() -> None:
    def forward(net, x):
        x = net.conv1(x)
        half = x[:, :4]
        x.relu_()
        return net.conv2(torch.cat([x[:, :4], half], 1))

    with pytest.raises(CrqError, match="in-place operation 'relu_' changes a tensor that a flattening or slice shares"):
        crq.prepare(Net(forward), example_input=torch.rand(1, 3, 8, 8))
