"""Reports of the vendor's tools in a project: read, shown beside the estimate, and named where they cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.html import render_html
from crq.hw.report.model import build_report
from crq.hw.report.vendor import vendor_reports
from tests.hw.report.test_model import text_of
from tests.hw.vivado.test_reports import TIMING, USAGE
from tests.support import random_graphs

# As Vitis HLS writes them, cut down to what stands in the tables hls4ml reads.
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


_LINE = "+----------+----------+" + 2 * (47 * "-" + "+") + "\n"
COSIM = f"""{_LINE}|          |          |       Latency(Clock Cycles)          |      Interval(Clock Cycles)          |
|   RTL    |  Status  |     min     |     avg     |     max     |     min     |     avg     |     max     |
{_LINE}|      VHDL|        NA|           NA|           NA|           NA|           NA|           NA|           NA|
|   Verilog|      Pass|         1160|         1164|         1171|         1024|         1024|         1026|
{_LINE}"""


def vendor_folder(folder: Path, top: str = "net") -> Path:
    """What Vitis leaves of a synthesis of `top` in the project `net` in `folder`, but for hls.app; the report."""
    reports = folder / "net_prj" / "solution1" / "syn" / "report"
    reports.mkdir(parents=True, exist_ok=True)
    (reports / f"{top}_csynth.xml").write_text(CSYNTH.format(latency=1170))
    return reports / f"{top}_csynth.xml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    vendor_folder(tmp_path)
    (tmp_path / "vivado_synth.rpt").write_text(SYNTH)
    cosim = tmp_path / "net_prj" / "solution1" / "sim" / "report" / "net_cosim.rpt"
    cosim.parent.mkdir(parents=True)
    cosim.write_text(COSIM)
    return tmp_path


def read(folder: Path) -> list[dict[str, Any]]:
    """The rows of a project where everything can be read."""
    found = vendor_reports(folder, "net", 5.0)
    assert found.unread == []
    return found.rows


def test_each_tool_is_one_row(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hls, cosim, logic = read(project)
    assert capsys.readouterr().out == ""
    assert hls == {
        "tool": "Vitis HLS synthesis", "alone": True, "placed": False, "part": "xc7z020-clg400-1", "clock_ns": 5.0,
        "reached_ns": 3.648, "lut": 4321, "ff": 2153, "bram36": 2.5, "dsp": 0, "latency_cycles": 1170,
        "interval_cycles": 1025,
    }  # fmt: skip
    assert (cosim["tool"], cosim["latency_cycles"], cosim["interval_cycles"], cosim["lut"]) == (
        "Vitis HLS cosim (Verilog: Pass)", 1171, 1026, None,
    )  # fmt: skip
    assert (logic["lut"], logic["ff"], logic["bram36"], logic["dsp"]) == (2084, 1893, 2.5, 0)
    assert logic["latency_cycles"] is None


def test_the_axi_top_is_read_and_named(tmp_path: Path) -> None:
    vendor_folder(tmp_path, "net_axi")
    (row,) = read(tmp_path)
    assert (row["tool"], row["lut"]) == ("Vitis HLS synthesis, net_axi", 4321)


def test_what_vitis_does_not_know_is_null(project: Path) -> None:
    (project / "net_prj/solution1/syn/report/net_csynth.xml").write_text(CSYNTH.format(latency="undef"))
    assert read(project)[0]["latency_cycles"] is None


def test_a_project_where_vitis_never_ran_has_none(tmp_path: Path) -> None:
    assert read(tmp_path) == []


@pytest.mark.parametrize("content", ["", "<profile/>", CSYNTH.format(latency="many"), CSYNTH[:400]])
def test_a_broken_report_is_named_and_the_others_are_read(project: Path, content: str) -> None:
    (project / "net_prj/solution1/syn/report/net_csynth.xml").write_text(content)
    found = vendor_reports(project, "net", 5.0)
    (line,) = found.unread
    assert line.startswith("net_prj/solution1/syn/report/net_csynth.xml: not read, as it is no synthesis report of")
    assert [row["tool"] for row in found.rows] == ["Vitis HLS cosim (Verilog: Pass)", "Vivado synthesis"]


def test_a_report_of_another_function_is_named(tmp_path: Path) -> None:
    vendor_folder(tmp_path, "other")
    assert vendor_reports(tmp_path, "net", 5.0).unread == [
        "net_prj/solution1/syn/report/other_csynth.xml: not read, as it is of another function; expected "
        "net_csynth.xml or net_axi_csynth.xml"
    ]


def test_what_vivado_placed_is_a_row(tmp_path: Path) -> None:
    folder = tmp_path / "vivado" / "kv260"
    folder.mkdir(parents=True)
    (folder / "utilization.rpt").write_text(USAGE)
    (row,) = read(tmp_path)
    assert (row["tool"], row["lut"], row["reached_ns"]) == ("Vivado for kv260, no timing.rpt", 812, None)
    (folder / "timing.rpt").write_text(TIMING)
    (row,) = read(tmp_path)
    assert (row["tool"], row["lut"], row["placed"]) == ("Vivado for kv260, worst slack -0.214 ns", 812, True)
    assert row["reached_ns"] == pytest.approx(5.214)
    (folder / "utilization.rpt").unlink()
    (row,) = read(tmp_path)
    assert (row["tool"], row["lut"]) == ("Vivado for kv260, worst slack -0.214 ns, no utilization.rpt", None)
    (folder / "timing.rpt").write_text("nothing")
    assert "vivado/kv260/timing.rpt: not read" in vendor_reports(tmp_path, "net", 5.0).unread[0]


# As nextpnr counts them on each family of open tools: the names differ.
USES = {
    "ULX3S-25F": ("LFE5U-25F-6BG381C", {"LUT4": (3228, 24288), "FF": (668, 24288), "block RAM": (3, 56)}),
    "iCE40-HX8K": ("iCE40HX8K-CT256", {"LUT4 with FF": (1817, 7680), "block RAM": (5, 32)}),
    "Tang-Nano-9K": ("GW1NR-LV9QN88PC6/I5", {"LUT4": (2793, 8640), "FF": (700, 6480), "block RAM": (2, 26)}),
}


@pytest.mark.parametrize(
    ("board", "expected"),
    [("ULX3S-25F", (3228, 668, 1.5)), ("iCE40-HX8K", (1817, None, 0.56)), ("Tang-Nano-9K", (2793, 700, 1.0))],
)  # fmt: skip
def test_what_nextpnr_placed_is_a_row(tmp_path: Path, board: str, expected: tuple[float, ...]) -> None:
    part, uses = USES[board]
    file = tmp_path / "bitstream" / board.lower() / "bitstream.json"
    file.parent.mkdir(parents=True)
    counted = {name: {"used": used, "available": available} for name, (used, available) in uses.items()}
    facts = {"board": board, "part": part, "clock_mhz": 125.0, "reached_mhz": 127.88, "utilisation": counted}
    file.write_text(json.dumps(facts))
    (row,) = read(tmp_path)
    assert row["tool"] == f"nextpnr for {board}, the design with its serial port, 127.9 MHz of 125.0 asked for"
    assert (row["lut"], row["ff"], row["bram36"]) == expected
    assert (row["alone"], row["placed"], row["clock_ns"]) == (False, True, 8.0)
    file.write_text("{}")
    (line,) = vendor_reports(tmp_path, "net", 5.0).unread
    assert "bitstream.json: not read, as it is no result of crq bitstream" in line


def test_both_forms_show_the_rows_beside_the_estimate(project: Path) -> None:
    network = Network(random_graphs.global_pool_net())
    info = {"vendor": read(project), "vendor_unread": ["x.xml: not read"]}
    facts = build_report(network, choose(network), "PYNQ-Z2", 5.0, project_info=info).to_dict()
    for text in (text_of(facts), render_html(facts)):
        for expected in (
            "crq, estimate",
            "Vitis HLS synthesis",
            "4,321",
            "Vivado synthesis",
            "2,084",
            "x.xml: not read",
        ):
            assert expected in text
