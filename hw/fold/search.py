"""Folding: how many output channels (PE) and inputs (SIMD) each unit computes per clock cycle, in which form, why."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace
from math import floor
from typing import NamedTuple

from crq.hw.cost.network import Estimate, area, estimate, weighed
from crq.hw.dataflow.beats import MAX_BEAT_BITS, beats_in, conversion, stream_beats
from crq.hw.dataflow.streams import intervals, pipeline
from crq.hw.dataflow.timing import RTL, Timing
from crq.hw.dataflow.units import Fold, Unit, units
from crq.hw.devices.boards import check_clock
from crq.hw.devices.catalog import Device
from crq.hw.errors import DoesNotFit, HwError
from crq.hw.fold.candidates import Limits, Wish, fastest, slowest
from crq.hw.fold.fit import remedy, shares, told
from crq.hw.fold.joint import Cost, within
from crq.hw.fold.levels import as_built
from crq.hw.ir.graph import Network

# The frame rate aimed at when the user names none. A network that cannot reach it runs as fast as it can.
DEFAULT_TARGET_FPS = 1000.0

FILL = 0.7  # share of a device's LUTs, FFs and block RAM that is filled without being asked
STEP = 1.05  # ratio of the cycle budgets that are tried
NEARBY = 12  # budgets on each side of the one found by bisection that are tried too
BETWEEN = 16  # budgets tried between two of those
# Where nothing fits: how far above the least fill a faster folding may be. Weights keep their bits however slow a
# network runs, so the slowest folding is rarely much smaller than one many times faster.
NEAR_LEAST = 1.05


class Target(NamedTuple):
    """What is asked for: frames/s, latency of one image in µs, or the highest rate that by the estimate fills at most
    `FILL` of the device."""

    fps: float | None = None
    latency_us: float | None = None
    best_fit: bool = False

    def __bool__(self) -> bool:
        return self.fps is not None or self.latency_us is not None or self.best_fit

    @property
    def wanted(self) -> dict[str, float]:
        """The figures among what is asked for."""
        figures = {"fps": self.fps, "latency_us": self.latency_us}
        return {name: value for name, value in figures.items() if value is not None}


class Choice(NamedTuple):
    """A folding of every unit; `goal` is the aim in one sentence, `why` the reason of each unit's folding, `wanted`
    what was asked for: `fps` (images per second), `latency_us`."""

    folds: dict[str, Fold]
    goal: str
    why: dict[str, str]
    wanted: dict[str, float]


def choose(
    network: Network, *, device: Device | None = None, clock_period_ns: float = 5.0, target_fps: float | None = None,
    overrides: Mapping[str, Wish] | None = None,
) -> dict[str, Fold]:  # fmt: skip
    """The foldings of `decide` for a frame rate or, without one, for the default."""
    target = Target(target_fps)
    return decide(network, target, device=device, clock_period_ns=clock_period_ns, overrides=overrides).folds


def decide(
    network: Network, target: Target | None = None, *, device: Device | None = None, clock_period_ns: float = 5.0,
    overrides: Mapping[str, Wish] | None = None, rom: Mapping[str, str] | None = None, max_beat: int | None = None,
    timing: Timing = RTL,
) -> Choice:  # fmt: skip
    """The cheapest folding that meets `target`; `overrides` fixes units by name, `rom` their ROM style only, and no
    beat has more than `max_beat` bits (`MAX_BEAT_BITS` by default). `timing` is that of the form that is built.

    Every unit runs at the same time, so the slowest alone bounds the frame rate: each gets the cycles of one frame. A
    latency is met by the most cycles per unit with which the whole pipeline is fast enough. Without a target the aim is
    `DEFAULT_TARGET_FPS`, or the highest rate below it that the network can reach and that fits `FILL` of `device`.
    Raises `HwError` for a target out of reach.
    """
    target = target or Target()
    limits = Limits(overrides or {}, rom or {}, max_beat or MAX_BEAT_BITS, timing)
    _check_target(target, clock_period_ns, device)
    limits.check(network)
    search = _Search(network, clock_period_ns, limits, device.priced if device else "xcup")
    if target.best_fit:
        assert device is not None
        folds, budget = search.fitting(search.floor, device, must=True)
        goal = f"as fast as fits {FILL:.0%} of {device.part}"
    elif target:
        budgets = {}
        if target.fps is not None:
            budgets[f"{_rate(target.fps)} frames/s"] = search.for_rate(target.fps)
        if target.latency_us is not None:
            budgets[f"a latency of {target.latency_us:,g} µs"] = search.for_latency(target.latency_us)
        goal, budget = " and ".join(budgets), min(budgets.values())
        folds = search.within(budget)
        if target.fps is not None:
            search.check_rate(target.fps, folds)
    else:
        budget = max(search.floor, search.cycles_of(1e9 / DEFAULT_TARGET_FPS))
        goal = f"{_rate(DEFAULT_TARGET_FPS)} frames/s or as near as the network comes"
        if device is None:
            folds = search.within(budget)
        else:
            folds, budget = search.fitting(budget, device)
            goal += f" within {FILL:.0%} of {device.part}"
    goal = f"{goal} at {clock_period_ns:g} ns: {budget:,} cycles per image and layer"
    why = {u.name: _reason(u, folds[u.name], budget, limits) for u in units(network)}
    return Choice(folds, goal, why, target.wanted)


class _Search:
    """Foldings by their cycle budget: most cycles per image that a unit may take."""

    def __init__(self, network: Network, clock_period_ns: float, limits: Limits, family: str) -> None:
        self.network, self.clock, self.limits = network, clock_period_ns, limits
        self.family, self.cost = family, remembered(family)
        self.floor, self.bound_by = fastest(network, limits)
        self.slowest = slowest(network, limits)
        self.known: dict[int, dict[str, Fold]] = {}
        self.estimates: dict[int, Estimate] = {}

    def within(self, budget: int) -> dict[str, Fold]:
        if budget not in self.known:
            folds = within(self.network, budget, self.cost, self.limits)
            self.known[budget] = as_built(self.network, folds, self.family, self.clock, self.limits.timing)
        return self.known[budget]

    def estimated(self, budget: int) -> Estimate:
        """What the whole network takes, its converters and FIFOs included."""
        if budget not in self.estimates:
            self.estimates[budget] = estimate(self.network, self.within(budget), self.family, timing=self.limits.timing)
        return self.estimates[budget]

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
            as_given = ", folded as given," if self.bound_by in self.limits.given else ""
            raise HwError(
                f"target {_rate(fps)} frames/s at {self.clock:g} ns: unit {self.bound_by!r}{as_given} needs at least "
                f"{self.floor} cycles per image, so ask for at most {self.rate(self.floor)} frames/s or a faster clock"
            )
        return budget

    def rate(self, budget: int) -> str:
        """The frames/s of a budget, rounded down so that it can be asked for."""
        fps = 1e9 / (self.clock * budget)
        return f"{floor(fps)}" if fps >= 100 else f"{floor(fps * 1000) / 1000:g}"

    def check_rate(self, fps: float, folds: Mapping[str, Fold]) -> None:
        """Raises `HwError` naming a unit that keeps up alone, but not with the beats that given foldings bring it."""
        budget, found = self.cycles_of(1e9 / fps), self.intervals(folds)
        name = max(found, key=found.__getitem__)
        if found[name] <= budget:
            return
        narrow = _joined(self.network, name, folds)
        remedies = [f"leave the folding of {n!r} to the search" for n in (name, *narrow) if self.reaches(budget, n)]
        slower = (b for b in self.budgets(found[name]) if max(self.intervals(self.within(b)).values()) <= b)
        if reached := next(slower, None):
            remedies.append(f"ask for at most {self.rate(reached)} frames/s")
        raise HwError(
            f"target {_rate(fps)} frames/s at {self.clock:g} ns: unit {name!r} waits for beats as narrow as those of "
            f"{' and '.join(map(repr, narrow))} and so needs {found[name]} cycles per image, of which a frame has "
            f"{budget}; {', or '.join(remedies) or 'fold those for wider beats'}"
        )

    def intervals(self, folds: Mapping[str, Fold]) -> dict[str, int]:
        return intervals(self.network, folds, self.limits.timing)

    def reaches(self, budget: int, free: str) -> bool:
        """Whether `budget` is met once the folding of unit `free` is not given."""
        if free not in self.limits.given:
            return False
        given = {name: wish for name, wish in self.limits.given.items() if name != free}
        folds = within(self.network, budget, self.cost, replace(self.limits, given=given))
        return max(self.intervals(folds).values()) <= budget

    def for_latency(self, microseconds: float) -> int:
        """Raises `HwError` with the least latency there is."""
        wanted, budgets = self.cycles_of(microseconds * 1000), self.budgets(1)

        def latency(budget: int) -> int:
            return pipeline(self.network, self.within(budget), timing=self.limits.timing).latency

        at = bisect_left(budgets, True, key=lambda budget: latency(budget) > wanted)
        if at == 0:
            least = latency(budgets[0]) * self.clock / 1000
            raise HwError(
                f"target latency {microseconds:g} µs at {self.clock:g} ns: the network needs at least {least:.2f} µs "
                "with every unit as parallel as it can be; ask for more or a faster clock"
            )
        return budgets[at - 1]

    def fitting(self, least: int, device: Device, must: bool = False) -> tuple[dict[str, Fold], int]:
        """The fastest foldings that fit, for whom `least` cycles are fast enough, and their cycles; else nearly the
        smallest (`must`: `DoesNotFit`)."""
        budgets = self.budgets(least)
        folds, timing = self.within(budgets[-1]), self.limits.timing
        found = shares(self.estimated(budgets[-1]).total, device)
        smallest = max(found.values())
        if must and smallest > FILL:
            raise DoesNotFit(
                f"best fit: the smallest folding takes {told(found, FILL)} of {device.part}, more than the {FILL:.0%} "
                f"that leave room for routing; {remedy(self.network, folds, device, timing, FILL)}, or give a target, "
                "which may exceed them"
            )
        allowed = max(FILL, NEAR_LEAST * smallest)

        def small(budget: int) -> bool:
            return max(shares(self.estimated(budget).total, device).values()) <= allowed

        def key(budget: int) -> tuple[bool, int, float]:
            found = self.estimated(budget)
            # All that are as fast as was asked are equal in that.
            return not small(budget), max(found.pipeline.interval, least), weighed(found.total)

        at = min(bisect_left(budgets, True, key=small), len(budgets) - 1)
        best = budgets[at]
        if at == 0 and not must and self.estimated(best).pipeline.interval <= least:
            return self.within(best), best
        # Area does not fall with every step of the budget, and beats that are joined make a folding slower than its
        # budget: the ones around it are compared by what the whole network takes.
        best = min(budgets[max(0, at - NEARBY) : at + NEARBY + 1], key=key)
        last = self.estimated(best).pipeline.interval
        first = max((b for b in budgets if b < min(best, last)), default=least)
        best = min([best, *_spread(first, max(best, last))], key=key)
        return self.within(best), self.estimated(best).pipeline.interval


def _spread(first: int, last: int) -> list[int]:
    """Whole numbers from `first` to `last`, all or some of them."""
    step = max(1, -(-(last - first) // BETWEEN))
    return [*range(last, first, -step), first]


def _joined(network: Network, name: str, folds: Mapping[str, Fold]) -> list[str]:
    """The units whose beats the inputs of `name` are joined of: their makers, for the network's input its first reader,
    which says how it comes."""
    beats, gives = stream_beats(network, folds), {u.output.name: u.name for u in units(network)}
    for unit in units(network):
        for tensor in unit.sources:
            gives.setdefault(tensor.name, unit.name)
    [unit] = [u for u in units(network) if u.name == name]
    inputs = zip(unit.sources, beats_in(unit, folds[name]), strict=True)
    return [gives[tensor.name] for tensor, wanted in inputs if conversion(beats[tensor.name], wanted)[1] > 1]


def _check_target(target: Target, clock_period_ns: float, device: Device | None) -> None:
    check_clock(clock_period_ns)
    numbers = {"target frame rate": target.fps, "target latency": target.latency_us}
    for name, value in numbers.items():
        if value is not None and not value > 0:
            raise HwError(f"{name} {value!r}: expected a positive number")
    if target.best_fit and (target.fps is not None or target.latency_us is not None):
        raise HwError("best fit is the highest rate that fits: give it alone, without a target rate or latency")
    if target.best_fit and device is None:
        raise HwError("best fit needs a device: name a part or board")


def _reason(unit: Unit, fold: Fold, budget: int, limits: Limits) -> str:
    if unit.name in limits.given:
        return "given"
    taken = limits.timing.cycles
    if taken(unit, fold).interval > budget:
        return "as parallel as it can be"
    choices = sum(taken(unit, f).interval <= budget for f in limits.candidates(unit))
    return f"{'cheapest beside its neighbours, of ' if choices > 1 else 'only '}{choices} within {budget:,} cycles"


def remembered(family: str = "xcup") -> Cost:
    """The estimator's area for a synthesis family, each (unit, folding) computed once."""
    known: dict[tuple[Unit, Fold], float] = {}

    def cost(unit: Unit, fold: Fold) -> float:
        key = (unit, fold)
        if key not in known:
            known[key] = area(unit, fold, family)
        return known[key]

    return cost


def _rate(fps: float) -> str:
    return f"{fps:,.0f}" if fps >= 1000 else f"{fps:g}"
