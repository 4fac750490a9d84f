"""The arguments of a call in a traced graph, by name."""

import pytest
import torch
import torch.nn.functional as F
from torch import fx

from crq.convert.arguments import arguments


def node(function) -> fx.Node:
    return next(n for n in fx.symbolic_trace(function).graph.nodes if n.op == "call_function")


def test_positions_names_and_defaults() -> None:
    found = arguments(node(lambda x: F.pad(x, (1, 2), value=3)), "input", "pad", "mode", "value", mode="constant")
    assert (found["pad"], found["mode"], found["value"]) == ((1, 2), "constant", 3)
    assert isinstance(found["input"], fx.Node)


@pytest.mark.parametrize("names", [("input",), ("input", "dims")])
def test_what_is_not_known_is_an_error(names: tuple[str, ...]) -> None:
    with pytest.raises(KeyError):
        arguments(node(lambda x: torch.sum(x, dim=1)), *names)
    with pytest.raises(KeyError):
        arguments(node(lambda x: torch.flip(x, (1,))), names[0])
