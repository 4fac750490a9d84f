"""Streams between units: when beats pass them, how deep their FIFOs are, and what the whole pipeline makes of it.

A stream goes from its producer through a fork if it has several readers; each reader has a FIFO of the producer's
beats, or none, then a converter if its beats are others (crq.hw.dataflow.beats).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from crq.hw.dataflow.beats import beats_in, conversion, stream_beats
from crq.hw.dataflow.memory import rounded
from crq.hw.dataflow.rings import interval, ring
from crq.hw.dataflow.schedule import Times, spaced
from crq.hw.dataflow.slack import MIN_FIFO, held_back, other_loops
from crq.hw.dataflow.timing import RTL, Timing
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Tensor

FIFO_DEPTH_CYCLES = 1  # a beat written in one cycle is readable in the next
PACED_IMAGES = 4  # images after which the occupancy of every FIFO repeats

Depths = Mapping[tuple[str, int], int]
"""Beats by unit and number of its input; 0: no FIFO."""


class Pipeline(NamedTuple):
    """The whole network: `interval` is the slowest unit's; `latency` is from first input beat to last output beat."""

    interval: int
    latency: int
    bottleneck: str
    first_output: dict[str, int]
    last_output: dict[str, int]


class Passage(NamedTuple):
    """What one unit does: `waits[i]`, the most beats that wait for it at input i; and its beats' cycles."""

    waits: tuple[int, ...]
    given: Times


def fifo_depths(
    network: Network, folds: Mapping[str, Fold], timing: Timing = RTL
) -> dict[tuple[str, int], int]:  # fmt: skip
    """(unit, input) to the beats its FIFO holds, so that the network reaches the slowest unit's interval.

    Images paced evenly at that interval run without ever filling a FIFO this deep; a network of FIFOs never runs slower
    than a schedule its depths allow, so a source that offers beats as fast as it can reaches the interval too, and
    branches that join again cannot block each other. Where nothing waits and one of both ends has a registered `ready`,
    there is no FIFO. With `timing.extra` no number of stages up to it makes a FIFO too small: where branches join, what
    comes by one waits as if every loop on the others were that much deeper, and stalled with all its iterations in it;
    and depths are rounded up where that is free.
    """
    slowest = max(intervals(network, folds, timing).values())
    late = {edge: timing.extra * n for edge, n in other_loops(network, folds).items()} if timing.extra else {}
    held = held_back(network, folds, timing.extra) if timing.extra else {}
    pace = {
        name: np.arange(PACED_IMAGES * beats) * slowest // beats for name, beats in _entering(network, folds).items()
    }
    depths = {edge: MIN_FIFO if chained or timing.extra else 0 for edge, chained in _chained(network, folds).items()}
    while True:
        found = flow(network, folds, pace, depths, timing, late)
        missing = False
        for unit in units(network):
            for i, waiting in enumerate(found[unit.name].waits):
                edge = unit.name, i
                missing |= bool(waiting) and not depths[edge]
                depths[edge] = MIN_FIFO + waiting - 1 if waiting else depths[edge]
        if not missing:
            if not timing.extra:
                return depths
            widths = _widths(network, folds)
            return {edge: rounded(depth + held[edge], widths[edge]) for edge, depth in depths.items()}


def _widths(network: Network, folds: Mapping[str, Fold]) -> dict[tuple[str, int], int]:
    """Bits of a beat, by (unit, input)."""
    beats = stream_beats(network, folds)
    return {
        (unit.name, i): beats[source.name] * tensor.format.bits
        for unit in units(network)
        for i, (source, tensor) in enumerate(zip(unit.sources, unit.inputs, strict=True))
    }


def intervals(network: Network, folds: Mapping[str, Fold], timing: Timing = RTL) -> dict[str, int]:
    """Cycles from one image to the next of each unit behind its converters: one that joins beats may be slower than
    the unit takes them, and a memory that is written more slowly makes its reader wait."""
    beats, result = stream_beats(network, folds), {}
    for unit in units(network):
        fold = folds[unit.name]
        paces = tuple(joined for _, joined in _changes(unit, fold, [beats[t.name] for t in unit.sources]))
        result[unit.name] = paced_interval(unit, fold, paces, timing)
    return result


