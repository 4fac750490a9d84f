"""`crq export`."""

import json

import onnx
import pytest
from click.testing import CliRunner

from crq.errors import CrqError
from crq.export.cli import export
from tests.support.nets import Plain, frozen


def test_a_run_folder_or_its_file(tmp_path) -> None:
    model = frozen(Plain)
    model.save(tmp_path / "run" / "frozen.pt")
    facts = []
    for index, source in enumerate((tmp_path / "run", tmp_path / "run" / "frozen.pt")):
        output = tmp_path / f"{index}.onnx"
        result = CliRunner().invoke(export, [str(source), "-o", str(output), "--json"])
        assert result.exit_code == 0, result.output
        facts.append(json.loads(result.stdout))
        onnx.checker.check_model(onnx.load(output))
        assert facts[-1]["bytes"] == output.stat().st_size
    weights = sum(step.codes.numel() for step in model.steps.values() if hasattr(step, "codes"))
    assert facts[0] == {**facts[1], "file": str(tmp_path / "0.onnx")}
    assert (facts[0]["weights"], facts[0]["frozen_hash"]) == (weights, model.content_hash)


def test_the_carrier_is_told(tmp_path) -> None:
    frozen(Plain).save(tmp_path / "frozen.pt")
    arguments = [str(tmp_path / "frozen.pt"), "-o", str(tmp_path / "a.onnx"), "--carrier", "int2"]
    line = CliRunner().invoke(export, arguments).stdout
    assert line.startswith(f"{tmp_path / 'a.onnx'}: ")
    assert line.endswith("720 weights in 3 layers, carrier int2\n")


def test_a_folder_without_a_frozen_model(tmp_path) -> None:
    with pytest.raises(CrqError, match=r"frozen\.pt: no such file"):
        CliRunner().invoke(export, [str(tmp_path), "-o", str(tmp_path / "a.onnx")], catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []
