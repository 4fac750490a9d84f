"""Activation quantizers: value → code·s with s a power of two, learned or calibrated."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from crq.errors import CrqError
from crq.quant import learned

_LN2 = math.log(2.0)
_SAMPLE = 1 << 16
_RANGE = 126  # of a float32's exponent


class ActQuant(nn.Module):
    """Fake quantization of any tensor: code = clip(round_half_even(x/s), qmin, qmax), value = code·s.

    bits: 1–8 unsigned (codes 0 … 2^b − 1), 2–8 signed (full range, or symmetric when `narrow`).
    scale: a fixed power of two, or None for a scale that is calibrated on the first training batch and then learned
    as its base-2 logarithm, rounded to an integer in every forward pass (as in Jain et al. 2019, Eq. 5–8).
    `state_dict` has `enabled` and `calibrated` beside the scale.
    limit: the largest value a code may stand for (6.0 in place of a ReLU6), or None; kept when disabled too.
    """

    log2_scale: Tensor
    calibrated: Tensor

    def __init__(
        self,
        bits: int = 4,
        signed: bool = False,
        narrow: bool = False,
        scale: float | None = None,
        limit: float | None = None,
    ) -> None:
        super().__init__()
        if not (2 if signed else 1) <= bits <= 8:
            bipolar = "; bipolar (±1) activations cannot be trained: use 2 signed bits" if signed and bits == 1 else ""
            kind = "signed" if signed else "unsigned"
            raise CrqError(f"bits must be from {2 if signed else 1} to 8 for {kind} codes, not {bits}{bipolar}")
        self.bits, self.signed, self.narrow, self.limit = bits, signed, narrow, limit
        self.qmin = -(2 ** (bits - 1)) + narrow if signed else 0
        self.qmax = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
        self.enabled = True
        self.fixed = scale is not None
        if scale is not None:
            if not scale > 0 or math.frexp(scale)[0] != 0.5:
                raise CrqError(f"scale must be a power of two, not {scale!r}")
            self.register_buffer("log2_scale", torch.tensor(math.log2(scale)))
        else:
            start = torch.tensor(float(math.floor(math.log2(4.0 / (self.qmax + 1)))))
            learned.learn(self, "log2_scale", start)
        self.register_buffer("calibrated", torch.tensor(self.fixed))
        self.waits = not self.fixed
        """What `calibrated` says, without asking the device: the first training batch is still to set the scale."""

    def enable(self, enabled: bool) -> None:
        """Switch between quantizing and passing values on; only a scale in use asks for a gradient."""
        self.enabled = enabled
        learned.ask(self, enabled, "log2_scale")

    @property
    def log2(self) -> float:
        """log2 of the scale before rounding."""
        return float(learned.current(self, "log2_scale").detach())

    @property
    def in_range(self) -> bool:
        """Whether the scale is a normal float32; a learned one leaves that range when training diverges."""
        return abs(self.log2) <= _RANGE

    @property
    def exponent(self) -> int:
        """log2 of the scale in use; raises `CrqError` when that is no normal float32."""
        if not self.in_range:
            raise CrqError(f"an activation scale is 2**{self.log2:g}: lower the learning rate")
        exponent = round(self.log2)
        return exponent if self.limit is None else min(exponent, self._highest())

    @property
    def scale(self) -> float:
        """s: an exact power of two."""
        return math.ldexp(1.0, self.exponent)

    def _highest(self) -> int:
        assert self.limit is not None
        return math.floor(math.log2(self.limit / self.qmax))

    def forward(self, x: Tensor) -> Tensor:
        if not self.enabled:
            return x if self.limit is None else x.clamp(max=self.limit)
        if self.training and self.waits:
            self.calibrate(x)
        log2_scale = learned.current(self, "log2_scale")
        rounded = log2_scale.detach().round()
        if self.limit is not None:
            rounded = rounded.clamp(max=self._highest())
        return _FakeQuant.apply(x, log2_scale, _power(rounded), self.qmin, self.qmax)

    def codes(self, x: Tensor) -> Tensor:
        """int32 codes of `x` under the current scale."""
        return torch.clamp(torch.round(x.double() / self.scale), self.qmin, self.qmax).to(torch.int32)

    @torch.no_grad()
    def calibrate(self, x: Tensor) -> None:
        """Set the scale to the power of two with the least squared error on `x` (a sample of it when large)."""
        if self.fixed:
            return
        highest = None if self.limit is None else self._highest()
        find = _exponent_operator if torch.compiler.is_compiling() else _exponent
        found = find(x.detach(), learned.current(self, "log2_scale"), self.qmin, self.qmax, highest)
        learned.assign(self, "log2_scale", found)
        self.calibrated.fill_(True)
        self.waits = False

    def get_extra_state(self) -> Tensor:
        """Whether it quantizes, as a tensor: files of plain tensors can hold it."""
        return torch.tensor(self.enabled)

    def set_extra_state(self, state: Tensor) -> None:
        self.enable(bool(state))

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        learned.check_state(self, state_dict, prefix, "log2_scale")
        super()._load_from_state_dict(state_dict, prefix, *rest)
        self.waits = not self.fixed and not bool(self.calibrated)

    def extra_repr(self) -> str:
        sign = "signed" if self.signed else "unsigned"
        exponent = self.exponent if self.in_range else self.log2
        return f"bits={self.bits}, {sign}, scale=2**{exponent}{', fixed' if self.fixed else ''}"


def _exponent(x: Tensor, current: Tensor, qmin: int, qmax: int, highest: int | None) -> Tensor:
    """log2 of the power of two with the least squared error on `x` (a sample of it when large), like `current`.

    `current` itself where no value is beyond 0; `highest`: the largest allowed.
    """
    flat = x.reshape(-1).float()
    if flat.numel() == 0 or not bool(torch.isfinite(flat).all()):
        raise CrqError("cannot calibrate an activation quantizer on an empty or non-finite tensor")
    if flat.numel() > _SAMPLE:
        flat = flat[:: flat.numel() // _SAMPLE]
    bound = float(flat.abs().max() if qmin < 0 else flat.max())
    if not bound > 0:
        return current.detach().clone()
    top = math.ceil(math.log2(bound / qmax))
    if highest is not None:
        top = min(top, highest)
    errors = {}
    for exponent in range(top, top - 6, -1):
        s = math.ldexp(1.0, exponent)
        error = (flat - (flat / s).round_().clamp_(qmin, qmax) * s).square().sum()
        errors[exponent] = float(error)
    return torch.full_like(current, min(errors, key=lambda e: errors[e]))


# One operator to torch.compile: its loop depends on the data.
_exponent_operator = torch.library.custom_op("crq::exponent", _exponent, mutates_args=())
_exponent_operator.register_fake(lambda x, current, qmin, qmax, highest: torch.empty_like(current))


def _power(exponent: Tensor) -> Tensor:
    """2^exponent as float32, exact on every device: the exponent field itself, since exp2 may be an ulp off."""
    return ((exponent.to(torch.int32) + 127) << 23).view(torch.float32)


class _FakeQuant(torch.autograd.Function):
    """Round half to even and clip, with the straight-through gradient of TQT (Jain et al. 2019, Eq. 8)."""

    @staticmethod
    def forward(ctx, x, log2_scale, scale, qmin, qmax):
        ratio = x * scale.reciprocal()  # of a power of two: as exact as a division, and half the time
        value = ratio.round().clamp_(qmin, qmax).mul_(scale)
        # The layer that follows keeps `value` anyway, which spares the backward pass to round once more.
        ctx.save_for_backward(ratio, value, scale)
        ctx.range = (qmin, qmax)
        return value

    @staticmethod
    def backward(ctx, grad):
        ratio, value, scale = ctx.saved_tensors
        qmin, qmax = ctx.range
        through = torch.ops.aten.hardtanh_backward(grad, ratio, qmin - 0.5, qmax + 0.5)
        grad_log = None
        if ctx.needs_input_grad[1]:
            # Σ grad·(code − x/s) inside the range and Σ grad·code beyond it, both times s.
            total = _inner(grad, value) - _inner(through, ratio) * scale
            # LSQ's gradient scale keeps the one exponent from outweighing the layer's weights.
            grad_log = total * (_LN2 / math.sqrt(max(ratio.numel() * qmax, 1)))
        return through, grad_log, None, None, None


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """Σ a·b; without a product tensor in between where both lie alike in memory."""
    if a.dtype == b.dtype == torch.float32:  # a dot of bfloat16 is slow
        if a.is_contiguous() and b.is_contiguous():
            return torch.dot(a.view(-1), b.view(-1))
        last = torch.channels_last
        if a.dim() == 4 and a.is_contiguous(memory_format=last) and b.is_contiguous(memory_format=last):
            return torch.dot(a.permute(0, 2, 3, 1).reshape(-1), b.permute(0, 2, 3, 1).reshape(-1))
    return (a * b).sum().float()


def quantizers(model: nn.Module) -> dict[str, ActQuant]:
    """Every `ActQuant` of `model` by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, ActQuant)}
