"""`crq simulate`: the C simulation against PyTorch, and which proofs run."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from crq import export, hw
from crq.hw.cli.build import build
from crq.hw.cli.data import OWN_LOSS
from crq.hw.cli.report import report
from crq.hw.cli.simulate import simulate
from crq.hw.ir.layers import Mac
from crq.hw.ir.vectors import all_vectors
from crq.hw.verify.proofs.mutation import flipped_weight
from crq.hw.verify.proofs.proof import Proof
from tests.support.nets import Plain, frozen
from tests.support.random_graphs import GraphBuilder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("simulate")
    model = frozen(Plain)
    model.save(folder / "frozen.pt")
    hw.build(export.to_qonnx(model, folder / "m.onnx"), folder / "net", project_name="net")
    return folder


def test_against_pytorch_layer_by_layer(folder: Path, tmp_path: Path) -> None:
    arguments = [str(folder / "net"), "--reference", str(folder), "--limit", "30", "--no-checks", "--json"]
    result = CliRunner().invoke(simulate, [*arguments, "--trace", str(tmp_path / "t.npz")])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert (facts["bit_exact"], facts["images"], facts["checks"]) == (True, 30, [])
    assert facts["exact_integers"] == facts["integers"] == 30 * 5
    assert [link["differing"] for link in facts["layers"]] == [0, 0]
    with np.load(tmp_path / "t.npz") as traced:
        assert all(len(values) == 30 for values in traced.values())


def test_another_model_is_no_reference(folder: Path, tmp_path: Path) -> None:
    frozen(Plain, seed=4).save(tmp_path / "frozen.pt")
    result = CliRunner().invoke(simulate, [str(folder / "net"), "--reference", str(tmp_path)])
    assert isinstance(result.exception, hw.HwError)
    assert "give the run it was exported from" in str(result.exception)


def test_a_difference_ends_with_1_and_names_the_layer(folder: Path, tmp_path: Path) -> None:
    copy = hw.open_project(shutil.copytree(folder / "net", tmp_path / "net"))
    [process] = [p for p in copy.plan.processes if p.name == "fc"]
    assert process.unit is not None
    flipped_weight(process, process.unit.layer, copy.plan).put(copy.directory)
    arguments = [str(copy.directory), "--no-checks", "--trace", str(tmp_path / "t.npz")]
    refused = CliRunner().invoke(simulate, arguments)
    assert "firmware/layers/fc.h" in str(refused.exception) or "firmware/weights/fc.h" in str(refused.exception)
    assert "is not what the build wrote. Build the project again" in str(refused.exception)
    result = CliRunner().invoke(simulate, [*arguments, "--changed"])
    assert result.exit_code == 1
    assert "NOT bit-exact" in result.output
    assert re.search(r"first: layer 'fc', image \d+, channel \d, pixel \(0, 0\): expected -?\d+, found", result.output)
    assert "--trace layers.npz" not in result.output
    untraced = CliRunner().invoke(simulate, [*arguments[:2], "--changed"])
    assert untraced.output.splitlines()[-1] == "`--trace layers.npz` says in which layer it begins"
    facts = json.loads(CliRunner().invoke(simulate, [*arguments, "--changed", "--json"]).stdout)
    assert (facts["bit_exact"], facts["layers"][0]["first"]["layer"]) == (False, "fc")
    assert facts["exact_integers"] < facts["integers"]


def test_proofs_of_a_large_network_are_skipped_aloud(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("crq.hw.verify.proofs.size.SMALL_PRODUCTS", 1000)
    result = CliRunner().invoke(simulate, [str(folder / "net"), "--limit", "2"])
    assert result.exit_code == 0, result.output
    assert re.search(r"proofs skipped: [\d,]+ products per image.*--checks runs them", result.output)
    result = CliRunner().invoke(simulate, [str(folder / "net"), "--limit", "2", "--no-checks"])
    assert "proofs" not in result.output


def test_a_failed_proof_ends_with_1(folder: Path, monkeypatch) -> None:
    failed = Proof("sources", False, "a.h:1: a loop without a bound")
    monkeypatch.setattr(hw.Project, "check", lambda self: [failed])
    result = CliRunner().invoke(simulate, [str(folder / "net"), "--limit", "2", "--checks"])
    assert result.exit_code == 1
    assert result.output.splitlines()[0].startswith("bit-exact")
    assert str(failed) in result.output


@pytest.fixture(scope="module")
def foreign(tmp_path_factory) -> Path:
    """A project of 8×8 images that no crq trained: its bytes may be worth anything."""
    g = GraphBuilder((1, 8, 8), "UINT8", seed=1)
    h = g.threshold(g.conv("x", 4, pads=(1, 1, 1, 1)), 3)
    graph = g.finish(g.matmul(g.flatten(h), 10))
    return hw.build(graph, tmp_path_factory.mktemp("foreign") / "net", project_name="net").directory


def test_no_accuracy_is_printed_while_nobody_says_what_a_byte_is_worth(foreign: Path) -> None:
    arguments = [str(foreign), "--data", "digits:test", "--limit", "20", "--no-checks"]
    silent = CliRunner().invoke(simulate, arguments)
    assert silent.exit_code == 0, silent.output
    assert silent.output.startswith("bit-exact: 20 of 20 images")
    assert "note: accuracy not given: the file does not say what a byte of the data is worth" in silent.output
    assert not re.search(r"accuracy \d", silent.output)
    assert json.loads(CliRunner().invoke(simulate, [*arguments, "--json"]).stdout)["figures"] is None
    stated = CliRunner().invoke(simulate, [*arguments, "--codes"])
    assert re.search(r"bit-exact: 20 of 20 .*accuracy \d+\.\d\d%", stated.output), stated.output
    (row,) = csv.DictReader(CliRunner().invoke(report, [str(foreign), "--csv"]).stdout.splitlines())
    assert row["metric"] == "accuracy"
    assert f"accuracy {float(row['value']):.2%}" in stated.output
    assert "note" not in stated.output


def test_data_of_another_shape_is_a_named_error(folder: Path, tmp_path: Path) -> None:
    g = GraphBuilder((3, 4, 4), "UINT8")
    project = hw.build(g.finish(g.conv("x", 2)), tmp_path / "p")
    result = CliRunner().invoke(simulate, [str(project.directory), "--data", "digits:test"])
    assert isinstance(result.exception, hw.HwError)
    assert "the data's images are 1×8×8, the network takes 3×4×4" in str(result.exception)


def test_what_was_found_is_kept_and_stands_at_the_top_of_the_report(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder / "net", tmp_path / "net", ignore=shutil.ignore_patterns("verdicts.json")))
    done = CliRunner().invoke(simulate, [str(copy), "--reference", str(folder), "--limit", "9", "--no-checks"])
    assert done.exit_code == 0, done.output
    head = " ".join(CliRunner().invoke(report, [str(copy)]).stdout.split("\nunit")[0].split())
    exact = "exact Bit-exact: all 45 integers on 9 random, extreme and bounding inputs are equal, in C (fast), against"
    assert exact in head
    (copy / "README.md").write_text("changed")
    head = " ".join(CliRunner().invoke(report, [str(copy)]).stdout.split("\nunit")[0].split())
    assert "the project changed since" in head
    (copy / "firmware" / "defines.h").write_text("// changed")
    head = " ".join(CliRunner().invoke(report, [str(copy)]).stdout.split("\nunit")[0].split())
    assert "UNKNOWN: firmware/defines.h is not what the build wrote" in head


@pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
def test_an_rtl_project_against_pytorch_layer_by_layer_and_a_fault_in_it(folder: Path, tmp_path: Path) -> None:
    project = hw.build(folder / "m.onnx", tmp_path / "net", project_name="net", target="rtl")
    arguments = [str(project.directory), "--reference", str(folder), "--limit", "12", "--no-checks", "--json"]
    arguments += ["--trace", str(tmp_path / "t.npz")]
    result = CliRunner().invoke(simulate, arguments)
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert (facts["bit_exact"], facts["mode"], facts["exact_images"]) == (True, "rtl", 12)
    assert [link["differing"] for link in facts["layers"]] == [0, 0]
    shown = CliRunner().invoke(report, [str(project.directory)])
    assert "Bit-exact" in shown.output
    assert "cycles are those of the RTL" in " ".join(shown.output.split())
    path = project.directory / "rtl" / "fc_w.mem"
    lines = path.read_text().split()
    path.write_text("\n".join([f"{int(lines[0], 16) ^ 1:x}", *lines[1:]]))
    assert "rtl/fc_w.mem is not what the build wrote" in str(CliRunner().invoke(simulate, arguments).exception)
    result = CliRunner().invoke(simulate, [*arguments, "--changed"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["layers"][0]["first"]["layer"] == "fc"


def test_a_change_that_the_images_do_not_show_is_said_and_made_inputs_show_it(folder: Path, tmp_path: Path) -> None:
    copy = hw.open_project(shutil.copytree(folder / "net", tmp_path / "net"))
    process = next(p for p in copy.plan.processes if p.unit and isinstance(p.unit.layer, Mac))
    assert process.unit is not None
    flipped_weight(process, process.unit.layer, copy.plan).put(copy.directory)
    codes = all_vectors(copy.network, 100, bounding_limit=100)
    same = (copy.integers(codes) == hw.open_project(folder / "net").integers(codes)).all(axis=1)
    assert 0 < same.sum() < len(same)
    np.save(tmp_path / "same.npy", codes[same][:2].astype(np.uint8))
    arguments = [str(copy.directory), "--data", f"{tmp_path}/same.npy:all", "--codes", "--no-checks", "--changed"]
    result = CliRunner().invoke(simulate, arguments)
    assert result.exit_code == 1, result.output
    first, second, *_ = result.output.splitlines()
    assert re.search(r"^bit-exact: 2 of 2 .*; CHANGED: firmware/\S*\.h; these images show no difference$", first)
    assert second.startswith(
        f"random, extreme and bounding inputs: NOT bit-exact: {(~same).sum():,} of {len(same):,} images differ"
    )
    facts = json.loads(CliRunner().invoke(simulate, [*arguments, "--json"]).stdout)
    assert (facts["bit_exact"], facts["made"]["bit_exact"], len(facts["changed"])) == (True, False, 1)


def test_a_loss_that_a_file_names_is_not_imported(tmp_path: Path, monkeypatch) -> None:
    """Anyone may have written the file: nothing of the current folder runs, and the verdict comes without a figure."""
    model = export.to_qonnx(frozen(Plain), tmp_path / "m.onnx", metadata={"loss": "evil:go"})
    assert any(p.value == "evil:go" for p in model.metadata_props)
    (tmp_path / "evil.py").write_text("open('written', 'w').close()\ndef go(outputs, targets): return 0\n")
    np.savez(tmp_path / "d.npz", x=np.zeros((3, *Plain.shape), np.uint8), y=[0.5, 1.5, 2.5])
    monkeypatch.chdir(tmp_path)
    data = ("--data", "d.npz:all", "--codes")
    built = CliRunner().invoke(build, ["m.onnx", "-o", "net", *data])
    result = CliRunner().invoke(simulate, ["net", *data, "--no-checks", "--json"])
    assert (built.exit_code, result.exit_code) == (0, 0), built.output + result.output
    facts = json.loads(result.stdout)
    assert (facts["bit_exact"], facts["note"]) == (True, OWN_LOSS)
    assert not Path("written").exists()
