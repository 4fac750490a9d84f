"""Folding: how many output channels (PE) and inputs (SIMD) each unit computes per clock cycle, and why."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import NamedTuple

from crq.errors import nearest_names
from hw.cost.constants import LUT4_PER_LUT6
from hw.cost.network import area, estimate
from hw.dataflow.schedule import cycles
from hw.dataflow.streams import pipeline
from hw.dataflow.units import ROM_STYLES, Fold, Unit, units
from hw.devices.catalog import Device
from hw.errors import HwError
from hw.ir.graph import Network
from hw.ir.layers import Mac

# The frame rate aimed at when the user names none. A network that cannot reach it runs as fast as it can.
DEFAULT_TARGET_FPS = 1000.0

FILL = 0.7  # share of a device's LUTs, FFs and block RAM that is filled without being asked
STEP = 1.05  # ratio of the cycle budgets that are tried
# Where nothing fits: how far above the least fill a faster folding may be. Weights keep their bits however slow a
# network runs, so the slowest folding is rarely much smaller than one many times faster.
NEAR_LEAST = 1.05

Cost = Callable[[Unit, Fold], float]


class Target(NamedTuple):
    """What is asked for: frames/s, latency of one image in µs, or the highest rate whose estimate fits the device."""

    fps: float | None = None
    latency_us: float | None = None
    best_fit: bool = False

    def __bool__(self) -> bool:
        return self.fps is not None or self.latency_us is not None or self.best_fit


class Choice(NamedTuple):
    """A folding of every unit; `goal` is the aim in one sentence, `why` the reason of each unit's folding."""

    folds: dict[str, Fold]
    goal: str
    why: dict[str, str]


def choose(
    network: Network, *, device: Device | None = None, clock_period_ns: float = 5.0, target_fps: float | None = None,
    overrides: Mapping[str, Fold] | None = None,
) -> dict[str, Fold]:  # fmt: skip
    """The foldings of `decide` for a frame rate or, without one, for the default."""
    target = Target(target_fps)
    return decide(network, target, device=device, clock_period_ns=clock_period_ns, overrides=overrides).folds


def decide(
    network: Network, target: Target | None = None, *, device: Device | None = None, clock_period_ns: float = 5.0,
    overrides: Mapping[str, Fold] | None = None, rom: Mapping[str, str] | None = None,
) -> Choice:  # fmt: skip
    """The cheapest folding per unit that meets `target`; `overrides` fixes units by name, `rom` their ROM style only.

    Every unit runs at the same time, so the slowest alone bounds the frame rate: each gets the cycles of one frame. A
    latency is met by the most cycles per unit with which the whole pipeline is fast enough. Without a target the aim is
    `DEFAULT_TARGET_FPS`, or the highest rate below it that the network can reach and that fits `FILL` of `device`.
    Raises `HwError` for a target out of reach.
    """
    target, overrides, rom = target or Target(), dict(overrides or {}), dict(rom or {})
    _check_target(target, clock_period_ns, device)
    check(network, overrides)
    check_rom(network, rom)
    search = _Search(network, clock_period_ns, overrides, rom, device.synthesis if device else "xcup")
    if target.best_fit:
        assert device is not None
        folds, budget = search.fitting(search.floor, device, must=True)
        goal = f"as fast as fits {FILL:.0%} of {device.part}"
    elif target:
        budgets = {}
        if target.fps is not None:
            budgets[f"{target.fps:,g} frames/s"] = search.for_rate(target.fps)
        if target.latency_us is not None:
            budgets[f"a latency of {target.latency_us:,g} µs"] = search.for_latency(target.latency_us)
        goal, budget = " and ".join(budgets), min(budgets.values())
        folds = search.within(budget)
    else:
        budget = max(search.floor, search.cycles_of(1e9 / DEFAULT_TARGET_FPS))
        goal = f"{DEFAULT_TARGET_FPS:,g} frames/s or as near as the network comes"
        if device is None:
            folds = search.within(budget)
        else:
            folds, budget = search.fitting(budget, device)
            goal += f" within {FILL:.0%} of {device.part}"
    goal = f"{goal} at {clock_period_ns:g} ns: {budget:,} cycles per image and layer"
    return Choice(folds, goal, {u.name: _reason(network, u, folds[u.name], budget, overrides) for u in units(network)})


