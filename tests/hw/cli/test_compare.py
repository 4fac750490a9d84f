"""`crq compare` from a recipe to a table, a picture and JSON."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crq.cli.changes import changed_recipe
from crq.hw.cli.compare import _priced, compare
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
    assert all(word in result.stdout for word in ("ste", "int8", "ttq", "accuracy", "seeds", "held", "no interval"))
    assert max(map(len, result.stdout.splitlines()[:5])) <= 80
    assert "LUTs are estimates for xc7z020clg400-1 at 200 MHz, folded for 1,000/s and as fast as fits" in result.stdout
    assert "seed 0: int8 …" in result.stderr
    assert "int8-0: frozen; its LUTs are estimated …" in result.stderr
    facts = json.loads((folder / "out" / "comparison.json").read_text())
    found = {one["candidate"]: one for one in facts["candidates"]}
    assert list(found) == ["ste", "int8", "ttq"]
    assert {one["epochs"] for one in found.values()} == {2}
    for name, one in found.items():
        stage = "finetuned" if name == "ttq" else "frozen"
        summary = json.loads((folder / "out" / f"{name}-0" / "summary.json").read_text())
        assert one["tests"] == [summary["accuracy"][stage]]
        assert one["float"] == found["ste"]["float"]
    assert found["ttq"]["lut_folded"] is None
    assert found["int8"]["zeros"] is None
    assert found["int8"]["lut_fast"] > found["ste"]["lut_fast"] > found["ste"]["lut_folded"] > 0
    assert (folder / "out" / "comparison.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "out" / "comparison.md").read_text().count("\n") == 7
    monkeypatch.setattr(compared, "train_recipe", None)  # what is finished is taken
    assert json.loads(called(*asked, "--json").stdout) == facts

    by_head = list(csv.DictReader(called(*asked, "--csv").stdout.splitlines()))
    assert [float(row["test"]) for row in by_head] == [one["test"] for one in facts["candidates"]]
    latex = called(*asked, "--latex").stdout
    assert latex.count(r" \\") == 1 + 3
    assert "pm" not in latex  # one seed has no spread
    assert f"ste & 1 & {found['ste']['float']:.2%}".replace("%", r"\%") in latex


def test_the_part_and_rate_are_the_recipes_unless_given(tmp_path: Path) -> None:
    plain = recipe.parse(values())
    own = recipe.parse(values(hardware={"part": "pynq-z2", "target_fps": 20000.0, "clock_period": 4.0}))
    usual = recipe.parse(values(hardware={"part": "xc7z020clg400-1"}))
    assert _priced(plain, None, None) == ("xcvu13p", 5.0, 1000.0)
    assert _priced(own, None, None) == ("pynq-z2", 4.0, 20000.0)
    assert _priced(usual, None, None).part == "xc7z020clg400-1"  # named, though it is the default
    assert _priced(own, "xcvu9p", 5.0) == ("xcvu9p", 4.0, 5.0)
    own.save(tmp_path / "r.toml")
    assert _priced(changed_recipe(str(tmp_path / "r.toml"), "/data"), None, None).part == "pynq-z2"
    result = called(tmp_path / "r.toml", "--part", "xc9z1", "-o", tmp_path / "no")
    assert "part 'xc9z1' is not known" in str(result.exception)


def test_a_rate_out_of_reach_costs_the_figures_and_not_the_comparison(folder: Path) -> None:
    result = called(folder / "r.toml", "--methods", "ste", "--seeds", 1, "-o", folder / "out", "--target-fps", 1e9)
    assert result.exit_code == 0, result.output
    facts = json.loads((folder / "out" / "comparison.json").read_text())
    [one], [note] = facts["candidates"], facts["notes"]
    assert (one["lut_folded"], one["lut_fast"], len(one["tests"])) == (None, None, 1)
    assert note.startswith("no LUTs of ste-0: ")
    assert f"note: {note}" in result.stdout
    assert f"Note: {note}" in (folder / "out" / "comparison.md").read_text()


@pytest.mark.parametrize("fps", ["0", "-1", "nan", "inf"])
def test_a_rate_that_is_none_is_told_before_training(folder: Path, fps: str) -> None:
    result = called(folder / "r.toml", "--target-fps", fps, "-o", folder / "no")
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
