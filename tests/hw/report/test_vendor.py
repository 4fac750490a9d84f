"""Reports of the vendor's tools in a project: read through hls4ml, shown beside the estimate, never half-read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crq.hw.errors import HwError
from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.html import render_html
from crq.hw.report.model import build_report
from crq.hw.report.vendor import vendor_reports
from tests.hw.report.test_model import text_of
from tests.hw.vivado.test_reports import TIMING, USAGE
from tests.support import random_graphs

# As Vitis HLS writes them, cut down to what stands in the tables hls4ml reads.
APP = '<AutoPilot:project xmlns:AutoPilot="com.autoesl.autopilot.project"><solutions><solution name="solution1"/>' \
    "</solutions></AutoPilot:project>"  # fmt: skip
CSYNTH = """<profile>
<UserAssignments><unit>ns</unit><Part>xc7z020-clg400-1</Part><TargetClockPeriod>5.00</TargetClockPeriod>
</UserAssignments>
<PerformanceEstimates>
<SummaryOfTimingAnalysis><unit>ns</unit><EstimatedClockPeriod>3.648</EstimatedClockPeriod></SummaryOfTimingAnalysis>
<SummaryOfOverallLatency><unit>clock cycles</unit><Best-caseLatency>1160</Best-caseLatency>
<Average-caseLatency>undef</Average-caseLatency><Worst-caseLatency>{latency}</Worst-caseLatency>
<Interval-min>1024</Interval-min><Interval-max>1025</Interval-max></SummaryOfOverallLatency>
</PerformanceEstimates>
<AreaEstimates>
<Resources><BRAM_18K>5</BRAM_18K><FF>2153</FF><LUT>4321</LUT><DSP>0</DSP><URAM>0</URAM></Resources>
<AvailableResources><BRAM_18K>280</BRAM_18K><DSP>220</DSP><FF>106400</FF><LUT>53200</LUT><URAM>0</URAM>
</AvailableResources>
</AreaEstimates>
</profile>
"""
SYNTH = """1. Slice Logic
--------------
| Slice LUTs*                |  2084 |     0 |          0 |     53200 |  3.92 |
| Slice Registers            |  1893 |     0 |          0 |    106400 |  1.78 |
2. Memory
---------
| Block RAM Tile |  2.5 |     0 |          0 |       140 |  1.79 |
3. DSP
------
| DSPs      |    0 |     0 |          0 |       220 |  0.00 |
"""


def vendor_folder(folder: Path) -> None:
    """What Vitis leaves in the project `net` in `folder`."""
    reports = folder / "net_prj" / "solution1" / "syn" / "report"
    reports.mkdir(parents=True)
    (folder / "net_prj" / "hls.app").write_text(APP)
    (reports / "net_csynth.xml").write_text(CSYNTH.format(latency=1170))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    vendor_folder(tmp_path)
    (tmp_path / "project.tcl").write_text(
        'variable project_name\nset project_name "net"\nvariable backend\nset backend "vitis"\n'
    )
    (tmp_path / "vivado_synth.rpt").write_text(SYNTH)
    return tmp_path


def test_each_tool_is_one_row(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hls, logic = vendor_reports(project, "net")
    assert capsys.readouterr().out == ""
    assert hls == {
        "tool": "Vitis HLS synthesis", "lut": 4321, "ff": 2153, "bram36": 2.5, "dsp": 0,
        "latency_cycles": 1170, "interval_cycles": 1025,
    }  # fmt: skip
    assert (logic["lut"], logic["ff"], logic["bram36"], logic["dsp"]) == (2084, 1893, 2.5, 0)
    assert logic["latency_cycles"] is None


def test_what_vitis_does_not_know_is_null(project: Path) -> None:
    (project / "net_prj/solution1/syn/report/net_csynth.xml").write_text(CSYNTH.format(latency="undef"))
    assert vendor_reports(project, "net")[0]["latency_cycles"] is None


def test_a_project_where_vitis_never_ran_has_none(tmp_path: Path) -> None:
    assert vendor_reports(tmp_path, "net") == []


@pytest.mark.parametrize("content", ["", "<profile/>", CSYNTH.format(latency="many")])
def test_a_broken_report_is_named(project: Path, content: str) -> None:
    (project / "net_prj/solution1/syn/report/net_csynth.xml").write_text(content)
    with pytest.raises(HwError, match="net_prj.*cannot read the vendor reports"):
        vendor_reports(project, "net")


def test_what_vivado_and_nextpnr_placed_is_a_row_each(tmp_path: Path) -> None:
    (tmp_path / "vivado" / "kv260").mkdir(parents=True)
    (tmp_path / "vivado" / "kv260" / "timing.rpt").write_text(TIMING)
    (tmp_path / "vivado" / "kv260" / "utilization.rpt").write_text(USAGE)
    file = tmp_path / "bitstream" / "ulx3s-25f" / "bitstream.json"
    file.parent.mkdir(parents=True)
    uses = {"LUT4": {"used": 3228, "available": 24288}, "FF": {"used": 668, "available": 24288}}
    facts = {"board": "ULX3S-25F", "clock_mhz": 125.0, "reached_mhz": 127.88, "utilisation": uses}
    file.write_text(json.dumps(facts))
    vivado, placed = vendor_reports(tmp_path, "net")
    assert (vivado["tool"], vivado["lut"]) == ("Vivado for kv260, worst slack -0.214 ns", 812)
    assert (placed["tool"], placed["lut"], placed["ff"]) == (
        "nextpnr for ULX3S-25F, the design with its serial port, 127.9 MHz of 125.0 asked for", 3228, 668,
    )  # fmt: skip
    file.write_text("{}")
    with pytest.raises(HwError, match=r"bitstream\.json: no result of crq bitstream"):
        vendor_reports(tmp_path, "net")


def test_both_forms_show_the_rows_beside_the_estimate(project: Path) -> None:
    network = Network(random_graphs.global_pool_net())
    info = {"vendor": vendor_reports(project, "net")}
    facts = build_report(network, choose(network), "PYNQ-Z2", 5.0, project_info=info).to_dict()
    for text in (text_of(facts), render_html(facts)):
        for expected in ("crq, estimate", "Vitis HLS synthesis", "4,321", "Vivado synthesis", "2,084"):
            assert expected in text
