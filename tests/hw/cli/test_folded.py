"""What a verb works on: a project as it was built, or a file that is folded now."""

from pathlib import Path

import pytest

from crq import hw
from crq.hw.cli.folded import open_folded
from crq.hw.devices.catalog import find
from tests.support.random_graphs import small_cnn


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> hw.Project:
    folder = tmp_path_factory.mktemp("folded") / "net"
    return hw.build(small_cnn(), folder, part="PYNQ-Z2", clock_period=4.0, folding={"conv4": (6, 4)})


def test_a_project_keeps_its_folding_part_and_clock(project: hw.Project) -> None:
    found = open_folded(project.directory)
    assert (found.name, found.folds, found.project) == (project.name, project.folds, project.directory)
    assert (found.device, found.clock_period_ns) == (find(project.manifest.board), 4.0)


def test_what_is_given_folds_it_anew(project: hw.Project) -> None:
    found = open_folded(project.directory, {"folding": {"conv4": (1, 1)}, "clock_period": 8.0})
    assert (found.folds["conv4"].pe, found.folds["conv4"].simd, found.clock_period_ns) == (1, 1, 8.0)


def test_a_file_is_folded(tmp_path: Path) -> None:
    small_cnn().save(str(tmp_path / "m.onnx"))
    slow, fast = (open_folded(tmp_path / "m.onnx", options) for options in (None, {"target_fps": 1e6}))
    assert (slow.name, slow.project) == ("m", None)
    assert sum(f.pe * f.simd for f in fast.folds.values()) > sum(f.pe * f.simd for f in slow.folds.values())


def test_an_unrolled_project_has_no_folding(tmp_path: Path) -> None:
    hw.build(small_cnn(), tmp_path / "net", io_type="io_parallel")
    with pytest.raises(hw.HwError, match="is an io_parallel project"):
        open_folded(tmp_path / "net")
    found = open_folded(tmp_path / "net", unrolled=True)
    assert found.io_type == "io_parallel"
    assert found.folds == hw.open_project(tmp_path / "net").folds


def test_a_file_is_unrolled_where_that_is_asked_for(tmp_path: Path) -> None:
    small_cnn().save(str(tmp_path / "m.onnx"))
    found = open_folded(tmp_path / "m.onnx", {"io_type": "io_parallel"}, unrolled=True)
    assert (found.io_type, found.folds["conv1"].pe, found.folds["conv1"].simd) == ("io_parallel", 4, 9)
    with pytest.raises(hw.HwError, match="targets, foldings and ROM styles belong to io_stream"):
        open_folded(tmp_path / "m.onnx", {"io_type": "io_parallel", "target_fps": 100.0}, unrolled=True)
