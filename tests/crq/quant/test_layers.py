"""Coded layers and the methods behind them."""

import copy

import pytest
import torch
from torch import nn

from crq.errors import CrqError
from crq.quant import METHOD_NAMES
from crq.quant.layers import (
    INTEGER,
    TERNARY,
    IntegerConv2d,
    IntegerLinear,
    QuantLayer,
    TernaryConv1d,
    TernaryConv2d,
    TernaryLinear,
)

ONE_SCALE = [name for name in METHOD_NAMES if name != "ttq"]


def layer(method: str = "crq", **options) -> TernaryConv2d:
    torch.manual_seed(0)
    return TernaryConv2d.from_float(nn.Conv2d(4, 6, 3, padding=1), "conv", method=method, **options)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_forward_uses_scale_times_codes(method: str) -> None:
    quantized, x = layer(method), torch.randn(2, 4, 5, 5)
    plain = quantized(x)
    assert torch.equal(plain, nn.functional.conv2d(x, quantized.weight, quantized.bias, padding=1))
    quantized.mode = "quantized"
    values = quantized.used_weight().detach()
    assert len(values.unique()) == 3
    assert torch.equal(quantized(x), nn.functional.conv2d(x, values, quantized.bias, padding=1))


@pytest.mark.parametrize("method", ONE_SCALE)
def test_codes_describe_the_forward_weights_exactly(method: str) -> None:
    quantized = layer(method)
    quantized.mode = "quantized"
    found = quantized.codes()
    assert found.codes.dtype == torch.int8
    assert found.codes.shape == quantized.weight.shape
    assert found.alpha.dtype == torch.float32
    assert torch.equal(quantized.used_weight().detach(), found.codes * found.alpha)


@pytest.mark.parametrize("method", [name for name in ONE_SCALE if name != "lsq"])
def test_gradient_passes_straight_through(method: str) -> None:
    quantized = layer(method)
    quantized.mode = "quantized"
    upstream = torch.randn_like(quantized.weight)
    (quantized.used_weight() * upstream).sum().backward()
    assert torch.equal(quantized.weight.grad, upstream)


def test_ttq_learns_both_scales_with_the_papers_gradients() -> None:
    """The scales' are divided by √N, as its docstring says."""
    ttq = layer("ttq")
    ttq.mode = "quantized"
    with torch.no_grad():
        ttq.scale_positive.fill_(0.3)
        ttq.scale_negative.fill_(0.2)
    upstream = torch.randn_like(ttq.weight)
    (ttq.used_weight() * upstream).sum().backward()
    threshold = 0.05 * ttq.weight.abs().max()
    up, down = ttq.weight > threshold, ttq.weight < -threshold
    norm = ttq.weight.numel() ** -0.5
    assert float(ttq.scale_positive_step.grad) == pytest.approx(float(upstream[up].sum()) * norm, rel=1e-4, abs=1e-5)
    assert float(ttq.scale_negative_step.grad) == pytest.approx(-float(upstream[down].sum()) * norm, rel=1e-4, abs=1e-5)
    expected = upstream * torch.where(up, 0.3, torch.where(down, 0.2, 1.0))
    assert torch.allclose(ttq.weight.grad, expected)
    assert sorted(ttq.used_weight().detach().unique().tolist()) == pytest.approx([-0.2, 0.0, 0.3])
    with pytest.raises(CrqError, match=r"'conv' was trained by ttq.*use another method"):
        ttq.codes()


@pytest.mark.parametrize("method", ONE_SCALE)
def test_per_channel_scales(method: str) -> None:
    quantized = layer(method, per_channel=True)
    quantized.mode = "quantized"
    assert quantized.clusters().alpha.shape == (6,)
    for row in quantized.used_weight().detach():
        assert len(row.unique()) <= 3
    found = quantized.codes()
    assert torch.equal(quantized.used_weight().detach(), found.codes * found.alpha[:, None, None, None])


def test_codes_follow_the_weights_even_through_data() -> None:
    quantized = layer()
    before = quantized.codes().codes
    quantized.weight.data.neg_()  # bypasses autograd's version counter
    after = quantized.codes().codes
    assert torch.equal(after, -before)


def test_all_zero_weights_give_alpha_zero() -> None:
    for kind, options in ((TernaryLinear, {}), (IntegerLinear, {"bits": 8})):
        zero = kind.from_float(nn.Linear(3, 2), "fc", **options)
        nn.init.zeros_(zero.weight)
        found = zero.codes()
        assert found.alpha == 0.0
        assert not found.codes.any()


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_integer_layer_codes_and_error(bits: int) -> None:
    torch.manual_seed(0)
    integer = IntegerConv2d.from_float(nn.Conv2d(3, 8, 3), "stem", bits=bits)
    found = integer.codes()
    codes, scale = found.codes, found.alpha
    top = 2 ** (bits - 1) - 1
    assert integer.weight_bits == bits
    assert int(codes.abs().max()) == top
    error = (integer.weight - codes * scale).detach().abs()
    clipped = codes.abs() == top
    assert float(error[~clipped].max()) <= float(scale) / 2 * (1 + 1e-5)
    integer.mode = "quantized"
    assert torch.equal(integer.used_weight().detach(), codes * scale)


@pytest.mark.parametrize("make", [layer, lambda: IntegerConv2d.from_float(nn.Conv2d(1, 1, 1), "conv", bits=4)])
def test_non_finite_weights_name_the_layer(make) -> None:
    broken = make()
    with torch.no_grad():
        broken.weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(CrqError, match="conv has non-finite weights"):
        broken.codes()


def test_layers_keep_what_they_replace() -> None:
    conv = nn.Conv1d(2, 4, 3, stride=2, dilation=2, groups=2, bias=False)
    swapped = TernaryConv1d.from_float(conv, "c")
    assert swapped.weight is conv.weight
    assert swapped.bias is None
    x = torch.randn(1, 2, 20)
    assert torch.equal(swapped(x), conv(x))
    assert set(copy.deepcopy(swapped).state_dict()) == {"weight", "_extra_state"}
    assert isinstance(swapped, QuantLayer)
    assert swapped.weight_bits == 2


@pytest.mark.parametrize("rank", [1, 2])
def test_transposed_convolutions_use_scale_times_codes(rank: int) -> None:
    torch.manual_seed(0)
    plain = (nn.ConvTranspose1d, nn.ConvTranspose2d)[rank - 1](4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
    x = torch.randn(2, 4, *[5] * rank)
    for kinds, options in ((TERNARY, {"method": "twn"}), (INTEGER, {"bits": 4})):
        quantized = kinds[type(plain)].from_float(plain, "up", **options)
        assert torch.equal(quantized(x), plain(x))
        quantized.mode = "quantized"
        function = (nn.functional.conv_transpose1d, nn.functional.conv_transpose2d)[rank - 1]
        assert torch.equal(quantized(x), function(x, quantized.used_weight(), plain.bias, 2, 1, 1, 2))


def test_transposed_convolutions_have_one_scale() -> None:
    with pytest.raises(CrqError, match="layer 'up': a transposed convolution.*one scale only: set per_channel=False"):
        TERNARY[nn.ConvTranspose2d].from_float(nn.ConvTranspose2d(2, 2, 2), "up", per_channel=True)
