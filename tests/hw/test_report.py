"""The report: sums add up, the page is self-contained, trust is never overstated, bad input is named."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

import hw
from hw.devices import find
from hw.errors import HwError
from hw.estimate import calibration as calibrated
from hw.estimate import estimate
from hw.estimate.measured import LUT4_PER_LUT6
from hw.explain import folding_table
from hw.fold import choose, fill, fits
from hw.graph import Network
from hw.report import Report, build_report
from hw.report.compare import render_comparison
from hw.report.html import render_html
from hw.source import open_source
from hw.units import Fold
from tests.hw import random_graphs

INFO = {
    "name": "net <1>", "accuracy": {"float": 0.98, "frozen": 0.975}, "versions": {"crq": "0"}, "commands": ["crq run"],
    "verdict": {"images": 360, "integers": 3600, "differing": 0, "against": "PyTorch"},
}  # fmt: skip


@pytest.fixture(scope="module")
def report() -> Report:
    network = Network(random_graphs.global_pool_net())
    return build_report(network, choose(network), "PYNQ-Z2", 5.0, project_info=INFO)


def text_of(report: dict) -> str:
    console = Console(file=io.StringIO(), width=160)
    from hw.report.terminal import render

    render(report, console)
    return console.file.getvalue()


def test_units_and_circuits_add_up(report: Report) -> None:
    facts = json.loads(report.to_json())
    for key in ("lut", "ff", "bram18", "dsp"):
        assert facts["summary"][key] == sum(unit[key] for unit in facts["units"])
    for unit in facts["units"]:
        assert unit["lut"] == pytest.approx(sum(p["lut"] for p in unit["parts"].values()), abs=2)
    assert facts["summary"]["interval_cycles"] == max(unit["interval_cycles"] for unit in facts["units"])
    assert facts["summary"]["frames_per_second"] == pytest.approx(2e8 / facts["summary"]["interval_cycles"])


def test_integer_layers_are_named(report: Report) -> None:
    free = report.to_dict()["multiplier_free"]
    assert free["integer_layers"] == ["conv1", "fc7"]
    assert "all but conv1, fc7" in text_of(report.to_dict())


def test_without_calibration_every_form_says_so(
    report: Report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(calibrated, "FILE", tmp_path / "missing.json")
    calibrated.calibrations.cache_clear()
    try:
        facts = report.to_dict()
        assert facts["trust"].startswith("uncalibrated")
        assert "uncalibrated" in text_of(facts)
        assert "uncalibrated" in report.to_html(tmp_path / "r.html").read_text()
    finally:
        calibrated.calibrations.cache_clear()


@pytest.mark.parametrize("family", ["xcup", "xc7"])
def test_the_calibration_is_that_of_the_stored_blind_layers(family: str) -> None:
    """Every figure of calibration.json again from the stored measurements and today's formulas."""
    check = Path(__file__).parents[2] / "benchmarks" / "calibration" / "check.py"
    done = subprocess.run([sys.executable, check, "blind", "--family", family], capture_output=True, text=True)
    found = calibrated.calibrations()[family].blind
    assert found["layers"] >= 20
    assert found["lut_mean"] <= 0.05
    assert done.stdout.splitlines()[-1] == found["sentence"]
    assert found["sentence"] in calibrated.sentence("rtl", family)


def test_a_family_outside_the_blind_test_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    only = {"xcup": calibrated.calibrations()["xcup"]}
    monkeypatch.setattr(calibrated, "calibrations", lambda: only)
    assert "xc7, the family of this part, was not in that test" in calibrated.sentence("hls", "xc7")
    assert "was not in that test" not in calibrated.sentence("rtl", "xcup")


class Page(HTMLParser):
    VOID = ("meta", "link", "br", "i")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_page_is_well_formed_and_self_contained(report: Report, tmp_path: Path) -> None:
    file = report.to_html(tmp_path / "deep" / "report.html")
    text = file.read_text()
    page = Page()
    page.feed(text)
    assert page.open == []
    assert page.addresses == ["data:,"]
    assert "<script" not in text
    assert not re.search(r"url\(|@import|https?://", text)
    assert len(text) < 2_000_000
    assert "net &lt;1&gt;" in text
    assert "0 of 3,600 integers differ" in text
    assert [f.name for f in file.parent.iterdir()] == ["report.html"]


