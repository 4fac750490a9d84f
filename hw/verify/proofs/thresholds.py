"""Every threshold where it is: each layer that has some, alone, on both sides of every boundary it can reach."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw.hls.plan import Plan, Process
from hw.ir.interpret import apply
from hw.ir.layers import IntArray
from hw.verify.proofs.alone import Alone, sums_of
from hw.verify.proofs.boundaries import enumerable, operands, reachable
from hw.verify.proofs.proof import Proof

LEAST_SHARE = 0.99  # of the boundaries that can be reached, which a layer's operands must meet on both sides


def check(directory: Path, plan: Plan) -> Proof:
    """Compares the codes of the firmware (fast) with the integer graph's, and counts the boundaries that were met."""
    having = [p for p in plan.processes if p.unit and p.unit.quantizer]
    processes = [p for p in having if enumerable(p)]
    rest = tuple(p.label for p in having if p not in processes)
    if not processes:
        return Proof("thresholds", True, "no layer has thresholds whose sums can be enumerated", rest, skipped=True)
    met = total = beyond = 0
    wrong, weak = [], []
    with tempfile.TemporaryDirectory() as folder:
        alone = Alone(directory, plan, processes, Path(folder), "fast")
        for process in processes:
            assert process.unit is not None
            assert process.unit.quantizer is not None
            beyond += process.unit.quantizer.thresholds.size
            codes = operands(plan, process)
            if not len(codes):
                continue
            sums = _before_thresholds(plan, process, codes)
            if not np.array_equal(alone.run(process, codes), apply(process.unit.quantizer, sums)):
                wrong.append(process.label)
            own = boundaries(plan, process, sums)
            met, total = met + int(own.sum()), total + own.size
            if own.size and own.mean() < LEAST_SHARE:
                weak.append(process.label)
    if wrong:
        return Proof("thresholds", False, f"wrong codes beside a threshold: {', '.join(wrong)}")
    if weak:
        return Proof("thresholds", False, f"{met:,} of {total:,} boundaries were met; too few of {', '.join(weak)}")
    if not total:
        return Proof("thresholds", True, f"none of {beyond:,} thresholds lies where a sum comes", rest, skipped=True)
    facts = f"{met:,} of {total:,} boundaries, each layer alone, are exact on both sides"
    if beyond > total:
        facts += f"; {beyond - total:,} thresholds lie where no sum comes"
    return Proof("thresholds", True, facts, rest)


def boundaries(plan: Plan, process: Process, sums: IntArray) -> NDArray[np.bool_]:
    """Of every threshold between two sums that the layer can have: whether `sums` (N, C, H, W) has both."""
    assert process.unit is not None
    assert process.unit.quantizer is not None
    found = []
    for channel, levels in enumerate(process.unit.quantizer.thresholds):
        able, own = reachable(plan, process, channel), np.unique(sums[:, channel])
        inside = levels[(levels > able[0]) & (levels <= able[-1])]
        at = np.searchsorted(able, inside)
        found.append(np.isin(able[at], own) & np.isin(able[at - 1], own))
    return np.concatenate(found) if found else np.zeros(0, bool)


def _before_thresholds(plan: Plan, process: Process, codes: IntArray) -> IntArray:
    assert process.unit is not None
    return codes if process.unit.threshold is None else sums_of(plan, process, codes)
