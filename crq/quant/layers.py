"""Layers whose weights are codes times one scale: ternary, and declared integer layers.

Each has two modes. `float` trains the float weights (pretrain, penalized retrain); `quantized` computes with
scale·codes and passes gradients straight through to the float weights (fine-tune).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from crq.errors import CrqError, non_finite
from crq.quant import learned, methods
from crq.quant.cluster import Clusters
from crq.quant.solve import Known

_SCALES = ("scale_positive", "scale_negative", "scale_share")
"""What the methods ttq and lsq learn."""
L = TypeVar("L", bound="QuantLayer")


class QuantLayer(nn.Module):
    """Behaviour common to all layers with coded weights; mixed into those of torch.nn.

    layer_name: the module's name in the user's model, for messages. weight_bits: 2 for ternary codes.
    mode: part of `state_dict`.
    """

    weight: Tensor
    _setup: Callable[..., None]
    scale_positive: Tensor
    scale_negative: Tensor
    scale_share: Tensor
    weight_bits: int
    layer_name: str
    mode: str
    share = 1.0
    """Of the weights, the largest first: those that are codes in `quantized` mode; the others are float still."""

    @classmethod
    def from_float(cls: type[L], layer: nn.Module, name: str, **options: Any) -> L:
        """A layer of this class that takes over `layer`'s attributes and parameters (shared, not copied)."""
        new = cls.__new__(cls)
        new.__dict__ = dict(layer.__dict__)
        new.layer_name = name
        new.mode = "float"
        new._setup(**options)
        return new

    def switch(self, mode: str) -> None:
        """Compute with `float` or `quantized` weights; only scales in use ask for a gradient."""
        self.mode = mode
        learned.ask(self, mode == "quantized", *_SCALES)

    def get_extra_state(self) -> Tensor:
        """Whether the mode is `quantized`, as a tensor: files of plain tensors can hold it."""
        return torch.tensor(self.mode == "quantized")

    def set_extra_state(self, state: Tensor) -> None:
        self.switch("quantized" if bool(state) else "float")

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        learned.check_state(self, state_dict, prefix, *_SCALES)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def clusters(self) -> Clusters:
        """Codes and scale of the current float weights; raises `CrqError` for non-finite weights."""
        raise NotImplementedError

    def codes(self) -> Clusters:
        """Codes and scale as they are exported; raises `CrqError` where α·t does not describe the layer (ttq)."""
        return self.clusters()

    def used_weight(self) -> Tensor:
        """The weight of this forward pass: float, or scale·codes with a straight-through gradient."""
        count = round(self.share * self.weight.numel())
        if self.mode == "float" or count == 0:
            return self.weight
        if self.share >= 1:
            return self._quantized_weight()
        magnitude = self.weight.detach().abs()
        least = magnitude.flatten().kthvalue(magnitude.numel() - count + 1).values
        return torch.where(magnitude >= least, self._quantized_weight(), self.weight)

    def _quantized_weight(self) -> Tensor:
        raise NotImplementedError


class TernaryLayer(QuantLayer):
    """Weights are α·t, t ∈ {−1, 0, +1}; how t and α follow from W is the method's business."""

    weight_bits = 2
    penalty = 1.0
    """Its share of λ."""

    def _setup(self, method: str = "crq", per_channel: bool = False) -> None:
        self.method = methods.get(method)
        if per_channel and isinstance(self, nn.ConvTranspose1d | nn.ConvTranspose2d):
            raise CrqError(
                f"layer {self.layer_name!r}: a transposed convolution, whose output channels are the second axis of "
                "its weights, takes one scale only: set per_channel=False for it under `layers`"
            )
        self.per_channel = per_channel
        self.known: Known | None = None
        """The last solution that the method keeps for the penalty of the same step."""
        self.method.attach(self)

    def clusters(self) -> Clusters:
        return self.method.clusters(self)

    def _quantized_weight(self) -> Tensor:
        return self.method.weight(self)

    def codes(self) -> Clusters:
        if self.method.name == "ttq":
            raise CrqError(
                f"layer {self.layer_name!r} was trained by ttq, which has two scales and is for training only: "
                "use another method to export"
            )
        return super().codes()


