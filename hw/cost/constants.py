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
    "ecp5": (
        0, 1, 2, 4, 3, 10, 6, 6, 11.25, 11.75, 17, 21, 24, 26, 29, 33, 32.5, 30, 44.5, 56.5, 77, 109.5, 152,
    ),
}  # fmt: skip
# crq_compare with thresholds from a ROM: LUTs per threshold by width of the sum (mean of the points of each width, to
# halves); and of the encoder by code bits.
COMPARATOR_BITS = (6, 8, 10, 12, 14)
COMPARATOR_LUTS = {"xcup": (4.5, 6, 7, 8, 10), "ecp5": (6, 8, 10, 12, 14)}
ENCODER_LUTS = {"xcup": (0, 1, 2, 6), "ecp5": (0, 2, 6, 23)}
# crq_max: LUTs of the larger of two numbers by their bits, up to three of which make a function of six inputs; and of
# each further maximum of what such pairs give (points with 4 and 9 numbers together).
MAXIMUM_BITS = (1, 2, 3, 4, 5, 6, 8)
MAXIMUM_LUTS = {"xcup": (1, 2, 3, 6, 8, 10, 14), "ecp5": (1, 2, 12, 15, 12, 12, 16)}
LATER_MAXIMUM_LUTS = {
    "xcup": (-0.4, 1.0, 3.4, 9.6, 12.2, 13.0, 14.6), "ecp5": (0.0, 3.2, 2.6, 16.4, 19.8, 12.0, 16.0),
}  # fmt: skip
# A maximum whose register takes the larger number by its enable (layers_fit.csv, folded pools), LUTs per bit.
KEPT_MAXIMUM_LUTS = {"xcup": (0.9,), "ecp5": (2.9,)}
# crq_add with NEGATE on ECP5: LUTs per bit of the result.
NEGATE_LUT4 = 2
# crq_rom: LUTs per column of a ROM, by its words.
ROM_WORDS = (16, 32, 64, 128, 160, 200, 256, 288, 400, 576, 800)
ROM_LUTS = {
    "xcup": (1, 1, 1, 2, 4, 4, 4, 7, 9.25, 13.25, 17.5),
    "ecp5": (1, 2, 4, 8, 13.375, 17.5, 19.375, 28.875, 31.625, 49, 65.75),
}
# ECP5: LUTs per bit that join banks of 16 words of distributed RAM, and per bank (crq_ring in LUTs less in block RAM).
BANKS = (1, 2, 4, 8, 16, 32, 64)
BANK_LUTS, BANK_ENABLE = (0, 1, 2.9, 5.3, 15, 28, 55), 1.5

# LUTs as a weighted sum of what they grow with: (weights of the features) by circuit.
WEIGHTS: dict[str, dict[str, tuple[float, ...]]] = {
    "ring": {
        "xcup": (11.54, 1.1, 3.55, 0.33, 5.14, 0.57, 0.71, 1.01, 1.01, 3.17, -2.56),
        "ecp5": (20.77, 2.9, 1.02, 0.34, 10.99, 1.93, -1.54, 2.22, 2.22, -4.38, -1.16),
    },
    "fifo": {
        "xcup": (4.97, 3.17, 1.49),
        "ecp5": (-2.73, 12.0, 2.29),
    },
    "fifo_block": {
        "xcup": (23.22, 2.38, 1.3, 0.96),
        "ecp5": (199.24, 2.29, -4.58, 1.45),
    },
    "narrow": {
        "xcup": (1.0, 1.0, 3.0),
        "ecp5": (4.0, 2.0, 1.0),
    },
    "widen": {
        "xcup": (3.0,),
        "ecp5": (3.0,),
    },
    "fork": {
        "xcup": (-1.2, 2.94),
        "ecp5": (-32.3, 18.28),
    },
    "output": {
        "xcup": (2.0,),
        "ecp5": (2.0,),
    },
    "round": {
        "xcup": (0.88, 0.27, 0.33, 2.0, 0.3, 0.87, 0.93),
        "ecp5": (1.06, -1.43, 0.65, 16.64, 0.57, -4.91, 0.78),
    },
    "codes_lut": {
        "xcup": (12.44, 0.93, 0.92),
        "ecp5": (-8.94, 15.86, 1.34),
    },
    "codes_bram": {
        "xcup": (11.04, 3.95, 0.61, 0.92),
        "ecp5": (13.95, 5.45, 2.79, -0.7),
    },
    "codes_ramp": {
        "xcup": (43.59, -18.23, -10.71, 2.06),
        "ecp5": (32.43, 4.05, 15.91, 2.82),
    },
    "block_counter": {
        "xcup": (-1.95, 2.45),
        "ecp5": (-6.41, 4.27),
    },
    "decimate": {
        "xcup": (13.39, 1.53),
        "ecp5": (27.95, 1.28),
    },
    "steps": {
        "xcup": (3.3, 0.48, 1.59),
        "ecp5": (-2.54, 2.51, 2.05),
    },
    "window": {
        "xcup": (2.14, 1.21, 1.0, 0.66),
        "ecp5": (10.64, 1.82, 1.0, 1.93),
    },
    "built_in_8": {
        "xcup": (-2.49, 0.33, 0.67, 3.1, 1.27),
        "ecp5": (-9.59, 1.91, 3.4, -0.91, -1.55),
    },
    "built_in_12": {
        "xcup": (-0.21, 0.11, 1.0, 0.96, -1.38),
        "ecp5": (-3.06, 1.02, 0.55, 1.44, 2.09),
    },
    "built_in_16": {
        "xcup": (-5.11, 0.44, 2.25, 2.37, -8.19),
        "ecp5": (0.28, 1.05, 0.57, -2.55, 2.09),
    },
    "enlarge": {
        "xcup": (0.72, 1.36, 1.0, 0.99, 0.26, 1.25, 0.01),
        "ecp5": (-17.47, 18.03, -14.47, 1.08, 0.29, 0.61, 1.51),
    },
    "global_sum": {
        "xcup": (1.01, 1.27, 1.9, 1.02),
        "ecp5": (2.98, -48.84, 16.74, -0.94),
    },
}


