"""The folder of an RTL project: whole or absent, and what is in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crq import hw
from crq.hw.forms.folder import foreign
from crq.hw.ir.vectors import random_codes
from tests.support.rtl_projects import needs_verilator, project, small


def test_everything_is_there_and_listed() -> None:
    found = project()
    files = {str(p.relative_to(found.directory)) for p in found.directory.rglob("*") if p.is_file()}
    files = {name for name in files if not name.startswith("build/") and name != "manifest.json"}
    assert files == set(found.manifest.files)
    listed = (found.directory / "sources.f").read_text().split()
    assert {name for name in files if name.endswith(".sv")} == set(listed)
    assert listed[-2:] == ["rtl/net.sv", "rtl/net_axi.sv"]
    for name in (
        "README.md", "host.py", "constraints/net.xdc", "constraints/net.sdc", "tb/test_net.py", "tb/run.py",
        "tb/Makefile", "vectors/input_codes.dat", "vectors/expected.dat", "integer_graph.onnx", "rtl/unit_conv1.sv",
    ):  # fmt: skip
        assert name in files
    assert not foreign(found.directory)


def test_the_manifest_says_what_a_wrapper_needs() -> None:
    facts = json.loads((project().directory / "manifest.json").read_text())
    assert (facts["target"], facts["part"], facts["clock_period"]) == ("rtl", "xc7z020clg400-1", 5.0)
    assert facts["tops"] == {"network": "net", "axi": "net_axi"}
    assert facts["input"]["bits"] == 8
    assert facts["layers"] == {"conv1": "unit_conv1", "pool3": "unit_pool3", "fc5": "unit_fc5"}


def test_only_the_modules_that_are_used_are_there() -> None:
    names = {p.name for p in (project("io_parallel").directory / "rtl").glob("crq_*")}
    assert "crq_delay.sv" in names
    assert "crq_ring.sv" not in names


def test_memory_images_are_read_by_their_names() -> None:
    folder = project().directory / "rtl"
    texts = "".join(path.read_text() for path in folder.glob("*.sv"))
    assert all(f'"{path.name}"' in texts for path in folder.glob("*.mem"))


def test_the_clock_is_in_the_constraints(tmp_path: Path) -> None:
    found = hw.build(small(), tmp_path / "p", project_name="n", target="rtl", clock_period=7.5)
    for kind in ("xdc", "sdc"):
        text = (found.directory / f"constraints/n.{kind}").read_text()
        assert "create_clock -name aclk -period 7.5 [get_ports" in text


def test_given_images_begin_the_vectors(tmp_path: Path) -> None:
    images = random_codes(project().network, 2, seed=5)
    found = hw.build(small(), tmp_path / "p", target="rtl", images=images)
    first = (found.directory / "vectors/input_codes.dat").read_text().splitlines()[0]
    assert first == " ".join(map(str, images[0].transpose(1, 2, 0).ravel()))
    assert found.manifest.testbench["given"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"part": "xc9z999"}, "part 'xc9z999'"), ({"io_type": "io_serial"}, "io_type 'io_serial'"),
        ({"project_name": "my project"}, "project name 'my project'"), ({"project_name": "reg"}, "SystemVerilog"),
        ({"project_name": "unit_conv1"}, "may be that of a module"), ({"folding": {"conv7": hw.Fold(1, 1)}}, "'conv7'"),
        ({"io_type": "io_parallel", "best_fit": True}, "io_parallel unrolls every layer"),
        ({"target": "vhdl"}, "target 'vhdl': expected one of hls, rtl"),
        ({"images": np.zeros((1, 3, 5, 5), np.int64)}, "images of shape"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_nothing(options: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(hw.HwError, match=message):
        hw.build(small(), tmp_path / "p", **{"target": "rtl", **options})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crq.hw.rtl.writer.host_py", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hw.build(small(), tmp_path / "p", target="rtl")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(hw.HwError, match="not empty"):
        hw.build(small(), tmp_path, target="rtl")


@needs_verilator
def test_names_of_any_kind_build_and_are_exact(tmp_path: Path) -> None:
    graph = small()
    names = ("stem.conv/größe", "stem.conv_größe", "wire", "x_in0", "module")
    for node, name in zip(graph.graph.node, names, strict=True):
        node.name = name
    found = hw.build(graph, tmp_path / "p", target="rtl")
    codes = random_codes(found.network, 4)
    np.testing.assert_array_equal(found.integers(codes), project().integers(codes))
    assert list(found.manifest.layers) == ["stem.conv/größe", "wire", "module"]
