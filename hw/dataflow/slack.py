"""Where branches join: what the loops of the others may keep from one that has not them, however deep a tool pipelines.

A loop of so many stages gives its results that much later; and where it stalls, because its next iteration waits, it
keeps the results of all iterations in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import ceil

from crq.hw.dataflow.beats import beat_out, beats_in, conversion, stream_beats
from crq.hw.dataflow.rings import ring
from crq.hw.dataflow.stages import block_cycles, stage
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import MaxPool, Tensor

MIN_FIFO = 2  # beats: one in use, one on its way

Edge = tuple[str, int]


def other_loops(network: Network, folds: Mapping[str, Fold]) -> dict[Edge, int]:
    """(unit, input) to the most loops that beats of the unit's other inputs pass one after the other while those of
    this input pass none: copies, converters and units that make the others and have no part in this one. A unit that
    searches its codes lane by lane has a second loop for it."""
    own = {edge: float(sum(found.values())) for edge, found in _loops(network, folds).items()}

    def loops(unit: Unit) -> float:
        return 1.0 + stage(unit, folds[unit.name]).sequential

    return {edge: round(n) for edge, n in _beside(network, own, loops).items()}


def held_back(network: Network, folds: Mapping[str, Fold], stages: int) -> dict[Edge, int]:
    """(unit, input) to the beats of this input that correspond to what those loops hold, each stalled with `stages`
    iterations in it."""
    beats = stream_beats(network, folds)

    def per_image(tensor: Tensor) -> int:
        return tensor.shape.size // beats[tensor.name]

    own: dict[Edge, float] = {}
    loops = _loops(network, folds)
    for unit in units(network):
        for i, (tensor, wanted) in enumerate(zip(unit.sources, beats_in(unit, folds[unit.name]), strict=True)):
            found = loops[unit.name, i]
            fewest = min(per_image(tensor), tensor.shape.size // wanted)
            most = max(per_image(tensor), tensor.shape.size // wanted)
            iterations = {"copy": per_image(tensor), "converter": most, "drop": fewest}
            own[unit.name, i] = sum(stages * n / iterations[kind] for kind, n in found.items())

    def held(unit: Unit) -> float:
        fold = folds[unit.name]
        given = unit.output.shape.size // beat_out(unit, fold)
        if not unit.is_windowed:
            return stages * 1.0 / given
        every = unit.reuse_factor(fold) // (unit.output.shape.c // fold.pe)
        cycles = every if isinstance(unit.layer, MaxPool) else block_cycles(unit, fold)
        blocks = ceil(stages / cycles)
        found = stage(unit, fold)
        if found.sequential:  # those between its two loops, the one in work, and those in the search
            blocks += MIN_FIFO + 1 + ceil(stages / (found.latency - 1))
        return blocks / given

    shares = _beside(network, own, held)
    sources = {(u.name, i): t for u in units(network) for i, t in enumerate(u.sources)}
    return {edge: ceil(share * per_image(sources[edge])) for edge, share in shares.items()}


def _beside(network: Network, own: Mapping[Edge, float], of: Callable[[Unit], float]) -> dict[Edge, float]:
    """Per edge the longest way that the unit's other inputs come without this one: `of` each unit and `own` edge. None
    where the two have no fork in common."""
    made = {unit.output.name: unit for unit in units(network)}
    before: dict[str, frozenset[str]] = {  # units that a tensor comes from
        tensor.name: frozenset() for tensor in network.inputs
    }
    for unit in units(network):
        before[unit.output.name] = frozenset({unit.name}).union(*(before[t.name] for t in unit.sources))

    def longest(tensor: str, shared: frozenset[str], known: dict[str, float]) -> float:
        unit = made.get(tensor)
        if unit is None or unit.name in shared:
            return 0.0
        if tensor not in known:
            ways = (longest(t.name, shared, known) + own[unit.name, i] for i, t in enumerate(unit.sources))
            known[tensor] = of(unit) + max(ways)
        return known[tensor]

    result, alone = {}, bridges(network)
    for unit in units(network):
        for i, tensor in enumerate(unit.sources):
            together = (unit.name, i) not in alone
            others = [
                (j, t.name) for j, t in enumerate(unit.sources) if together and j != i and (unit.name, j) not in alone
            ]
            shared: dict[str, float] = {}
            chains = [longest(name, before[tensor.name], shared) + own[unit.name, j] for j, name in others]
            result[unit.name, i] = max(chains, default=0.0)
    return result


@lru_cache(maxsize=16)
def bridges(network: Network) -> frozenset[Edge]:
    """(unit, input) of units with several inputs that alone join what lies in front of them to all the rest: what comes
    by it has no fork in common with the others, and may wait for them in front of the network."""
    ends = {(u.name, i): (t.name, u.output.name) for u in units(network) for i, t in enumerate(u.sources)}
    beside: dict[str, list[tuple[Edge, str]]] = {}
    for edge, (a, b) in ends.items():
        beside.setdefault(a, []).append((edge, b))
        beside.setdefault(b, []).append((edge, a))

    def joined(without: Edge, start: str, end: str) -> bool:
        seen, left = {start}, [start]
        while left:
            for edge, place in beside[left.pop()]:
                if edge != without and place not in seen:
                    seen.add(place)
                    left.append(place)
        return end in seen

    several = {u.name for u in units(network) if len(u.sources) > 1}
    return frozenset(edge for edge, pair in ends.items() if edge[0] in several and not joined(edge, *pair))


def _loops(network: Network, folds: Mapping[str, Fold]) -> dict[Edge, Counter[str]]:
    """Loops between a tensor and each input of a unit, by kind: a copy, a converter, one that drops pixels."""
    readers = Counter(t.name for unit in units(network) for t in unit.sources)
    readers.update(result.name for result in network.leaving)
    beats, result = stream_beats(network, folds), {}
    for unit in units(network):
        fold = folds[unit.name]
        drops = unit.is_windowed and fold.form == FOLDED and ring(unit, fold).decimated is not None
        for i, (tensor, beat) in enumerate(zip(unit.sources, beats_in(unit, fold), strict=True)):
            converts = conversion(beats[tensor.name], beat) != (1, 1)
            found = {"copy": readers[tensor.name] > 1, "converter": converts, "drop": drops}
            result[unit.name, i] = Counter({kind: int(there) for kind, there in found.items()})
    return result
