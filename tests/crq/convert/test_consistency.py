"""Steps that do not fit each other are found without running them."""

import pytest
import torch
from torch import nn

from crq.convert import consistency
from crq.convert import steps as ops
from crq.errors import CrqError
from tests.support.nets import NETWORKS, Plain, Signal, frozen, images


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_shapes_are_those_of_the_results(network: type[nn.Module], monkeypatch) -> None:
    model = frozen(network)
    found = {}
    for kind, rule in consistency._RULES.items():
        monkeypatch.setitem(
            consistency._RULES, kind, lambda step, *x, rule=rule: found.setdefault(id(step), rule(step, *x))
        )
    consistency.check(model.input.shape, model.wires, model.steps)
    for name, value in model.trace(images(network, 2)).items():
        assert found[id(model.steps[name])] == tuple(value.shape[1:])


def test_every_kind_has_a_rule() -> None:
    assert set(consistency._RULES) == set(ops.STEPS.values())


@pytest.mark.parametrize(
    ("step", "key", "value"),
    [
        ("conv1", "codes", torch.zeros(6, 2, 3, 3, dtype=torch.int8)),
        ("conv1", "codes", torch.full((6, 1, 3, 3), 2, dtype=torch.int8)),
        ("conv1", "codes", torch.full((6, 1, 3, 3), -128, dtype=torch.int8)),
        ("conv1", "codes", torch.zeros(6, 1, 3, dtype=torch.int8)),
        ("conv1", "codes", torch.zeros(0, 1, 3, 3, dtype=torch.int8)),
        ("conv1", "codes", torch.zeros(6, 1, 30, 3, dtype=torch.int8)),
        ("conv1", "groups", 4),
        ("conv1", "padding", [[1 << 16, 1 << 16]] * 2),
        ("conv1", "padding", [[1], [1]]),
        ("conv1", "stride", [1]),
        ("conv1", "dilation", [9, 9]),
        ("relu_quant", "table", torch.zeros(5, 15, dtype=torch.int64)),
        ("relu_quant", "table", torch.zeros(6, 14, dtype=torch.int64)),
        ("relu_quant", "table", torch.arange(90).flip(0).reshape(6, 15)),
        ("relu_quant", "signs", torch.zeros(6, dtype=torch.int64)),
        ("relu_quant", "gain", torch.zeros(7)),
        ("fc", "codes", torch.zeros(5, 35, dtype=torch.int8)),
        ("output", "bias", torch.zeros(4, dtype=torch.int64)),
        ("output", "scale", torch.zeros(4)),
    ],
)
def test_what_does_not_fit_is_named(step: str, key: str, value) -> None:
    model = frozen(Plain)
    name = next(
        n for n in model.steps if n == step or (step == "relu_quant" and isinstance(model.steps[n], ops.Threshold))
    )
    setattr(model.steps[name], key, value)
    with pytest.raises(CrqError, match=f"step '{name}': "):
        consistency.check(model.input.shape, model.wires, model.steps)


def test_an_output_in_the_middle_or_none_is_found() -> None:
    model = frozen(Signal)
    with pytest.raises(CrqError, match="an Output step ends"):
        consistency.check(model.input.shape, model.wires[:-1], model.steps)
    with pytest.raises(CrqError, match="step 'conv1': "):
        consistency.check((2, 1, 24), model.wires, model.steps)