class _Search:
    """Foldings by their cycle budget: most cycles per image that a unit may take."""

    def __init__(
        self, network: Network, clock_period_ns: float, overrides: Mapping[str, Fold], rom: Mapping[str, str],
        family: str,
    ) -> None:  # fmt: skip
        self.network, self.clock, self.overrides, self.rom = network, clock_period_ns, overrides, rom
        self.cost = remembered(network, family)
        self.floor, self.bound_by = fastest(network, overrides, rom)
        self.slowest = max(cycles(unit, Fold(1, 1)).interval for unit in units(network))

    def within(self, budget: int) -> dict[str, Fold]:
        return within(self.network, budget, self.cost, self.overrides, self.rom)

    def cycles_of(self, nanoseconds: float) -> int:
        return int(nanoseconds / self.clock)

    def budgets(self, least: int) -> list[int]:
        """From `least` to what the slowest foldings take."""
        result = [least]
        while result[-1] < self.slowest:
            result.append(max(result[-1] + 1, int(result[-1] * STEP)))
        return result

    def for_rate(self, fps: float) -> int:
        """Raises `HwError` naming the unit that cannot keep up."""
        budget = self.cycles_of(1e9 / fps)
        if budget < self.floor:
            raise HwError(
                f"target {fps:g} frames/s at {self.clock:g} ns: unit {self.bound_by!r} needs at least {self.floor} "
                f"cycles per image, so ask for at most {1e9 / (self.clock * self.floor):.0f} frames/s or a faster clock"
            )
        return budget

    def for_latency(self, microseconds: float) -> int:
        """Raises `HwError` with the least latency there is."""
        wanted, budgets = self.cycles_of(microseconds * 1000), self.budgets(1)

        def latency(budget: int) -> int:
            return pipeline(self.network, self.within(budget)).latency

        at = bisect_left(budgets, True, key=lambda budget: latency(budget) > wanted)
        if at == 0:
            least = latency(budgets[0]) * self.clock / 1000
            raise HwError(
                f"target latency {microseconds:g} µs at {self.clock:g} ns: the network needs at least {least:.2f} µs "
                "with every unit as parallel as it can be; ask for more or a faster clock"
            )
        return budgets[at - 1]

    def fitting(self, least: int, device: Device, must: bool = False) -> tuple[dict[str, Fold], int]:
        """The fastest foldings, from a budget of `least` on, that fit; else nearly the smallest (`must`: `HwError`)."""
        budgets = self.budgets(least)
        smallest = fill(self.network, self.within(budgets[-1]), device)
        if must and smallest > FILL:
            raise HwError(
                f"best fit: the smallest folding takes {smallest:.0%} of {device.part}, more than the {FILL:.0%} that "
                "leave room for routing; take a larger part, or a target that may exceed it"
            )
        allowed = max(FILL, NEAR_LEAST * smallest)

        def small(budget: int) -> bool:
            return fill(self.network, self.within(budget), device) <= allowed

        budget = budgets[min(bisect_left(budgets, True, key=small), len(budgets) - 1)]
        return self.within(budget), budget


def _check_target(target: Target, clock_period_ns: float, device: Device | None) -> None:
    numbers = {"clock period": clock_period_ns, "target frame rate": target.fps, "target latency": target.latency_us}
    for name, value in numbers.items():
        if value is not None and not value > 0:
            raise HwError(f"{name} {value!r}: expected a positive number")
    if target.best_fit and (target.fps is not None or target.latency_us is not None):
        raise HwError("best fit is the highest rate that fits: give it alone, without a target rate or latency")
    if target.best_fit and device is None:
        raise HwError("best fit needs a device: name a part or board")


def _reason(network: Network, unit: Unit, fold: Fold, budget: int, overrides: Mapping[str, Fold]) -> str:
    if unit.name in overrides:
        return "given"
    if cycles(unit, fold).interval > budget:
        return "as parallel as it can be"
    choices = sum(cycles(unit, f).interval <= budget for f in unit.legal_folds())
    return f"{'smallest of ' if choices > 1 else 'only '}{choices} within {budget:,} cycles"


def remembered(network: Network, family: str = "xcup") -> Cost:
    """The estimator's area for a synthesis family, each (unit, folding) computed once."""
    known: dict[tuple[str, Fold], float] = {}

    def cost(unit: Unit, fold: Fold) -> float:
        key = (unit.name, fold)
        if key not in known:
            known[key] = area(network, unit, fold, family)
        return known[key]

    return cost


