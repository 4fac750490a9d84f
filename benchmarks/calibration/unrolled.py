"""The points of circuits that are unrolled: adder graphs, and comparators whose thresholds are built in."""

from __future__ import annotations

import numpy as np

from crq.hw.dataflow.bits import as_bits
from crq.hw.graphs import solve
from crq.hw.graphs.layer import OPERANDS
from crq.hw.graphs.stages import Staged, staged
from crq.hw.ir.layers import IntArray
from crq.hw.rtl.graph import graph_module
from crq.hw.rtl.verilog import literal

Points = list[dict[str, object]]


def graphs() -> Points:
    """Outputs, inputs, their bits, greatest weight, registers; unsigned and signed inputs."""
    points: Points = []
    for outputs, inputs, bits, signed, most, stages in (
        (1, 3, 4, 0, 1, 1), (1, 9, 4, 0, 1, 1), (2, 16, 1, 0, 1, 2), (4, 9, 2, 0, 1, 1), (4, 18, 8, 0, 1, 2),
        (8, 12, 4, 0, 1, 2), (6, 27, 8, 0, 1, 2), (12, 36, 4, 0, 1, 3), (5, 32, 4, 0, 1, 3), (16, 24, 2, 0, 1, 2),
        (1, 9, 4, 1, 1, 1), (4, 9, 2, 1, 1, 1), (4, 18, 8, 1, 1, 2), (8, 12, 4, 1, 1, 2), (12, 36, 4, 1, 1, 3),
        (4, 18, 4, 0, 7, 2), (3, 12, 4, 1, 7, 2), (4, 9, 8, 0, 100, 3), (6, 24, 4, 0, 1, 6), (3, 40, 3, 1, 1, 6),
    ):  # fmt: skip
        points.append({"OUTPUTS": outputs, "ELEMENTS": inputs, "BITS": bits, "SIGNED": signed, "MOST": most,
                       "STAGES": stages})  # fmt: skip
    return points


def graph(p: dict, seed: int, family: str) -> tuple[Staged, int]:
    """The graph of a point, and the bits of its outputs."""
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-p["MOST"], p["MOST"] + 1, (p["OUTPUTS"], p["ELEMENTS"]))
    low = -(1 << (p["BITS"] - 1)) if p["SIGNED"] else 0
    ends = low, low + (1 << p["BITS"]) - 1
    found = solve(matrix, [ends] * p["ELEMENTS"], operands=OPERANDS[family])
    return staged(found, p["STAGES"]), output_bits(p)


def output_bits(p: dict) -> int:
    """Of a sum of all elements, with a sign."""
    return int(p["BITS"] + (p["MOST"] * p["ELEMENTS"]).bit_length() + 1)


def graph_text(name: str, p: dict, seed: int, family: str) -> str:
    """The module of a point."""
    found, width = graph(p, seed, family)
    return graph_module(name, found, p["BITS"], width)


def built_in() -> Points:
    """Comparators of every width: thresholds at equal distances over a share of all sums around their middle, as batch
    normalisation gives them (a small share where a sum has many terms), and anywhere."""
    rng = np.random.default_rng(1)
    points: Points = []
    shares = ((1, 0.5), (2, 0.19), (2, 0.43), (3, 0.13), (3, 0.31), (3, 0.57), (4, 0.0), (4, 0.0))
    for width in range(5, 17):
        narrow = tuple((4, float(share)) for share in rng.uniform(0.03, 0.1, 4)) if width > 8 else ()
        for bits, share in shares + narrow + tuple((4, float(share)) for share in rng.uniform(0.1, 0.6, 6)):
            top, count = (1 << (width - 1)) - 2, (1 << bits) - 1
            if share:
                places = (np.arange(1, count + 1) - (count + 1) / 2) / (count + 1)
                values = np.ceil(2 * top * (rng.uniform(-0.15, 0.15) + share * places)).astype(np.int64)
            else:
                values = np.sort(rng.integers(-top // 2, top // 2, count))
            points.append({"WIDTH": width, "BITS": bits, "FIXED": 1, "FIXED_T": literal(as_bits(
                values[:, None], width).ravel())})  # fmt: skip
    return [p for p in points if int(str(p["WIDTH"])) > 6 or p["BITS"] == 4]


def entries(p: dict) -> IntArray:
    """The thresholds of a comparator."""
    word, w = int(str(p["FIXED_T"]).split("'h")[1], 16), p["WIDTH"]
    raw = np.array([(word >> (k * w)) & ((1 << w) - 1) for k in range((1 << p["BITS"]) - 1)])
    return raw - (raw >> (w - 1) << w)
