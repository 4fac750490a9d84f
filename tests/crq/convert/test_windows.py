"""Sizes of windows."""

import pytest
from torch import fx, nn

from crq.convert.windows import padding, spatial
from crq.errors import CrqError

NODE = fx.symbolic_trace(nn.Sequential(nn.ReLU())).graph.find_nodes(op="call_module", target="0")[0]


def test_one_number_per_axis() -> None:
    assert spatial(nn.MaxPool1d(2), 3) == [3]
    assert spatial(nn.MaxPool2d(2), 3) == [3, 3]
    assert spatial(nn.MaxPool2d(2), (3, 1)) == [3, 1]


def test_a_layers_zeros_and_those_in_front_of_it() -> None:
    assert padding(NODE, nn.Conv2d(1, 1, 3, padding=1), ()) == [[1, 1], [1, 1]]
    assert padding(NODE, nn.Conv2d(1, 1, 3, padding=(1, 0)), ((0, 1), (2, 0))) == [[1, 2], [2, 0]]
    assert padding(NODE, nn.Conv2d(1, 1, (4, 1), padding="same"), ()) == [[1, 2], [0, 0]]
    assert padding(NODE, nn.Conv1d(1, 1, 3, padding="valid"), ((0, 1),)) == [[0, 1]]
    with pytest.raises(CrqError, match="padding_mode 'reflect'"):
        padding(NODE, nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"), ())
