"""The report: sums add up, the page is self-contained, trust is never overstated, bad input is named."""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from click.testing import CliRunner
from rich.console import Console

from crq import hw
from crq.hw.cli.folded import open_folded
from crq.hw.cost import calibration as calibrated
from crq.hw.cost.network import estimate
from crq.hw.dataflow.timing import RTL
from crq.hw.dataflow.units import Fold
from crq.hw.devices.catalog import find
from crq.hw.errors import HwError
from crq.hw.fold.fit import fill
from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac
from crq.hw.report.folding import filling_told
from crq.hw.report.html import render_html
from crq.hw.report.model import Report, build_report
from crq.train.size import layer_size
from tests.support import random_graphs

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
    from crq.hw.report.terminal import render

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
    assert "multipliers, which BIND_OP asks for in LUTs" in free["rule"]
    rtl = replace(report, project={"backend": "rtl"}).to_dict()["multiplier_free"]
    assert "shift and add once per signed digit" in rtl["rule"]


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


@pytest.fixture(scope="module")
def calibration_tool() -> Iterator[ModuleType]:
    """benchmarks/calibration/check.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[3] / "benchmarks" / "calibration")
        yield importlib.import_module("check")


# (LUT of the mean, of each layer as a share or in LUTs)
BARS = {"xcup": (0.04, 0.12, 40), "xc7": (0.04, 0.12, 40), "ecp5": (0.08, 0.24, 80)}
MISSED = {
    "xcup": {"blind_u10", "blind_u15", "blind_u20"}, "xc7": {"blind_u10", "blind_u15", "blind_u20"},
    "ecp5": {"blind_u19", "blind_u21"},
}  # fmt: skip
"""Layers beyond the bar for each; docs/estimates.md says what they are."""


@pytest.mark.parametrize("family", BARS)
def test_the_calibration_is_that_of_the_stored_blind_layers(family: str, calibration_tool: ModuleType) -> None:
    """Every figure of calibration.json again from the stored measurements and today's formulas."""
    stored = calibrated.calibrations()[family].blind
    found = calibration_tool.rows("blind", family)
    for key, value in calibration_tool.facts(found, family).items():
        assert json.dumps(stored[key]) == json.dumps(value), key
    assert len(found) == len(list(calibration_tool.layers("blind")))
    assert stored["sentence"] in calibrated.sentence("rtl", family)
    # The bars, from the measurements themselves.
    mean, share, small = BARS[family]
    lut = [abs(r.estimated.lut - r.measured.lut) / r.measured.lut for r in found]
    ff = [abs(r.estimated.ff - r.measured.ff) / r.measured.ff for r in found]
    assert sum(lut) / len(lut) <= mean
    assert sum(ff) / len(ff) <= 0.03
    beyond = {r.name for r in found if abs(r.estimated.lut - r.measured.lut) > max(small, share * r.measured.lut)}
    assert beyond == MISSED[family]
    for r in found:
        assert (r.estimated.bram18, r.estimated.dsp) == (r.measured.bram18, r.measured.dsp), r.name


def test_a_set_that_was_not_measured_is_a_clean_error(calibration_tool: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(HwError, match="no layer measured for xc7; run python benchmarks.calibration.layers.py fit"):
        calibration_tool.rows("fit", "xc7")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration_tool, "HERE", tmp_path)
        done = CliRunner().invoke(calibration_tool.main, ["fit"])
    assert done.exit_code == 1
    assert "layers_fit.csv: not measured yet; run" in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("family", BARS)
def test_the_blind_set_is_large_and_has_all_forms_and_kinds(family: str) -> None:
    own = calibrated.calibrations()[family]
    assert own.blind["layers"] >= 30
    of_weights = {f"{w} sums, {form}" for w in ("ternary", "integer") for form in ("folded", "parallel", "unrolled")}
    others = {"MaxPool, folded", "MaxPool, parallel", "GlobalSum", "Add", "Threshold", "Bias", "Negate", "Concat"}
    whole = {"Add", "Bias", "GlobalSum", "MaxPool", "Negate", "Threshold", "ternary sums", "integer sums"}
    assert own.blind["kinds"].keys() == of_weights | others | {f"{kind}, io_parallel" for kind in whole}


def test_kinds_beyond_the_bars_or_in_no_set_are_named_in_the_sentence() -> None:
    own = calibrated.Calibration(
        "Yosys", "today", "", blind={"sentence": "s", "kinds": {"Add": {"layers": 2, "lut_mean": 0.2, "lut_max": 0.3,
                                                                        "beyond": 1}}})  # fmt: skip
    assert calibrated.reservations(own, {"Add"}) == [
        "worse for Add, which this network has: LUT mean error 20.0%, largest 30.0% (2 measured)"
    ]
    assert calibrated.reservations(own, {"Nosuch"}) == ["of this network's units, Nosuch were in no set"]
    assert calibrated.reservations(own, {"Bias"}) == [
        "of this network's units, Bias were measured for another family only"
    ]
    own.blind["kinds"]["Add"] |= {"lut_mean": 0.01, "beyond": 0}
    assert calibrated.reservations(own, {"Add"}) == []


