"""Networks that share layers, subtract, scale, and end otherwise than with a layer: every integer equal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import crq
from tests.end_to_end.test_moving_operators import reads, simulated
from tests.end_to_end.test_user_networks import chain, frozen


class Net(nn.Module):
    """Three convolutions of eight channels, and `body`, which calls them."""

    shape = (2, 6, 5)

    def __init__(self, body: Callable[[Net, Tensor], Tensor]) -> None:
        super().__init__()
        self.body = body
        self.a, self.b, self.c = nn.Conv2d(2, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 1)
        self.norm, self.pool = nn.BatchNorm2d(8), nn.AdaptiveAvgPool2d(1)
        nn.init.normal_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self, torch.relu(self.a(x)))


BODIES: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "shared layer": lambda n, x: n.c(torch.relu(n.norm(n.b(torch.relu(n.norm(n.b(x))))))),
    "difference": lambda n, x: n.c(torch.relu(n.b(x) - x)),
    "difference of sums": lambda n, x: n.c(n.norm(n.b(x)) - n.b(x)),
    "scaled branch": lambda n, x: n.c(torch.relu(x + 0.3 * n.b(x))),
    "constants": lambda n, x: n.c(torch.relu(1.5 - (n.b(x) / 3 + 0.2))),
    "negative pool": lambda n, x: n.c(torch.relu(-nn.functional.max_pool2d(n.b(x), 2))),
    "ends with a mean": lambda n, x: n.pool(n.norm(n.b(x))).flatten(1),
    "ends with a mean of a ReLU": lambda n, x: torch.relu(n.b(x)).mean((2, 3)),
    "ends with a pool of pixels": lambda n, x: nn.functional.avg_pool2d(n.b(x), 3, 2),
    "ends with a residual": lambda n, x: x + n.norm(n.b(x)),
    "ends with a difference": lambda n, x: x - n.b(x),
    "ends with a ReLU": lambda n, x: torch.relu(n.norm(n.b(x))),
    "ends with a max pool": lambda n, x: nn.functional.max_pool2d(n.b(x), 2),
    "ends with a maximum": lambda n, x: torch.relu(n.b(x)).amax((2, 3)),
    "ends with a concatenation": lambda n, x: torch.cat([n.b(x), x], 1),
    "ends with a sigmoid": lambda n, x: torch.sigmoid(n.b(x)),
    "ends with a scaled layer": lambda n, x: n.c(x) * 0.1 + 1,
    "ends with zeros around": lambda n, x: nn.functional.pad(torch.relu(n.b(x)), (1, 0, 0, 2)),
}
BOTH_FORMS = ("shared layer", "ends with a residual")
"""Those that the fast tests simulate."""


@pytest.mark.parametrize("name", BODIES)
def test_every_integer_is_equal(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    deploy, codes = frozen(Net(BODIES[name]))
    assert deploy(codes).std() > 0
    chain(deploy, codes, tmp_path, simulated=name in BOTH_FORMS)
    reads(deploy, codes, tmp_path)
    if name in BOTH_FORMS:
        simulated(deploy, codes, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in BODIES if name not in BOTH_FORMS])
def test_both_forms_of_the_hardware(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    deploy, codes = frozen(Net(BODIES[name]))
    chain(deploy, codes, tmp_path)
    simulated(deploy, codes, tmp_path)


@pytest.mark.parametrize(
    "body",
    [lambda n, x: n.c(-nn.functional.max_pool2d(-x, 2)), lambda n, x: nn.functional.max_pool2d(n.norm(n.b(x)), 2)],
    ids=["falls again", "ends"],
)
def test_max_pools_behind_negative_factors_say_where_to_pool(body: Callable[[Net, Tensor], Tensor]) -> None:
    net = Net(body)
    nn.init.constant_(net.norm.weight, -1)
    with pytest.raises(crq.CrqError, match="max pool behind a negative factor .* pool in front of the factor"):
        frozen(net)


@pytest.mark.parametrize("name", ["ends with a mean", "ends with a residual", "ends with a difference"])
def test_sums_at_the_end_are_exact(name: str) -> None:
    """No quantizer of its own rounds them: they are those of the prepared network's quantized activations."""
    torch.manual_seed(0)
    net = Net(BODIES[name])
    codes = torch.randint(0, 256, (16, *net.shape), dtype=torch.uint8)
    model = crq.prepare(net, None, codes[:2].float() / 256)
    crq.quantize(model, [codes])
    deploy = crq.freeze(model, [codes])
    with torch.no_grad():
        expected = model.eval().double()(codes.double() / 256)
    assert torch.allclose(deploy(codes).double(), expected, rtol=1e-5, atol=1e-5)


def test_a_shared_layer_is_trained_once_and_computes_twice() -> None:
    torch.manual_seed(0)
    net = Net(BODIES["shared layer"])
    model = crq.prepare(net, None, torch.rand(2, *net.shape))
    assert sorted(crq.coded_layers(model)) == ["a", "b", "c"]
    deploy, _ = frozen(net)
    macs = [wire.name for wire in deploy.wires if wire.name.rstrip("_") == "b"]
    assert macs == ["b", "b_"]
    assert torch.equal(*(deploy.steps[name].codes for name in macs))


DEAD: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "a residual": lambda n, x: n.norm(x + n.b(x)),
    "a mean": lambda n, x: n.norm(n.pool(x)).flatten(1),
    "a difference, times nothing": lambda n, x: (x - n.b(x)) * 0 + 1.5,
    "a layer": lambda n, x: n.norm(n.b(x)),
    "a shared layer": lambda n, x: n.norm(n.b(torch.relu(n.b(x)))),
    "a max pool": lambda n, x: nn.functional.max_pool2d(x, 2) * 0 + 0.5,
}


@pytest.mark.parametrize("name", DEAD)
def test_channels_of_zero_gain_end_as_their_bias(name: str, tmp_path: Path) -> None:
    """As pruning and zero-initialized batch norms leave them, behind whatever ends the network."""
    torch.manual_seed(0)
    net = Net(DEAD[name])
    with torch.no_grad():
        net.norm.weight.copy_(torch.tensor([0.0, 1, 2, 0, 1, 1, 3, 1]))
        net.norm.bias.normal_()
    deploy, codes = frozen(net)
    dead = range(8) if "nothing" in name or "max pool" in name else (0, 3)
    expected = 1.5 if "nothing" in name else 0.5 if "max pool" in name else net.norm.bias.detach()
    found = deploy(codes).flatten(2) if deploy(codes).dim() > 2 else deploy(codes)[..., None]
    for channel in dead:
        bias = torch.as_tensor(expected).expand(8)[channel]
        unit = deploy.steps["output"].scale.expand(8)[channel]
        assert (found[:, channel] - bias).abs().max() <= unit / 2 + 1e-6
        assert (found[:, channel] == found[0, channel, 0]).all()
    chain(deploy, codes, tmp_path, simulated=False)
    reads(deploy, codes, tmp_path)
