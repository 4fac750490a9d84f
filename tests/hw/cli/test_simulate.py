"""`crq simulate`: the C simulation against PyTorch, and which proofs run."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import export
import hw
from hw.cli.simulate import simulate
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
