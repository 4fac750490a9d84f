"""Folding: how many output channels (PE) and inputs (SIMD) each unit computes per clock cycle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from hw.devices import Device
from hw.errors import HwError
from hw.estimate.cycles import cycles
from hw.graph import Network
from hw.layers import Conv
from hw.units import Fold, Unit, units

# The frame rate aimed at when the user names none. A network that cannot reach it runs as fast as it can.
DEFAULT_TARGET_FPS = 1000.0

FILL = 0.7  # share of a device's LUTs and block RAM that is filled without being asked
SLOWER = 1.25  # step of the search for a folding that fits
SLOWEST = 10**9  # cycles per image beyond which no layer gets smaller

Cost = Callable[[Unit, Fold], float]


def choose(
    network: Network,
    *,
    device: Device | None = None,
    clock_period_ns: float = 5.0,
    target_fps: float | None = None,
    overrides: Mapping[str, Fold] | None = None,
) -> dict[str, Fold]:
    """The cheapest folding per unit that meets `target_fps`; `overrides` fixes the folding of units by name.

    Every unit runs at the same time, so the slowest alone bounds the frame rate: each gets the cycles of one frame.
    Without `target_fps` the aim is `DEFAULT_TARGET_FPS`, or the highest rate below it that the network can reach and
    that, by the estimate, fits `FILL` of `device`. Raises `HwError` if no folding meets an explicit target.
    """
    overrides = dict(overrides or {})
    if clock_period_ns <= 0 or (target_fps is not None and target_fps <= 0):
        raise HwError(f"clock period {clock_period_ns} ns, target {target_fps} frames/s: expected positive numbers")
    check(network, overrides)
    budget = int(1e9 / (clock_period_ns * (target_fps or DEFAULT_TARGET_FPS)))
    floor, slowest = fastest(network, overrides)
    if budget < floor:
        if target_fps is not None:
            raise HwError(
                f"target {target_fps:g} frames/s at {clock_period_ns:g} ns: unit {slowest!r} needs at least {floor} "
                f"cycles per image, so ask for at most {1e9 / (clock_period_ns * floor):.0f} frames/s or a faster clock"
            )
        budget = floor
    cost = remembered(network, device.synthesis if device else "xcup")
    folds = within(network, budget, cost, overrides)
    while target_fps is None and device is not None and not fits(network, folds, device):
        slower = within(network, budget := int(budget * SLOWER), cost, overrides)
        if slower == folds and budget > SLOWEST:
            break  # as small as it gets: the report says what does not fit
        folds = slower
    return folds


def remembered(network: Network, family: str = "xcup") -> Cost:
    """The estimator's area for a synthesis family, each (unit, folding) computed once."""
    from hw.estimate import area

    known: dict[tuple[str, Fold], float] = {}

    def cost(unit: Unit, fold: Fold) -> float:
        key = (unit.name, fold)
        if key not in known:
            known[key] = area(network, unit, fold, family)
        return known[key]

    return cost


def fits(network: Network, folds: Mapping[str, Fold], device: Device, fill: float = FILL) -> bool:
    """Whether the estimate of `folds` takes at most `fill` of the device's LUTs, FFs and block RAM."""
    from hw.estimate import estimate

    used = estimate(network, folds, device.synthesis).total
    pairs = ((used.lut, device.lut), (used.ff, device.ff), (used.bram36, device.bram36))
    return all(have <= fill * available for have, available in pairs)


def within(network: Network, budget: int, cost: Cost, overrides: Mapping[str, Fold] | None = None) -> dict[str, Fold]:
    """Per unit, the folding of least `cost` whose interval is at most `budget` cycles per image."""
    result: dict[str, Fold] = {}
    for unit in units(network):
        if overrides and unit.name in overrides:
            result[unit.name] = overrides[unit.name]
            continue
        intervals = {f: cycles(network, unit, f).interval for f in legal(unit)}
        fitting = [f for f, interval in intervals.items() if interval <= budget]
        result[unit.name] = min(fitting, key=lambda f: (cost(unit, f), intervals[f], f))
    return result


def legal(unit: Unit) -> list[Fold]:
    """The foldings that can be built: PE also divides a group's output channels or is a multiple of them."""
    folds = unit.legal_folds()
    if isinstance(unit.layer, Conv) and unit.layer.groups > 1:
        per_group = unit.output.shape.c // unit.layer.groups
        folds = [f for f in folds if f.pe % per_group == 0 or per_group % f.pe == 0]
    return folds


def fastest(network: Network, overrides: Mapping[str, Fold] | None = None) -> tuple[int, str]:
    """(fewest cycles per image that any folding reaches, the unit that bounds it)."""
    least = []
    for unit in units(network):
        folds = [overrides[unit.name]] if overrides and unit.name in overrides else legal(unit)
        least.append((min(cycles(network, unit, f).interval for f in folds), unit.name))
    return max(least)


def check(network: Network, folds: Mapping[str, Fold]) -> None:
    """Raises `HwError` if `folds` names a unit that does not exist or a folding it cannot have."""
    known = {unit.name: unit for unit in units(network)}
    for name, fold in folds.items():
        if name not in known:
            near = get_close_matches(name, known, n=3) or list(known)[:8]
            raise HwError(f"folding of {name!r}: no such unit; did you mean {', '.join(near)}?")
        if Fold(*fold) not in legal(known[name]):
            choices = legal(known[name])
            pes, simds = (sorted({f[i] for f in choices}) for i in (0, 1))
            raise HwError(f"folding of {name!r}: {tuple(fold)} is impossible; PE is one of {pes}, SIMD one of {simds}")
