"""Activation functions by their ONNX operators, elementwise on floats.

Each by the specification's formula, written so that nothing overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Activation(NamedTuple):
    """`function` of x and its `parameters`, attributes with their defaults, none of them negative.

    `turns`: it falls somewhere; the others never do.
    """

    function: Callable[..., Array]
    parameters: Mapping[str, float] = MappingProxyType({})
    turns: bool = False


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _erf(x: Array) -> Array:
    from scipy.special import erf

    return np.asarray(erf(x))


def _elu(x: Array, alpha: Array) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _gelu(x: Array) -> Array:
    return x * (1 + _erf(x / np.sqrt(x.dtype.type(2)))) / 2


def _gelu_tanh(x: Array) -> Array:
    c = x.dtype.type
    return c(0.5) * x * (1 + np.tanh(np.sqrt(c(2 / np.pi)) * (x + c(0.044715) * x**3)))


ACTIVATIONS: dict[str, Activation] = {
    "LeakyRelu": Activation(lambda x, alpha: np.where(x < 0, alpha * x, x), {"alpha": 0.01}),
    "PRelu": Activation(lambda x, slope: np.where(x < 0, slope * x, x)),
    "ThresholdedRelu": Activation(lambda x, alpha: np.where(x > alpha, x, x.dtype.type(0)), {"alpha": 1.0}),
    "HardSigmoid": Activation(
        lambda x, alpha, beta: np.clip(alpha * x + beta, 0, 1), {"alpha": 0.2, "beta": 0.5}
    ),
    "Sigmoid": Activation(_sigmoid),
    "Tanh": Activation(np.tanh),
    "Softplus": Activation(lambda x: np.logaddexp(x.dtype.type(0), x)),
    "Softsign": Activation(lambda x: x / (1 + np.abs(x))),
    "Elu": Activation(_elu, {"alpha": 1.0}),
    "Celu": Activation(
        lambda x, alpha: np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(np.minimum(x, 0) / alpha)), {"alpha": 1.0}
    ),
    "Selu": Activation(
        lambda x, alpha, gamma: gamma * _elu(x, alpha),
        {"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875},
    ),
    "Erf": Activation(_erf),
    "Exp": Activation(np.exp),
    "Sign": Activation(np.sign),
    "HardSwish": Activation(lambda x: x * np.clip(x.dtype.type(1 / 6) * x + x.dtype.type(0.5), 0, 1), turns=True),
    "Swish": Activation(lambda x, alpha: x * _sigmoid(alpha * x), {"alpha": 1.0}, True),
    "Gelu": Activation(_gelu, turns=True),
    "GeluTanh": Activation(_gelu_tanh, turns=True),
    "Mish": Activation(lambda x: x * np.tanh(np.logaddexp(x.dtype.type(0), x)), turns=True),
}  # fmt: skip
