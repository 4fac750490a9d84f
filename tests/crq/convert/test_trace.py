"""Tracing: every style gives one graph, and what has no place in it is refused by name."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import crq
from crq.errors import CrqError
from tests.support.bodies import Net, calls

IMAGES = torch.rand(2, 3, 8, 8)


def test_functional_style_gives_the_same_graph() -> None:
    def modular(net, x):
        x = net.pool(net.relu(net.bn1(net.conv1(x))))
        return net.fc(net.flatten(net.average(net.relu(net.bn2(net.conv2(x))))))

    def functional(net, x):
        x = F.max_pool2d(F.relu(net.bn1(net.conv1(x))), 2)
        x = torch.relu(net.bn2(net.conv2(x))).mean((2, 3))
        return net.fc(F.dropout(net.drop(x), training=net.training).view(x.size(0), -1))

    a = calls(crq.prepare(Net(modular), example_input=IMAGES))
    b = calls(crq.prepare(Net(functional), example_input=IMAGES))
    assert (
        a == "u8 TernaryConv2d BatchNorm2d ReLU u4 MaxPool2d TernaryConv2d BatchNorm2d ReLU u4 AdaptiveAvgPool2d u8 "
        "Flatten TernaryLinear"
    )
    assert b.replace("Dropout ", "").replace("Flatten ", "") == a.replace("Flatten ", "")


def test_in_place_operations_mean_what_they_do() -> None:
    """After relu_ the old name holds the rectified values: the sum must read those."""

    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x):
            y = self.conv1(x)
            z = self.conv2(self.relu(y))
            z += y
            return z.flatten(1)

    torch.manual_seed(0)
    model = InPlace()
    prepared = crq.prepare(model, crq.TernaryConfig(act_bits=None))
    assert torch.allclose(prepared(IMAGES), model(IMAGES), atol=1e-6)


class Gate(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc(x.mean((2, 3), keepdim=True)))


class Branch(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


def gated() -> nn.Module:
    net = Net(lambda net, x: net.fc(net.gate(net.conv1(x)).mean((2, 3))))
    net.gate = Gate()
    return net


def branching() -> nn.Module:
    net = Net(lambda net, x: net.fc(net.branch(net.conv1(x)).mean((2, 3))))
    net.branch = Branch()
    return net


def activated(module: nn.Module) -> nn.Module:
    net = Net(lambda net, x: net.fc(net.act(net.conv1(x)).mean((2, 3))))
    net.act = module
    return net


class Pair(nn.Module):
    """Two images, of three channels and one."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.fc = nn.Conv2d(3, 4, 3), nn.Conv2d(1, 4, 3), nn.Linear(8, 2)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.fc(torch.cat([self.a(x), self.b(y)], 1).mean((2, 3)))


