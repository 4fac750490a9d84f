"""`crq build`: a file becomes the project that Python would build."""

import json
import re
import shlex
from pathlib import Path

import onnx
import pytest
from click.testing import CliRunner

import crq
from crq import hw
from crq.hw.cli.build import build
from crq.hw.devices.catalog import find
from tests.support.qonnx_files import ACT, CONV, IN, TAIL, base, graph_of, node
from tests.support.random_graphs import GraphBuilder, small_cnn


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


def test_the_class_is_built_on_request_and_a_file_that_asks_for_it_is_told(tmp_path: Path) -> None:
    nodes = [IN, CONV, *ACT, *TAIL[:-1], node("MatMul", "fl f", "s", "fc"), node("ArgMax", "s", "y", "end", axis=1)]
    onnx.save(graph_of(nodes, base()), tmp_path / "m.onnx")
    plain = CliRunner().invoke(build, [str(tmp_path / "m.onnx"), "-o", str(tmp_path / "a")])
    assert "note: the file ends in ArgMax, which the host applies; with --argmax the hardware does" in plain.stdout
    asked = CliRunner().invoke(build, [str(tmp_path / "m.onnx"), "-o", str(tmp_path / "b"), "--argmax"])
    assert asked.exit_code == 0, asked.output
    assert "note:" not in asked.stdout
    assert "argmax" in hw.open_project(tmp_path / "b").folds


def test_a_project_that_does_not_fit_says_so_with_an_exit_code_of_its_own(tmp_path: Path) -> None:
    g = GraphBuilder((32, 8, 8), "UINT4")
    h = g.threshold(g.conv(g.threshold(g.conv("x", 32), 2), 32), 2)
    g.finish(g.conv(h, 32)).save(str(tmp_path / "m.onnx"))
    arguments = [str(tmp_path / "m.onnx"), "--part", "xc7z010", "--target-fps", "3000000"]
    done = CliRunner().invoke(build, [*arguments, "-o", str(tmp_path / "p")])
    assert done.exit_code == 5, done.output
    assert re.search(
        r"p is built, but does not fit xc7z010.*needs LUT \d+% of it. Remedies: take a larger part, take --best-fit, "
        r"which gives [\d,]+ frames/s, or",
        done.stderr,
    )
    assert "next:" not in done.output
    assert (tmp_path / "p" / "manifest.json").is_file()
    done = CliRunner().invoke(build, [*arguments, "-o", str(tmp_path / "q"), "--json"])
    assert (done.exit_code, json.loads(done.stdout)["fits"]) == (5, False)
    done = CliRunner().invoke(build, [*arguments, "-o", str(tmp_path / "r"), "--no-fit-check"])
    assert done.exit_code == 0, done.output


def test_the_next_command_is_quoted(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a b; rm x"
    lines = CliRunner().invoke(build, [str(file), "-o", str(folder)]).stdout.splitlines()
    assert shlex.split(lines[-1].removeprefix("next: ")) == ["crq", "simulate", str(folder)]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [("--clock-period", "0", "clock period 0 ns: expected at least 1"), ("--part", "", "part '' is not known")],
)  # fmt: skip
def test_empty_values_are_no_defaults(option: str, value: str, message: str, file: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(build, [str(file), "-o", str(tmp_path / "p"), option, value])
    assert isinstance(done.exception, crq.CrqError)
    assert message in str(done.exception)
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("name", ["PYNQ-Z2", "KV260", "VU9P", "xc7z020"])
def test_scripts_have_the_vendors_name_of_the_part(name: str, file: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(build, [str(file), "-o", str(tmp_path / "p"), "--part", name])
    assert done.exit_code == 0, done.output
    part = find(name).part
    script = "\n".join(path.read_text() for path in (tmp_path / "p").glob("*.tcl"))
    assert part in script
    assert name == part or f'"{name}"' not in script
    assert re.fullmatch(r"xc[a-z0-9]+-[A-Za-z0-9-]+", part)
