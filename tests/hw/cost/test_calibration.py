"""What is said about the estimates: the stored errors are those of today's formulas, and every reservation is made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from crq.hw.cost import calibration
from crq.hw.cost.calibration import Calibration, band, calibrations, kind, reservations, sentence
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "calibration"


def errors(layers: int = 4, mean: float = 0.02, largest: float = 0.1, beyond: int = 0, **spans: Any) -> dict[str, Any]:
    return {"layers": layers, "lut_mean": mean, "lut_max": largest, "beyond": beyond, "spans": spans}


def found(tool: str, blind: dict[str, Any]) -> Calibration:
    return Calibration(tool, "2020-01-02", "make", {"sentence": f"blind of {tool}", "kinds": blind})


STORED = {
    "xcup": found(
        "Yosys 1",
        {
            "ternary sums, folded": errors(lut=[0.9, 1.1], ff=[0.95, 1.0]),
            "Add": errors(2, 0.06, 0.2),
            "integer sums, folded": errors(1, 0.26, 0.26, 1, lut=[1.0, 1.5], ff=[1.0, 1.0]),
        },
    ),
    "xc7": found("Yosys 2", {"ternary sums, folded": errors(), "MaxPool, folded": errors()}),
    "ecp5": found("Yosys 3", {"Add": errors(2, 0.06, 0.2)}),
}


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "calibrations", lambda: STORED)


@pytest.mark.parametrize("family", ["xcup", "xc7", "ecp5"])
def test_the_file_has_the_errors_of_todays_formulas(family: str, monkeypatch) -> None:
    """Measured layers are a table; what they are estimated at is computed here once more."""
    monkeypatch.syspath_prepend(BENCHMARK)
    for name in ("layers", "sets"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import check

    frozen = calibrations()[family].blind
    rows = check.rows("blind", family)
    off = [abs(row.estimated.lut - row.measured.lut) / row.measured.lut for row in rows if row.measured.lut]
    assert frozen["layers"] == len(rows) == sum(one["layers"] for one in frozen["kinds"].values())
    assert frozen["lut_mean"] == pytest.approx(sum(off) / len(off))
    assert frozen["lut_max"] == pytest.approx(max(off))
    assert frozen["sentence"].startswith(f"{len(rows)} layers")
    for name, one in frozen["kinds"].items():
        of_kind = [o for o, row in zip(off, rows, strict=True) if row.kind == name]
        assert one["layers"] == len(of_kind)
        assert one["lut_mean"] == pytest.approx(sum(of_kind) / len(of_kind))
        assert one["lut_max"] == pytest.approx(max(of_kind))


def test_units_are_told_apart_by_their_weights_and_their_form() -> None:
    g = GraphBuilder((4, 3, 3), "UINT4")
    h = g.threshold(g.conv("x", 4, (1, 1)), 3)
    h = g.max_pool(g.threshold(g.conv(h, 4, (1, 1), weight_type="INT4"), 3), (3, 3))
    ternary, integer, pool = units(Network(g.finish(h)))
    assert kind(ternary, Fold(1, 1)) == "ternary sums, parallel"
    assert kind(ternary, Fold(1, 1, form=FOLDED)) == kind(ternary, Fold(4, 4, form=FOLDED)) == "ternary sums, folded"
    assert kind(integer, Fold(2, 4)) == "integer sums, parallel"
    assert kind(integer, Fold(4, 4)) == "integer sums, unrolled"
    assert kind(pool, Fold(1)) == "MaxPool, parallel"
    assert kind(pool, Fold(1, form=FOLDED)) == "MaxPool, folded"
    assert [kind(u, None) for u in (integer, pool)] == ["integer sums, io_parallel", "MaxPool, io_parallel"]


def test_a_calibrated_family_names_its_tool_and_its_errors(stored) -> None:
    told = sentence("rtl", "xcup", ["ternary sums, folded"])
    assert told.startswith("calibrated on the RTL form")
    assert "Yosys 1, 2020-01-02: blind of Yosys 1" in told
    assert "worse for" not in told


def test_a_project_for_hls_is_never_called_calibrated(stored) -> None:
    told = sentence("hls", "xcup")
    assert told.startswith("Vitis HLS was not measured")
    assert "blind of Yosys 1" in told
    assert "judgement" in told


def test_other_families_say_where_their_figures_are_from(stored) -> None:
    assert "Yosys 2" in sentence("rtl", "xc7")
    told = sentence("rtl", "xcu", [])
    assert "Yosys 3" in told  # the first by name
    assert "xcu, the family of this part, was not in that test" in told


def test_what_was_never_measured_is_called_uncalibrated(stored, monkeypatch) -> None:
    monkeypatch.setattr(calibration, "calibrations", dict)
    assert sentence("rtl", "xcup").startswith("uncalibrated: circuits priced")
    assert "Vitis HLS not measured" in sentence("hls", "xcup")
    assert "Vitis HLS" not in sentence("rtl", "xcup")


def test_kinds_beyond_the_bars_are_named_with_their_errors(stored) -> None:
    """6 % in the mean are beyond the bar of 4 %, but not beyond that of 4-input LUTs, 8 %."""
    told = reservations(STORED["xcup"], ["Add", "integer sums, folded", "ternary sums, folded"])
    assert told == [
        "worse for Add, which this network has: LUT mean error 6.0%, largest 20.0% (2 measured)",
        "worse for integer sums, folded, which this network has: LUT mean error 26.0%, largest 26.0% (1 measured)",
    ]
    assert reservations(STORED["ecp5"], ["Add"], "ecp5") == []


def test_kinds_that_were_measured_elsewhere_or_nowhere_are_named(stored) -> None:
    assert reservations(STORED["xcup"], ["Shift", "MaxPool, folded", "Negate"]) == [
        "of this network's units, MaxPool, folded were measured for another family only",
        "of this network's units, Negate, Shift were in no set",
    ]


TOTAL = Resources(logic=900, lutram=100, ff=2000, bram18=6, dsp=0)


def test_a_band_of_the_rtl_form_spans_the_measured_ratios(stored) -> None:
    found = band(TOTAL, "rtl", "xcup", ["ternary sums, folded"])
    assert found is not None
    assert found["lut"] == pytest.approx([900, 1100])
    assert found["ff"] == pytest.approx([1900, 2000])
    assert found["bram36"] == [3, 3]
    assert found["dsp"] == [0, 0]


def test_a_kind_beyond_the_bars_widens_the_band_of_networks_that_have_it(stored) -> None:
    found = band(TOTAL, "rtl", "xcup", ["integer sums, folded"])
    assert found is not None
    assert found["lut"] == pytest.approx([900, 1500])


def test_the_band_of_an_hls_project_is_a_judgement(stored) -> None:
    found = band(TOTAL, "hls", "xcup", ["ternary sums, folded"])
    assert found is not None
    assert (found["lut"], found["ff"], found["bram36"]) == ([500, 2000], [1000, 4000], [1.5, 6])
    assert found["basis"].startswith("a judgement: 0.5 to 2 times the estimate")


def test_unrolled_in_hls_adders_of_three_operands_may_be_two(stored) -> None:
    found = band(TOTAL, "io_parallel", "xcup", [])
    assert found is not None
    assert found["lut"] == [500, 2000]
    assert "two adders of one with three operands" in sentence("io_parallel", "xcup")


@pytest.mark.parametrize("form", ["io_parallel", "rtl", "hls"])
def test_nothing_measured_gives_no_band(stored, form: str) -> None:
    assert band(TOTAL, form, "unknown", []) is None


def test_a_family_that_was_not_compared_is_measured_by_the_bars_of_the_one_that_stands_for_it() -> None:
    """iCE40 has the errors of ECP5, whose LUTs have four inputs too: a kind within these is not worse."""
    kinds = ["ternary sums, folded"]
    assert reservations(calibrations()["ecp5"], kinds, "ecp5") == []
    text = sentence("rtl", "ice40", kinds)
    assert "ice40, the family of this part, was not in that test" in text
    assert "worse for" not in text
