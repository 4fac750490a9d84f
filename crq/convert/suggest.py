"""Input grids: what one makes of images, and which would suit them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from crq.convert.batches import BATCHES, Bounded, images_of
from crq.errors import CrqError

SAMPLE = 1 << 16
"""Values of each batch that are looked at closely."""


class Loss(NamedTuple):
    """Shares of values that a grid changes at all, and that it clips; the mean squared error."""

    changed: float
    clipped: float
    error: float


class Grid(NamedTuple):
    """Codes of so many bits, each worth `scale`, a power of two: the input of `TernaryConfig`."""

    bits: int = 8
    signed: bool = False
    scale: float = 2.0**-8

    @property
    def ends(self) -> tuple[int, int]:
        """The lowest and the highest code."""
        return (-(1 << self.bits - 1), (1 << self.bits - 1) - 1) if self.signed else (0, (1 << self.bits) - 1)

    def loss(self, x: Tensor) -> Loss:
        """What rounding `x` to the grid does; `x` is not empty and finite."""
        units = x.double() / self.scale
        codes = units.round().clamp(*self.ends)
        off = (codes - units).abs()
        changed, clipped = (float((off > least).double().mean()) for least in (0, 0.5))
        return Loss(changed, clipped, float((off * self.scale).square().mean()))

    def __str__(self) -> str:
        low, high = (end * self.scale for end in self.ends)
        return f"multiples of {self.scale:g} from {low:g} to {high:g}"


@dataclass(frozen=True, repr=False)
class InputSuggestion:
    """An input grid for `TernaryConfig`, and the shares of the values seen that it changes at all, and that it clips.

    note: what would suit better than another grid.
    """

    input_bits: int
    input_signed: bool
    input_scale: float
    changed: float
    clipped: float
    note: str = ""

    @property
    def grid(self) -> Grid:
        """The grid alone."""
        return Grid(self.input_bits, self.input_signed, self.input_scale)

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of `TernaryConfig`."""
        return {"input_bits": self.input_bits, "input_signed": self.input_signed, "input_scale": self.input_scale}

    @property
    def remedy(self) -> str:
        """What to do, in a sentence."""
        if self.note:
            return self.note
        return (
            f"Set {self._words} in TernaryConfig: that changes {self.changed:.1%} and clips {self.clipped:.1%} of them."
            " Or train on byte / 256 without a normalization, which is exact"
        )

    @property
    def _words(self) -> str:
        scale = f"2**{math.frexp(self.input_scale)[1] - 1}"
        return f"input_bits={self.input_bits}, input_signed={self.input_signed}, input_scale={scale}"

    def __str__(self) -> str:
        text = (
            f"{self._words} suit these images: "
            f"{self.grid}; {self.changed:.1%} of the values change, {self.clipped:.1%} are clipped."
        )
        return f"{text} {self.note}" if self.note else text

    __repr__ = __str__


def suggest_input(loader: Iterable[Any], batches: int | None = BATCHES, bits: int = 8) -> InputSuggestion:
    """The input grid of `bits` bits that suits the images of `loader`, as `TernaryConfig` takes it.

    loader: yields (images, labels, …) or images, floats as the network's input takes them: after a normalization in
    the loader, before one in the network. batches: how many of them are looked at, None for all. The grid is exact if
    one is, and otherwise that of least squared error. Raises `CrqError` for no images, integers (they are codes
    already) and values that are not finite.
    """
    seen: list[Tensor] = []
    low, high = math.inf, -math.inf
    for batch in Bounded(loader, batches):
        images = images_of(batch)
        if not images.is_floating_point():
            raise CrqError(f"images of {images.dtype} are input codes, whatever they are worth: nothing to suggest")
        flat = images.detach().flatten().cpu()
        if flat.numel():
            low, high = min(low, float(flat.min())), max(high, float(flat.max()))
            seen.append(flat[:: max(1, flat.numel() // SAMPLE)])
    if not seen:
        raise CrqError("no images to suggest an input grid for: the loader is empty")
    return propose(torch.cat(seen), low, high, bits)


def propose(x: Tensor, low: float, high: float, bits: int = 8) -> InputSuggestion:
    """The grid for values like `x`, any shape, that reach from `low` to `high`."""
    if not math.isfinite(low) or not math.isfinite(high) or not bool(torch.isfinite(x).all()):
        raise CrqError("the images hold values that are not finite (NaN or infinity): mend the data")
    x = torch.cat([x.double().flatten(), torch.tensor([low, high], dtype=torch.float64, device=x.device)])
    usual = Grid(bits, False, 2.0**-bits)
    grid, note = usual if not usual.loss(x).changed else _best(x, low, high, bits), ""
    loss = grid.loss(x)
    if loss.changed and bits == 8 and low >= 0 and high <= 1 and _are_integers(x * 255):
        note = "They are bytes / 255, as ToTensor gives them: multiply them by 255 / 256, and none changes."
        grid, loss = usual, usual.loss(x)
    return InputSuggestion(grid.bits, grid.signed, grid.scale, loss.changed, loss.clipped, note)


def _are_integers(x: Tensor) -> bool:
    """But for float32's rounding."""
    return bool(((x - x.round()).abs() < 1e-4).all())


def _best(x: Tensor, low: float, high: float, bits: int) -> Grid:
    """The coarsest exact grid, or that of least squared error; finer grids clip, coarser ones round."""
    bits = max(bits, 2) if low < 0 else bits
    bottom, top = Grid(bits, low < 0, 1.0).ends
    reach = max(high / top, low / bottom if bottom else 0.0)
    whole = math.ceil(math.log2(reach)) if reach > 0 else -bits
    whole = min(max(whole, -100), 100)
    grids = [Grid(bits, low < 0, math.ldexp(1.0, e)) for e in range(whole + bits, whole - 6, -1)]
    return min(grids, key=lambda grid: grid.loss(x).error)
