"""The constants of hw/cost/constants.py, computed again from the synthesised circuits of benchmarks/calibration.

Three are not computed. The LUTs of a FIFO's control are a rounded fit by hand of three terms to few points: checked to
lie near every point. A maximum of four bits is what it was before the first blind set. COMPARATOR_BITS and the other
lists of abscissae are those of the sweep.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from hw.cost import constants as measured
from hw.cost import primitives
from hw.dataflow.bits import clog2

CALIBRATION = Path(__file__).parents[3] / "benchmarks" / "calibration"


class Point(NamedTuple):
    p: dict
    logic: int


def points(circuit: str, **wanted: int) -> list[Point]:
    """The points of a circuit whose parameters have the `wanted` values (0 if they do not have them)."""
    with open(CALIBRATION / "circuits.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file) if (r["family"], r["circuit"]) == (measured.FAMILY, circuit)]
    found = [Point(json.loads(r["parameters"]), int(float(r["logic"]))) for r in rows]
    return [f for f in found if all(f.p.get(key, 0) == value for key, value in wanted.items())]


def test_multiplexers() -> None:
    found = {f.p["N"]: f.logic / f.p["WIDTH"] for f in points("crq_select")}
    assert dict(zip(measured.MULTIPLEXER_INPUTS, measured.MULTIPLEXER_LUTS, strict=True)) == found


def test_comparators_and_their_encoders() -> None:
    each = {f.p["WIDTH"]: f.logic for f in points("crq_compare", FIXED=0, BITS=1)}
    assert dict(zip(measured.COMPARATOR_BITS, measured.COMPARATOR_LUTS, strict=True)) == each
    for bits, luts in measured.ENCODER_LUTS.items():
        # Of six-bit sums, 15 thresholds share more than a comparator's own LUTs: left out of the mean.
        wide = [f for f in points("crq_compare", FIXED=0, BITS=bits) if f.p["WIDTH"] >= 8]
        assert luts == round(np.mean([f.logic - ((1 << bits) - 1) * each[f.p["WIDTH"]] for f in wide]))


def test_built_in_thresholds() -> None:
    for width, luts in zip(measured.FIXED_COMPARATOR_BITS, measured.FIXED_COMPARATOR_LUTS, strict=True):
        found = points("crq_compare", FIXED=1, WIDTH=width)
        assert luts == round(4 * sum(f.logic for f in found) / sum((1 << f.p["BITS"]) - 1 for f in found)) / 4


def test_maxima() -> None:
    for bits, luts in zip(measured.MAXIMUM_BITS, measured.MAXIMUM_LUTS, strict=True):
        found = [f for f in points("crq_max", BITS=bits) if f.p["N"] in (4, 9)]
        mean = sum(f.logic for f in found) / sum(f.p["N"] - 1 for f in found)
        assert luts == (7 if bits == 4 else pytest.approx(mean, abs=0.006))


def test_pixel_counters() -> None:
    found = [f for f in points("crq_global_sum") if f.p["BLOCKS"] > 1]
    each = [(f.logic - f.p["PE"] * f.p["OUT"]) / clog2(f.p["PIXELS"]) for f in found]
    assert round(float(np.mean(each)), 1) == measured.PIXEL_COUNTER_LUTS


def test_roms_beyond_four_luts_per_column() -> None:
    (deep,) = points("crq_rom", DEPTH=400)
    words = np.random.default_rng(0).integers(0, 2, (400, deep.p["WIDTH"])).astype(bool)
    assert primitives.rom(words, "lut").logic == pytest.approx(deep.logic, abs=0.5)


def test_fifo_control_lies_near_every_point() -> None:
    for f in points("crq_fifo", BLOCK=0):
        depth, width = f.p["DEPTH"], f.p["WIDTH"]
        pointer = clog2(depth)
        luts = measured.FIFO_LUTS_BASE + measured.FIFO_LUTS_POINTER * pointer
        luts += measured.FIFO_LUTS_WRAP * pointer * (depth != 1 << pointer)
        luts += primitives.memory(depth, width, measured.FAMILY).logic
        assert luts == pytest.approx(f.logic, abs=4 if depth <= 128 else 0.25 * f.logic), f


def test_four_input_luts_per_estimated_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(CALIBRATION)
    monkeypatch.delitem(sys.modules, "layers", raising=False)
    import check

    ratios = [row.measured.lut / row.estimated.lut for row in check.rows("fit", "ecp5")]
    assert len(ratios) == 19
    assert round(float(np.mean(ratios)), 1) == measured.LUT4_PER_LUT6
    assert (round(min(ratios), 1), round(max(ratios), 1)) == (1.2, 3.3)
