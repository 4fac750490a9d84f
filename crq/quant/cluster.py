"""Solvers of Eq. 3, min over α, t of ‖W − α·t‖² with t ∈ {−1, 0, +1}: three routes, one result type.

For a fixed α the best t is sign(w)·[|w| > α/2] (Eq. 8); for a fixed t the best α is the mean of |w| over
the non-zero codes (Eq. 9). With the k largest |w| kept, ‖W‖² − J = (Σ top-k)²/k: the *captured energy*, so the
global optimum is a search over k alone.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from crq.errors import CrqError, non_finite, users_line
from crq.quant import histogram as bins

# Sums beyond this are taken in float64: float32 might overflow.
_SAFE = 2.0**120
_SPIKE = 0.10


@dataclass(frozen=True)
class Clusters:
    """The solution of Eq. 3 for one weight tensor W.

    codes: int8, shape of W. alpha: float32, a scalar tensor or one per row of dimension 0, on W's device.
    iterations: alternations done (0 for a direct search).
    """

    codes: Tensor
    alpha: Tensor
    iterations: int = 0

    def dequantized(self) -> Tensor:
        """α·t in float32, of the codes' shape."""
        alpha = self.alpha
        if alpha.dim():
            alpha = alpha.reshape(-1, *[1] * (self.codes.dim() - 1))
        return alpha * self.codes

    def cost(self, weight: Tensor, hessian: Tensor | None = None) -> float:
        """J = ‖W − α·t‖² of Eq. 3 (Σ h(w − αt)² with a `hessian`), in float64."""
        error = (weight.detach().double() - self.dequantized().double()).square()
        return float((error if hessian is None else error * hessian.double()).sum())

    def relative_cost(self, weight: Tensor) -> float:
        """J/‖W‖²: 0 when the weights already are ternary, and 0 for all-zero weights."""
        norm = float(weight.detach().double().square().sum())
        return self.cost(weight) / norm if norm > 0 else 0.0

    @property
    def zeros(self) -> float:
        """Share of zero codes; 0 for an empty tensor."""
        return float((self.codes == 0).sum()) / self.codes.numel() if self.codes.numel() else 0.0


def alternate(weight: Tensor, start: Tensor | None = None, *, name: str = "weight", limit: int = 1000) -> Clusters:
    """Algorithm 1, lines 3–8: alternate Eq. 8 and Eq. 9 from α = mean|W| (or from `start`) until t is stable.

    weight: any float tensor. Raises `CrqError` naming `name` for non-finite weights. Finds a local optimum.
    """
    alpha, iterations = alternate_scale(weight, None if start is None else float(start), name=name, limit=limit)
    return coded(weight, alpha, iterations)


def alternate_scale(
    weight: Tensor, start: float | None = None, *, name: str = "weight", limit: int = 1000
) -> tuple[float, int]:
    """α of `alternate` and the iterations, without the codes; 0 for an empty `weight`."""
    if weight.numel() == 0:
        return 0.0, 0
    magnitude = _flat(weight).abs()
    size = magnitude.numel()
    whole = float(magnitude.sum())
    if not whole <= _SAFE:
        magnitude = magnitude.double()
        whole = float(magnitude.sum())
        if not math.isfinite(whole):
            raise non_finite(name)
    # Pieces that stay in cache on a CPU; on a GPU as few as float32 counts (to 2²⁴) allow.
    piece = bins.CHUNK if magnitude.device.type == "cpu" else 1 << 24
    parts = (magnitude,) if size <= piece else magnitude.split(piece)
    # One mask for all, of floats: boolean masks, let alone boolean indexing, cost several times as much.
    mask = torch.empty_like(parts[0])
    masks = [mask if len(part) == len(mask) else mask[: len(part)] for part in parts]
    alpha = whole / size if start is None else start
    previous = -1.0
    for iteration in range(limit + 1):
        threshold = _half(alpha)
        count = total = 0.0
        for part, beyond in zip(parts, masks, strict=True):
            torch.gt(part, threshold, out=beyond)
            count += float(torch.dot(beyond, beyond))
            total += float(torch.dot(part, beyond))
        # Kept sets are nested, so an equal count means an equal set.
        if count == 0 or count == previous or iteration == limit:
            break
        alpha, previous = total / count, count
    if count == 0:
        return 0.0, iteration
    # The products above were summed in float32; the α that is given back is not.
    kept = sum(float(torch.hardshrink(part, threshold).sum(dtype=torch.float64)) for part in parts)
    return kept / count, iteration


