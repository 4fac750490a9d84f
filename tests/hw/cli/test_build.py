"""`crq build`: a file becomes the project that Python would build."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import hw
from hw.cli.build import build
from tests.support.random_graphs import small_cnn


@pytest.fixture
def file(tmp_path: Path) -> Path:
    small_cnn().save(str(tmp_path / "m.onnx"))
    return tmp_path / "m.onnx"


def test_options_reach_the_project(file: Path, tmp_path: Path) -> None:
    arguments = [str(file), "-o", str(tmp_path / "a"), "--part", "KV260", "--fold", "conv4=6,4", "--name", "net"]
    result = CliRunner().invoke(build, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    same = hw.build(file, tmp_path / "b", part="KV260", folding={"conv4": (6, 4)}, project_name="net")
    assert facts.pop("fits") is True
    assert facts.pop("directory") == str(tmp_path / "a")
    assert facts == json.loads(json.dumps(same.manifest.to_dict()))
    firmware = {path.name: path.read_bytes() for path in (tmp_path / "b" / "firmware").glob("*") if path.is_file()}
    assert firmware == {name: (tmp_path / "a" / "firmware" / name).read_bytes() for name in firmware}


def test_it_says_what_comes_next(file: Path, tmp_path: Path) -> None:
    lines = CliRunner().invoke(build, [str(file), "-o", str(tmp_path / "a")]).stdout.splitlines()
    assert lines[0].startswith(f"{tmp_path / 'a'}: project 'm', ")
    assert lines[-1] == f"next: crq simulate {tmp_path / 'a'}"
    assert any("conv4" in line for line in lines)
