"""Foldings of all units together: each unit's area, and the converters where the beats of neighbours differ.

From several starts, each of which gives all streams about the same width, units change one after the other to what is
cheapest beside their neighbours, until none changes. One start gives every unit what is cheapest for it alone, and one
takes parallel forms only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from crq.hw.cost.streams import converter, fifo
from crq.hw.dataflow.beats import beat_out, beats_in, conversion
from crq.hw.dataflow.streams import MIN_FIFO, paced_interval
from crq.hw.dataflow.units import FOLDED, PARALLEL, Fold, Unit, units
from crq.hw.fold.candidates import Limits
from crq.hw.ir.graph import Network

Cost = Callable[[Unit, Fold], float]

BEATS = (1, 2, 4, 8, 16, 32)  # channels per beat of the starts
SWEEPS = 12  # in which the units settle
# More products per cycle than this many times the fewest within the budget never paid; only complete unrolling may.
SURPLUS = 4
TOO_SLOW = 1e9


def within(network: Network, budget: int, cost: Cost, limits: Limits | None = None) -> dict[str, Fold]:
    """Per unit a folding of at most `budget` cycles per image, or else the fewest it can have, of least total cost."""
    return _Joint(network, budget, cost, limits or Limits()).best()


class _Joint:
    def __init__(self, network: Network, budget: int, cost: Cost, limits: Limits) -> None:
        self.network, self.units = network, units(network)
        self.makers = {u.output.name: u for u in self.units}
        self.readers: dict[str, list[tuple[Unit, int]]] = {}
        for unit in self.units:
            for i, tensor in enumerate(unit.sources):
                self.readers.setdefault(tensor.name, []).append((unit, i))
        self.timing = limits.timing
        self.options = {u.name: _cheapest(u, _candidates(u, budget, limits), cost) for u in self.units}
        # A unit that cannot be within the budget may take what it takes.
        self.most = {u.name: max(budget, *(self.timing.cycles(u, f).interval for f in self.options[u.name]))
                     for u in self.units}  # fmt: skip

    def best(self) -> dict[str, Fold]:
        starts = [self.start(lambda u, f: self.options[u.name][f])]
        starts += [self.start(partial(_distance, beat)) for beat in BEATS]
        starts.append(self.start(lambda u, f: self.options[u.name][f] + (f.form != PARALLEL) * 1e9))
        settled = [self.settle(folds) for folds in {tuple(s.items()): s for s in starts}.values()]
        return min(settled, key=self.total)

    def start(self, key: Callable[[Unit, Fold], float]) -> dict[str, Fold]:
        return {u.name: min(self.options[u.name], key=lambda f: (key(u, f), f)) for u in self.units}

    def settle(self, folds: dict[str, Fold]) -> dict[str, Fold]:
        for sweep in range(SWEEPS):
            changed = False
            for unit in self.units if sweep % 2 == 0 else reversed(self.units):
                found = min(self.options[unit.name], key=lambda f: (self.around(unit, f, folds), f))
                changed |= found != folds[unit.name]
                folds[unit.name] = found
            if not changed:
                break
        return folds

    def around(self, unit: Unit, fold: Fold, folds: Mapping[str, Fold]) -> float:
        """Cost of `unit` under `fold` and of the streams at it."""
        price = self.options[unit.name][fold]
        for i, tensor in enumerate(unit.sources):
            maker = self.makers.get(tensor.name)
            if maker is not None:
                price += self.stream(maker, folds[maker.name], unit, fold, i)
        for reader, i in self.readers.get(unit.output.name, []):
            price += self.stream(unit, fold, reader, folds[reader.name], i)
        return price

    def total(self, folds: Mapping[str, Fold]) -> float:
        price = sum(self.options[u.name][folds[u.name]] for u in self.units)
        for unit in self.units:
            for reader, i in self.readers.get(unit.output.name, []):
                price += self.stream(unit, folds[unit.name], reader, folds[reader.name], i)
        return price

    def stream(self, maker: Unit, given: Fold, reader: Unit, taken: Fold, i: int) -> float:
        """Cost of what joins two units, but for depth that the schedule asks for; prohibitive where joining beats makes
        the reader too slow."""
        beat, wanted, bits = beat_out(maker, given), beats_in(reader, taken)[i], maker.output.format.bits
        if (pace := conversion(beat, wanted)[1]) > 1:
            paces = tuple(pace if j == i else 1 for j in range(len(reader.sources)))
            if paced_interval(reader, taken, paces, self.timing) > self.most[reader.name]:
                return TOO_SLOW
        chained = _ready_runs_on(maker, given) and _ready_runs_on(reader, taken) and not reader.is_wires
        return _joint(beat, wanted, bits, chained)


def _candidates(unit: Unit, budget: int, limits: Limits) -> list[Fold]:
    taken = {f: limits.timing.cycles(unit, f).interval for f in limits.candidates(unit)}
    limit = max(budget, min(taken.values()))
    fitting = [f for f in taken if taken[f] <= limit]
    fewest = min(f.pe * f.simd for f in fitting)
    return [f for f in fitting if f.pe * f.simd <= SURPLUS * fewest or _complete(unit, f)]


def _complete(unit: Unit, fold: Fold) -> bool:
    return fold.form == PARALLEL and unit.is_windowed and unit.reuse_factor(fold) == 1


def _cheapest(unit: Unit, folds: list[Fold], cost: Cost) -> dict[Fold, float]:
    """For each pair of beats and form the cheapest folding, with its cost."""
    found: dict[tuple[object, ...], tuple[float, Fold]] = {}
    for fold in folds:
        key = beats_in(unit, fold), beat_out(unit, fold), fold.form
        rival = cost(unit, fold), fold
        if key not in found or rival < found[key]:
            found[key] = rival
    return {fold: price for price, fold in found.values()}


def _distance(beat: int, unit: Unit, fold: Fold) -> float:
    """How far the beats of a folding are from `beat`, in factors; parallel forms come last."""
    ends = (*beats_in(unit, fold), beat_out(unit, fold))
    return sum(max(n / beat, beat / n) for n in ends) + (unit.is_windowed and fold.form != FOLDED) * 1e3


def _ready_runs_on(unit: Unit, fold: Fold) -> bool:
    return not (unit.is_windowed and fold.form == FOLDED)


@lru_cache(maxsize=65536)
def _joint(given: int, wanted: int, bits: int, chained: bool) -> float:
    found = converter(given, wanted, bits)
    if chained:
        found = found.plus(fifo(MIN_FIFO, given * bits))
    return found.lut + found.ff / 4