def exact(weight: Tensor, hessian: Tensor | None = None, *, name: str = "weight") -> Clusters:
    """The global optimum of Eq. 3: sort |w|, maximise (Σ top-k)²/k by float64 prefix sums.

    hessian: optional non-negative weights h of W's shape (a diagonal Fisher or Hessian); then Σ h(w − αt)² is
    minimised, by maximising (Σ h|w|)²/Σh along the same order.
    """
    return coded(weight, exact_scale(weight, hessian, name=name))


def exact_scale(weight: Tensor, hessian: Tensor | None = None, *, name: str = "weight") -> float:
    """α of `exact`, without the codes; 0 for an empty `weight`."""
    if weight.numel() == 0:
        return 0.0
    magnitude = _finite(weight, name)
    if hessian is None:
        sums = bins.descending(magnitude).double().cumsum(0)
        mass = torch.arange(1, sums.numel() + 1, dtype=torch.float64, device=sums.device)
    else:
        if hessian.shape != weight.shape:
            raise CrqError(f"{name}: hessian has shape {tuple(hessian.shape)}, expected {tuple(weight.shape)}")
        if not bool(torch.isfinite(hessian).all()) or bool((hessian < 0).any()):
            raise CrqError(f"{name}: hessian must be finite and non-negative")
        values, order = magnitude.sort(descending=True)
        h = hessian.detach().reshape(-1).double()[order]
        mass, sums = h.cumsum(0), (h * values.double()).cumsum(0)
    energies = torch.where(mass > 0, sums * sums / mass.clamp_min(torch.finfo(torch.float64).tiny), 0.0)
    best = int(energies.argmax())
    return float(sums[best] / mass[best]) if float(energies[best]) > 0 else 0.0


def histogram(weight: Tensor, *, name: str = "weight") -> Clusters:
    """The global optimum of Eq. 3 without a sort, by `crq.quant.histogram`: the fast default."""
    return coded(weight, histogram_scale(weight, name=name))


def histogram_scale(weight: Tensor, *, name: str = "weight") -> float:
    """α of `histogram`, without the codes; 0 for an empty `weight`."""
    alpha = bins.optimum(_flat(weight)) if weight.numel() else 0.0
    if math.isnan(alpha):
        raise non_finite(name)
    return alpha


def per_channel(weight: Tensor, *, name: str = "weight") -> Clusters:
    """Eq. 3 solved exactly for every row of dimension 0 on its own: alpha has shape [W.shape[0]]."""
    if weight.numel() == 0:
        return coded(weight, 0.0)
    found = rows(weight)
    if not bool(torch.isfinite(found.alpha).all()):
        raise non_finite(name)
    return found


def rows(weight: Tensor) -> Clusters:
    """As `per_channel`, of a `weight` that is not empty; α is NaN in rows with weights that are not finite."""
    w = weight.detach().float()
    sums = bins.descending(w.reshape(len(w), -1).abs()).double().cumsum(1)
    counts = torch.arange(1, sums.shape[1] + 1, dtype=torch.float64, device=w.device)
    best = (sums * sums / counts).argmax(1, keepdim=True)
    alpha = poisoned(sums.gather(1, best) / counts[best])
    threshold = half(alpha).reshape(-1, *[1] * (w.dim() - 1))
    codes = (w > threshold).to(torch.int8) - (w < -threshold).to(torch.int8)
    return Clusters(codes, alpha[:, 0].float())