def table(values: Mapping[str, Sequence[float]], family: str) -> Sequence[float]:
    """The values of the fabric that `family` is one of."""
    return values["ecp5" if family == "ecp5" else FAMILY]


def weighted(circuit: str, features: Sequence[float], family: str) -> float:
    """The LUTs of a circuit by its features."""
    weights = table(WEIGHTS[circuit], family)
    return max(0.0, sum(w * f for w, f in zip(weights, features, strict=True)))


def multiplexer(inputs: int, family: str = FAMILY) -> float:
    """LUTs per bit; between the points linear, beyond them in proportion to the inputs."""
    beyond = max(1.0, inputs / MULTIPLEXER_INPUTS[-1])
    return beyond * float(np.interp(inputs, MULTIPLEXER_INPUTS, table(MULTIPLEXER_LUTS, family)))


def banks_joined(banks: int, width: int, family: str = FAMILY) -> float:
    """LUTs that make one memory of `banks` of LUTRAM: a multiplexer per bit and a write enable per bank."""
    if banks == 1:
        return 0
    if family != "ecp5":
        return width * multiplexer(banks) + banks
    beyond = max(1.0, banks / BANKS[-1])
    return beyond * width * float(np.interp(banks, BANKS, BANK_LUTS)) + BANK_ENABLE * banks


def rom_luts(words: int, family: str = FAMILY) -> float:
    """LUTs of one column of a ROM; beyond the points in proportion to its words."""
    luts, beyond = table(ROM_LUTS, family), max(1.0, words / ROM_WORDS[-1])
    if words <= 256:  # doubled with every bit of the address
        return luts[sum(words > w for w in ROM_WORDS)]
    return beyond * float(np.interp(words, ROM_WORDS, luts))


def maxima(numbers: int, bits: int, family: str = FAMILY) -> float:
    """LUTs of the largest of several numbers."""
    beyond, pairs = max(1.0, bits / MAXIMUM_BITS[-1]), numbers // 2
    first, later = (float(np.interp(bits, MAXIMUM_BITS, table(t, family))) for t in (MAXIMUM_LUTS, LATER_MAXIMUM_LUTS))
    return beyond * (pairs * first + max(0, numbers - 1 - pairs) * later)


def kept_maximum(bits: int, family: str = FAMILY) -> float:
    """LUTs of a register that keeps the larger number."""
    return bits * table(KEPT_MAXIMUM_LUTS, family)[0]


def comparator(bits: int, family: str = FAMILY) -> float:
    """LUTs of x >= y, both variable, signed."""
    beyond = max(0, bits - COMPARATOR_BITS[-1]) / 2
    return beyond + float(np.interp(bits, COMPARATOR_BITS, table(COMPARATOR_LUTS, family)))


def encoder(bits: int, family: str = FAMILY) -> float:
    """LUTs that make a code of `bits` from what its thresholds say."""
    return table(ENCODER_LUTS, family)[bits - 1]
