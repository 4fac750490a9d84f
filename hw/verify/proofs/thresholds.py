"""Every threshold where it is: each layer that has some, alone, on both sides of every boundary it can reach."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crq.hw.hls.plan import Plan, Process
from crq.hw.ir.interpret import apply
from crq.hw.ir.layers import IntArray
from crq.hw.verify.proofs.alone import Alone, sums_of
from crq.hw.verify.proofs.boundaries import enumerable, operands, reachable
from crq.hw.verify.proofs.proof import Proof


class Runner(Protocol):
    """Layers alone: integers (N, C, H, W) of operands (N, C, H, W)."""

    def run(self, process: Process, codes: IntArray) -> IntArray: ...


def check(directory: Path, plan: Plan) -> Proof:
    """Compares the codes of the firmware (fast) with the integer graph's, and counts the boundaries that were met."""
    return examined(plan, lambda processes, folder: Alone(directory, plan, processes, folder, "fast"))


def examined(plan: Plan, make: Callable[[list[Process], Path], Runner]) -> Proof:
    """The same of layers of any form: `make` makes what runs the processes it is given, in a folder."""
    having = [p for p in plan.processes if p.unit and p.unit.quantizer]
    processes = [p for p in having if enumerable(p)]
    rest = tuple(p.label for p in having if p not in processes)
    if not processes:
        return Proof("thresholds", True, "no layer has thresholds whose sums can be enumerated", rest, skipped=True)
    met = total = beyond = 0
    wrong, partly = [], []
    with tempfile.TemporaryDirectory() as folder:
        alone = make(processes, Path(folder))
        for process in processes:
            assert process.unit is not None
            assert process.unit.quantizer is not None
            beyond += process.unit.quantizer.levels * process.unit.output.shape.c
            equal, own = _looked_at(alone, plan, process)
            if not equal:
                wrong.append(process.label)
            met, total = met + int(own.sum()), total + own.size
            if not own.all():
                partly.append(f"{process.label} ({own.size - int(own.sum()):,} of its {own.size:,} boundaries)")
    if wrong:
        return Proof("thresholds", False, f"wrong codes beside a threshold: {', '.join(wrong)}")
    if not total:
        return Proof("thresholds", True, f"none of {beyond:,} thresholds lies where a sum comes", rest, skipped=True)
    if not met:
        return Proof("thresholds", False, f"none of {total:,} boundaries was met: nothing is proven")
    rest += tuple(partly)
    facts = f"{met:,} of {total:,} boundaries, each layer alone, are exact on both sides"
    if beyond > total:
        facts += f"; {beyond - total:,} thresholds lie where no sum comes"
    return Proof("thresholds", True, facts, rest)


def _looked_at(alone: Runner, plan: Plan, process: Process) -> tuple[bool, NDArray[np.bool_]]:
    """Whether every code is right, and which boundaries were met."""
    assert process.unit is not None
    assert process.unit.quantizer is not None
    equal = True
    seen: list[NDArray[np.int64]] = [np.zeros(0, np.int64)] * process.unit.output.shape.c
    for codes in operands(plan, process):
        sums = _before_thresholds(plan, process, codes)
        equal &= np.array_equal(alone.run(process, codes), apply(process.unit.quantizer, sums))
        seen = [np.union1d(before, sums[:, channel]) for channel, before in enumerate(seen)]
    return equal, boundaries(plan, process, seen)


def boundaries(plan: Plan, process: Process, seen: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Of every threshold between two sums that the layer can have: whether `seen`, sums by channel, has both."""
    assert process.unit is not None
    assert process.unit.quantizer is not None
    found = []
    for channel in range(process.unit.output.shape.c):
        levels, able = process.unit.quantizer.row(channel), reachable(plan, process, channel)
        inside = levels[(levels > able[0]) & (levels <= able[-1])]
        at = np.searchsorted(able, inside)
        found.append(np.isin(able[at], seen[channel]) & np.isin(able[at - 1], seen[channel]))
    return np.concatenate(found) if found else np.zeros(0, bool)


def _before_thresholds(plan: Plan, process: Process, codes: IntArray) -> IntArray:
    assert process.unit is not None
    return codes if process.unit.threshold is None else sums_of(plan, process, codes)
