"""`crq fold`: the chosen folding of a project or file, and the Pareto plot."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crq import hw
from crq.hw.cli.fold import fold
from crq.hw.dataflow.timing import HLS
from crq.hw.fold.pareto import pareto
from tests.support import random_graphs


@pytest.fixture
def project(tmp_path: Path) -> hw.Project:
    return hw.build(random_graphs.small_cnn(), tmp_path / "net_hls", part="PYNQ-Z2", folding={"conv4": hw.Fold(6, 4)})


def crq_fold(*arguments: object) -> Result:
    return CliRunner().invoke(fold, [str(a) for a in arguments])


def test_a_project_is_shown_as_it_was_built(project: hw.Project) -> None:
    facts = json.loads(crq_fold(project.directory, "--json").stdout)
    assert {
        u["name"]: hw.Fold(u["pe"], u["simd"], u["rom"], u["form"]) for u in facts["chosen"]["units"]
    } == project.folds
    assert "conv4" in crq_fold(project.directory).stdout


def test_wishes_fold_it_again(project: hw.Project) -> None:
    facts = json.loads(crq_fold(project.directory, "--json", "--target-fps", 500_000, "--fold", "conv1=2,9").stdout)
    chosen = {u["name"]: (u["pe"], u["simd"]) for u in facts["chosen"]["units"]}
    assert chosen["conv1"] == (2, 9)
    assert facts["chosen"]["frames_per_second"] >= 500_000


def test_pareto_is_plotted_whole_and_listed(project: hw.Project, tmp_path: Path) -> None:
    plot = tmp_path / "plots" / "p.png"
    facts = json.loads(crq_fold(project.directory, "--json", "--pareto", plot).stdout)
    points = pareto(project.network, "xc7", HLS)
    assert [p["interval_cycles"] for p in facts["pareto"]] == [p.interval for p in points]
    assert facts["pareto"][0]["folding"] == {name: list(f) for name, f in points[0].folds.items()}
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert list(plot.parent.iterdir()) == [plot]
    shown = crq_fold(project.directory, "--pareto", plot)
    assert "Foldings that no other beats" in shown.stdout
    assert "%, fits" in shown.stdout


def test_what_does_not_fit_is_named_with_an_exit_code_of_its_own(project: hw.Project, tmp_path: Path) -> None:
    g = random_graphs.GraphBuilder((512, 1, 1), "UINT2")
    g.finish(g.matmul(g.flatten("x"), 256)).save(str(tmp_path / "m.onnx"))
    done = crq_fold(tmp_path / "m.onnx", "--part", "ice40up5k", "--target", "rtl", "--pareto", tmp_path / "p.png")
    assert done.exit_code == 5
    assert re.search(r"Error: it does not fit iCE40UP5K-SG48: BRAM36 \d\d\d%", done.stderr)
    assert "does NOT fit" in done.stdout
    assert crq_fold(project.directory).exit_code == 0


def test_a_plot_of_unknown_format_is_refused(project: hw.Project, tmp_path: Path) -> None:
    error = crq_fold(project.directory, "--pareto", tmp_path / "p.txt").exception
    assert isinstance(error, hw.HwError)
    assert "p.txt: expected a name that ends in .png, .svg, .pdf" in str(error)


def test_the_unrolled_estimate_needs_no_build(tmp_path: Path) -> None:
    random_graphs.small_cnn(size=4).save(str(tmp_path / "m.onnx"))
    facts = json.loads(crq_fold(tmp_path / "m.onnx", "--io-type", "io_parallel", "--part", "kv260", "--json").stdout)
    built = hw.build(tmp_path / "m.onnx", tmp_path / "net", io_type="io_parallel", part="kv260")
    assert facts["chosen"]["lut"] == built.report().to_dict()["summary"]["lut"]
    assert facts["chosen"]["interval_cycles"] == 1
    assert "every layer unrolled" in crq_fold(tmp_path / "net").stdout
    refused = crq_fold(tmp_path / "net", "--pareto", tmp_path / "p.png")
    assert (refused.exit_code, "io_parallel has one folding" in refused.stderr) == (2, True)
