"""What tools reported replaces what was assumed, and contradicts what was estimated."""

from __future__ import annotations

from typing import Any

import pytest

from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.answers import Answer, answers
from crq.hw.report.measured import pace
from crq.hw.report.model import build_report
from tests.hw.report.test_model import text_of
from tests.support import random_graphs

ROW: dict[str, Any] = {
    "tool": "Vivado for pynq-z2, worst slack 0.1 ns", "alone": True, "placed": True, "part": "xc7z020clg400-1",
    "clock_ns": 5.0, "reached_ns": 4.9, "lut": None, "ff": None, "bram36": None, "dsp": 0, "latency_cycles": None,
    "interval_cycles": None,
}  # fmt: skip


def facts(*rows: dict[str, Any], backend: str = "hls") -> dict[str, Any]:
    network = Network(random_graphs.global_pool_net())
    info = {"backend": backend, "vendor": [{**ROW, **row} for row in rows]}
    return build_report(network, choose(network), "PYNQ-Z2", 5.0, project_info=info).to_dict()


def answer(report: dict[str, Any], question: str) -> Answer:
    return next(a for a in answers(report) if a.question == question)


def test_without_reports_the_clock_is_assumed() -> None:
    report = facts()
    assert "at an assumed 200 MHz" in answer(report, "rate").text
    assert pace(report)[:2] == (report["summary"]["frames_per_second"], report["summary"]["latency_us"])
    assert "Vitis HLS was not measured" in answer(report, "trust").text
    assert not [a for a in answers(report) if a.question == "measured"]


def test_a_clock_that_is_met_is_the_one_that_was_asked_for() -> None:
    report = facts({})
    assert pace(report).frames_per_second == pytest.approx(report["summary"]["frames_per_second"])
    assert "at 200 MHz, met (Vivado for pynq-z2" in answer(report, "rate").text


def test_a_clock_that_is_missed_lowers_rate_and_latency_and_warns() -> None:
    report = facts({"reached_ns": 8.0})
    summary = report["summary"]
    assert pace(report).frames_per_second == pytest.approx(summary["frames_per_second"] * 5 / 8)
    assert pace(report).latency_us == pytest.approx(summary["latency_us"] * 8 / 5)
    rate = answer(report, "rate")
    assert (rate.warns, rate.good) == (True, None)
    assert "at 125 MHz, NOT the 200 MHz of the project" in rate.text
    report["project"]["folding"] = {"wanted": {"fps": summary["frames_per_second"] * 0.99}}
    assert answer(report, "rate").good is False


def test_a_design_for_another_part_says_nothing_of_this_clock() -> None:
    report = facts({"part": "xck26-sfvc784-2lv-c", "reached_ns": 8.0})
    assert "at an assumed 200 MHz" in answer(report, "rate").text
    assert "it is of xck26-sfvc784-2lv-c, and this report of xc7z020clg400-1" in answer(report, "measured").text


def test_a_synthesis_for_another_clock_or_an_unknown_part_is_told() -> None:
    report = facts({"placed": False, "clock_ns": 3.0}, {"part": "xcku5p-ffvb676-2-e", "lut": 99})
    found = answer(report, "measured")
    assert "it is of a clock of 3 ns, and this report of 5 ns" in found.text
    assert "it is of xcku5p-ffvb676-2-e" in found.text
    assert found.warns
    assert "Vitis HLS was not measured" in answer(report, "trust").text


@pytest.mark.parametrize("backend", ["hls", "rtl"])
def test_an_area_outside_of_the_band_warns(backend: str) -> None:
    low, high = facts(backend=backend)["summary"]["band"]["lut"]
    inside = facts({"lut": round((low + high) / 2)}, backend=backend)
    assert (answer(inside, "measured").good, answer(inside, "measured").warns) == (True, False)
    report = facts({"lut": round(high * 1.5)}, backend=backend)
    assert f"LUT where the band is {low:,.0f} to {high:,.0f}" in answer(report, "measured").text
    assert answer(report, "measured").warns
    assert answer(report, "trust").good is None
    assert "was not measured" not in answer(report, "trust").text
    # A whole design with its serial port says nothing of the network's area.
    assert not [a for a in answers(facts({"lut": 10 * high, "alone": False})) if a.question == "measured"]


PART = "xc7z020clg400-1"  # 53,200 LUTs, 106,400 FFs, 220 DSPs


def test_what_a_tool_counted_decides_whether_it_fits() -> None:
    def fits(*rows: dict[str, Any]) -> Answer:
        return answer(facts(*rows), "fits")

    by = f"by {ROW['tool']}"
    assert fits({"lut": 50_000}) == Answer("fits", f"yes, the fullest resource is LUT: 94.0% of {PART}, {by}", True)
    over = fits({"lut": 63_840, "ff": 212_800})
    assert over == Answer("fits", f"NO: 120.0% of the LUT ({by}), 200.0% of the FF ({by}) of {PART}", False)
    assert fits({"dsp": 330, "lut": 10}) == Answer("fits", f"NO: 150.0% of the DSP ({by}) of {PART}", False)
    # Each resource by the last tool that says it; of another part nothing.
    assert fits({"lut": 63_840}, {"tool": "B", "ff": 10}).text == f"NO: 120.0% of the LUT ({by}) of {PART}"
    assert fits({"lut": 63_840}, {"tool": "B", "lut": 10_640}).text.endswith(f"LUT: 20.0% of {PART}, by B")
    assert fits({"lut": 63_840, "part": "xczu3eg-sbva484-1-e"}) == fits()


def test_what_was_counted_and_what_was_estimated_are_told_apart() -> None:
    report = facts({"lut": 48_000})
    report["summary"]["band"]["bram36"] = [0, 200]
    counted = f"90.2% of the LUT (by {ROW['tool']}) of {PART}"
    assert answer(report, "fits") == Answer("fits", f"{counted}; the band reaches 142.9% of the BRAM36", None)
    report = facts({"lut": 63_840})
    report["utilization"]["BRAM36"]["share"] = 1.2
    both = f"120.0% of the LUT (by {ROW['tool']}), 120.0% of the BRAM36 (by the estimate)"
    assert answer(report, "fits").text == f"NO: {both} of {PART}"


def test_a_tool_overrules_an_estimate_that_does_not_fit() -> None:
    report = facts({"lut": 40_000})
    report["utilization"]["LUT"]["share"] = 1.13
    assert answer(report, "fits").text == f"yes, the fullest resource is LUT: 75.2% of {PART}, by {ROW['tool']}"
    report["summary"]["band"]["lut"] = [0, 60_000]
    assert answer(report, "fits").good is True
    report["project"]["vendor"] = []
    assert answer(report, "fits").text == f"NO: 113.0% of the LUT of {PART}"


def test_a_longer_interval_is_told() -> None:
    counted = facts()["summary"]["interval_cycles"]
    assert not [a for a in answers(facts({"interval_cycles": counted})) if a.question == "measured"]
    told = answer(facts({"interval_cycles": counted + 1000}), "measured")
    assert f"an image every {counted + 1000:,} cycles where {counted:,} are counted" in told.text


def test_the_terminal_shows_it() -> None:
    assert "NOT the 200 MHz of the project" in text_of(facts({"reached_ns": 8.0}))
