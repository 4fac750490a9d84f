"""Windows of torch's modules, one number per axis."""

from __future__ import annotations

from typing import Any

from torch import Tensor, fx, nn

from crq.errors import CrqError


def spatial(module: nn.Module, value: Any) -> list[int]:
    """A size of a window, one number for each axis."""
    rank = 1 if type(module).__name__.endswith("1d") else 2
    return [int(v) for v in value] if isinstance(value, tuple | list) else [int(value)] * rank


def padding(node: fx.Node, module: nn.Conv2d, outer: tuple[tuple[int, int], ...]) -> list[list[int]]:
    """(before, after) by axis: the layer's own zeros and those that stand in front of it."""
    if module.padding_mode != "zeros":
        raise CrqError(f"layer {node.target!r}: padding_mode {module.padding_mode!r}; only 'zeros' is supported")
    if module.padding == "valid":
        own = [(0, 0) for _ in module.kernel_size]
    elif module.padding == "same":
        totals = [d * (k - 1) for k, d in zip(module.kernel_size, module.dilation, strict=True)]
        own = [(t // 2, t - t // 2) for t in totals]
    else:
        own = [(int(p), int(p)) for p in module.padding]
    return [[a + c, b + d] for (a, b), (c, d) in zip(own, outer or ((0, 0),) * len(own), strict=True)]


def outputs_first(weights: Tensor, groups: int) -> Tensor:
    """Weights (I, O/groups, …) of a transposed convolution as (O, I/groups, …), those of a convolution."""
    inputs, each, *kernel = weights.shape
    parts = weights.reshape(groups, inputs // groups, each, *kernel)
    return parts.transpose(1, 2).reshape(groups * each, inputs // groups, *kernel)