class Joined(Pair):
    """The same pair as channels of one input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x[:, :3], x[:, 3:])


def test_two_inputs_can_be_joined_as_the_refusal_says() -> None:
    torch.manual_seed(0)
    joined, x = Joined().eval(), torch.rand(2, 4, 6, 6)
    prepared = crq.prepare(joined, example_input=x).eval()
    assert torch.allclose(prepared(x), joined(x), atol=1e-5)


REFUSED = {
    "gate": (gated, r"operation 'mul' in module 'gate' is not supported: activation × activation"),
    "scaled by a tensor": (
        lambda: Net(lambda net, x: net.fc((net.conv1(x) - torch.ones(8, 1, 1)).mean((2, 3)))),
        "is used as a value in the model's forward; only layers may hold constants",
    ),
    "branch": (branching, r"module 'branch' \(Branch\) cannot be traced.*fixed sequence"),
    "hardshrink": (
        lambda: activated(nn.Hardshrink()),
        r"module 'act' \(Hardshrink\) is not.*it has no integer",
    ),
    "layer norm": (lambda: activated(nn.GroupNorm(2, 8)), r"module 'act' \(GroupNorm\).*use batch norm"),
    "3-D": (
        lambda: activated(nn.ConvTranspose3d(8, 8, 1)),
        r"'act' \(ConvTranspose3d\) is not supported; supported are Conv1d",
    ),
    "log_softmax": (
        lambda: Net(lambda n, x: F.log_softmax(n.fc(n.conv1(x).mean((2, 3))), 1)),
        "return the scores, and",
    ),
    "LogSoftmax": (lambda: activated(nn.LogSoftmax(1)), r"'act' \(LogSoftmax\) is not supported: return the scores"),
    "reflect": (lambda: activated(nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect")), "'act' pads with 'reflect'"),
    "pool to 2": (
        lambda: activated(nn.AdaptiveAvgPool2d(2)),
        "AdaptiveAvgPool2d.*pools to 2: give crq.prepare",
    ),
    "no statistics": (lambda: activated(nn.BatchNorm2d(8, track_running_stats=False)), "'act' keeps no running stat"),
    "softmax": (lambda: Net(lambda n, x: F.softmax(n.fc(n.conv1(x).mean((2, 3))), 1)), "'softmax'.*return the scores"),
    "scaled sum": (
        lambda: Net(lambda n, x: n.fc(torch.add(n.conv1(x), n.conv1(x), alpha=2).mean((2, 3)))),
        "must join two activations, or one and a number, without a factor",
    ),
    "tuple": (lambda: Net(lambda n, x: (n.conv1(x), x)), r"must return one tensor.*nn.Linear\(n, a \+ b\)"),
    "two inputs": (Pair, r"takes the inputs x, y; .*join .*x\[:, :3\], x\[:, 3:\]"),
    "cat along height": (
        lambda: Net(lambda n, x: n.fc(torch.cat([n.conv1(x), n.conv1.weight], 2).mean((2, 3)))),
        "must be along dimension 1",
    ),
    "transpose": (
        lambda: Net(lambda n, x: n.fc(n.conv1(x).transpose(2, 3).mean((2, 3)))),
        "'transpose'.*not supported",
    ),
    "view": (lambda: Net(lambda n, x: n.fc(n.conv1(x).view(2, 8, 64).mean(2))), r"'view'.*must be \(batch, -1\)"),
    "channel mean": (lambda: Net(lambda n, x: n.conv1(x).mean(1)), "mean over dimensions"),
    "constant": (
        lambda: Net(lambda n, x: n.conv2(n.conv1(x) + n.conv1.weight.sum())),
        "only layers may hold constants|not supported",
    ),
    "no layer": (lambda: nn.Sequential(nn.ReLU()), "no convolution or linear layer"),
}


@pytest.mark.parametrize("shaped", [False, True])
@pytest.mark.parametrize(
    "end",
    [
        lambda y: y.squeeze(-1), lambda y: y.squeeze(), lambda y: torch.squeeze(y, dim=1), lambda y: y.view(-1),
        lambda y: y.reshape(-1), lambda y: y.flatten(),
    ],
)  # fmt: skip
def test_a_regressor_keeps_the_axis_of_its_score(end: Callable[[Tensor], Tensor], shaped: bool) -> None:
    model = Net(lambda net, x: end(net.fc(net.conv1(x).mean((2, 3)))))
    model.fc = nn.Linear(8, 1)
    with pytest.raises(CrqError, match=r"in the model's forward takes away the axis .*model\(x\)\[:, 0\], y\)"):
        crq.prepare(model, example_input=IMAGES if shaped else None)


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_culprit(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises(CrqError, match=message):
        crq.prepare(make())


class ImageAndTable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 4, 3), nn.Linear(5, 4)

    def forward(self, image: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.conv(image).flatten(1), self.fc(table)], 1)


@pytest.mark.parametrize("example", [None, (torch.zeros(1, 1, 3, 3), torch.zeros(1, 5))])
def test_several_inputs_are_told_with_a_way_out(example) -> None:
    with pytest.raises(CrqError, match=r"the inputs image, table; crq\.prepare takes a model of one tensor.*Brevitas"):
        crq.prepare(ImageAndTable(), example_input=example)
