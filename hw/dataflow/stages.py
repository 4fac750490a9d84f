"""What follows the sums of a unit: how its thresholds are found, and how many cycles that takes."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from crq.hw.dataflow.memory import in_bram
from crq.hw.dataflow.progressions import ramp, rounding, sequential_cycles
from crq.hw.dataflow.rings import ring
from crq.hw.dataflow.thresholds import Ramp, Table, search_steps, table
from crq.hw.dataflow.units import FOLDED, Fold, Unit
from crq.hw.ir.layers import Mac, Threshold
from crq.hw.ir.progression import Progression

# Up to this many words a searched table in LUTs is smaller than a progression's divider (measured for xcup: 69 against
# 86 LUTs at 256 words of 11 bits, 327 against 191 at 1024 words of 13).
TABLE_WORDS = 256

Kind = Literal["none", "compare", "divide", "round", "lut", "bram", "ramp"]


class Stage(NamedTuple):
    """How the codes of a block of PE sums are found.

    `kind`: "none" (the sums leave as they are), "compare" (all thresholds at once, or searched in a pipeline), "round"
    (a power of two: shift, round half to even, clamp), "divide" (along a progression, in a pipeline), or one after the
    other by `searchers`: in a table in LUTs
    ("lut") or block RAM ("bram"), or along a progression ("ramp"). `latency`: cycles from finished sums to their beat.
    """

    kind: Kind
    searchers: int
    latency: int

    @property
    def sequential(self) -> bool:
        return self.searchers > 0


@lru_cache(maxsize=65536)
def stage(unit: Unit, fold: Fold) -> Stage:
    """The stage behind the sums of `unit`: one after the other where the time between two blocks of sums allows it."""
    quantizer = unit.quantizer
    if quantizer is None:
        return Stage("none", 0, 0)
    bits = quantizer.output.format.bits
    if not isinstance(unit.layer, Mac):
        plain = rounding(code_table(quantizer)) is not None
        return Stage("round", 0, 1 + fold.quick) if plain else _compare(quantizer, fold)
    each = min(fold.pe, block_cycles(unit, fold) // sequential_cycles(bits))  # lanes that one searcher has time for
    if not each or bits == 1:
        return _compare(quantizer, fold)
    searchers = -(-fold.pe // each)
    each = -(-fold.pe // searchers)
    words = (unit.output.shape.c // fold.pe * each) << bits
    kind: Kind = "lut"
    if isinstance(quantizer.thresholds, Progression):
        kind = "ramp"
    elif words > TABLE_WORDS:
        if is_progression(quantizer):
            kind = "ramp"
        elif in_bram(words * code_table(quantizer).width):
            kind = "bram"
    return Stage(kind, searchers, each * sequential_cycles(bits) + 1)


def _compare(quantizer: Threshold, fold: Fold) -> Stage:
    """All thresholds at once, with a register behind the comparators if `fold.quick`, or a pipelined search; along a
    progression a pipelined division."""
    if isinstance(quantizer.thresholds, Progression):
        return Stage("divide", 0, 1 + search_steps(quantizer))
    return Stage("compare", 0, 1 + (search_steps(quantizer) or fold.quick))


def block_cycles(unit: Unit, fold: Fold) -> int:
    """Cycles between two finished blocks of PE sums."""
    return ring(unit, fold).block_steps if fold.form == FOLDED else unit.fan_in // fold.simd


@lru_cache(maxsize=4096)
def code_table(layer: Threshold) -> Table | Ramp:
    """The thresholds of `layer` for its own input."""
    return table(layer, layer.input.lo, layer.input.hi, np.zeros_like(layer.input.lo))


@lru_cache(maxsize=4096)
def is_progression(layer: Threshold) -> bool:
    """Whether the thresholds of every channel are a progression on every reachable sum."""
    return ramp(code_table(layer)) is not None
