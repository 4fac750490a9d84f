"""Solvers of Eq. 3, min over α, t of ‖W − α·t‖² with t ∈ {−1, 0, +1}: three routes, one result type.

For a fixed α the best t is sign(w)·[|w| > α/2] (Eq. 8); for a fixed t the best α is the mean of |w| over
the non-zero codes (Eq. 9). With the k largest |w| kept, ‖W‖² − J = (Σ top-k)²/k: the *captured energy*, so the
global optimum is a search over k alone.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from crq.errors import CrqError, non_finite

# Outside this range float32 squares or sums could overflow or lose denormal bits, so magnitudes are rescaled first.
_SAFE = (2.0**-40, 2.0**40)
_BINS = 1 << 15
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
    magnitude, shift = _magnitudes(weight, name)
    if magnitude.numel() == 0:
        return _empty(weight)
    initial = None if start is None else _scale(start.to(magnitude), -shift)
    alpha, iterations = _alternate(magnitude, initial, limit)
    return _result(weight, shift, alpha, iterations)


def exact(weight: Tensor, hessian: Tensor | None = None, *, name: str = "weight") -> Clusters:
    """The global optimum of Eq. 3: sort |w|, maximise (Σ top-k)²/k by float64 prefix sums.

    hessian: optional non-negative weights h of W's shape (a diagonal Fisher or Hessian); then Σ h(w − αt)² is
    minimised, by maximising (Σ h|w|)²/Σh along the same order.
    """
    magnitude, shift = _magnitudes(weight, name)
    if magnitude.numel() == 0:
        return _empty(weight)
    ordered, order = magnitude.sort(descending=True)
    values = ordered.double()
    if hessian is None:
        mass = torch.arange(1, values.numel() + 1, dtype=torch.float64, device=values.device)
        sums = values.cumsum(0)
    else:
        if hessian.shape != weight.shape:
            raise CrqError(f"{name}: hessian has shape {tuple(hessian.shape)}, expected {tuple(weight.shape)}")
        if not bool(torch.isfinite(hessian).all()) or bool((hessian < 0).any()):
            raise CrqError(f"{name}: hessian must be finite and non-negative")
        h = hessian.detach().reshape(-1).double()[order]
        mass, sums = h.cumsum(0), (h * values).cumsum(0)
    energies = torch.where(mass > 0, sums * sums / mass.clamp_min(torch.finfo(torch.float64).tiny), 0.0)
    best = int(energies.argmax())
    # Codes follow Eq. 8 for the rounded α; the optimum's own top-k set is that set except within rounding of a tie.
    alpha = sums[best] / mass[best] if float(energies[best]) > 0 else sums.new_zeros(())
    return _result(weight, shift, alpha.float())


def histogram(weight: Tensor, *, name: str = "weight") -> Clusters:
    """The global optimum of Eq. 3 without a sort: the fast default.

    |w| is binned by its float32 bits >> 16 (32768 bins, 1/128 wide), energies at bin edges come from prefix sums,
    and every bin whose bound (S + n·v_max)²/(k + n) exceeds the best edge is searched exactly.
    """
    magnitude, shift = _magnitudes(weight, name)
    if magnitude.numel() == 0:
        return _empty(weight)
    return _result(weight, shift, magnitude.new_tensor(_search(magnitude)))


def per_channel(weight: Tensor, *, name: str = "weight") -> Clusters:
    """Eq. 3 solved exactly for every row of dimension 0 on its own: alpha has shape [W.shape[0]]."""
    magnitude, shift = _magnitudes(weight, name)
    if magnitude.numel() == 0:
        return _empty(weight)
    rows = magnitude.reshape(weight.shape[0], -1)
    sums = rows.sort(dim=1, descending=True).values.double().cumsum(1)
    counts = torch.arange(1, rows.shape[1] + 1, dtype=torch.float64, device=rows.device)
    energies = sums * sums / counts
    best = energies.argmax(1, keepdim=True)
    alpha = (sums.gather(1, best) / counts[best]).float()
    codes = _assign(weight, alpha.reshape(-1, *[1] * (weight.dim() - 1)), shift)
    return Clusters(codes, _scale(alpha[:, 0], shift))


def warn_if_spiky(clusters: Clusters, name: str) -> None:
    """Warn when under a tenth of the codes are non-zero: the optimum of Eq. 3 then follows a few outliers."""
    used = 1.0 - clusters.zeros
    if clusters.codes.numel() and used < _SPIKE:
        warnings.warn(
            f"{name}: only {used:.1%} of the ternary codes are non-zero; a few large weights dominate Eq. 3 "
            "(range regularization or a larger weight decay before quantizing helps)",
            stacklevel=2,
        )


def _magnitudes(weight: Tensor, name: str) -> tuple[Tensor, int]:
    """|W|·2^-shift as a flat float32 tensor; shift is 0 unless the magnitudes are extreme."""
    flat = weight.detach().reshape(-1).to(torch.float32).abs()
    if flat.numel() == 0:
        return flat, 0
    largest = float(flat.max())
    if not math.isfinite(largest):
        raise non_finite(name)
    if largest == 0.0 or _SAFE[0] <= largest <= _SAFE[1]:
        return flat, 0
    shift = math.frexp(largest)[1]
    return _scale(flat, -shift), shift


def _alternate(magnitude: Tensor, alpha: Tensor | None, limit: int) -> tuple[Tensor, int]:
    """α at the fixed point and the iterations. Kept sets are nested, so an equal count means an equal set."""
    if alpha is None:
        alpha = magnitude.mean()
    # Masks as floats in reused buffers: boolean masks, let alone boolean indexing, cost several times as much.
    mask, kept = torch.empty_like(magnitude), torch.empty_like(magnitude)
    wide = torch.float64 if magnitude.numel() >= 1 << 24 else torch.float32  # float32 counts to 2²⁴
    previous = -1.0
    for iteration in range(limit):
        torch.gt(magnitude, alpha * 0.5, out=mask)
        count = float(mask.sum(dtype=wide))
        if count == previous:
            return alpha, iteration
        if count == 0:
            return magnitude.new_zeros(()), iteration
        alpha = torch.mul(magnitude, mask, out=kept).sum() / count
        previous = count
    return alpha, limit


def _search(magnitude: Tensor) -> float:
    """α = (Σ top-k)/k at the global maximum of (Σ top-k)²/k."""
    keys = magnitude.view(torch.int32) >> 16
    counts = torch.bincount(keys, minlength=_BINS).flip(0).double()
    sums = torch.bincount(keys, weights=magnitude.double(), minlength=_BINS).flip(0)
    after_k, after_s = counts.cumsum(0), sums.cumsum(0)
    energies = torch.where(after_k > 0, after_s * after_s / after_k.clamp_min(1), 0.0)
    best = int(energies.argmax())
    top, best_s, best_k = float(energies[best]), float(after_s[best]), int(after_k[best])
    if top == 0.0:
        return 0.0
    # Within a bin, E(j) = (S + j·v)²/(k + j) falls then rises in j, so its ends bound it.
    upper = torch.arange(_BINS, dtype=torch.int32, device=keys.device).add_(1).bitwise_left_shift_(16)
    largest = upper.view(torch.float32).flip(0).double()
    before_k, before_s = after_k - counts, after_s - sums
    bound = (before_s + counts * largest) ** 2 / (before_k + counts).clamp_min(1)
    # A bin of one weight has no interior; a bound within 1e-7 of the best edge cannot matter.
    candidates = ((bound > top * (1 + 1e-7)) & (counts > 1)).nonzero().flatten()
    if candidates.numel() == 0:
        return best_s / best_k
    wanted = torch.zeros(_BINS, dtype=torch.bool, device=keys.device)
    wanted[_BINS - 1 - candidates] = True
    first, last = int(_BINS - 1 - candidates[-1]), int(_BINS - 1 - candidates[0])
    members = magnitude[((keys >= first) & (keys <= last)).nonzero().flatten()]
    members = members[wanted[members.view(torch.int32) >> 16]].sort(descending=True).values.double()
    sizes = counts[candidates].long()
    starts = sizes.cumsum(0) - sizes
    inside = members.cumsum(0)
    base = inside[starts] - members[starts]
    s = before_s[candidates].repeat_interleave(sizes) + inside - base.repeat_interleave(sizes)
    position = torch.arange(members.numel(), device=keys.device, dtype=torch.float64)
    k = before_k[candidates].repeat_interleave(sizes) + position - starts.repeat_interleave(sizes) + 1
    energies = s * s / k
    winner = int(energies.argmax())
    if float(energies[winner]) > top:
        return float(s[winner] / k[winner])
    return best_s / best_k


def _threshold(alpha: Tensor) -> Tensor:
    """Largest float32 not above α/2, so that |w| > threshold decides |w| > α/2 exactly, denormal α included."""
    half = alpha.double() * 0.5
    rounded = half.float()
    return torch.where(rounded.double() > half, torch.nextafter(rounded, torch.zeros_like(rounded)), rounded)


def _assign(weight: Tensor, alpha: Tensor, shift: int) -> Tensor:
    """Eq. 8: int8 codes; |w| = α/2 goes to 0."""
    scaled = _scale(weight.detach().to(torch.float32), -shift)
    threshold = _threshold(alpha)
    return (scaled > threshold).to(torch.int8).sub_((scaled < -threshold).to(torch.int8))


def _scale(values: Tensor, exponent: int) -> Tensor:
    """values·2^exponent; in two steps, since 2^exponent alone may leave float32's range."""
    half = exponent // 2
    return values * 2.0**half * 2.0 ** (exponent - half) if exponent else values


def _result(weight: Tensor, shift: int, alpha: Tensor, iterations: int = 0) -> Clusters:
    if float(alpha) == 0.0:
        return Clusters(torch.zeros_like(weight, dtype=torch.int8), alpha, iterations)
    return Clusters(_assign(weight, alpha, shift), _scale(alpha, shift), iterations)


def _empty(weight: Tensor) -> Clusters:
    codes = torch.zeros(weight.shape, dtype=torch.int8, device=weight.device)
    return Clusters(codes, torch.zeros((), device=weight.device))
