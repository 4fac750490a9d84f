"""Activation functions against PyTorch's, in float64, far beyond the places where a naive formula overflows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from crq.hw.read.activations import ACTIVATIONS

TORCH = {
    "LeakyRelu": nn.LeakyReLU(0.01), "ThresholdedRelu": nn.Threshold(1.0, 0.0), "Sigmoid": nn.Sigmoid(),
    "Tanh": nn.Tanh(), "Softplus": nn.Softplus(threshold=1000), "Softsign": nn.Softsign(), "Elu": nn.ELU(),
    "Celu": nn.CELU(), "Selu": nn.SELU(), "HardSwish": nn.Hardswish(), "Swish": nn.SiLU(), "Gelu": nn.GELU(),
    "GeluTanh": nn.GELU("tanh"), "Mish": nn.Mish(), "Erf": torch.erf, "Sign": torch.sign,
    "HardSigmoid": lambda x: torch.clip(x * 0.2 + 0.5, 0, 1), "Exp": torch.exp, "PRelu": nn.LeakyReLU(0.25),
}  # fmt: skip
X = np.concatenate([[-600.0, -90.0], np.linspace(-12, 12, 2001), [90.0, 600.0]])


def value(kind: str, x: np.ndarray) -> np.ndarray:
    parameters = [0.25] if kind == "PRelu" else ACTIVATIONS[kind].parameters.values()
    return ACTIVATIONS[kind].function(x, *(np.asarray(p, x.dtype) for p in parameters))


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_values_are_those_of_torch(kind: str) -> None:
    with np.errstate(over="raise", invalid="raise"):
        found = value(kind, X)
    tolerance = 1e-7 if kind == "Selu" else 1e-12  # ONNX has its constants in float32
    np.testing.assert_allclose(found, TORCH[kind](torch.from_numpy(X)).numpy(), rtol=tolerance, atol=1e-12)


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_it_turns_where_it_says_so(kind: str) -> None:
    assert ACTIVATIONS[kind].turns == bool((np.diff(value(kind, X)) < 0).any())
    assert value(kind, X[1:-2].astype(np.float32)).dtype == np.float32
