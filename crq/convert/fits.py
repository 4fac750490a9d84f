"""Whether a layer has weights for as many features or channels as it is given."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from crq.convert.supported import NORMS, TRANSPOSED
from crq.errors import CrqError


class Misfit(CrqError):
    """A layer for another number of features or channels than it is given.

    layer: its name and class. takes, given: the numbers. unit: what is counted. A remedy follows the first sentence.
    """

    def __init__(self, layer: str, takes: int, given: int, unit: str, images: Sequence[int], remedy: str) -> None:
        self.layer, self.takes, self.given, self.unit = layer, takes, given, unit
        super().__init__(
            f"layer {layer} takes {takes:,} {unit}, but samples of shape {tuple(images)} give it {given:,}: {remedy}"
        )


def check_fit(name: str, module: nn.Module, shape: Sequence[int], images: Sequence[int]) -> None:
    """Raise `Misfit` unless the layer `module`, called `name`, takes values of `shape`, batch first.

    images: shape of a sample that enters the network. Layers of other kinds take anything here.
    """
    axis, takes, unit = 1, 0, "channels"
    if isinstance(module, nn.Linear):
        axis, takes, unit = -1, module.in_features, "features"
    elif isinstance(module, (nn.Conv1d, nn.Conv2d, *TRANSPOSED)):
        takes = module.in_channels
    elif isinstance(module, NORMS):
        takes = module.num_features
    if not takes or len(shape) < 2 or shape[axis] == takes:
        return
    remedy = f"make it for {shape[axis]:,}, or give the network samples of another size"
    if axis == 1 and tuple(shape[1:]) == tuple(images) and len(images) > 1 and images[-1] == takes:
        remedy = "channels come first, after the batch: images.movedim(-1, 1)"
    elif isinstance(module, nn.Conv1d | nn.Conv2d) and _an_axis_short(module, shape, images):
        way = "x[:, None] gives samples their channel" if takes == 1 else "x[None] makes one of a single sample"
        remedy = f"it takes a batch (N, {takes}, {'L' if module.weight.dim() == 3 else 'H, W'}); {way}"
    kind = type(module).__name__.removeprefix("Ternary").removeprefix("Integer")
    raise Misfit(f"{name!r} ({kind})", takes, shape[axis], unit, images, remedy)


def _an_axis_short(module: nn.Conv1d | nn.Conv2d, shape: Sequence[int], images: Sequence[int]) -> bool:
    """Whether samples of shape `images` enter the network at `module` without a batch or without channels."""
    return tuple(shape[1:]) == tuple(images) and len(shape) < module.weight.dim()
