"""A constant normalization in a network's forward, however it is written, is the host's; anything else is refused."""

import operator

import numpy as np
import pytest
import torch
from torch import nn

import crq
from crq.convert import archive
from crq.convert.inputs import find_input_quantizer, find_preprocess
from crq.errors import CrqError

MEAN, STD = (0.49, 0.48, 0.44), (0.25, 0.24, 0.26)
STEPS = [("Sub", MEAN), ("Div", STD)]
CONFIG = crq.TernaryConfig(input_signed=True, input_scale=2.0**-5)


class Normalize(nn.Module):
    """As torchvision's: its forward cannot be traced."""

    def __init__(self, mean, std) -> None:
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, x):
        std = torch.as_tensor(self.std)
        if (std == 0).any() or x.sum() < -1e9:
            raise ValueError
        return (x - torch.as_tensor(self.mean).view(-1, 1, 1)) / std.view(-1, 1, 1)


class Net(nn.Module):
    def __init__(self, front) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("flat_mean", torch.tensor(MEAN))
        self.std = nn.Parameter(torch.tensor(STD).view(3, 1, 1), requires_grad=False)
        self.learned = nn.Parameter(torch.tensor(STD).view(3, 1, 1))
        self.norm = Normalize(MEAN, STD)
        self.norm_tensor = Normalize(torch.tensor(MEAN), torch.tensor(STD))
        self.conv, self.fc = nn.Conv2d(3, 6, 3, padding=1), nn.Linear(6 * 16, 4)
        self.front = front

    def forward(self, x):
        n = x.size(0)
        x = torch.relu(self.conv(self.front(self, x)))
        return self.fc(nn.functional.max_pool2d(x, 2).view(n, -1))


FRONTS = {
    "buffers": lambda net, x: (x - net.mean) / net.std,
    "views": lambda net, x: (x - net.flat_mean.view(1, 3, 1, 1)) / net.std.view(1, 3, 1, 1),
    "slices": lambda net, x: (x - net.flat_mean[None, :, None, None]) / net.std[None],
    "tensors": lambda net, x: (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1),
    "methods": lambda net, x: x.sub(net.mean).div(net.std),
    "in place": lambda net, x: x.clone().sub_(net.mean) if False else operator.itruediv(x.sub(net.mean), net.std),
    "functions": lambda net, x: torch.div(torch.sub(x, net.mean), net.std),
    "module": lambda net, x: net.norm(x),
    "module of tensors": lambda net, x: net.norm_tensor(x),
}


@pytest.mark.parametrize("name", FRONTS)
def test_every_spelling_is_the_same_steps(name: str) -> None:
    net = Net(FRONTS[name])
    model = crq.prepare(net, CONFIG, torch.rand(2, 3, 8, 8))
    steps = find_preprocess(model).steps((3, 8, 8))
    assert [kind for kind, _ in steps] == ["Sub", "Div"]
    for (_, found), (_, expected) in zip(steps, STEPS, strict=True):
        assert found == pytest.approx(expected)
    assert not [n for n in model.graph.nodes if n.op in ("get_attr", "call_method")]
    assert find_input_quantizer(model).signed
    x = torch.rand(4, 3, 8, 8)
    floating = crq.prepare(net, crq.TernaryConfig(act_bits=None))
    assert torch.allclose(floating(x), net(x), atol=1e-6)


def test_numbers_in_any_order() -> None:
    net = Net(lambda net, x: 1 - (2 * (x.float() / 255) + 0.5))
    model = crq.prepare(net, CONFIG)
    assert find_preprocess(model).steps((3, 8, 8)) == (("Div", 255.0), ("Mul", 2.0), ("Add", 0.5), ("RSub", 1.0))
    x = torch.rand(2, 3, 8, 8) * 255
    assert torch.allclose(crq.prepare(net, crq.TernaryConfig(act_bits=None))(x), net(x), atol=1e-6)


@pytest.mark.parametrize(
    ("front", "message"),
    [
        (lambda net, x: x * net.learned, "'mul'.* into a batch norm"),
        (lambda net, x: 1 / (x + 1), "'truediv'"),
        (lambda net, x: x**2, "'pow'"),
        (lambda net, x: x / (net.std * 0), "divisor 0"),
        (lambda net, x: x - float("nan"), "not finite"),
        (lambda net, x: x * (x - 1), "'(mul|sub)'"),
        (lambda net, x: net.norm(torch.relu(x)), r"'norm' \(Normalize\) is not supported"),
    ],
)
def test_what_is_no_constant_normalization_is_refused(front, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        crq.prepare(Net(front), CONFIG)


def test_a_constant_per_pixel_is_refused_with_the_first_example() -> None:
    with pytest.raises(CrqError, match="neither one number nor one per channel"):
        crq.prepare(Net(lambda net, x: x - torch.rand(3, 8, 8)), CONFIG, torch.rand(2, 3, 8, 8))


def frozen() -> crq.FrozenModel:
    model = crq.prepare(Net(FRONTS["buffers"]), CONFIG)
    crq.quantize(model, [torch.rand(16, 3, 8, 8)])
    return crq.freeze(model, [torch.rand(16, 3, 8, 8)])


def test_the_frozen_network_does_what_the_host_does(tmp_path) -> None:
    deploy = frozen()
    assert [kind for kind, _ in deploy.input.preprocessing] == ["Sub", "Div"]
    x = torch.rand(5, 3, 8, 8)
    mean, std = (np.float64(np.float32(v)).reshape(-1, 1, 1) for v in (MEAN, STD))
    codes = np.clip(np.rint((x.double().numpy() - mean) / std / 2.0**-5), -128, 127)
    assert np.array_equal(deploy.codes(x).numpy(), codes)
    assert torch.equal(deploy(x), deploy(torch.from_numpy(codes.astype(np.int64))))
    deploy.save(tmp_path / "a.pt")
    again = crq.FrozenModel.load(tmp_path / "a.pt")
    assert again.input == deploy.input
    assert again.content_hash == deploy.content_hash
    assert torch.equal(again(x), deploy(x))
    assert deploy.report.equal_argmax > 0.5


def test_the_hash_sees_the_steps(tmp_path) -> None:
    deploy = frozen()
    before = deploy.content_hash
    deploy.input = deploy.input._replace(preprocessing=(("Sub", 0.5),))
    assert deploy.content_hash != before
    deploy.save(tmp_path / "a.pt")
    state = archive.read(tmp_path / "a.pt")
    state["input"]["preprocessing"] = [["Div", 0.0]]
    (tmp_path / "a.pt").write_bytes(archive.to_bytes(state))
    with pytest.raises(CrqError, match="damaged frozen model: its preprocessing"):
        crq.FrozenModel.load(tmp_path / "a.pt")


def test_integers_are_refused_where_they_could_mean_two_things() -> None:
    model = crq.prepare(Net(FRONTS["buffers"]), CONFIG)
    crq.quantize(model, [torch.rand(16, 3, 8, 8)])
    with pytest.raises(CrqError, match=r"images of torch\.uint8 for a network that normalizes its input"):
        crq.freeze(model, [torch.zeros(4, 3, 8, 8, dtype=torch.uint8)])
