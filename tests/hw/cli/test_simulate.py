"""`crq simulate`: the C simulation against PyTorch, and which proofs run."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import export
import hw
from hw.cli.simulate import simulate
from hw.verify.proofs.mutation import flipped_weight
from hw.verify.proofs.proof import Proof
from tests.support.nets import Plain, frozen


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
    result = CliRunner().invoke(simulate, arguments)
    assert result.exit_code == 1
    assert "NOT bit-exact" in result.output
    assert re.search(r"first: layer 'fc', image \d+, channel \d, pixel \(0, 0\): expected -?\d+, found", result.output)
    facts = json.loads(CliRunner().invoke(simulate, [*arguments, "--json"]).stdout)
    assert (facts["bit_exact"], facts["layers"][0]["first"]["layer"]) == (False, "fc")
    assert facts["exact_integers"] < facts["integers"]


def test_proofs_of_a_large_network_are_skipped_aloud(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("hw.verify.proofs.size.SMALL_PRODUCTS", 1000)
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
