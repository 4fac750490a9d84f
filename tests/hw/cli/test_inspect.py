"""`crq inspect`: a file, a frozen model or a run folder."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import crq
from crq import export
from crq.errors import CrqError
from crq.hw.cli.inspect import inspect
from crq.hw.project import build
from tests.support.nets import Plain, frozen
from tests.support.random_graphs import GraphBuilder


@pytest.fixture(scope="module")
def model() -> crq.FrozenModel:
    return frozen(Plain)


def shown(*arguments: object) -> str:
    result = CliRunner().invoke(inspect, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_nothing_but_a_long_name_is_broken(model: crq.FrozenModel, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    export.to_qonnx(model, tmp_path / "m.onnx")
    rows = json.loads(shown(tmp_path / "m.onnx", "--json"))["layers"]
    lines = shown(tmp_path / "m.onnx").splitlines()
    assert max(map(len, lines[1:])) <= 80
    for row in rows:
        (line,) = (line for line in lines if line.startswith(f"{row['name']} "))
        shape = "×".join(map(str, row["output_shape"]))
        assert line.split()[1:4] == [row["kind"], shape, row["output_type"]]


def test_a_file(model: crq.FrozenModel, tmp_path: Path) -> None:
    export.to_qonnx(model, tmp_path / "m.onnx")
    facts = json.loads(shown(tmp_path / "m.onnx", "--json"))
    rows = {row["name"]: row for row in facts["layers"] if "weights" in row}
    assert list(rows) == ["conv1", "conv2", "fc"]
    for name, row in rows.items():
        codes = model.steps[name].codes
        assert (row["weights"], row["zeros"]) == (codes.numel(), int((codes == 0).sum()))
        assert row["alpha"] == float(model.steps[name].alpha)
    assert facts["packed_bytes"] == sum(-(-row["weights"] // 4) for row in rows.values())
    text = shown(tmp_path / "m.onnx")
    assert f"{facts['packed_bytes']:,} bytes hold the ternary weights" in text
    assert "every layer is multiplier-free" in " ".join(text.split())


def test_a_frozen_model_and_its_folder(model: crq.FrozenModel, tmp_path: Path) -> None:
    model.save(tmp_path / "frozen.pt")
    facts = json.loads(shown(tmp_path, "--json"))
    assert facts == json.loads(shown(tmp_path / "frozen.pt", "--json"))
    assert facts["hash"] == model.content_hash
    assert [step["name"] for step in facts["steps"]] == list(model.steps)
    lines = shown(tmp_path).splitlines()
    assert len(lines) == 1 + len(model.steps)
    assert "54 weights" in lines[1]


def test_bipolar_weights_are_not_counted_as_ternary(tmp_path: Path) -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    h = g.threshold(g.conv("x", 3, weight_type="BIPOLAR"), 2)
    g.finish(g.conv(h, 2, (1, 1))).save(str(tmp_path / "m.onnx"))
    facts = json.loads(shown(tmp_path / "m.onnx", "--json"))
    text = " ".join(shown(tmp_path / "m.onnx").split())
    assert [row["weights"] for row in facts["layers"] if "weights" in row] == [54, 6]
    assert facts["packed_bytes"] is None  # the file holds them as floats
    assert "60 weights, 6 of them ternary, 54 bipolar" in text


def test_a_project_is_told_as_one(model: crq.FrozenModel, tmp_path: Path) -> None:
    export.to_qonnx(model, tmp_path / "a.onnx")
    project = build(tmp_path / "a.onnx", tmp_path / "p")
    with pytest.raises(CrqError, match=r"is a project: `crq report .*/p` tells of it, `crq inspect .*/p --svg"):
        CliRunner().invoke(inspect, [str(project.directory)], catch_exceptions=False)