def fill(network: Network, folds: Mapping[str, Fold], device: Device, io_type: str = "io_stream") -> float:
    """The largest of the shares of the device's LUTs, FFs and block RAM that `folds` take by the estimate.

    For a part with 4-input LUTs, which the estimate does not count, their number is a rough mean.
    """

    used = estimate(network, folds, device.synthesis, io_type).total
    lut = used.lut if device.lut_priced else LUT4_PER_LUT6 * used.lut
    pairs = ((lut, device.lut), (used.ff, device.ff), (used.bram36, device.bram36))
    return max(have / available if available else float(have > 0) * float("inf") for have, available in pairs)


def fits(
    network: Network, folds: Mapping[str, Fold], device: Device, share: float = FILL, io_type: str = "io_stream"
) -> bool:
    """Whether the estimate of `folds` takes at most `share` of the device's LUTs, FFs and block RAM."""
    return fill(network, folds, device, io_type) <= share


def within(
    network: Network, budget: int, cost: Cost, overrides: Mapping[str, Fold] | None = None,
    rom: Mapping[str, str] | None = None,
) -> dict[str, Fold]:  # fmt: skip
    """Per unit, the folding of least `cost` that takes at most `budget` cycles per image, or else the fewest it can."""
    result: dict[str, Fold] = {}
    for unit in units(network):
        taken = {f: cycles(unit, f).interval for f in candidates(unit, overrides, rom)}
        limit = max(budget, min(taken.values()))
        fitting = [f for f in taken if taken[f] <= limit]
        result[unit.name] = min(fitting, key=lambda f: (cost(unit, f), taken[f], f))
    return result


def candidates(
    unit: Unit, overrides: Mapping[str, Fold] | None = None, rom: Mapping[str, str] | None = None
) -> list[Fold]:
    """What may be chosen for `unit`: what is given, or all legal foldings; with a ROM style, those that have a ROM."""
    folds = [overrides[unit.name]] if overrides and unit.name in overrides else unit.legal_folds()
    style = (rom or {}).get(unit.name)
    if style is not None:
        folds = [f._replace(rom=style) for f in folds]
    kept = [f for f in folds if f.rom == "auto" or unit.reuse_factor(f) > 1]
    if not kept:
        raise HwError(f"weight ROM of {unit.name!r}: folded {folds[0].pe} x {folds[0].simd}, its weights are constants")
    return kept


def fastest(
    network: Network, overrides: Mapping[str, Fold] | None = None, rom: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """(fewest cycles per image that any folding reaches, the unit that bounds it)."""
    least = []
    for unit in units(network):
        least.append((min(cycles(unit, f).interval for f in candidates(unit, overrides, rom)), unit.name))
    if not least:
        raise HwError("the network has no layers: there is nothing to build")
    return max(least)


def check(network: Network, folds: Mapping[str, Fold]) -> None:
    """Raises `HwError` if `folds` names a unit that does not exist or a folding it cannot have."""
    known = {unit.name: unit for unit in units(network)}
    for name, fold in folds.items():
        _known(name, known, "folding")
        choices = known[name].legal_folds()
        if Fold(fold.pe, fold.simd, form=fold.form) not in choices:
            pes, simds = (sorted({f[i] for f in choices}) for i in (0, 1))
            raise HwError(
                f"folding of {name!r}: ({fold.pe}, {fold.simd}) is impossible; PE is one of {pes}, SIMD one of {simds}"
            )
    check_rom(network, {name: fold.rom for name, fold in folds.items() if fold.rom != "auto"})


def check_rom(network: Network, rom: Mapping[str, str]) -> None:
    """Raises `HwError` if `rom` names a unit without weights or a style that does not exist."""
    known = {unit.name: unit for unit in units(network)}
    for name, style in rom.items():
        _known(name, known, "weight ROM")
        if not isinstance(known[name].layer, Mac):
            raise HwError(f"weight ROM of {name!r}: a {known[name].layer.kind} has no weights")
        if style not in ROM_STYLES:
            raise HwError(f"weight ROM of {name!r}: style {style!r}; expected one of {', '.join(ROM_STYLES)}")


def _known(name: str, known: Mapping[str, Unit], what: str) -> None:
    if name not in known:
        near = nearest_names(name, known) or list(known)[:8]
        raise HwError(f"{what} of {name!r}: no such unit; did you mean {', '.join(near)}?")
