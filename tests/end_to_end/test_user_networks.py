"""Networks as users write them, from the module to the C simulation: every integer equal at every stage."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import crq
from crq import export, hw
from crq.convert import steps


class Same(nn.Conv2d):
    """A convolution padded by what its image needs, more at the end than at the beginning."""

    def forward(self, x: Tensor) -> Tensor:
        pads = []
        for n, k, s in zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            total = max((-(-n // s) - 1) * s + k - n, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class Shuffled(nn.Module):
    """Same-padded convolutions, a split, a channel shuffle, pools and views by computed sizes."""

    shape = (3, 9, 10)

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.left = Same(3, 8, 3, stride=2), Same(4, 4, 3, groups=4)
        self.norm, self.right = nn.BatchNorm2d(4), nn.Conv2d(4, 6, 1)
        self.fc = nn.Linear(10, 4)

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 4:
            raise ValueError("images, please")
        a, b = torch.relu(self.stem(x)).chunk(2, dim=1)
        x = torch.cat([torch.relu(self.norm(self.left(a))), torch.relu(self.right(b))], 1)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return self.fc(F.avg_pool2d(x, (h, w)).view(n, -1))


class Scaled(nn.Module):
    """Channels of very different weights, one of them zero; a max pool before a batch norm; batch norm at the end."""

    shape = (2, 8, 8)

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(2, 7, 3, padding=1), nn.Conv2d(7, 7, 3, groups=7)
        self.norm, self.fc, self.last = nn.BatchNorm2d(7), nn.Linear(7 * 9, 4), nn.BatchNorm1d(4)
        nn.init.normal_(self.norm.weight)
        with torch.no_grad():
            for layer in (self.conv1, self.conv2, self.fc):
                layer.weight.mul_(torch.logspace(-2, 2, len(layer.weight)).reshape(-1, *[1] * (layer.weight.dim() - 1)))
            self.conv2.weight[3] = 0

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.norm(F.max_pool2d(self.conv2(x), 2)))
        return self.last(self.fc(x.flatten(1)))


class Activated(nn.Module):
    """Six convolutions, a function each; sums and pools in front of some of them."""

    shape = (2, 6, 6)

    def __init__(self, *functions: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(2 if i == 0 else 6, 6, 3, padding=1) for i in range(len(functions)))
        self.norms = nn.ModuleList(nn.BatchNorm2d(6) for _ in functions)
        for norm in self.norms:
            nn.init.normal_(norm.weight)
        self.functions, self.fc = nn.ModuleList(functions), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        for index, (layer, norm, function) in enumerate(zip(self.layers, self.norms, self.functions, strict=True)):
            y = norm(layer(x))
            x = function(y + x if index == 2 else y)
        return self.fc(x.mean((2, 3)))


class DeepSets(nn.Module):
    """Linear layers shared by the points of (N, points, features), a pool over the points, layers for the set.

    twin: the same with convolutions of size 1, which are given the points last.
    """

    shape = (7, 3)

    def __init__(self, pool: str, twin: bool = False) -> None:
        super().__init__()
        self.a, self.norm, self.b, self.c = nn.Linear(3, 9), nn.BatchNorm1d(9), nn.Linear(9, 6), nn.Linear(6, 6)
        self.head = nn.Linear(42 if pool == "flatten" else 6, 4)
        self.pool, self.twin = pool, twin
        if twin:
            self.shape = (3, 7)
            self.a, self.b, self.c = nn.Conv1d(3, 9, 1), nn.Conv1d(9, 6, 1), nn.Conv1d(6, 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        if self.twin:
            x = torch.relu(self.norm(self.a(x)))
        else:
            x = torch.relu(self.norm(self.a(x).transpose(1, 2)).permute(0, 2, 1))
        x = torch.relu(self.b(x))
        x = torch.relu(self.c(x) + x)
        if self.pool == "flatten":
            return self.head((x.transpose(1, 2) if self.twin else x).flatten(1))
        points = 2 if self.twin else 1
        return self.head({"amax": x.amax, "mean": x.mean, "max": lambda dim: x.max(dim)[0]}[self.pool](points))


RISING = (nn.LeakyReLU(0.1), nn.PReLU(6), nn.Hardtanh(-1, 1.5), nn.Hardsigmoid(), nn.Sigmoid(), nn.Softplus())
CURVED = (nn.Tanh(), nn.Softsign(), nn.ELU(0.8), nn.CELU(1.2), nn.SELU(), nn.PReLU())
TURNING = (nn.Hardswish(), nn.SiLU(), nn.GELU(), nn.Mish(), nn.GELU(approximate="tanh"))


def frozen(net: nn.Module, config: crq.TernaryConfig | None = None, count: int = 64) -> tuple[crq.FrozenModel, Tensor]:
    """The network after `quantize` on random images, and those images, uint8."""
    generator = torch.Generator().manual_seed(1)
    codes = torch.randint(0, 256, (count, *net.shape), generator=generator, dtype=torch.uint8)
    model = crq.prepare(net, config, codes[:2].float() / 256)
    crq.quantize(model, [codes])
    return crq.freeze(model, [codes]), codes


def chain(deploy: crq.FrozenModel, codes: Tensor, folder: Path, simulated: bool = True) -> None:
    """The file in the runtimes, the integer graph and the C simulation equal `deploy`; the saved file loads."""
    ends = torch.stack([torch.zeros_like(codes[0]), torch.full_like(codes[0], 255)])
    x = torch.cat([codes, ends])
    deploy.save(folder / "frozen.pt")
    assert torch.equal(crq.FrozenModel.load(folder / "frozen.pt").integers(x), deploy.integers(x))
    export.to_qonnx(deploy, folder / "a.onnx")
    claimed = [result for result in export.check_file(deploy, folder / "a.onnx", x) if result.claimed]
    assert [result.different for result in claimed] == [0, 0]
    if simulated:
        project = hw.build(folder / "a.onnx", folder / "project")
        assert np.array_equal(project.simulate(x.numpy()), deploy(x).numpy())


def test_padding_splits_and_shuffles(tmp_path: Path) -> None:
    torch.manual_seed(0)
    deploy, codes = frozen(Shuffled())
    assert deploy.steps["stem"].padding == [[1, 1], [0, 1]]
    assert deploy(codes).std() > 0
    chain(deploy, codes, tmp_path)


def test_scales_of_single_channels(tmp_path: Path) -> None:
    torch.manual_seed(0)
    deploy, codes = frozen(Scaled(), crq.TernaryConfig(per_channel=True))
    assert deploy.steps["output"].scale.unique().numel() == 4
    chain(deploy, codes, tmp_path)


@pytest.mark.parametrize("pool", ["amax", "max", "mean", "flatten"])
def test_linear_layers_shared_by_points(pool: str, tmp_path: Path) -> None:
    """They give the integers of convolutions of size 1."""
    torch.manual_seed(0)
    net, twin = DeepSets(pool), DeepSets(pool, twin=True)
    nn.init.normal_(net.norm.weight)
    state = {k: v[..., None] if k[0] in "abc" and "weight" in k else v for k, v in net.state_dict().items()}
    twin.load_state_dict(state)
    deploy, codes = frozen(net)
    model = crq.prepare(twin, None, codes[:2].mT.float() / 256)
    crq.quantize(model, [codes.mT])
    assert torch.equal(deploy.integers(codes), crq.freeze(model, [codes.mT]).integers(codes.mT))
    assert deploy(codes).std() > 0
    chain(deploy, codes, tmp_path, simulated=pool in ("amax", "flatten"))


@pytest.mark.parametrize("functions", [RISING, CURVED, TURNING], ids=["rising", "curved", "turning"])
def test_activation_functions(functions: tuple[nn.Module, ...], tmp_path: Path) -> None:
    torch.manual_seed(0)
    deploy, codes = frozen(Activated(*copy.deepcopy(functions)))
    for step in deploy.steps.values():
        if isinstance(step, steps.Activated):
            assert step(torch.arange(-3000, 3000)[:, None].expand(-1, 6)).unique().numel() > 2
    assert deploy(codes).std() > 0
    chain(deploy, codes, tmp_path)


@pytest.mark.parametrize("functions", [RISING[3:], CURVED[:2], TURNING[:3]])
def test_functions_behind_integer_layers(functions: tuple[nn.Module, ...], tmp_path: Path) -> None:
    net = Activated(*functions)
    integer = {f"layers.{index}": 8 for index in range(0, len(functions), 2)}
    deploy, codes = frozen(net, crq.TernaryConfig(act_bits=8, integer=integer))
    assert deploy(codes).std() > 0
    chain(deploy, codes, tmp_path)
