"""Activation quantizers: the grid, rounding, gradients, calibration."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.convert.config import TernaryConfig
from crq.errors import CrqError
from crq.quant.quantizers import ActQuant


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 8), st.booleans(), st.booleans(), st.integers(-12, 6), st.integers(0, 1000))
def test_values_are_rounded_half_to_even_and_clipped(bits, signed, narrow, exponent, seed) -> None:
    if signed and bits == 1:
        bits = 2
    scale = 2.0**exponent
    q = ActQuant(bits, signed, narrow, scale=scale)
    g = torch.Generator().manual_seed(seed)
    # Multiples of half a step hit every tie.
    x = torch.randint(-600, 600, (64,), generator=g).float() * scale / 2
    expected = [min(max(round(v / scale), q.qmin), q.qmax) for v in x.tolist()]
    assert q.codes(x).tolist() == expected
    assert torch.equal(q(x), torch.tensor(expected) * scale)
    assert q.qmax - q.qmin == 2**bits - 1 - (narrow and signed)


@pytest.mark.parametrize("exponent", range(-30, 31))
def test_scale_is_exactly_a_power_of_two(exponent: int) -> None:
    q = ActQuant(4).eval()
    with torch.no_grad():
        q.log2_scale.fill_(exponent + 0.3)
    assert q.scale == 2.0**exponent
    assert float(q(torch.tensor([1e30])).detach()) == 15 * 2.0**exponent


def test_byte_images_pass_the_input_quantizer_unchanged() -> None:
    q = ActQuant(8, scale=2.0**-8)
    x = torch.arange(256).float() / 256
    assert torch.equal(q(x), x)
    assert not list(q.parameters())


def test_gradient_passes_inside_the_range_only_and_reaches_the_scale() -> None:
    q = ActQuant(2)  # codes 0 … 3
    with torch.no_grad():
        q.log2_scale.fill_(0.0)
    q.waits = False
    x = torch.tensor([-2.0, 0.4, 1.2, 2.9, 9.0], requires_grad=True)
    q(x).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]
    # Each value contributes ln2·(code − x/s) inside and ln2·code beyond the range (TQT, Eq. 8).
    expected = math.log(2) * ((0 - 0.4) + (1 - 1.2) + (3 - 2.9) + 3) / math.sqrt(5 * 3)
    assert float(q.log2_scale_step.grad) == pytest.approx(expected, rel=1e-5)


def test_gradient_of_the_scale_is_the_same_in_any_layout_of_memory() -> None:
    x = torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(1))
    grad = torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(2))
    found = []
    for ours in (torch.contiguous_format, torch.channels_last):
        for theirs in (torch.contiguous_format, torch.channels_last):
            quantizer = ActQuant(bits=3, signed=True)
            quantizer.calibrate(x)
            value = quantizer(x.to(memory_format=ours).requires_grad_())
            value.backward(grad.to(memory_format=theirs))
            found.append(quantizer.log2_scale_step.grad)
    ratio = x.double() / quantizer.scale
    codes = ratio.round().clamp(-4, 3)
    inside = (ratio >= -4.5) & (ratio <= 3.5)
    total = (grad.double() * torch.where(inside, codes - ratio, codes)).sum() * quantizer.scale
    for gradient in found:
        assert float(gradient) == pytest.approx(float(total) * math.log(2) / math.sqrt(x.numel() * 3), rel=1e-4)


@pytest.mark.parametrize(("bits", "signed"), [(1, False), (4, False), (8, False), (2, True), (8, True)])
def test_calibration_picks_the_power_of_two_with_the_least_error(bits: int, signed: bool) -> None:
    x = torch.randn(4000, generator=torch.Generator().manual_seed(0)) * 3
    q = ActQuant(bits, signed)
    q.calibrate(x)

    def error(scale: float) -> float:
        return float((ActQuant(bits, signed, scale=scale)(x) - x).square().sum())

    best = min((2.0**e for e in range(-12, 8)), key=error)
    assert q.scale == best


def test_first_training_batch_calibrates_and_later_ones_do_not() -> None:
    q = ActQuant(4).train()
    q(torch.rand(100) * 100)
    scale = q.scale
    assert scale > 1
    q(torch.rand(100))
    assert q.scale == scale
    restored = ActQuant(4)
    restored.load_state_dict(q.state_dict())
    assert bool(restored.calibrated)
    assert restored.scale == scale


def test_limit_keeps_the_largest_code_below_it() -> None:
    q = ActQuant(4, limit=6.0)
    q.calibrate(torch.rand(1000) * 60)
    assert q.scale * q.qmax <= 6.0
    assert q.scale * q.qmax > 3.0
    assert float(q(torch.tensor([100.0])).detach()) == q.scale * q.qmax


def test_disabled_quantizer_is_the_identity() -> None:
    q = ActQuant(4)
    q.enabled = False
    x = torch.randn(10)
    assert q(x) is x


@pytest.mark.parametrize(("bits", "signed"), [(0, False), (9, False), (1, True)])
def test_bits_out_of_range_are_refused(bits: int, signed: bool) -> None:
    with pytest.raises(CrqError, match=f"bits must be from .* not {bits}"):
        ActQuant(bits, signed)


def test_bipolar_activations_are_refused_by_name() -> None:
    with pytest.raises(CrqError, match=r"bipolar \(±1\) activations cannot be trained: use 2 signed bits"):
        ActQuant(1, signed=True)
    with pytest.raises(CrqError, match="input_bits must be an integer from 2 to 8, not 1"):
        TernaryConfig(input_bits=1, input_signed=True)


def test_other_refusals() -> None:
    with pytest.raises(CrqError, match="power of two"):
        ActQuant(4, scale=0.3)
    for bad in (torch.tensor([float("nan")]), torch.zeros(0)):
        with pytest.raises(CrqError, match="empty or non-finite"):
            ActQuant(4).calibrate(bad)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e12])
def test_a_scale_beyond_float32_is_refused(value: float) -> None:
    quantizer = ActQuant(4)
    with torch.no_grad():
        quantizer.log2_scale.fill_(value)
    with pytest.raises(CrqError, match=r"an activation scale is 2\*\*.*: lower the learning rate"):
        quantizer.codes(torch.ones(1))
    assert "scale=2**" in repr(quantizer)
