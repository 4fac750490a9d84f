"""Where branches join: how many loops the others have that one has not, each of which a tool may pipeline deeply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hw.dataflow.beats import beats_in, conversion, stream_beats
from hw.dataflow.rings import ring
from hw.dataflow.units import FOLDED, Fold, units
from hw.ir.graph import Network


def other_loops(network: Network, folds: Mapping[str, Fold]) -> dict[tuple[str, int], int]:
    """(unit, input) to the most loops that beats of the unit's other inputs pass one after the other while those of
    this input pass none: copies, converters and units that make the others and have no part in this one."""
    own = _loops(network, folds)
    made = {unit.output.name: unit for unit in units(network)}
    before: dict[str, frozenset[str]] = {network.input.name: frozenset()}  # units that a tensor comes from
    for unit in units(network):
        before[unit.output.name] = frozenset({unit.name}).union(*(before[t.name] for t in unit.sources))

    def longest(tensor: str, shared: frozenset[str], known: dict[str, int]) -> int:
        unit = made.get(tensor)
        if unit is None or unit.name in shared:
            return 0
        if tensor not in known:
            known[tensor] = 1 + max(
                longest(t.name, shared, known) + own[unit.name, i] for i, t in enumerate(unit.sources)
            )
        return known[tensor]

    result = {}
    for unit in units(network):
        for i, tensor in enumerate(unit.sources):
            others = [(j, t.name) for j, t in enumerate(unit.sources) if j != i]
            shared: dict[str, int] = {}
            chains = [longest(name, before[tensor.name], shared) + own[unit.name, j] for j, name in others]
            result[unit.name, i] = max(chains, default=0)
    return result


def _loops(network: Network, folds: Mapping[str, Fold]) -> Counter[tuple[str, int]]:
    """Loops between a tensor and each input of a unit: a copy, a converter, one that drops pixels."""
    readers = Counter(t.name for unit in units(network) for t in unit.sources)
    readers[network.carried(network.output).name] += 1
    beats, result = stream_beats(network, folds), Counter[tuple[str, int]]()
    for unit in units(network):
        fold = folds[unit.name]
        drops = unit.is_windowed and fold.form == FOLDED and ring(unit, fold).decimated is not None
        for i, (tensor, beat) in enumerate(zip(unit.sources, beats_in(unit, fold), strict=True)):
            converts = conversion(beats[tensor.name], beat) != (1, 1)
            result[unit.name, i] = (readers[tensor.name] > 1) + converts + drops
    return result
