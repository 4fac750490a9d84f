"""Zeros around images and beside channels, enlargements and pixel shuffles, from their calls."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import crq
from crq.errors import CrqError
from tests.support.bodies import Net, assert_traced

X = torch.randn(2, 3, 8, 8)

CASES = {
    "around": (lambda x: F.pad(x, (1, 2, 0, 1)), "ZeroPad2d"),
    "one axis": (lambda x: F.pad(x, (1, 2)), "ZeroPad2d"),
    "channels": (lambda x: F.pad(x, (0, 0, 0, 0, 1, 2)), "Channels"),
    "both": (lambda x: F.pad(x, (0, 1, 0, 0, 1, 0)), "Channels ZeroPad2d"),
    "none": (lambda x: F.pad(x, (0, 0)), ""),
    "by a factor": (lambda x: F.interpolate(x, scale_factor=2.0), "Upsample"),
    "by two": (lambda x: F.interpolate(x, scale_factor=(2, 3), mode="nearest"), "Upsample"),
    "to a size": (lambda x: F.interpolate(x, (16, 8)), "Upsample"),
    "like another": (lambda x: F.interpolate(x[:, :, ::2, ::2], size=x.shape[2:]), "Pixels Upsample"),
    "shuffle": (lambda x: F.pixel_shuffle(x, 2), "PixelShuffle"),
    "unshuffle": (lambda x: F.pixel_unshuffle(x, downscale_factor=4), "PixelUnshuffle"),
}


@pytest.mark.parametrize("case", CASES)
def test_same_values(case: str) -> None:
    assert_traced(*CASES[case], X)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (lambda x: F.pad(x, (1, 1), value=1.0), "only zeros around the pixels, or beside"),
        (lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"), "pads by .*reflect"),
        (lambda x: F.interpolate(x, scale_factor=1.5), "enlarges by 1.5, mode 'nearest'"),
        (lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), "mode 'bilinear': only the nearest"),
        (lambda x: F.interpolate(x, size=(12, 8)), r"enlarges by \[1.5, 1.0\]"),
    ],
)
def test_what_is_no_repetition_is_refused(body, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        crq.prepare(Net(lambda net, x: net.conv2(body(net.conv1(x)).relu())), example_input=X)


def test_zeros_beside_channels_need_an_example() -> None:
    net = Net(lambda net, x: net.conv2(F.pad(net.conv1(x)[:, :4], (0, 0, 0, 0, 2, 2)).relu()))
    assert crq.prepare(net, example_input=X)(X).shape[0] == 2
    with pytest.raises(CrqError, match="whether channels are among these axes .* give crq.prepare an example_input"):
        crq.prepare(Net(lambda net, x: net.conv2(F.pad(net.conv1(x), (0, 0, 0, 0, 2, 2)).relu())))


def test_modules_are_checked_as_calls_are() -> None:
    up = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Upsample(size=(12, 12)), nn.Conv2d(4, 2, 1))
    prepared = crq.prepare(up, example_input=X)
    assert prepared(X).shape == (2, 2, 12, 12)
    with pytest.raises(CrqError, match="enlarges to .*: give crq.prepare an example_input"):
        crq.prepare(up)
    with pytest.raises(CrqError, match="mode 'bilinear'"):
        crq.prepare(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Upsample(scale_factor=2, mode="bilinear")), example_input=X)
