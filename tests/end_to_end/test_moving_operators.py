"""Networks that enlarge, cut, pad and shuffle, as users write them: every integer equal at every stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import crq
from crq import hw
from crq.export import to_qonnx
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.read.origin import load_graph
from crq.hw.verify.chain import layer_values
from crq.hw.verify.link import compare_layers
from crq.hw.verify.live import layer_codes
from tests.end_to_end.test_user_networks import chain, frozen


class Net(nn.Module):
    """A convolution, `move` on its activations, and another convolution that gives scores of every pixel."""

    def __init__(self, shape: tuple[int, ...], move: Callable[[Tensor], Tensor], moved: int = 8) -> None:
        super().__init__()
        self.shape, self.move = shape, move
        kind, norm = (nn.Conv1d, nn.BatchNorm1d) if len(shape) == 2 else (nn.Conv2d, nn.BatchNorm2d)
        self.first, self.norm, self.last = kind(shape[0], 8, 3, padding=1), norm(8), kind(moved, 3, 1)
        nn.init.normal_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.move(torch.relu(self.norm(self.first(x)))))


class Decoder(nn.Module):
    """Down by a stride, up by a transposed convolution in groups, by nearest pixels and by a pixel shuffle."""

    shape = (2, 8, 8)

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(2, 8, 3, stride=2, padding=1), nn.Upsample(scale_factor=2)
        self.wider = nn.ConvTranspose2d(8, 12, 3, stride=2, padding=1, output_padding=1, groups=2, dilation=1)
        self.norm, self.shuffle = nn.BatchNorm2d(12), nn.PixelShuffle(2)
        self.out = nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1)
        nn.init.normal_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.wider(torch.relu(self.down(x)))))
        return self.out(self.shuffle(self.up(x)))


class OptionA(nn.Module):
    """The shortcut of the CIFAR ResNets: every other pixel, and channels of zeros beside."""

    shape = (3, 8, 8)

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv1, self.conv2 = (
            nn.Conv2d(3, 6, 3, padding=1),
            nn.Conv2d(6, 12, 3, 2, 1),
            nn.Conv2d(12, 12, 3, 1, 1),
        )
        self.norm1, self.norm2, self.fc = nn.BatchNorm2d(12), nn.BatchNorm2d(12), nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        y = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        x = torch.relu(y + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 3, 3)))
        return self.fc(x.mean((2, 3)))


class Keyword(nn.Module):
    """A mean over the rows makes an image a signal."""

    shape = (1, 6, 10)

    def __init__(self, pool: str) -> None:
        super().__init__()
        self.pool = pool
        self.image, self.signal, self.wider = (
            nn.Conv2d(1, 8, 3),
            nn.Conv1d(8, 6, 3),
            nn.ConvTranspose1d(6, 3, 2, stride=2),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.image(x))
        x = x.mean(2) if self.pool == "mean" else x.amax(2)
        return self.wider(torch.relu(self.signal(x)))


IMAGES: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "crop": (lambda v: v[:, :, 1:-1, 2:], 8),
    "every other": (lambda v: v[:, 1::2, 1::2, ::3], 4),
    "channels of zeros": (lambda v: F.pad(v, (0, 0, 0, 0, 1, 3)), 12),
    "zeros before a max pool": (lambda v: F.max_pool2d(F.pad(v, (0, 1, 1, 0)), 2, 2), 8),
    "zeros before a mean pool": (lambda v: F.avg_pool2d(F.pad(v, (1, 2, 0, 1)), 3, 2), 8),
    "zeros before an addition": (lambda v: v + F.pad(v[:, :, 1:], (0, 0, 0, 1)), 8),
    "focus": (lambda v: torch.cat([v[:, :, i:6:2, j:6:2] for j in (0, 1) for i in (0, 1)], 1), 32),
    "nearest": (lambda v: F.interpolate(v, size=(14, 21), mode="nearest"), 8),
    "nearest, cut": (lambda v: F.interpolate(v, scale_factor=(2.0, 3.0))[:, :, 1:, 2:-2], 8),
    "nearest, cut, beside": (lambda v: torch.cat([v, F.interpolate(v, scale_factor=2)[:, :, 3:10, :7]], 1), 16),
    "pixel shuffle": (lambda v: F.pixel_shuffle(v, 2), 2),
    "pixel unshuffle": (lambda v: F.pixel_unshuffle(F.pad(v, (0, 1, 0, 1)), 2), 32),
    "rows": (lambda v: v.amax(2, keepdim=True) + v.mean(2, keepdim=True), 8),
    "clamp": (lambda v: v[:, :, :5].clamp(0.1, 0.7), 8),
}
SIGNALS: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "delay": (lambda v: v + F.pad(v, (2, 0))[:, :, :-2], 8),
    "stride": (lambda v: v[:, :, 1::2], 8),
    "nearest": (lambda v: F.interpolate(v, scale_factor=3), 8),
    "nearest, cut": (lambda v: F.interpolate(v, scale_factor=3)[:, :, 2:-1], 8),
    "nearest, one and a part": (lambda v: F.interpolate(v, scale_factor=3)[:, :, 1:4], 8),
}


class Rows(nn.Module):
    """An image whose rows `move` makes a signal, or a signal that it makes an image."""

    def __init__(self, first: nn.Module, shape: tuple[int, ...], move: Callable[[Tensor], Tensor], last: nn.Module):
        super().__init__()
        self.shape, self.first, self.move, self.last = shape, first, move, last

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.move(torch.relu(self.first(x))))


def from_image(move: Callable[[Tensor], Tensor], channels: int = 8) -> Rows:
    return Rows(nn.Conv2d(2, 8, 3, padding=1), (2, 6, 6), move, nn.Conv1d(channels, 3, 3))


ROWS: dict[str, Callable[[], Rows]] = {
    "signal, enlarged": lambda: from_image(lambda v: F.interpolate(v.amax(2), scale_factor=2)),
    "signal, shifted": lambda: from_image(lambda v: F.pad(v.amax(2), (2, 1))[:, :, 1:]),
    "signal, chosen": lambda: from_image(lambda v: v.mean(2)[:, ::2, 1:], 4),
    "image, enlarged": lambda: Rows(
        nn.Conv1d(2, 8, 3), (2, 12), lambda v: F.interpolate(v.unsqueeze(2), scale_factor=2), nn.Conv2d(8, 3, (2, 3))
    ),
}


class Parts(nn.Module):
    """Scores of the part that `move` takes of a convolution's activations, as `kept` numbers."""

    def __init__(self, shape: tuple[int, ...], move: Callable[[Tensor], Tensor], kept: int) -> None:
        super().__init__()
        self.shape, self.move = shape, move
        self.first = nn.Conv1d(2, 8, 3) if len(shape) == 2 else nn.Conv2d(2, 8, 3)
        self.last = nn.Linear(kept, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.move(torch.relu(self.first(x))))


