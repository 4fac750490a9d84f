"""How each hardware form keeps time: what the cycle model is asked with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from crq.hw.dataflow.blocking import blocking_cycles, blocking_schedule
from crq.hw.dataflow.schedule import Beats, Cycles, Times, cycles, schedule
from crq.hw.dataflow.units import Fold, Unit

PIPELINE_STAGES = 64  # of one HLS loop, at most, for which the depths of FIFOs are safe


class Timing(NamedTuple):
    """How units keep time: their schedule, their cycles, and by how many stages more than the schedule's a tool may
    make any loop deeper; where that is not 0, every edge has a FIFO."""

    schedule: Callable[[Unit, Fold, Sequence[Times], Sequence[int]], Beats]
    cycles: Callable[[Unit, Fold], Cycles]
    extra: int = 0


RTL = Timing(schedule, cycles)
HLS = Timing(blocking_schedule, blocking_cycles, PIPELINE_STAGES)

TIMINGS = {"hls": HLS, "rtl": RTL}
"""By the form of a project."""


def every(cycles: int) -> str:
    """How often something comes that takes so many cycles."""
    return "every cycle" if cycles == 1 else f"every {cycles:,} cycles"
