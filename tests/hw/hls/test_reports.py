"""Reports of Vitis HLS and of Vivado behind it, beside what hls4ml reads in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq.hw.errors import HwError
from crq.hw.hls.reports import Cosimulation, Logic, Synthesis, cosimulation, logic, synthesis
from tests.hw.report.test_vendor import COSIM, CSYNTH, SYNTH, vendor_folder

APP = '<AutoPilot:project xmlns:AutoPilot="com.autoesl.autopilot.project"><solutions><solution name="solution1"/>' \
    "</solutions></AutoPilot:project>"  # fmt: skip


def file(folder: Path, text: str) -> Path:
    (folder / "report").write_text(text)
    return folder / "report"


def test_hls4ml_reads_the_same_figures(tmp_path: Path) -> None:
    from hls4ml.report.vivado_report import parse_vivado_report

    made = synthesis(vendor_folder(tmp_path))
    cosim = tmp_path / "net_prj" / "solution1" / "sim" / "report" / "net_cosim.rpt"
    cosim.parent.mkdir(parents=True)
    cosim.write_text(COSIM)
    (tmp_path / "vivado_synth.rpt").write_text(SYNTH)
    (tmp_path / "net_prj" / "hls.app").write_text(APP)
    (tmp_path / "project.tcl").write_text('set project_name "net"\nset backend "vitis"\n')
    found = parse_vivado_report(str(tmp_path))
    theirs, simulated, placed = (found[key] for key in ("CSynthesisReport", "CosimReport", "VivadoSynthReport"))
    keys = ("TargetClockPeriod", "EstimatedClockPeriod", "LUT", "FF", "DSP", "WorstLatency", "IntervalMax")
    assert [float(theirs[key]) for key in keys] == [
        made.clock, made.reached, made.lut, made.ff, made.dsp, made.latency, made.interval,
    ]  # fmt: skip
    assert float(theirs["BRAM_18K"]) == 2 * made.bram36
    ours = cosimulation(cosim)
    assert ours == Cosimulation("Verilog: Pass", int(simulated["LatencyMax"]), int(simulated["IntervalMax"]))
    assert logic(tmp_path / "vivado_synth.rpt") == Logic(
        *(float(placed[key]) for key in ("LUT", "FF", "BRAM_18K", "DSP48E"))
    )


def test_what_vitis_does_not_know_is_none(tmp_path: Path) -> None:
    found = synthesis(file(tmp_path, CSYNTH.format(latency="undef")))
    assert found == Synthesis("xc7z020-clg400-1", 5.0, 3.648, 4321, 2153, 2.5, 0, None, 1025)


@pytest.mark.parametrize("content", ["", "<profile/>", CSYNTH.format(latency="many"), CSYNTH[:400]])
def test_a_broken_synthesis_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(HwError, match="no synthesis report of Vitis HLS that is whole"):
        synthesis(file(tmp_path, content))


def test_half_a_report_of_logic_synthesis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HwError, match=r"report_utilization that is whole \(without bram36, dsp\)"):
        logic(file(tmp_path, SYNTH.split("2. Memory")[0]))


def test_a_cosimulation_that_did_not_run_says_nothing(tmp_path: Path) -> None:
    assert cosimulation(file(tmp_path, COSIM.replace("Pass", "NA  "))) is None
    assert cosimulation(file(tmp_path, "")) is None


def test_cycles_that_are_no_number_are_refused(tmp_path: Path) -> None:
    row = "| Verilog | Pass | 1 | 2 | many | 4 | 5 | 6 |"
    with pytest.raises(HwError, match="no report of a co-simulation that is whole .*'many'"):
        cosimulation(file(tmp_path, row))
