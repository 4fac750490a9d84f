"""`crq compare` from a recipe to a table, a picture and JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crq.hw.cli.compare import compare
from crq.train import compared, recipe
from tests.support.recipes import values


def called(*arguments: object) -> Result:
    return CliRunner().invoke(compare, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("compare")
    phases = {"pretrain__epochs": 2, "retrain__epochs": 1, "finetune__epochs": 1, "calibration": 64}
    recipe.parse(values(**phases)).save(folder / "r.toml")
    return folder


def test_methods_and_integers_side_by_side(folder: Path, monkeypatch) -> None:
    asked = (folder / "r.toml", "--methods", "ste,int8,ttq", "--seeds", 1, "-o", folder / "out")
    result = called(*asked)
    assert result.exit_code == 0, result.output
    assert all(word in result.stdout for word in ("ste", "int8", "ttq", "accuracy", "LUT folded"))
    facts = json.loads((folder / "out" / "comparison.json").read_text())
    found = {one["candidate"]: one for one in facts["candidates"]}
    assert list(found) == ["ste", "int8", "ttq"]
    assert {one["epochs"] for one in found.values()} == {2}
    for name, one in found.items():
        stage = "recalibrated" if name == "ttq" else "frozen"
        summary = json.loads((folder / "out" / f"{name}-0" / "summary.json").read_text())
        assert one["tests"] == [summary["accuracy"][stage]]
        assert one["float"] == found["ste"]["float"]
    assert found["ttq"]["lut_folded"] is None
    assert found["int8"]["zeros"] is None
    assert found["int8"]["lut_fast"] > found["ste"]["lut_fast"] > found["ste"]["lut_folded"] > 0
    assert (folder / "out" / "comparison.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "out" / "comparison.md").read_text().count("\n") == 5
    monkeypatch.setattr(compared, "train_recipe", None)  # what is finished is taken
    assert json.loads(called(*asked, "--json").stdout) == facts


def test_a_rate_out_of_reach_costs_the_figures_and_not_the_comparison(folder: Path) -> None:
    result = called(folder / "r.toml", "--methods", "ste", "--seeds", 1, "-o", folder / "out", "--fps", 1e9)
    assert result.exit_code == 0, result.output
    facts = json.loads((folder / "out" / "comparison.json").read_text())
    [one], [note] = facts["candidates"], facts["notes"]
    assert (one["lut_folded"], one["lut_fast"], len(one["tests"])) == (None, None, 1)
    assert note.startswith("no LUTs of ste-0: ")
    assert f"note: {note}" in result.stdout
    assert f"Note: {note}" in (folder / "out" / "comparison.md").read_text()


@pytest.mark.parametrize("fps", ["0", "-1", "nan", "inf"])
def test_a_rate_that_is_none_is_told_before_training(folder: Path, fps: str) -> None:
    result = called(folder / "r.toml", "--fps", fps, "-o", folder / "no")
    assert result.exit_code == 2
    assert "expected a positive, finite number" in " ".join(result.output.replace("│", " ").split())
    assert not (folder / "no").exists()


@pytest.mark.parametrize(
    ("methods", "message"), [("ste,tws", "method 'tws': expected some of"), ("ste,ste", "named twice")]
)
def test_what_cannot_be_compared_is_told_before_training(folder: Path, methods: str, message: str) -> None:
    result = called(folder / "r.toml", "--methods", methods, "-o", folder / "no")
    assert message in str(result.exception)
    assert not (folder / "no").exists()