@lru_cache(maxsize=65536)
def paced_interval(unit: Unit, fold: Fold, paces: tuple[int, ...], timing: Timing = RTL) -> int:
    """Cycles from one image to the next of a unit whose inputs are joined of so many beats each."""
    if max(paces) == 1:
        return timing.cycles(unit, fold).interval
    if unit.is_windowed and fold.form == FOLDED and timing is RTL:
        return interval(ring(unit, fold), paces[0])
    inputs = zip(unit.sources, beats_in(unit, fold), strict=True)
    early = [np.zeros(3 * t.shape.size // beat, np.int64) for t, beat in inputs]
    last = timing.schedule(unit, fold, early, paces).given.reshape(3, -1)[:, -1]
    return int(last[2] - last[1])


def _entering(network: Network, folds: Mapping[str, Fold]) -> dict[str, int]:
    """Beats of an image, by input."""
    beats = stream_beats(network, folds)
    return {tensor.name: tensor.shape.size // beats[tensor.name] for tensor in network.inputs}


def _chained(network: Network, folds: Mapping[str, Fold]) -> dict[tuple[str, int], bool]:
    """Per (unit, input), whether `ready` would run on from the unit to what its producer hangs on: such chains are cut
    by a FIFO. A memory of rows is ready by a register; so are the network's sources. A shift is wires and has none."""
    runs_on = {u.output.name: not (folds[u.name].form == FOLDED and u.is_windowed) for u in units(network)}
    result = {}
    for unit in units(network):
        for i, tensor in enumerate(unit.sources):
            cut = runs_on.get(tensor.name, False) and runs_on[unit.output.name]
            result[unit.name, i] = cut and not unit.is_wires
    return result


def flow(
    network: Network, folds: Mapping[str, Fold], entering: Mapping[str, Times], depths: Depths, timing: Timing = RTL,
    late: Depths | None = None,
) -> dict[str, Passage]:  # fmt: skip
    """Unit name to its passage, for beats (whole images) of each input that enter at `entering`, FIFOs never full.

    `late`: cycles, by unit and input, for which beats may have to wait longer than the schedule says.
    """
    beats = stream_beats(network, folds)
    times: dict[str, Times] = dict(entering)
    result = {}
    for unit in units(network):
        fold = folds[unit.name]
        arrivals = []
        for i, tensor in enumerate(unit.sources):
            arrivals.append(times[tensor.name] + (FIFO_DEPTH_CYCLES if depths[unit.name, i] else 0))
        waits = [(late or {}).get((unit.name, i), 0) for i in range(len(arrivals))]
        found = _passage(unit, fold, [beats[t.name] for t in unit.sources], arrivals, timing, waits)
        result[unit.name] = found
        times[unit.output.name] = found.given
    return result


def _passage(
    unit: Unit, fold: Fold, given: list[int], arrivals: list[Times], timing: Timing, late: list[int]
) -> Passage:  # fmt: skip
    """One unit behind its converters, which hold what the unit does not take yet."""
    changes = _changes(unit, fold, given)
    made = [_made(a, *c) for a, c in zip(arrivals, changes, strict=True)]
    found = timing.schedule(unit, fold, made, [joined for _, joined in changes])
    accepted = [_accepted(a, t, *c) for a, t, c in zip(arrivals, found.taken, changes, strict=True)]
    return Passage(tuple(_waiting(a, b + n) for a, b, n in zip(arrivals, accepted, late, strict=True)), found.given)


def _changes(unit: Unit, fold: Fold, given: Sequence[int]) -> list[tuple[int, int]]:
    return [conversion(n, m) for n, m in zip(given, beats_in(unit, fold), strict=True)]


def _made(arrivals: Times, parts: int, joined: int) -> Times:
    """When the beats of a converter's output are there at the earliest. Beyond that, a beat that is joined is there
    `joined` cycles after the one before was taken, which is the pace of the unit; a part follows as one is taken."""
    if parts > 1:
        arrivals = np.repeat(arrivals + 1, parts)
    if joined > 1:
        arrivals = (spaced(arrivals).reshape(-1, joined) + np.arange(joined, 0, -1)).max(1)
    return arrivals


def _accepted(arrivals: Times, taken: Times, parts: int, joined: int) -> Times:
    """When a converter takes its beats: not before the ones it made of those before are gone."""
    if joined > 1:
        ready = np.repeat(arrivals + 1, parts) if parts > 1 else arrivals.copy()
        ready[joined::joined] = np.maximum(ready[joined::joined], taken[:-1])
        taken = spaced(ready)
    if parts > 1:
        return np.maximum(arrivals, np.concatenate([arrivals[:1], taken[parts - 1 : -1 : parts]]))
    return taken


def _waiting(arrivals: Times, accepted: Times) -> int:
    """The most beats that have arrived and must wait for a cycle or more."""
    late = accepted > arrivals
    if not late.any():
        return 0
    return int((np.arange(1, len(arrivals) + 1) - np.searchsorted(accepted, arrivals)).max())


def pipeline(
    network: Network, folds: Mapping[str, Fold], depths: Depths | None = None, timing: Timing = RTL
) -> Pipeline:  # fmt: skip
    """Interval and latency of the network for one image entering, of each input a beat per cycle, FIFOs never full."""
    if depths is None:
        depths = fifo_depths(network, folds, timing)
    entering = {name: np.arange(beats) for name, beats in _entering(network, folds).items()}
    found = flow(network, folds, entering, depths, timing)
    found_intervals = intervals(network, folds, timing)
    bottleneck = max(found_intervals, key=found_intervals.__getitem__)
    last = [found[output_unit(network, output)].given[-1] for output in network.outputs]
    return Pipeline(
        found_intervals[bottleneck],
        int(max(last)) + 1,
        bottleneck,
        {n: int(p.given[0]) for n, p in found.items()},
        {n: int(p.given[-1]) for n, p in found.items()},
    )


def output_unit(network: Network, tensor: Tensor) -> str:
    """The name of the unit that makes `tensor`."""
    carried = network.carried(tensor)
    return next(u.name for u in units(network) if u.output is carried)
