"""Accumulators at both ends of their range, and thresholds on both sides: each layer's module alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from crq.hw.dataflow.sums import sums
from crq.hw.dataflow.units import Unit
from crq.hw.dataflow.unrolled import codes as unrolled_codes
from crq.hw.hls.plan import Plan, Process, make_plan
from crq.hw.ir.layers import Conv, Dense, IntArray
from crq.hw.rtl.built import Built
from crq.hw.verify.proofs import thresholds as both_sides
from crq.hw.verify.proofs.accumulator import driven, spare
from crq.hw.verify.proofs.alone import sums_of
from crq.hw.verify.proofs.proof import Proof
from crq.hw.verify.proofs.rtl.alone import Alone


def plan_of(built: Built) -> Plan:
    """The processes of the same units: operands are found for them, whatever the form."""
    return make_plan(built.network, built.manifest.io_type, built.folds, built.name)


def accumulators(built: Built) -> Proof:
    """The sums themselves, before any threshold hides their ends; and whether they need the bits that they have."""
    plan = plan_of(built)
    having = [p for p in plan.processes if p.unit and isinstance(p.unit.layer, (Conv, Dense))]
    if not having:
        return Proof("accumulators", True, "no layer sums products", skipped=True)
    wrong, needed, count = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        alone = Alone(built, [p.unit for p in having if p.unit], Path(folder))
        for process in having:
            assert process.unit is not None
            operands = driven(plan, process)
            exact = sums_of(plan, process, operands)
            values, seen = alone.run(process.unit, operands)
            count += exact.size
            if seen is None:
                same, bits, inside = np.array_equal(values, exact), process.unit.output.format.bits, values
            else:
                inside, bits = _inside(built, process.unit, exact)
                same = np.array_equal(seen, inside)
            if not same:
                wrong.append(process.label)
            half = 1 << max(0, bits - 2)
            if inside.max() >= half or inside.min() < -half:
                needed.append(process.label)
    if wrong:
        return Proof("accumulators", False, f"wrong sums at the ends of their range: {', '.join(wrong)}")
    rest = tuple(p.label for p in having if p.label not in needed)
    if not needed:
        return Proof("accumulators", False, "no layer needs its highest bit: nothing is proven", rest)
    facts = (
        f"{len(having)} layers alone, {count:,} sums, are exact at both ends of their range; {len(needed)} need the "
    )
    return Proof("accumulators", True, f"{facts}highest bit of their accumulators{spare(rest)}")


def _inside(built: Built, unit: Unit, exact: IntArray) -> tuple[IntArray, int]:
    """How exact sums (N, C, H, W) stand in the module, as signed numbers, and of how many bits."""
    unrolled = not built.plan.streaming or unit.is_unrolled(built.folds[unit.name])
    found = sums(unit, unrolled)
    if not built.plan.streaming:
        table = unrolled_codes(unit)
        return exact, table[0].width if table else found.bits
    lacking = found.offset[:, None, None] if unit.threshold is not None else 0
    low = exact - lacking - found.middle
    half = 1 << found.bits - 1
    return (low + half) % (2 * half) - half, found.bits


class _Codes:
    def __init__(self, built: Built, processes: list[Process], folder: Path) -> None:
        self.alone = Alone(built, [p.unit for p in processes if p.unit], folder)

    def run(self, process: Process, codes: IntArray) -> IntArray:
        assert process.unit is not None
        return self.alone.run(process.unit, codes)[0]


def thresholds(built: Built) -> Proof:
    """For every threshold that a sum can reach: the least sum that meets it, and the greatest that does not."""
    return both_sides.examined(plan_of(built), lambda processes, folder: _Codes(built, processes, folder))
