"""Constants that come from synthesis, in one place: Yosys 0.70 with the passes of hw/rtl/synth.py.

Measured by `python benchmarks/calibration/circuits.py`, 2026-11-26, into benchmarks/calibration/circuits.csv. "xcup"
stands for every fabric of 6-input LUTs, which differ in LUT memory only; "ecp5" has 4-input LUTs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

FAMILY = "xcup"
MEASURED_WITH = "Yosys 0.70, 2026-11-26"

# crq_select: LUTs per bit of an n:1 multiplexer with a binary select.
MULTIPLEXER_INPUTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 18, 20, 24, 27, 32, 36, 48, 64, 72, 96, 144)
MULTIPLEXER_LUTS = {
    "xcup": (
        0, 1, 1, 1, 2, 2, 4, 3, 5, 4, 4, 6.25, 11, 12, 13.5, 15, 13.25, 17.25, 19, 28.5, 30.75, 41, 74.5,
    ),
}  # fmt: skip
# crq_compare with thresholds from a ROM: LUTs per threshold by width of the sum; and of the encoder by code bits.
COMPARATOR_BITS = (6, 8, 10, 12, 14)
COMPARATOR_LUTS = {"xcup": (5, 6, 7, 8, 10)}
ENCODER_LUTS = {"xcup": (0, 1, 2, 6)}
# crq_compare with built-in thresholds: LUTs per threshold, encoder included (mean of the points of each width).
FIXED_COMPARATOR_BITS = (7, 9, 11, 13)
FIXED_COMPARATOR_LUTS = {"xcup": (1.0, 2.0, 2.75, 5.0)}
# crq_max: LUTs per maximum of two numbers, by their bits (all maxima of the points with 4 and 9 numbers together). Up
# to three bits one is a function of six inputs.
MAXIMUM_BITS = (1, 2, 3, 4, 5, 6, 8)
MAXIMUM_LUTS = {"xcup": (0.36, 1.55, 3.18, 7, 9.91, 11.36, 14.27)}
# crq_rom: LUTs per column of a ROM, by its words.
ROM_WORDS = (64, 128, 256, 400)
ROM_LUTS = {"xcup": (1, 2, 4, 9.6)}

# 4-input LUTs of ECP5 per 6-input LUT, where a formula has no constants of its own yet.
LUT4_PER_LUT6 = 2.0

# LUTs as a weighted sum of what they grow with: (weights of the features) by circuit.
WEIGHTS: dict[str, dict[str, tuple[float, ...]]] = {
    "ring": {"xcup": (11.6, 1.32, 3.45, 0.32, 4.44, 0.36, 0.62, 1.12, 1.12, 3.63, -2.21)},
    "fifo": {"xcup": (5.0, 3.2, 1.3, 1.0)},
    "narrow": {"xcup": (1, 1, 3)},
    "widen": {"xcup": (3,)},
    "add": {"xcup": (1,)},
    "fork": {"xcup": (-1.0, 3.0)},
    "output": {"xcup": (2,)},
    "round": {"xcup": (1.0, 0.4, 1.0, 0.0, 1.0, 0.2, 0.0)},
    "codes_lut": {"xcup": (8.0, 4.0, 1.0)},
    "codes_bram": {"xcup": (8.0, 4.0, 1.0, 1.0)},
    "codes_ramp": {"xcup": (12.0, 2.0, 1.0, 1.0, 0.0)},
    "block_counter": {"xcup": (2.0, 1.0)},
    "decimate": {"xcup": (14.0, 2.0)},
    "steps": {"xcup": (2.0, 1.0, 2.0)},
    "window": {"xcup": (1.0, 1.7, 1.0, 5.0)},
    "global_sum": {"xcup": (6.0, 1.0, 1.0)},
}


def table(values: Mapping[str, Sequence[float]], family: str) -> Sequence[float]:
    """The values of the fabric that `family` is one of."""
    return values[fabric(family)]


def fabric(family: str) -> str:
    return family if family in WEIGHTS["ring"] else FAMILY


def weighted(circuit: str, features: Sequence[float], family: str) -> float:
    """The LUTs of a circuit by its features."""
    weights = WEIGHTS[circuit][fabric(family)]
    return sum(w * f for w, f in zip(weights, features, strict=True))


def multiplexer(inputs: int, family: str = FAMILY) -> float:
    """LUTs per bit; between the points linear, beyond them in proportion to the inputs."""
    beyond = max(1.0, inputs / MULTIPLEXER_INPUTS[-1])
    return beyond * float(np.interp(inputs, MULTIPLEXER_INPUTS, table(MULTIPLEXER_LUTS, family)))


def rom_luts(words: int, family: str = FAMILY) -> float:
    """LUTs of one column of a ROM; beyond the points in proportion to its words."""
    luts, beyond = table(ROM_LUTS, family), max(1.0, words / ROM_WORDS[-1])
    if words <= 256:  # doubled with every bit of the address
        return luts[sum(words > w for w in ROM_WORDS)]
    return beyond * float(np.interp(words, ROM_WORDS, luts))


def maximum(bits: int, family: str = FAMILY) -> float:
    """LUTs of the larger of two numbers."""
    beyond = max(0.0, bits / MAXIMUM_BITS[-1])
    return float(np.interp(bits, MAXIMUM_BITS, table(MAXIMUM_LUTS, family))) * max(1.0, beyond)


def comparator(bits: int, family: str = FAMILY) -> float:
    """LUTs of x >= y, both variable, signed."""
    beyond = max(0, bits - COMPARATOR_BITS[-1]) / 2
    return beyond + float(np.interp(bits, COMPARATOR_BITS, table(COMPARATOR_LUTS, family)))


def encoder(bits: int, family: str = FAMILY) -> float:
    """LUTs that make a code of `bits` from what its thresholds say."""
    return table(ENCODER_LUTS, family)[bits - 1]


def fixed_comparator(bits: int, family: str = FAMILY) -> float:
    """LUTs of x >= constant among the other constants of a table, its share of the encoder included."""
    beyond = max(0, bits - FIXED_COMPARATOR_BITS[-1]) / 2
    return beyond + float(np.interp(bits, FIXED_COMPARATOR_BITS, table(FIXED_COMPARATOR_LUTS, family)))
