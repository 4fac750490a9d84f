"""Counts of FPGA primitives."""

from __future__ import annotations

from typing import NamedTuple


class Resources(NamedTuple):
    """LUTs as logic, LUTs as memory, flip-flops, BRAM in 18 Kbit halves, UltraRAM, DSP blocks."""

    logic: float = 0
    lutram: float = 0
    ff: float = 0
    bram18: float = 0  # a block of 4 Kbit is a part of one
    uram: int = 0
    dsp: int = 0

    @property
    def lut(self) -> float:
        return self.logic + self.lutram

    @property
    def bram36(self) -> float:
        return self.bram18 / 2

    def plus(self, *others: Resources) -> Resources:
        """The sum of all."""
        return _make([sum(values) for values in zip(self, *others, strict=True)])

    def times(self, n: int) -> Resources:
        return _make([value * n for value in self])

    def facts(self) -> dict[str, float]:
        """The counts by the names that report.json gives them."""
        return {
            "lut": self.lut, "lut_logic": self.logic, "lut_memory": self.lutram, "ff": self.ff,
            "bram36": self.bram36, "bram18": self.bram18, "uram": self.uram, "dsp": self.dsp,
        }  # fmt: skip

    def rounded(self) -> Resources:
        return _make([round(value) for value in self])


def _make(counts: list[float]) -> Resources:
    logic, lutram, ff, bram18, uram, dsp = counts
    return Resources(logic, lutram, ff, bram18 if bram18 % 1 else int(bram18), int(uram), int(dsp))
