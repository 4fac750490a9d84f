"""Constants that come from synthesis, in one place: Yosys 0.70, `synth_xilinx -flatten -family xcup -nodsp`.

Measured by `python benchmarks/calibration/circuits.py --family xcup`, 2026-11-21; the points are in
benchmarks/calibration/circuits.csv. They price single circuits; the errors on whole layers are in calibration.json.
"""

from __future__ import annotations

import numpy as np

FAMILY = "xcup"
MEASURED_WITH = f"Yosys 0.70 for {FAMILY}, 2026-11-21"

# crq_select: LUTs per bit of an n:1 multiplexer with a binary select.
MULTIPLEXER_INPUTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 18, 20, 24, 27, 32, 36, 48, 64, 72, 96, 144)
MULTIPLEXER_LUTS = (
    0, 1, 1, 1, 2, 2, 4, 3, 5, 4, 4, 6.25, 11, 12, 13.5, 15, 13.25, 17.25, 19, 28.5, 30.75, 41, 74.5,
)  # fmt: skip
# crq_compare with thresholds from a ROM: LUTs per threshold by width of the sum; and of the encoder by code bits.
COMPARATOR_BITS = (6, 8, 10, 12, 14)
COMPARATOR_LUTS = (5, 6, 7, 8, 10)
ENCODER_LUTS = {1: 0, 2: 1, 3: 2, 4: 6}
# crq_compare with built-in thresholds: LUTs per threshold, encoder included (mean of the points of each width).
FIXED_COMPARATOR_BITS = (7, 9, 11, 13)
FIXED_COMPARATOR_LUTS = (1.0, 2.0, 2.75, 5.0)
# crq_max: LUTs per maximum of two numbers, by their bits (all maxima of the points with 4 and 9 numbers together). Up
# to three bits one is a function of six inputs. 4 bits are as they were before the first blind set, which rests on
# them: the sweep has 7.6.
MAXIMUM_BITS = (1, 2, 3, 4, 5, 6, 8)
MAXIMUM_LUTS = (0.36, 1.55, 3.18, 7, 9.91, 11.36, 14.27)
# crq_global_sum: LUTs of the pixel counter and its control per bit of the counter (mean, points of several blocks).
PIXEL_COUNTER_LUTS = 1.6
# crq_fifo, with pointers of A bits: LUTs BASE + POINTER * A, and WRAP * A more if the depth is no power of two.
FIFO_LUTS_BASE, FIFO_LUTS_POINTER, FIFO_LUTS_WRAP = 5.0, 3.2, 1.3

# 4-input LUTs of ECP5 per estimated 6-input LUT: the mean of the 19 layers of layers_fit.csv, where it ranges from 1.2
# to 3.3. Too wide to report an area; good enough to keep the choice of a folding from overfilling a part.
LUT4_PER_LUT6 = 2.0


def multiplexer(inputs: int) -> float:
    """LUTs per bit; between the points linear, beyond them in proportion to the inputs."""
    beyond = max(1.0, inputs / MULTIPLEXER_INPUTS[-1])
    return beyond * float(np.interp(inputs, MULTIPLEXER_INPUTS, MULTIPLEXER_LUTS))


def maximum(bits: int) -> float:
    """LUTs of the larger of two numbers."""
    beyond = max(0.0, bits / MAXIMUM_BITS[-1])
    return float(np.interp(bits, MAXIMUM_BITS, MAXIMUM_LUTS)) * max(1.0, beyond)


def comparator(bits: int) -> float:
    """LUTs of x >= y, both variable, signed."""
    beyond = max(0, bits - COMPARATOR_BITS[-1]) / 2
    return beyond + float(np.interp(bits, COMPARATOR_BITS, COMPARATOR_LUTS))


def fixed_comparator(bits: int) -> float:
    """LUTs of x >= constant among the other constants of a table, its share of the encoder included."""
    beyond = max(0, bits - FIXED_COMPARATOR_BITS[-1]) / 2
    return beyond + float(np.interp(bits, FIXED_COMPARATOR_BITS, FIXED_COMPARATOR_LUTS))
