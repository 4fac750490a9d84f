"""Activation functions beside torch's own, and thresholds that hold for every rounding of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import crq
from crq.convert.activations import ACTIVATIONS, FUNCTIONS, activation_of
from crq.convert.thresholds import Chain, QuantSpec, fit
from crq.errors import CrqError

MODULES = {
    "leaky": nn.LeakyReLU(0.1), "prelu": nn.PReLU(), "prelu by channel": nn.PReLU(5), "hardtanh": nn.Hardtanh(-0.7, 2),
    "hardsigmoid": nn.Hardsigmoid(), "sigmoid": nn.Sigmoid(), "softplus": nn.Softplus(), "tanh": nn.Tanh(),
    "softsign": nn.Softsign(), "elu": nn.ELU(0.7), "celu": nn.CELU(1.3), "selu": nn.SELU(), "silu": nn.SiLU(),
    "hardswish": nn.Hardswish(), "gelu": nn.GELU(), "gelu tanh": nn.GELU(approximate="tanh"), "mish": nn.Mish(),
}  # fmt: skip
X = torch.linspace(-9, 9, 5 * 401, dtype=torch.float64).reshape(5, 401)


def test_every_module_is_tried() -> None:
    assert {type(module) for module in MODULES.values()} == set(ACTIVATIONS)
    assert {activation_of("a", module).kind for module in MODULES.values()} == set(FUNCTIONS)


@pytest.mark.parametrize("name", MODULES)
def test_formulas_are_torchs(name: str) -> None:
    activation = activation_of("a", MODULES[name])
    with torch.no_grad():
        expected = MODULES[name].double()(X.T).T.numpy()
    found = activation(X.numpy())
    assert found.dtype == np.float64
    near = 3e-5 if name == "hardswish" else 1e-6
    assert np.allclose(found, expected, rtol=1e-5, atol=near)
    assert activation.signed == bool((expected < 0).any())
    assert np.allclose(
        activation(X.numpy().astype(np.float32)), expected, rtol=1e-5, atol=3e-5 if name == "hardswish" else 1e-6
    )


@pytest.mark.parametrize("name", MODULES)
def test_they_fall_to_their_valley_and_nowhere_else(name: str) -> None:
    activation = activation_of("a", MODULES[name])
    valley = activation.function.valley
    x = np.linspace(-8, 8, 200_001)[None]
    steps = np.diff(activation(x)[0] if name != "prelu by channel" else activation(np.repeat(x, 5, 0))[0])
    if valley is None:
        assert (steps >= -1e-15).all()
        return
    left = x[0, 1:] < valley
    right = x[0, :-1] > valley
    assert (steps[left] <= 1e-15).all()
    assert (steps[right] >= -1e-15).all()


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(MODULES)),
    seed=st.integers(0, 2**20),
    bits=st.integers(2, 5),
    exponent=st.integers(-5, 0),
)
def test_thresholds_give_the_codes_of_every_sum(name: str, seed: int, bits: int, exponent: int) -> None:
    rng = np.random.default_rng(seed)
    activation = activation_of("a", MODULES[name])
    signed = activation.signed
    quant = QuantSpec(
        2.0**exponent, -(2 ** (bits - 1)) if signed else 0, 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    )
    gain = rng.normal(size=5).astype(np.float32)
    gain[0] = 0
    lo, hi = -rng.integers(0, 90, 5), rng.integers(0, 90, 5)
    chain = Chain(2.0**-4, quant, 5, 1, np.float32(0.37), gain, rng.normal(size=5).astype(np.float32), activation)
    found = fit(chain, lo, hi, "a")
    steps = quant.qmax - quant.qmin
    x = torch.arange(-90, 90, dtype=torch.int64)
    for c in range(5):
        reachable = x[(x >= lo[c]) & (x <= hi[c])].numpy()
        up = (found.signs[c] * reachable[:, None] >= found.table[c, :steps]).sum(1)
        down = (-found.signs[c] * reachable[:, None] >= found.table[c, steps:]).sum(1)
        with torch.no_grad():  # torch's function, but for Hardswish's slope, on the float64 of the stored constants
            value = reachable * 2.0**-4 * float(np.float32(0.37)) * float(gain[c]) + float(found.bias[c])
            value = torch.from_numpy(np.repeat(value[:, None], 5, 1))
            hardswish = activation(value.T.numpy()).T if name == "hardswish" else None
            value = (MODULES[name].double()(value).numpy() if hardswish is None else hardswish)[:, c]
        expected = np.rint(np.clip(value / quant.scale, quant.qmin, quant.qmax))
        assert np.array_equal(quant.qmin + up + down, expected)


def test_negative_slopes_are_refused() -> None:
    with pytest.raises(CrqError, match=r"'act' \(LeakyReLU\) has the parameter -0.1; expected none below zero"):
        activation_of("act", nn.LeakyReLU(-0.1))
    with pytest.raises(CrqError, match=r"'act' \(PReLU\).*clamp its slopes in training"):
        activation_of("act", nn.PReLU(3, init=-1.0))
    with pytest.raises(CrqError, match="Softplus with beta 2"):
        activation_of("act", nn.Softplus(2))


@pytest.mark.parametrize("bits", [4, 6, 7, 8])
@pytest.mark.parametrize("name", [name for name in MODULES if name != "prelu by channel"])
def test_dense_sums_and_dense_codes_freeze(name: str, bits: int) -> None:
    torch.manual_seed(bits)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), MODULES[name].float(), nn.Flatten(), nn.Linear(6 * 36, 3)
    )
    codes = torch.randint(0, 256, (64, 1, 8, 8), dtype=torch.uint8)
    for integer in ({}, {"0": 8}, {"0": 8, "4": 8}):
        model = crq.prepare(net, crq.TernaryConfig(act_bits=bits, integer=integer), codes[:2].float() / 256)
        crq.quantize(model, [codes])
        assert crq.freeze(model, [codes])(codes).std() > 0


def test_a_function_that_machines_round_differently_reads_few_values() -> None:
    def quantizers(function: nn.Module, **config: object) -> list[int]:
        net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), function, nn.Conv2d(2, 2, 1))
        modules = dict(crq.prepare(net, crq.TernaryConfig(**config)).named_modules())
        return [module.bits for name, module in modules.items() if name.startswith("0_quant")]

    for function in (nn.Sigmoid(), nn.SiLU()):
        assert quantizers(function) == [4]
        assert quantizers(function, act_bits=6) == [6]
        assert quantizers(function, integer={"0": 8}) == [8, 4]
        assert quantizers(function, integer={"3": 8}) == [4]
        assert quantizers(function, act_bits=8) == [8, 8]
    assert quantizers(nn.Tanh(), integer={"0": 8}) == [4]  # less flat than a Sigmoid, and without a valley
    assert quantizers(nn.Tanh(), act_bits=6, integer={"0": 8}) == [8, 6]
    for function in (nn.ReLU(), nn.LeakyReLU(), nn.Hardtanh()):  # one IEEE operation each
        assert quantizers(function, act_bits=8, integer={"0": 8}) == [8]


def test_prepare_puts_the_quantizer_that_suits_the_range() -> None:
    for module, sign in ((nn.Sigmoid(), "u"), (nn.Tanh(), "s"), (nn.Hardtanh(0, 1), "u"), (nn.SiLU(), "s")):
        prepared = crq.prepare(nn.Sequential(nn.Conv2d(1, 2, 1), module, nn.Conv2d(2, 2, 1)))
        assert prepared.get_submodule("0_quant").signed == (sign == "s")