def half(alpha: Tensor) -> Tensor:
    """As `_half`, of a float64 tensor; float32 in its shape."""
    exact = alpha * 0.5
    rounded = exact.float()
    return torch.where(rounded > exact, torch.nextafter(rounded, torch.zeros_like(rounded)), rounded)


def poisoned(alpha: Tensor) -> Tensor:
    """`alpha` with NaN in place of infinity."""
    return alpha + alpha * 0


def coded(weight: Tensor, alpha: float, iterations: int = 0) -> Clusters:
    """α beside the codes it gives `weight` (Eq. 8), which have its shape and memory format."""
    order = _memory_order(weight)
    flat = torch.zeros(weight.numel(), dtype=torch.int8, device=weight.device)
    if alpha > 0:
        for source, target in zip(_flat(weight).split(bins.CHUNK), flat.split(bins.CHUNK), strict=True):
            target.copy_(ternary(source, alpha))
    codes = flat.view([weight.shape[axis] for axis in order]).permute([order.index(axis) for axis in range(len(order))])
    return Clusters(codes, torch.tensor(alpha, dtype=torch.float32, device=weight.device), iterations)


def fitted(weight: Tensor, codes: Tensor, per_channel: bool = False) -> Clusters:
    """Eq. 9: given codes (int8, W's shape) beside their best α, the mean |w| over the non-zero ones; 0 for none.

    per_channel: one α per row of dimension 0. Sums are taken in float64.
    """
    kept, count = weight.detach().double() * codes, codes.abs().long()
    if per_channel:
        kept, count = kept.flatten(1).sum(1), count.flatten(1).sum(1)
    else:
        kept, count = kept.sum(), count.sum()
    return Clusters(codes, (kept / count.clamp_min(1)).float())


def ternary(weight: Tensor, alpha: float) -> Tensor:
    """Eq. 8: t ∈ {−1, 0, +1} as float32 in the shape and memory format of `weight`; |w| = α/2 goes to 0."""
    return torch.hardshrink(weight.detach().to(torch.float32), _half(alpha)).sign_()


def warn_if_spiky(clusters: Clusters, name: str) -> None:
    """Warn when under a tenth of the codes are non-zero: the optimum of Eq. 3 then follows a few outliers."""
    used = 1.0 - clusters.zeros
    if clusters.codes.numel() and used < _SPIKE:
        warnings.warn(
            f"{name}: only {used:.1%} of the ternary codes are non-zero; a few large weights dominate Eq. 3 "
            "(range regularization or a larger weight decay before quantizing helps)",
            stacklevel=users_line(),
        )


def _memory_order(tensor: Tensor) -> list[int]:
    """Axes from the slowest to the fastest in memory."""
    strides = tensor.stride()
    return sorted(range(len(strides)), key=lambda axis: -strides[axis])


def _flat(weight: Tensor) -> Tensor:
    """The weights as a flat float32 tensor in the order of memory: no copy for dense float32 tensors of any format."""
    weight = weight.detach()
    flat = (weight if weight.is_contiguous() else weight.permute(_memory_order(weight))).reshape(-1)
    return flat if flat.dtype == torch.float32 else flat.to(torch.float32)


def _finite(weight: Tensor, name: str) -> Tensor:
    """|W| as a flat float32 tensor in the order of the shape; raises for non-finite weights."""
    magnitude = weight.detach().reshape(-1).to(torch.float32).abs()
    if not math.isfinite(float(magnitude.max())):
        raise non_finite(name)
    return magnitude


def _half(alpha: float) -> float:
    """Largest float32 not above α/2, so that comparing float32 weights with it decides |w| > α/2 exactly."""
    rounded = np.float32(alpha * 0.5)
    return float(rounded if float(rounded) <= alpha * 0.5 else np.nextafter(rounded, np.float32(0)))
