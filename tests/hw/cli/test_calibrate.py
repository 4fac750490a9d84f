"""`crq calibrate`: from reports in the forms of Vitis HLS and Vivado to the band of a report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crq import hw
from crq.cli import main
from tests.hw.report.test_vendor import SYNTH, vendor_folder
from tests.support.random_graphs import small_cnn


@pytest.fixture
def project(tmp_path: Path) -> hw.Project:
    return hw.build(small_cnn(), tmp_path / "p", project_name="net")


def crq(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_the_band_of_a_report_is_that_of_the_vendor_reports(project: hw.Project, tmp_path: Path) -> None:
    vendor_folder(project.directory)
    made = crq("calibrate", project.directory, "-o", tmp_path / "own.json", "--json")
    assert made.exit_code == 0, made.stderr
    (pair,) = json.loads(made.stdout)["pairs"]
    assert (pair["tool"], pair["reported"]) == ("Vitis HLS synthesis", {"lut": 4321, "ff": 2153, "bram36": 2.5})
    facts = json.loads(crq("report", project.directory, "--calibration", tmp_path / "own.json", "--json").stdout)
    estimated = facts["summary"]
    assert facts["summary"]["band"]["lut"] == pytest.approx([0.5 * estimated["lut"], max(4321, 2 * estimated["lut"])])
    assert facts["summary"]["band"]["ff"] == pytest.approx([0.5 * estimated["ff"], max(2153, 2 * estimated["ff"])])
    assert "in vendor reports of your own (LUT in 1" in facts["summary"]["band"]["basis"]
    told = crq("report", project.directory, "--calibration", tmp_path / "own.json").stdout
    assert "to 4,321" in " ".join(told.split())
    assert facts["summary"]["band"]["bram36"] != [0, 0] or "judgement" in told
    assert "judgement" in crq("report", project.directory).stdout


def test_the_latest_stage_counts(project: hw.Project, tmp_path: Path) -> None:
    vendor_folder(project.directory)
    (project.directory / "vivado_synth.rpt").write_text(SYNTH)
    made = crq("calibrate", project.directory, "-o", tmp_path / "own.json")
    assert "Vivado synthesis: LUT 2,084 of" in made.stdout


def test_what_has_no_report_is_refused_and_nothing_is_written(project: hw.Project, tmp_path: Path) -> None:
    for folder, says in ((project.directory, "no report of Vitis HLS or Vivado"), (tmp_path, "no crq project")):
        refused = crq("calibrate", folder, "-o", tmp_path / "own.json")
        assert refused.exit_code == 2
        assert says in refused.stderr
    rtl = hw.build(small_cnn(), tmp_path / "rtl", target="rtl")
    assert "expected HLS projects" in crq("calibrate", rtl.directory, "-o", tmp_path / "own.json").stderr
    assert not (tmp_path / "own.json").exists()