def test_a_difference_is_never_called_exact(report: Report, tmp_path: Path) -> None:
    info = {**INFO, "verdict": {**INFO["verdict"], "differing": 1}}
    worse = build_report(report.network, report.folds, "PYNQ-Z2", 5.0, project_info=info)
    assert "NOT bit-exact: 1 of 3,600" in worse.to_html(tmp_path / "r.html").read_text()


def test_what_does_not_fit_is_said() -> None:
    network = Network(random_graphs.resnet(1, size=8))
    report = build_report(network, choose(network, target_fps=500_000), "xc7z010", 5.0)
    assert report.capacity()["LUT"][0] > 17_600
    assert "does not fit" in text_of(report.to_dict())


def test_an_io_parallel_project_is_priced_unrolled_and_never_called_calibrated(tmp_path: Path) -> None:
    projects = {
        io_type: hw.build(random_graphs.small_cnn(), tmp_path / io_type, part="PYNQ-Z2", io_type=io_type)
        for io_type in ("io_stream", "io_parallel")
    }
    streaming, facts = (project.report().to_dict() for project in projects.values())
    assert facts["project"]["io_type"] == "io_parallel"
    assert facts["calibration"] is None
    assert facts["trust"].startswith("uncalibrated: io_parallel")
    assert facts["summary"]["interval_cycles"] == 1
    assert facts["summary"]["frames_per_second"] == pytest.approx(1 / 5e-9)
    assert facts["summary"]["bram18"] == facts["summary"]["lut_memory"] == 0
    assert facts["summary"]["lut"] > 5 * streaming["summary"]["lut"]
    assert not {"fifo", "window", "operands", "output"} & {part for u in facts["units"] for part in u["parts"]}
    page = render_html(facts)
    for text in (text_of(facts), page):
        assert "uncalibrated: io_parallel" in text
        assert "bound by " not in text
    assert "trust ok" not in page
    project = projects["io_parallel"]
    caption = str(folding_table(project).caption)
    assert "uncalibrated estimate of the unrolled design" in caption
    device = find("PYNQ-Z2")
    assert f"{fill(project.network, project.folds, device, 'io_parallel'):.0%}" in caption
    assert not fits(project.network, project.folds, device, facts["utilization"]["LUT"]["share"] / 2, "io_parallel")
    with pytest.raises(HwError, match="is an io_parallel project"):
        open_source(project.directory)


def test_a_part_with_four_input_luts_gets_no_verdict_on_them(tmp_path: Path) -> None:
    project = hw.build(random_graphs.small_cnn(), tmp_path / "p", part="LFE5U-25F")
    facts = project.report().to_dict()
    assert facts["trust"].startswith("uncalibrated: the formulas count 6-input LUTs")
    assert facts["calibration"] is None
    assert facts["utilization"]["LUT"]["share"] is None
    assert facts["utilization"]["FF"]["share"] > 0
    page = render_html(facts)
    assert "trust ok" not in page
    for text in (text_of(facts), page, str(folding_table(project).caption)):
        assert "no verdict" in text
    console = Console(file=io.StringIO(), width=160)
    render_comparison({"a": facts, "b": facts}, console)
    assert "no verdict" in console.file.getvalue()
    device = find("LFE5U-25F")
    used = estimate(project.network, project.folds).total
    assert fill(project.network, project.folds, device) >= LUT4_PER_LUT6 * used.lut / device.lut


def test_comparison_shows_both(report: Report) -> None:
    console = Console(file=io.StringIO(), width=160)
    faster = build_report(report.network, choose(report.network, target_fps=100_000), "KV260", 4.0)
    render_comparison({"slow": report.to_dict(), "quick": faster.to_dict()}, console)
    shown = console.file.getvalue()
    for facts in (report.to_dict(), faster.to_dict()):
        assert f"{facts['summary']['lut']:,.0f}" in shown
        assert facts["device"]["part"] in shown


def test_bad_input_is_named(report: Report) -> None:
    with pytest.raises(HwError, match="no folding for"):
        build_report(report.network, {}, "PYNQ-Z2", 5.0)
    with pytest.raises(HwError, match="no such unit"):
        build_report(report.network, {**report.folds, "nosuch": Fold(1)}, "PYNQ-Z2", 5.0)
    with pytest.raises(HwError, match="clock period"):
        build_report(report.network, report.folds, "PYNQ-Z2", 0)
    with pytest.raises(HwError, match="part 'xyz'"):
        build_report(report.network, report.folds, "xyz", 5.0)
