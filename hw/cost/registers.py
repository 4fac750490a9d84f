"""The registers that a fast clock adds to a unit (`Fold.fetch` and `Fold.quick`). Of LUTs they take next to none."""

from __future__ import annotations

import numpy as np

from crq.hw.cost.primitives import distinct_columns
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.bits import as_bits, clog2
from crq.hw.dataflow.progressions import ramp
from crq.hw.dataflow.rings import word_bits
from crq.hw.dataflow.stages import code_table, stage
from crq.hw.dataflow.sums import sums
from crq.hw.dataflow.thresholds import Ramp, Table
from crq.hw.dataflow.units import FOLDED, Fold, Unit
from crq.hw.ir.digits import digits_of
from crq.hw.ir.layers import Mac, MaxPool


def clock_registers(unit: Unit, fold: Fold) -> Resources:
    """Flip-flops; none with the default folding."""
    quick = fold.quick and unit.quantizer is not None
    return Resources(ff=fold.fetch * fetched(unit, fold) + (inside_codes(unit, fold) if quick else 0))


def fetched(unit: Unit, fold: Fold) -> int:
    """Behind the memories: operands, weights and two flags."""
    if isinstance(unit.layer, MaxPool):
        return word_bits(unit, fold) + 2 if fold.form == FOLDED else 0
    if not isinstance(unit.layer, Mac) or unit.is_unrolled(fold):
        return 0
    per_group = unit.output.shape.c // unit.layer.groups
    slots = max(1, fold.pe // per_group) if unit.layer.groups > 1 else 1
    operands = word_bits(unit, fold) if fold.form == FOLDED else slots * fold.simd * unit.inputs[0].format.bits
    alike = (unit.layer.weights == unit.layer.weights.ravel()[0]).all()  # constants, as of an average pool
    return operands + (0 if alike else 2 * fold.pe * fold.simd * digits_of(unit.layer).shape[-1]) + 2


def inside_codes(unit: Unit, fold: Fold) -> int:
    """Inside of thresholds: what is compared and a flag, or the entries that searchers read ahead."""
    chosen, quantizer = stage(unit, fold), unit.quantizer
    assert quantizer is not None
    found = sums(unit, unit.is_unrolled(fold)).table if isinstance(unit.layer, Mac) else code_table(quantizer)
    assert found is not None
    if chosen.kind == "round":
        return fold.pe * found.width + 1
    if chosen.kind == "compare":
        assert isinstance(found, Table)
        return 0 if found.searched else sum(_compared(found, fold.pe, lane) for lane in range(fold.pe)) + 1
    if chosen.kind in ("bram", "divide"):
        return 0
    each = -(-fold.pe // chosen.searchers)
    used = -(-fold.pe // each)
    return sum(_ahead(found, chosen.kind, fold.pe, each, s) for s in range(used))


def _compared(found: Table, pe: int, lane: int) -> int:
    """Entries of a lane that some sum decides; equal ones are one."""
    rows, lo, hi = found.rows[lane::pe], found.lo[lane::pe, None], found.hi[lane::pe, None]
    live = ~((rows <= lo).all(0) | (rows > hi).all(0))
    return np.unique(rows[:, live], axis=1).shape[1]


def _ahead(found: Table | Ramp, kind: str, lanes: int, each: int, searcher: int) -> int:
    """The entry that is compared and the root of the next channel; or the next channel's progression."""
    lane = np.minimum(searcher * each + np.minimum(np.arange(1 << clog2(each)), each - 1), lanes - 1)
    channels = (np.arange(found.channels // lanes)[:, None] * lanes + lane).ravel()
    if kind == "ramp":
        line = ramp(found)
        assert line is not None
        along = line.progression
        starts = -along.b[channels][:, None] - (not along.ties)
        words = [as_bits(along.D[channels][:, None], line.d_bits), as_bits(starts, line.b_bits)]
        return distinct_columns(np.concatenate(words, axis=1)).shape[1]
    assert isinstance(found, Table)
    rows = found.rows[channels]
    roots = as_bits(rows[:, rows.shape[1] // 2][:, None], found.width)
    return distinct_columns(as_bits(rows.reshape(-1, 1), found.width)).shape[1] + distinct_columns(roots).shape[1]
