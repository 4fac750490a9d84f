"""What the host does to real values before they become input codes: a network's constant normalization.

Steps are pairs (operator, constant), in the order they act; a constant is a number, or one per channel. They are the
host's steps of an exported file: the same operators, in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from crq.errors import CrqError

Steps = tuple[tuple[str, float | tuple[float, ...]], ...]

_DO: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Add": lambda x, c: x + c,
    "Sub": lambda x, c: x - c,
    "RSub": lambda x, c: c - x,
    "Mul": lambda x, c: x * c,
    "Div": lambda x, c: x / c,
}
_UNDO: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Add": lambda x, c: x - c,
    "Sub": lambda x, c: x + c,
    "RSub": lambda x, c: c - x,
    "Mul": lambda x, c: x / c,
    "Div": lambda x, c: x * c,
}


class Preprocess(nn.Module):
    """The normalization at the front of a prepared network, float32 in training; no step has a parameter."""

    def __init__(self, steps: Sequence[tuple[str, Tensor]]) -> None:
        super().__init__()
        self.kinds = tuple(kind for kind, _ in steps)
        for index, (_, constant) in enumerate(steps):
            self.register_buffer(f"constant{index}", constant.detach().to(torch.float32).clone())

    def constants(self) -> list[Tensor]:
        """As they broadcast in the network, float32."""
        return [self.get_buffer(f"constant{index}") for index in range(len(self.kinds))]

    def forward(self, x: Tensor) -> Tensor:
        x = x if x.is_floating_point() else x.float()
        for kind, constant in zip(self.kinds, self.constants(), strict=True):
            x = _DO[kind](x, constant)
        return x

    def steps(self, shape: Sequence[int]) -> Steps:
        """For images of `shape`, channels first; raises `CrqError` for a constant that differs from pixel to pixel."""
        found = zip(self.kinds, self.constants(), strict=True)
        return tuple((kind, _per_channel(constant, tuple(shape))) for kind, constant in found)


def _per_channel(constant: Tensor, shape: tuple[int, ...]) -> float | tuple[float, ...]:
    whole = constant.reshape(*[1] * (len(shape) + 1 - constant.dim()), *constant.shape)
    if whole.dim() != len(shape) + 1 or whole.numel() != whole.shape[1] or whole.numel() not in (1, shape[0]):
        raise CrqError(
            f"the network normalizes its input by a constant of shape {tuple(constant.shape)}, which is neither one "
            f"number nor one per channel of an image {shape}: expected shape ({shape[0]}{', 1' * (len(shape) - 1)})"
        )
    values: list[float] = whole.flatten().tolist()
    return values[0] if len(values) == 1 else tuple(values)


def apply(steps: Steps, x: Tensor) -> Tensor:
    """Real values (N, C, …) as the input quantizer takes them, float64."""
    x = x.to(torch.float64)
    for kind, constant in steps:
        x = _DO[kind](x, _column(constant, x))
    return x


def undo(steps: Steps, x: Tensor) -> Tensor:
    """The real values, float64, that `apply` turns into `x` (N, C, …)."""
    x = x.to(torch.float64)
    for kind, constant in reversed(steps):
        x = _UNDO[kind](x, _column(constant, x))
    return x


def _column(constant: float | tuple[float, ...], x: Tensor) -> Tensor:
    values = torch.tensor(constant, dtype=torch.float64, device=x.device)
    return values.reshape(-1, *[1] * (x.dim() - 2)) if values.dim() else values


def check(steps: Any, channels: int) -> bool:
    """Whether `steps` is a list of steps on images of so many channels, as a file has it."""
    return isinstance(steps, list) and all(
        isinstance(step, list) and len(step) == 2 and step[0] in _DO and _is_constant(step[0], step[1], channels)
        for step in steps
    )


def _is_constant(kind: str, constant: Any, channels: int) -> bool:
    values = constant if isinstance(constant, list) else [constant]
    fitting = len(values) == channels or not isinstance(constant, list)
    return fitting and all(type(v) is float and abs(v) < 3e38 and (v or kind not in ("Mul", "Div")) for v in values)
