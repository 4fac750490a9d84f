"""Eq. 3 inside a training step: α·t and α as tensors, in one graph under torch.compile and without asking the device.

On a CPU the solvers of `crq.quant.cluster`, whose loops depend on the data, are one operator to torch.compile. On other
devices, where each question to the data would make the host wait, the same optima are found by a sort and prefix sums.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from crq.quant import cluster

Route = Literal["alternate", "optimum", "rows"]
"""Algorithm 1, the global optimum, or the global optimum of each row of dimension 0."""
# A sort of this many weights costs what the histogram's fixed part costs.
_SORT_BELOW = 12288
_DOUBLINGS = 10
"""Steps of Algorithm 1 that are followed on a device, as a power of two; seen were 20 at most."""


class Solved(NamedTuple):
    """values: α·t, float32 in the weight's shape and memory format. alpha: float64, [] or one per row."""

    values: Tensor
    alpha: Tensor


class Known(NamedTuple):
    """A solution beside a copy of the weights that it is for."""

    weight: Tensor
    solved: Solved


def solve(
    weight: Tensor, route: Route, name: str = "weight", *, start: Tensor | None = None, known: Known | None = None
) -> Solved:
    """Eq. 3 for `weight`, which is not changed; no gradient passes.

    start: float64 [], where Algorithm 1 starts instead of at mean|W|; one beyond which no weight lies is not taken.
    known: given back where its weights are equal to these. Weights that are not finite raise `CrqError` with `name` on
    a CPU; elsewhere, where asking would take time, they give NaN.
    """
    weight = weight.detach()
    if weight.device.type != "cpu":
        return by_sort(weight, route, start)
    before = (None, None, None) if known is None else (known.weight, *known.solved)
    if torch.compiler.is_compiling():
        return Solved(*_operator(weight, route, name, start, *before))
    return _on_cpu(weight, route, name, start, *before)


def _on_cpu(
    weight: Tensor,
    route: str,
    name: str,
    start: Tensor | None,
    known: Tensor | None,
    values: Tensor | None,
    alpha: Tensor | None,
) -> Solved:
    # Compared element by element, which is cheap beside solving: fused optimizers and `.data` change weights without
    # changing their version counter.
    if known is not None and values is not None and alpha is not None and torch.equal(known, weight):
        return Solved(values, alpha)
    if route == "rows" and weight.numel():
        rows = cluster.per_channel(weight, name=name)
        return Solved(_like(rows.dequantized(), weight), rows.alpha.double())
    found = scale(weight, route, name, start)
    return Solved(cluster.ternary(weight, found).mul_(found), torch.scalar_tensor(found, dtype=torch.float64))


def scale(weight: Tensor, route: str, name: str, start: Tensor | None = None) -> float:
    """α alone, of one scale for all; arguments and errors as those of `solve`, on any device."""
    if route == "optimum":
        search = cluster.exact_scale if weight.numel() < _SORT_BELOW else cluster.histogram_scale
        return search(weight, name=name)
    if start is not None and float(start) > 0:
        found, _ = cluster.alternate_scale(weight, float(start), name=name)
        if found:  # once the weights have shrunk, nothing lies beyond half of the last α
            return found
    return cluster.alternate_scale(weight, name=name)[0]


@torch.library.custom_op("crq::solve", mutates_args=())
def _operator(
    weight: Tensor,
    route: str,
    name: str,
    start: Tensor | None,
    known: Tensor | None,
    values: Tensor | None,
    alpha: Tensor | None,
) -> tuple[Tensor, Tensor]:
    found = _on_cpu(weight, route, name, start, known, values, alpha)
    return (found.values.clone(), found.alpha.clone()) if found.values is values else (found.values, found.alpha)


@_operator.register_fake
def _(weight, route, name, start, known, values, alpha):
    shape = (len(weight),) if route == "rows" else ()
    return torch.empty_like(weight, dtype=torch.float32), weight.new_empty(shape, dtype=torch.float64)


def by_sort(weight: Tensor, route: Route, start: Tensor | None = None) -> Solved:
    """As `solve`, by operations of the device alone."""
    if not weight.numel():
        return Solved(torch.zeros_like(weight, dtype=torch.float32), weight.new_zeros((), dtype=torch.float64))
    if route == "rows":
        found = cluster.rows(weight)
        return Solved(_like(found.dequantized(), weight), found.alpha.double())
    rising = weight.reshape(-1).float().abs().sort().values
    sums = rising.flip(0).double().cumsum(0)
    counts = torch.arange(1, len(rising) + 1, dtype=torch.float64, device=weight.device)
    scales = sums / counts  # Eq. 9 for each number of weights kept
    best = scales[(sums * sums / counts).argmax()] if route == "optimum" else _followed(rising, scales, start)
    alpha = cluster.poisoned(best)
    codes = (weight > cluster.half(alpha)).float() - (weight < -cluster.half(alpha)).float()
    return Solved(_like(codes * alpha.float(), weight), alpha)


def _followed(rising: Tensor, scales: Tensor, start: Tensor | None) -> Tensor:
    """α where Algorithm 1 ends: what each number of kept weights leads to is known for all of them at once."""

    def kept(alpha: Tensor) -> Tensor:
        """How many weights Eq. 8 keeps."""
        return len(rising) - torch.searchsorted(rising, cluster.half(alpha), right=True)

    after = (kept(scales) - 1).clamp_min(0)
    for _ in range(_DOUBLINGS):
        after = after[after]
    first = kept(scales[-1:])
    if start is not None:
        warm = kept(start.reshape(1))
        first = torch.where((warm > 0) & (start > 0), warm, first)
    return scales[after[(first - 1).clamp_min(0)]][0]


def _like(values: Tensor, weight: Tensor) -> Tensor:
    """`values` in the memory format of `weight`."""
    target = torch.empty_like(weight, dtype=torch.float32)
    return values if values.stride() == target.stride() else target.copy_(values)
