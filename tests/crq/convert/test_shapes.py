"""What would train but not freeze is refused: by `prepare`, with an example batch by shape too, and by `freeze`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import crq
from crq.errors import CrqError

IMAGES = torch.rand(2, 1, 8, 8)


class Net(nn.Module):
    """Two convolutions of 4 channels, a linear layer, another layer, and a forward given by the test."""

    def __init__(self, forward: Callable[[Net, Tensor], Tensor], layer: nn.Module | None = None, inputs: int = 256):
        super().__init__()
        self.conv, self.conv2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(1, 4, 3, padding=1)
        self.fc, self.layer, self.body = nn.Linear(inputs, 3), layer, forward

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self, x)


def around(layer: nn.Module, inputs: int = 256) -> Net:
    return Net(lambda net, x: net.fc(net.layer(net.conv(x)).flatten(1)), layer, inputs)


def overwritten(net: Net, x: Tensor) -> Tensor:
    y = net.conv(x)
    flat = y.flatten(1)
    y.relu_()
    return net.fc(flat)


REFUSED = {
    "dilated pool": (around(nn.MaxPool2d(2, 1, dilation=2)), "'layer': a max pool with dilation"),
    "padded average": (around(nn.AvgPool2d(3, 1, 1, count_include_pad=False)), "'layer'.*count_include_pad"),
    "divisor": (around(nn.AvgPool2d(2, divisor_override=3)), "'layer'.*divisor_override"),
    "a view at the end": (Net(lambda net, x: net.conv(x).view(-1, 4)), r"'view'.*\(-1, 4\)"),
    "a view of rows": (Net(lambda net, x: net.fc(F.relu(net.conv(x).view(-1, 64)))), r"'view'.*\(-1, 64\)"),
    "in place under a flattening": (Net(overwritten), "in-place operation 'relu_'.*flattening"),
    "a pad that cuts": (around(nn.ZeroPad2d((-1, 0, 0, 2))), r"'layer' \(ZeroPad2d\) pads by \(-1, 0, 0, 2\).*a slice"),
    "no weights yet": (around(nn.LazyConv2d(4, 1)), r"'layer' \(LazyConv2d\) has no weights yet"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_at_once(case: str) -> None:
    model, message = REFUSED[case]
    with pytest.raises(CrqError, match=message):
        crq.prepare(model)


def test_a_view_before_its_linear_layer_is_a_flattening() -> None:
    model = Net(lambda net, x: net.fc(F.dropout(net.conv(x).view(-1, 256), 0.5, net.training))).eval()
    assert torch.allclose(crq.prepare(model).eval()(IMAGES), model(IMAGES))


def test_hooks_are_refused_by_name() -> None:
    model = around(nn.ReLU())
    model.conv.register_forward_hook(lambda module, inputs, output: output * 2)
    with pytest.raises(CrqError, match=r"module 'conv' \(Conv2d\) has forward hooks"):
        crq.prepare(model)


BY_SHAPE = {
    "linear on rows": (Net(lambda net, x: net.fc(net.conv(x)), inputs=8), r"'fc' \(Linear\).*\(., 4, 8, 8\).*flatten"),
    "broadcasting": (
        Net(lambda net, x: net.fc((net.conv(x) + F.adaptive_avg_pool2d(net.conv2(x), 1)).flatten(1))), "broadcasts",
    ),
    "windows across the edge": (around(nn.MaxPool2d(3, 2, ceil_mode=True), 64), "'layer'.*do not fill 8 pixels"),
    "ends with pixels": (Net(lambda net, x: net.conv(x).flatten(1)), r"'flatten\w*' flattens pixels at the end"),
    "another size": (around(nn.ReLU(), 100), r"'fc' \(Linear\) takes 100 features, .*\(1, 8, 8\) give it 256: make"),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_SHAPE)
def test_refused_with_an_example_and_by_freeze(case: str) -> None:
    model, message = BY_SHAPE[case]
    with pytest.raises(CrqError, match=message):
        crq.prepare(model, example_input=IMAGES)
    prepared = crq.prepare(model)
    crq.set_mode(prepared, "quantized")
    with pytest.raises(CrqError, match=message):
        crq.freeze(prepared, [IMAGES])


def test_ceil_mode_without_effect_is_accepted() -> None:
    model = around(nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False), 64)
    prepared = crq.prepare(model, example_input=IMAGES)
    crq.set_mode(prepared, "quantized")
    prepared.train()(IMAGES)
    assert crq.freeze(prepared, [IMAGES]).report.images == 2


def test_freeze_wants_a_prepared_quantized_float32_network() -> None:
    model = around(nn.ReLU())
    with pytest.raises(CrqError, match="result of crq.prepare, not Net"):
        crq.freeze(model, [IMAGES])
    prepared = crq.prepare(model)
    with pytest.raises(CrqError, match=r"'conv' still computes with float.*call crq.quantize\(model, loader\) first"):
        crq.freeze(prepared, [IMAGES])
    crq.set_mode(prepared, "quantized")
    with pytest.raises(CrqError, match=r"'conv.weight' is torch.float64.*float\(\)"):
        crq.freeze(prepared.double(), [IMAGES])


@pytest.mark.parametrize("layer", [nn.ZeroPad2d(1), nn.MaxPool2d((1, 2)), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1)])
def test_layers_for_images_refuse_signals(layer: nn.Module) -> None:
    """torch takes a batch of signals for one image: channels for rows."""
    net = nn.Sequential(nn.Conv1d(2, 8, 3), layer, nn.Flatten(), nn.LazyLinear(3))
    x = torch.rand(2, 2, 14)
    net(x)
    with pytest.raises(CrqError, match=r"'1' \(\w+2d\) reads signals of shape \(2, 8, 12\)"):
        crq.prepare(net, example_input=x)


@pytest.mark.parametrize("layer", [nn.AdaptiveAvgPool2d((None, 1)), nn.AdaptiveMaxPool2d(1)])
def test_adaptive_pools_for_images_refuse_signals(layer: nn.Module) -> None:
    net = nn.Sequential(nn.Conv1d(2, 8, 3), layer, nn.Flatten())
    with pytest.raises(CrqError, match=r"'(1|\w+2d)' .*pools to .* use the pool for signals, 1d"):
        crq.prepare(net, example_input=torch.rand(2, 2, 14))
