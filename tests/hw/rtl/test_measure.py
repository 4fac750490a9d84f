"""Real synthesis of chosen layers: `crq synth`, its cache, and the report that shows estimate beside measurement."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crq import hw
from crq.hw.cli.synth import synth as verb
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.units import Fold
from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.html import render_html
from crq.hw.rtl import measure, synth
from crq.hw.rtl.measure import Measured, Measurements, pick
from tests.support import random_graphs

needs_yosys = pytest.mark.skipif(find_spec("pyosys") is None, reason="pyosys is not installed")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return hw.build(random_graphs.small_cnn(), tmp_path / "net_hls", part="KV260").directory


def crq_synth(*arguments: object) -> Result:
    return CliRunner().invoke(verb, [str(a) for a in arguments], catch_exceptions=True)


@needs_yosys
def test_layers_are_measured_once_kept_and_reported(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--cache", tmp_path / "cache", "--json")
    first = json.loads(crq_synth(project, "--layers", "pool3,bias8", *options).stdout)
    assert [row["name"] for row in first["units"]] == ["pool3", "bias8"]
    assert first["family"] == "xcup"
    for row in first["units"]:
        assert abs(row["estimated"]["lut"] - row["measured"]["lut"]) <= max(50, 0.15 * row["measured"]["lut"])
    total = first["total"]["measured"]
    assert total["lut"] == sum(row["measured"]["lut"] for row in first["units"])
    # From the cache: Yosys is not run again.
    monkeypatch.setattr(synth.subprocess, "run", None)
    again = json.loads(crq_synth(project, "--layers", "pool3", *options).stdout)
    assert again["units"][0]["measured"] == first["units"][0]["measured"]
    # Layers add up in the project, and the report shows them.
    report = hw.open_project(project).report()
    facts = report.to_dict()["synthesis"]
    assert {row["name"] for row in facts["units"]} == {"pool3", "bias8"}
    assert facts["units_of_network"] == len(report.estimate.units)
    assert f"{total['lut']:,.0f} LUT measured" in render_html(report.to_dict())
    assert sorted(p.suffix for p in (tmp_path / "cache").iterdir()) == [".json", ".json"]


@needs_yosys
def test_ecp5_is_measured_and_estimated_in_its_own_luts(tmp_path: Path) -> None:
    project = hw.build(random_graphs.small_cnn(), tmp_path / "net_rtl", part="LFE5U-25F", target="rtl").directory
    shown = crq_synth(project, "--layers", "pool3", "--cache", tmp_path / "cache")
    assert "ecp5" in shown.stdout
    [row] = hw.open_project(project).report().to_dict()["synthesis"]["units"]
    assert row["estimated"]["lut"] == pytest.approx(row["measured"]["lut"], rel=0.2)


def test_without_yosys_the_remedy_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synth, "find_spec", lambda name: None)
    error = crq_synth(project).exception
    assert isinstance(error, hw.ToolError)
    assert error.exit_code == 3
    assert 'pip install ".[synth]"' in str(error)


@needs_yosys
@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("--layers", "pool"), "layer 'pool': no such unit; did you mean pool3"),
     (("--family", "spartan3"), "family 'spartan3': expected")],
)  # fmt: skip
def test_bad_options_are_named(project: Path, arguments: tuple[str, ...], message: str) -> None:
    error = crq_synth(project, *arguments).exception
    assert isinstance(error, hw.HwError)
    assert message in str(error)


def made_up(network: Network, folds: dict[str, Fold], family: str, lut: int = 100) -> Measurements:
    rows = {unit.name: Measured(folds[unit.name], Resources(lut, 0, 10, 1), 1.0) for unit in pick(network, [])}
    return Measurements("Yosys 0", family, "2026-01-01", rows)


def test_results_of_one_family_are_merged_and_survive_the_file(tmp_path: Path) -> None:
    network = Network(random_graphs.small_cnn())
    folds, path = choose(network), tmp_path / "deep" / "synthesis.json"
    whole = made_up(network, folds, "xc7")
    one = Measurements(whole.tool, "xc7", "later", {"pool3": Measured(folds["pool3"], Resources(7), 2.0)})
    measure.store(path, whole)
    merged = measure.store(path, one)
    assert measure.load(path) == merged
    assert merged.units == {**whole.units, **one.units}
    other = made_up(network, folds, "xcup")
    assert measure.store(path, other) == other  # another family replaces the results


@pytest.mark.parametrize("text", ['{"schema": 99}', '{"schema": 1}', "{", "[]", '{"schema": 1, "units": {"a": {}}}'])
def test_a_file_that_holds_no_measurements_is_refused_by_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "synthesis.json"
    path.write_text(text)
    with pytest.raises(hw.HwError, match="synthesis.json: no measurements of crq synth.*run `crq synth` again"):
        measure.load(path)