PARTS: dict[str, Callable[[], Parts]] = {
    "the last step": lambda: Parts((2, 10), lambda v: v[:, :, -1], 8),
    "some steps": lambda: Parts((2, 10), lambda v: v[:, 1:3, -3:].flatten(1), 6),
    "a corner": lambda: Parts((2, 6, 6), lambda v: v[:, :, 0, -1], 8),
    "a patch": lambda: Parts((2, 6, 6), lambda v: v[:, ::2, 1:, ::3].flatten(1), 24),
    "all beside means": lambda: Parts((2, 5, 5), lambda v: torch.cat([v.flatten(1), v.mean((2, 3))], 1), 80),
    "a difference": lambda: Parts((2, 5, 5), lambda v: v.flatten(1) - F.max_pool2d(v, 3, 1, 1).flatten(1), 72),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_activations_are_flattened(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    deploy, codes = frozen(PARTS[name]())
    assert deploy(codes).std() > 0
    chain(deploy, codes, tmp_path, simulated=name in ("some steps", "a difference"))
    reads(deploy, codes, tmp_path)
    if name in ("the last step", "all beside means"):
        simulated(deploy, codes, tmp_path)


@pytest.mark.parametrize("name", ROWS)
def test_signals_of_images_are_moved(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    deploy, codes = frozen(ROWS[name]())
    assert deploy(codes).std() > 0
    chain(deploy, codes, tmp_path, simulated=name == "image, enlarged")
    reads(deploy, codes, tmp_path)


def simulated(deploy: crq.FrozenModel, codes: Tensor, folder: Path) -> None:
    """The SystemVerilog of the file gives what `deploy` gives."""
    to_qonnx(deploy, folder / "b.onnx")
    found = hw.build(folder / "b.onnx", folder / "rtl", target="rtl").simulate(codes[:2].numpy())
    assert np.array_equal(found, deploy(codes[:2]).numpy().reshape(found.shape))


@pytest.mark.parametrize("name", IMAGES)
def test_moved_pixels(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    deploy, codes = frozen(Net((2, 7, 7), *IMAGES[name]))
    assert deploy(codes).std() > 0
    chain(deploy, codes, tmp_path, simulated=False)
    reads(deploy, codes, tmp_path)


@pytest.mark.parametrize("name", SIGNALS)
def test_moved_samples(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    deploy, codes = frozen(Net((2, 12), *SIGNALS[name]))
    assert deploy(codes).std() > 0
    chain(deploy, codes, tmp_path, simulated=False)
    reads(deploy, codes, tmp_path)


@pytest.mark.parametrize(
    "net",
    [
        pytest.param(Decoder, id="decoder"),
        pytest.param(OptionA, id="a", marks=pytest.mark.slow),
        pytest.param(lambda: Keyword("mean"), id="mean"),
        pytest.param(lambda: Keyword("max"), id="max", marks=pytest.mark.slow),
    ],
)
def test_networks(net: Callable[[], nn.Module], tmp_path: Path) -> None:
    torch.manual_seed(0)
    deploy, codes = frozen(net())
    assert deploy(codes).std() > 0
    chain(deploy, codes, tmp_path)
    simulated(deploy, codes, tmp_path)


def reads(deploy: crq.FrozenModel, codes: Tensor, folder: Path) -> None:
    """The integer graph of the file has the model's integers, layer by layer."""
    network = Network(load_graph(folder / "a.onnx")[0])
    inputs = codes.numpy().astype(np.int64).reshape(len(codes), *network.inputs[0].shape)
    found = evaluate(network, inputs)
    assert np.array_equal(found.reshape(len(codes), -1), deploy.integers(codes).reshape(len(codes), -1).numpy())
    live = layer_codes(network, deploy, inputs)
    assert len(live) > 1
    assert compare_layers(network, "", layer_values(network, inputs), live, live.keys()).equal
