"""Activation functions other than ReLU: what trains, and what it is in the integers' float chain.

A function that never falls is part of a quantizer's thresholds; one with a single valley (SiLU, GELU) falls to it and
rises from it, and has two tables. Formulas are those that the exported file spells out, on NumPy arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf
from torch import Tensor, nn

from crq.errors import CrqError

Array = NDArray[Any]
Constants = tuple[float | tuple[float, ...], ...]


class Function(NamedTuple):
    """`formula` of x and constants, elementwise in x's dtype.

    signed: it has values below zero. exact: it is one IEEE operation, which all machines round alike; other functions
    are told apart by `MARGIN` at least. valley: where it stops falling, if it falls.
    """

    formula: Callable[..., Array]
    signed: bool = True
    exact: bool = False
    valley: float | None = None


MARGIN = 2.0**-21
"""Least distance of a function's value to the end of its code, in units of the larger of 1 and the value: more than
the float32 functions of numeric libraries differ by."""


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _elu(x: Array, alpha: Array) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _gelu_tanh(x: Array, cubic: Array, root: Array) -> Array:
    return x * (np.tanh((x + x * x * x * cubic) * root) + 1) * x.dtype.type(0.5)


_SIXTH = float(np.float32((1 + 2.0**-17) / 6))
"""Hardswish's slope. With 1/6 its lowest value would be −0.375, a tie of quantizers of scale 1/4 that many sums of a
flat stretch come too near to for float32."""

FUNCTIONS: dict[str, Function] = {
    "LeakyRelu": Function(lambda x, alpha: np.where(x < 0, alpha * x, x), exact=True),
    "PRelu": Function(lambda x, slope: np.where(x < 0, slope * x, x), exact=True),
    "Clip": Function(np.clip, exact=True),
    "HardSigmoid": Function(lambda x, alpha, beta: np.clip(alpha * x + beta, 0, 1), signed=False),
    "Sigmoid": Function(_sigmoid, signed=False),
    "Softplus": Function(lambda x: np.logaddexp(x.dtype.type(0), x), signed=False),
    "Tanh": Function(np.tanh),
    "Softsign": Function(lambda x: x / (1 + np.abs(x))),
    "Elu": Function(_elu),
    "Celu": Function(lambda x, alpha: np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(np.minimum(x, 0) / alpha))),
    "Selu": Function(lambda x, alpha, gamma: gamma * _elu(x, alpha)),
    "HardSwish": Function(lambda x, alpha, beta: x * np.clip(alpha * x + beta, 0, 1), valley=-0.25 / _SIXTH),
    "Swish": Function(lambda x: x * _sigmoid(x), valley=-1.2784645427610738),
    "Gelu": Function(lambda x, root: x * (erf(x * root) + 1) * x.dtype.type(0.5), valley=-0.7517915248935613),
    "GeluTanh": Function(_gelu_tanh, valley=-0.7524614120732945),
    "Mish": Function(lambda x: x * np.tanh(np.logaddexp(x.dtype.type(0), x)), valley=-1.1924312145110464),
}


class Activation(NamedTuple):
    """One of `FUNCTIONS` by name, with its constants: float32 numbers, or one per channel."""

    kind: str
    constants: Constants = ()

    @property
    def function(self) -> Function:
        return FUNCTIONS[self.kind]

    @property
    def signed(self) -> bool:
        """Whether it has values below zero."""
        return self.function.signed and not (self.kind == "Clip" and self.constants[0] >= 0)  # type: ignore[operator]

    def __call__(self, x: Array) -> Array:
        """Of x (C, K), in its dtype."""
        constants = [np.asarray(c, np.float32).astype(x.dtype) for c in self.constants]
        result: Array = self.function.formula(x, *(c[:, None] if c.ndim else c for c in constants))
        return result

    def at(self, channels: NDArray[np.int64]) -> Activation:
        """Of some channels."""
        picked = [tuple(np.asarray(c)[channels].tolist()) if isinstance(c, tuple) else c for c in self.constants]
        return self._replace(constants=tuple(picked))


def _one_or_more(slopes: Tensor) -> float | tuple[float, ...]:
    values: list[float] = slopes.detach().tolist()
    return values[0] if len(values) == 1 else tuple(values)


_OF_MODULE: dict[type[nn.Module], Callable[[Any], Activation]] = {
    nn.LeakyReLU: lambda m: Activation("LeakyRelu", (m.negative_slope,)),
    nn.PReLU: lambda m: Activation("PRelu", (_one_or_more(m.weight),)),
    nn.Hardtanh: lambda m: Activation("Clip", (float(m.min_val), float(m.max_val))),
    nn.Hardsigmoid: lambda m: Activation("HardSigmoid", (1 / 6, 0.5)),
    nn.Sigmoid: lambda m: Activation("Sigmoid"),
    nn.Softplus: lambda m: Activation("Softplus"),
    nn.Tanh: lambda m: Activation("Tanh"),
    nn.Softsign: lambda m: Activation("Softsign"),
    nn.ELU: lambda m: Activation("Elu", (m.alpha,)),
    nn.CELU: lambda m: Activation("Celu", (m.alpha,)),
    nn.SELU: lambda m: Activation("Selu", (1.6732632423543772, 1.0507009873554805)),
    nn.Hardswish: lambda m: Activation("HardSwish", (_SIXTH, 0.5)),
    nn.SiLU: lambda m: Activation("Swish"),
    nn.GELU: lambda m: (
        Activation("Gelu", (0.5**0.5,))
        if m.approximate == "none"
        else Activation("GeluTanh", (0.044715, (2 / np.pi) ** 0.5))
    ),
    nn.Mish: lambda m: Activation("Mish"),
}
ACTIVATIONS: tuple[type[nn.Module], ...] = tuple(_OF_MODULE)
"""The modules."""


def activation_of(name: str, module: nn.Module) -> Activation:
    """What the module called `name` computes; raises `CrqError` for parameters that make no such function of it."""
    found = _OF_MODULE[type(module)](module)
    if isinstance(module, nn.Softplus) and module.beta != 1:
        raise CrqError(f"module {name!r}: Softplus with beta {module.beta}; only beta 1 is supported")
    if isinstance(module, nn.Softplus) and module.threshold != 20:
        raise CrqError(
            f"module {name!r}: Softplus with threshold {module.threshold}, beyond which it is linear; only torch's 20, "
            "where that changes nothing, is supported"
        )
    if found.kind not in ("Clip", "Selu") and any(np.min(constant) < 0 for constant in found.constants):
        least = min(float(np.min(constant)) for constant in found.constants)
        raise CrqError(
            f"module {name!r} ({type(module).__name__}) has the parameter {least:g}; expected none below zero, where "
            "it would fall again" + (": clamp its slopes in training" if isinstance(module, nn.PReLU) else "")
        )
    return found