def test_the_band_of_the_hls_form_is_wider(report: Report) -> None:
    hls = report.to_dict()
    rtl = build_report(report.network, report.folds, "PYNQ-Z2", 5.0, project_info={"backend": "rtl"}).to_dict()
    assert hls["trust"].startswith("Vitis HLS was not measured: calibration is on the RTL form")
    assert rtl["trust"].startswith("calibrated on the RTL form")
    for key in ("lut", "ff"):
        (low, high), (low_hls, high_hls) = rtl["summary"]["band"][key], hls["summary"]["band"][key]
        assert low_hls < low <= rtl["summary"][key] <= high < high_hls
        assert (low_hls, high_hls) == tuple(factor * hls["summary"][key] for factor in calibrated.HLS_BAND)
    assert hls["summary"]["band"]["dsp"] == [0, 0]
    for facts in (hls, rtl):
        low, high = facts["summary"]["band"]["lut"]
        terminal, page = " ".join(text_of(facts).split()), render_html(facts)
        assert f"LUT {low:,.0f} to {high:,.0f}" in terminal
        assert f"LUT, {low:,.0f} to {high:,.0f}" in page
        assert all(facts["summary"]["band"]["basis"] in text for text in (terminal, page))


def test_a_report_saved_before_a_key_was_added_is_still_shown(report: Report) -> None:
    facts = json.loads(report.to_json())
    del facts["bits_per_weight"], facts["summary"]["band"]
    for unit in facts["units"]:
        unit.get("weights", {}).pop("bits_per_weight", None)
    assert "frames/s" in text_of(facts)


def test_bits_per_weight_are_those_of_the_training_summary(report: Report) -> None:
    facts = report.to_dict()
    for unit in facts["units"]:
        if "weights" not in unit:
            continue
        mac = next(layer for layer in report.network if layer.name == unit["name"])
        assert isinstance(mac, Mac)
        bits = 2 if unit["weights"]["type"] == "TERNARY" else 8 if unit["weights"]["type"] == "INT8" else 4
        expected = layer_size(torch.from_numpy(mac.weights), bits)
        found = {key: value for key, value in unit["weights"]["bits_per_weight"].items() if value is not None}
        assert found == pytest.approx(expected)
    whole = facts["bits_per_weight"]
    assert whole["entropy"] <= whole["huffman"] <= whole["packed"]
    assert f"packed {whole['packed']:.2f}" in text_of(facts)
    assert f"entropy {whole['entropy']:.2f}" in render_html(facts)


def test_a_family_outside_the_blind_test_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    only = {"xcup": calibrated.calibrations()["xcup"]}
    monkeypatch.setattr(calibrated, "calibrations", lambda: only)
    assert "xc7, the family of this part, was not in that test" in calibrated.sentence("hls", "xc7")
    assert "was not in that test" not in calibrated.sentence("rtl", "xcup")


def test_what_does_not_fit_is_said() -> None:
    network = Network(random_graphs.resnet(1, size=8))
    report = build_report(network, choose(network, target_fps=500_000), "xc7z010", 5.0)
    assert report.capacity()["LUT"][0] > 17_600
    assert "does not fit" in text_of(report.to_dict())


def test_an_io_parallel_project_is_priced_unrolled_and_its_tool_was_not_measured(tmp_path: Path) -> None:
    projects = {
        io_type: hw.build(random_graphs.small_cnn(), tmp_path / io_type, part="PYNQ-Z2", io_type=io_type)
        for io_type in ("io_stream", "io_parallel")
    }
    streaming, facts = (project.report().to_dict() for project in projects.values())
    assert facts["project"]["io_type"] == "io_parallel"
    assert facts["calibration"] == streaming["calibration"]
    assert facts["trust"].startswith("Vitis HLS was not measured")
    assert "in no set" not in facts["trust"]
    assert facts["summary"]["interval_cycles"] == 1
    assert facts["summary"]["frames_per_second"] == pytest.approx(1 / 5e-9)
    assert facts["summary"]["bram18"] == 0
    assert facts["summary"]["lut"] > 5 * streaming["summary"]["lut"]
    assert not {"fifo", "window", "operands", "output"} & {part for u in facts["units"] for part in u["parts"]}
    page = render_html(facts)
    for text in (text_of(facts), page):
        assert "two adders of one with three operands" in " ".join(text.replace("&#39;", "'").split())
        assert "bound by " not in text
    assert "trust ok" not in page
    project = projects["io_parallel"]
    caption = filling_told(project)
    assert "by the estimate of the unrolled design" in caption
    device = find("PYNQ-Z2")
    assert f"{fill(project.network, project.folds, device, 'io_parallel'):.0%}" in caption
    assert fill(project.network, project.folds, device, "io_parallel") > facts["utilization"]["LUT"]["share"] / 2
    with pytest.raises(HwError, match="is an io_parallel project"):
        open_folded(project.directory)


def test_a_part_with_four_input_luts_is_priced_in_its_own(tmp_path: Path) -> None:
    project = hw.build(random_graphs.small_cnn(), tmp_path / "p", part="LFE5U-25F", target="rtl")
    facts = project.report().to_dict()
    own = estimate(project.network, project.folds, "ecp5", timing=RTL).total
    assert facts["summary"]["lut"] == own.lut > estimate(project.network, project.folds, timing=RTL).total.lut
    assert facts["utilization"]["LUT"]["share"] == own.lut / find("LFE5U-25F").lut
    assert "trust ok" not in render_html(facts)


def test_bad_input_is_named(report: Report) -> None:
    with pytest.raises(HwError, match="no folding for"):
        build_report(report.network, {}, "PYNQ-Z2", 5.0)
    with pytest.raises(HwError, match="no such unit"):
        build_report(report.network, {**report.folds, "nosuch": Fold(1)}, "PYNQ-Z2", 5.0)
    with pytest.raises(HwError, match="clock period"):
        build_report(report.network, report.folds, "PYNQ-Z2", 0)
    with pytest.raises(HwError, match="part 'xyz'"):
        build_report(report.network, report.folds, "xyz", 5.0)
