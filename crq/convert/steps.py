"""The operations of a frozen network: each an `nn.Module` on exact integers (int64 tensors, NCHW / NCL / NC)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from crq.convert.moved import Channels, Enlarge, Flatten, Pad, Row, Shuffle, Slice, Transpose, Unshuffle
from crq.convert.step import Step
from crq.convert.thresholds import Chain, Thresholds
from crq.quant.quantizers import ActQuant

EXACT_FLOAT32 = 2**24
"""Every integer of smaller magnitude is a float32, so float32 sums below it are exact in any order."""


class Mac(Step):
    """acc = Σ t·q as a matrix product over unfolded windows, which has no Winograd form: exact in any order.

    float32 where the bound on |acc| allows it on a CPU, float64 elsewhere (a GPU's TF32 or fused kernels would round).
    """

    codes: Tensor
    alpha: Tensor

    def __init__(self, codes: Tensor, alpha: Tensor, weight_bits: int, max_input: int, **params: object) -> None:
        super().__init__(weight_bits=weight_bits, max_input=max_input, **params)
        self.weight_bits = weight_bits
        self.hold(codes=codes.to(torch.int8), alpha=alpha.to(torch.float32))
        taps = self.codes.to(torch.int64).abs().flatten(1).sum(1)
        self.max_sum = int(taps.max()) * max_input if taps.numel() else 0

    def dtype(self, x: Tensor) -> torch.dtype:
        return torch.float32 if self.max_sum < EXACT_FLOAT32 and x.device.type == "cpu" else torch.float64


class Linear(Mac):
    """x int64 (N, I) → (N, O); codes int8 (O, I)."""

    def forward(self, x: Tensor) -> Tensor:
        dtype = self.dtype(x)
        return (x.to(dtype) @ self.codes.to(dtype).T).to(torch.int64)


class Conv(Mac):
    """x int64 (N, C, H, W) or (N, C, L); codes int8 (O, C/groups, KH, KW) or (O, C/groups, K).

    `padding` is (before, after) per spatial axis, outermost first, and holds code 0.
    """

    def __init__(
        self,
        codes: Tensor,
        alpha: Tensor,
        weight_bits: int,
        max_input: int,
        stride: Sequence[int],
        padding: Sequence[Sequence[int]],
        dilation: Sequence[int],
        groups: int,
    ) -> None:
        super().__init__(
            codes,
            alpha,
            weight_bits,
            max_input,
            stride=list(stride),
            padding=[list(p) for p in padding],
            dilation=list(dilation),
            groups=groups,
        )
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    def kernel(self) -> Tensor:
        """The codes, as the windows of the input meet them."""
        return self.codes

    def forward(self, x: Tensor) -> Tensor:
        codes = self.kernel()
        if codes.ndim == 3:  # a 1-D signal is an image of height 1
            y = self._conv2d(
                x[:, :, None], codes[:, :, None], [[0, 0], *self.padding], [1, *self.stride], [1, *self.dilation]
            )
            return y[:, :, 0]
        return self._conv2d(x, codes, self.padding, self.stride, self.dilation)

    def _conv2d(
        self,
        x: Tensor,
        codes: Tensor,
        padding: Sequence[Sequence[int]],
        stride: Sequence[int],
        dilation: Sequence[int],
    ) -> Tensor:
        dtype = self.dtype(x)
        (top, bottom), (left, right) = padding
        x = F.pad(x.to(dtype), (left, right, top, bottom))
        kernel = codes.shape[2:]
        size = [
            (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)
        ]
        n, g = x.shape[0], self.groups
        columns = F.unfold(x, tuple(kernel), dilation=tuple(dilation), stride=tuple(stride))
        columns = columns.reshape(n, g, columns.shape[1] // g, columns.shape[-1])
        weights = codes.to(dtype).reshape(g, codes.shape[0] // g, -1)
        return (weights @ columns).reshape(n, codes.shape[0], *size).to(torch.int64)


class ConvTransposed(Conv):
    """As `Conv`, of pixels with `stride` − 1 zeros between them: nn.ConvTranspose1d and 2d.

    codes: outputs first, (O, I/groups, …), each kernel as torch has it. `padding` is cut off the result on both sides,
    `output_padding` added behind.
    """

    def __init__(
        self,
        codes: Tensor,
        alpha: Tensor,
        weight_bits: int,
        max_input: int,
        stride: Sequence[int],
        padding: Sequence[int],
        output_padding: Sequence[int],
        dilation: Sequence[int],
        groups: int,
    ) -> None:
        whole = [d * (k - 1) for k, d in zip(codes.shape[2:], dilation, strict=True)]
        ends = [[w - p, w - p + more] for w, p, more in zip(whole, padding, output_padding, strict=True)]
        super().__init__(codes, alpha, weight_bits, max_input, [1] * len(ends), ends, dilation, groups)
        self.params |= {
            "stride": list(stride), "padding": list(padding), "output_padding": list(output_padding)
        }  # fmt: skip
        self.between, self.cut, self.more = list(stride), list(padding), list(output_padding)

    def forward(self, x: Tensor) -> Tensor:
        apart = x.new_zeros(*x.shape[:2], *((n - 1) * s + 1 for n, s in zip(x.shape[2:], self.between, strict=True)))
        places: tuple[Any, ...] = (..., *(slice(None, None, s) for s in self.between))
        apart[places] = x
        return super().forward(apart)

    def kernel(self) -> Tensor:
        return self.codes.flip(tuple(range(2, self.codes.ndim)))


class Threshold(Step):
    """code = qmin + #{k : σ_c·x >= table[c, k]}; table int64 (C, K) ascending, signs int64 (C,).

    alpha, gain, bias (float32, empty if absent) and divisor are the float chain the table was made from: the exported
    file spells it out, evaluation does not use it. `scale` is the value of one unit of the code.
    """

    table: Tensor
    signs: Tensor
    alpha: Tensor
    gain: Tensor
    bias: Tensor

    def __init__(
        self,
        table: Tensor,
        signs: Tensor,
        alpha: Tensor,
        gain: Tensor,
        bias: Tensor,
        divisor: int,
        scale: float,
        qmin: int,
        qmax: int,
        bits: int,
        signed: bool,
        narrow: bool,
    ) -> None:
        super().__init__(
            divisor=divisor, scale=scale, qmin=qmin, qmax=qmax, bits=bits, signed=signed, narrow=narrow
        )  # fmt: skip
        self.hold(table=table, signs=signs, alpha=alpha, gain=gain, bias=bias)
        self.scale, self.qmin, self.qmax = scale, qmin, qmax

    def forward(self, x: Tensor) -> Tensor:
        return self.qmin + self.count(self.table, x, self.signs)

    @staticmethod
    def count(table: Tensor, x: Tensor, signs: Tensor) -> Tensor:
        """How many thresholds of its channel each signs·x reaches."""
        columns = (x.transpose(0, 1).flatten(1) * signs[:, None]).contiguous()
        reached = torch.searchsorted(table, columns, right=True)
        return reached.reshape(x.shape[1], x.shape[0], *x.shape[2:]).transpose(0, 1)


class Activated(Threshold):
    """A threshold step whose float chain has an activation function, `kind` of `constants`, before its quantizer.

    A function that falls to a valley has thresholds in `fall` too, int64 (C, K), of −σ_c·x; otherwise it is (C, 0):
    code = qmin + #{k : σ_c·x >= table[c, k]} + #{k : −σ_c·x >= fall[c, k]}.
    """

    fall: Tensor

    def __init__(self, fall: Tensor, kind: str, constants: Sequence[Sequence[float]], **threshold: Any) -> None:
        super().__init__(**threshold)
        self.params |= {"kind": kind, "constants": [list(c) for c in constants]}
        self.hold(fall=fall)

    def forward(self, x: Tensor) -> Tensor:
        codes = super().forward(x)
        return codes + self.count(self.fall, x, -self.signs) if self.fall.numel() else codes


class MaxPool(Step):
    """Maximum of each window; padding never wins."""

    def __init__(self, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> None:
        super().__init__(kernel=list(kernel), stride=list(stride), padding=list(padding))
        self.kernel, self.stride, self.padding = list(kernel), list(stride), list(padding)

    def forward(self, x: Tensor) -> Tensor:
        pool = F.max_pool1d if x.ndim == 3 else F.max_pool2d
        # float64 holds every code and accumulator exactly; int64 pooling exists only on some devices.
        return pool(x.to(torch.float64), self.kernel, self.stride, self.padding).to(torch.int64)


class SumPool(Step):
    """Sum of each window, padding counted as 0."""

    def __init__(self, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> None:
        super().__init__(kernel=list(kernel), stride=list(stride), padding=list(padding))
        self.kernel, self.stride, self.padding = list(kernel), list(stride), list(padding)

    def forward(self, x: Tensor) -> Tensor:
        for axis, (k, s, p) in enumerate(zip(self.kernel, self.stride, self.padding, strict=True)):
            dim = 2 + axis
            pad = [0, 0] * (x.ndim - 1 - dim) + [p, p]
            x = F.pad(x, pad).unfold(dim, k, s).sum(-1)
        return x


class GlobalSum(Step):
    """Sum over all pixels: (N, C, 1, 1) or (N, C, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(dim=tuple(range(2, x.ndim)), keepdim=True)


class Add(Step):
    """(x << shifts[0]) + (y << shifts[1])."""

    def __init__(self, shifts: Sequence[int]) -> None:
        super().__init__(shifts=list(shifts))
        self.shifts = list(shifts)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (x << self.shifts[0]) + (y << self.shifts[1])


class Subtract(Add):
    """(x << shifts[0]) − (y << shifts[1])."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (x << self.shifts[0]) - (y << self.shifts[1])


class Concat(Step):
    """Channels of all inputs, each shifted left to the common scale."""

    def __init__(self, shifts: Sequence[int]) -> None:
        super().__init__(shifts=list(shifts))
        self.shifts = list(shifts)

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat([x << s for x, s in zip(inputs, self.shifts, strict=True)], dim=1)


class Output(Step):
    """Integers = x + bias, int64 (C,); logits = integers × scale, float32 (1,) or (C,). A unit of x is worth `grid`."""

    bias: Tensor
    scale: Tensor

    def __init__(self, bias: Tensor, scale: Tensor, grid: float) -> None:
        super().__init__(grid=grid)
        self.hold(bias=bias, scale=scale)
        self.grid = grid

    def _column(self, values: Tensor, x: Tensor) -> Tensor:
        return values.reshape(-1, *[1] * (x.ndim - 2))

    def forward(self, x: Tensor) -> Tensor:
        return x + self._column(self.bias, x)

    def logits(self, integers: Tensor) -> Tensor:
        return integers.to(torch.float32) * self._column(self.scale, integers)


STEPS: dict[str, type[Step]] = {
    cls.__name__: cls
    for cls in (
        Linear,
        Conv,
        ConvTransposed,
        Threshold,
        Activated,
        MaxPool,
        SumPool,
        GlobalSum,
        Add,
        Subtract,
        Concat,
        Channels,
        Slice,
        Pad,
        Enlarge,
        Shuffle,
        Unshuffle,
        Row,
        Transpose,
        Flatten,
        Output,
    )
}


def threshold(chain: Chain, found: Thresholds, quantizer: ActQuant) -> Threshold:
    """The step of a `quantizer` whose float chain gave the tables `found`."""
    count = chain.quant.qmax - chain.quant.qmin
    table = torch.from_numpy(found.table)
    shared: dict[str, Any] = {
        "table": table[:, :count], "signs": torch.from_numpy(found.signs),
        "alpha": _tensor(chain.alpha), "gain": _tensor(chain.gain), "bias": _tensor(found.bias),
        "divisor": chain.divisor, "scale": chain.quant.scale, "qmin": chain.quant.qmin, "qmax": chain.quant.qmax,
        "bits": quantizer.bits, "signed": quantizer.signed, "narrow": quantizer.narrow,
    }  # fmt: skip
    if chain.activation is None:
        return Threshold(**shared)
    constants = [np.atleast_1d(np.asarray(c, np.float32)).tolist() for c in chain.activation.constants]
    return Activated(table[:, count:], chain.activation.kind, constants, **shared)


def _tensor(values: NDArray[np.float32] | np.float32 | None) -> Tensor:
    """float32, empty for a step that the chain does not have."""
    return torch.from_numpy(np.atleast_1d(np.zeros(0, np.float32) if values is None else values))