class IntegerLayer(QuantLayer):
    """Weights are scale·q, q integer in ±(2^(bits−1) − 1): for layers that should not be ternary. Needs multipliers."""

    def _setup(self, bits: int = 8) -> None:
        self.weight_bits = bits

    def clusters(self) -> Clusters:
        found = self._solve()
        if not bool(torch.isfinite(found.alpha)):
            raise non_finite(self.layer_name)
        return found

    def _quantized_weight(self) -> Tensor:
        return methods.straight_through(self.weight, self._solve().dequantized())

    def _solve(self) -> Clusters:
        """As `clusters`, without asking the device: a scale that is not finite for such weights."""
        weight = self.weight.detach().float()
        largest = weight.abs().max() if weight.numel() else weight.new_zeros(())
        top = 2 ** (self.weight_bits - 1) - 1
        # largest/top would lose its bits there
        tiny = largest < torch.finfo(torch.float32).tiny * 256
        # Clipping the largest weights pays off at few bits; at 8 the full range nearly always wins.
        best, *others = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5) if self.weight_bits < 8 else (1.0,)
        found = self._rounded(weight, torch.where(tiny, 1.0, largest * (best / top)), top)
        cost = _cost(found, weight)
        for fraction in others:
            other = self._rounded(weight, torch.where(tiny, 1.0, largest * (fraction / top)), top)
            less = _cost(other, weight) < cost
            cost = torch.where(less, _cost(other, weight), cost)
            found = Clusters(torch.where(less, other.codes, found.codes), torch.where(less, other.alpha, found.alpha))
        return Clusters(found.codes, torch.where(tiny, largest, found.alpha))

    @staticmethod
    def _rounded(weight: Tensor, scale: Tensor, top: int) -> Clusters:
        return Clusters((weight / scale).round().clamp(-top, top).to(torch.int8), scale)


def _cost(found: Clusters, weight: Tensor) -> Tensor:
    return (weight.double() - found.dequantized().double()).square().sum()


class _ConvForward:
    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.used_weight(), self.bias)  # type: ignore[attr-defined]


class _TransposedForward:
    _function: Callable[..., Tensor]

    def forward(self, x: Tensor, output_size: None = None) -> Tensor:
        own: Any = self
        rest = own.stride, own.padding, own.output_padding, own.groups, own.dilation
        return self._function(x, own.used_weight(), own.bias, *rest)


class _LinearForward:
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.used_weight(), self.bias)  # type: ignore[attr-defined]


class TernaryConv1d(_ConvForward, TernaryLayer, nn.Conv1d):
    """nn.Conv1d with ternary weights."""


class TernaryConv2d(_ConvForward, TernaryLayer, nn.Conv2d):
    """nn.Conv2d with ternary weights."""


class TernaryConvTranspose1d(_TransposedForward, TernaryLayer, nn.ConvTranspose1d):  # type: ignore[misc]
    """nn.ConvTranspose1d with ternary weights."""

    _function = staticmethod(nn.functional.conv_transpose1d)


class TernaryConvTranspose2d(_TransposedForward, TernaryLayer, nn.ConvTranspose2d):  # type: ignore[misc]
    """nn.ConvTranspose2d with ternary weights."""

    _function = staticmethod(nn.functional.conv_transpose2d)


class TernaryLinear(_LinearForward, TernaryLayer, nn.Linear):
    """nn.Linear with ternary weights."""


class IntegerConv1d(_ConvForward, IntegerLayer, nn.Conv1d):
    """nn.Conv1d with integer weights."""


class IntegerConv2d(_ConvForward, IntegerLayer, nn.Conv2d):
    """nn.Conv2d with integer weights."""


class IntegerConvTranspose1d(_TransposedForward, IntegerLayer, nn.ConvTranspose1d):  # type: ignore[misc]
    """nn.ConvTranspose1d with integer weights."""

    _function = staticmethod(nn.functional.conv_transpose1d)


class IntegerConvTranspose2d(_TransposedForward, IntegerLayer, nn.ConvTranspose2d):  # type: ignore[misc]
    """nn.ConvTranspose2d with integer weights."""

    _function = staticmethod(nn.functional.conv_transpose2d)


class IntegerLinear(_LinearForward, IntegerLayer, nn.Linear):
    """nn.Linear with integer weights."""


TERNARY: dict[type[nn.Module], type[QuantLayer]] = {
    nn.Conv1d: TernaryConv1d,
    nn.Conv2d: TernaryConv2d,
    nn.ConvTranspose1d: TernaryConvTranspose1d,
    nn.ConvTranspose2d: TernaryConvTranspose2d,
    nn.Linear: TernaryLinear,
}
INTEGER: dict[type[nn.Module], type[QuantLayer]] = {
    nn.Conv1d: IntegerConv1d,
    nn.Conv2d: IntegerConv2d,
    nn.ConvTranspose1d: IntegerConvTranspose1d,
    nn.ConvTranspose2d: IntegerConvTranspose2d,
    nn.Linear: IntegerLinear,
}
