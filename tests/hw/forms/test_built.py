"""An opened project, of either form."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from crq.hw.dataflow.timing import RTL
from crq.hw.errors import HwError
from crq.hw.forms.built import Built, manifest_of, processors
from crq.hw.forms.manifest import FILE
from crq.hw.ir.layers import Shape
from tests.support.rtl_projects import copied, project


def test_a_folder_says_what_it_holds() -> None:
    found = Built(project().directory)
    assert (found.name, found.timing, found.manifest.target) == ("net", RTL, "rtl")
    assert found.traced == {"act2": Shape(3, 5, 5), "pool3": Shape(3, 2, 2), "fc5": Shape(4, 1, 1)}
    assert found.folds == project().folds
    assert repr(found).startswith("Built(")


def test_codes_stream_pixel_by_pixel() -> None:
    images = np.arange(2 * 2 * 5 * 5).reshape(2, 2, 5, 5) % 16
    np.testing.assert_array_equal(Built(project().directory).codes(images), images.transpose(0, 2, 3, 1).reshape(2, -1))


def test_what_is_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HwError, match=r"no crq project \(no manifest.json\); make one with `crq build`"):
        manifest_of(tmp_path)
    text = (project().directory / FILE).read_text().replace('"target": "rtl"', '"target": "vhdl"')
    (tmp_path / FILE).write_text(text)
    with pytest.raises(HwError, match="target 'vhdl'; this version knows hls, rtl"):
        Built(tmp_path)


def test_runs_are_told_from_projects(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "full"
    (run / "checkpoints").mkdir(parents=True)
    (run / "recipe.toml").write_text("")
    for manifest in (None, '{"schema": 1}'):  # before and after its end
        if manifest:
            (run / FILE).write_text(manifest)
        with pytest.raises(HwError, match="full is a training run, no crq project: `crq export .*full -o full.onnx`"):
            manifest_of(run)
    whole = tmp_path / "first"
    shutil.copytree(run, whole / "train")
    with pytest.raises(HwError, match="no manifest.json.; make one with"):
        manifest_of(whole)
    shutil.copytree(project().directory, whole / "net_rtl")
    with pytest.raises(HwError, match="first: no crq project .*name the one in it, .*first/net_rtl"):
        manifest_of(whole)


def test_a_form_has_its_modes() -> None:
    assert project().mode(None) == "rtl"
    with pytest.raises(HwError, match="simulation mode 'fast': Verilog simulation has rtl"):
        project().integers(np.zeros((1, 2, 5, 5), np.int64), mode="fast")


def test_there_is_a_processor() -> None:
    assert processors() > 0


@pytest.mark.parametrize("name", ["rtl/conv1_w.mem", "integer_graph.onnx", "rtl/net.sv"])
def test_a_design_that_is_not_as_built_is_named(tmp_path: Path, name: str) -> None:
    """One bit is enough, also one that no image shows; what no simulation reads may change."""
    found = copied(project(), tmp_path / "p")
    (found.directory / "README.md").write_text("mine")
    (found.directory / "vectors" / "expected.dat").unlink()
    assert found.changed == []
    found.check_unchanged()
    file = found.directory / name
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)
    assert found.changed == [name]
    with pytest.raises(HwError, match=f"{name} is not what the build wrote. Build the project again.*--changed"):
        found.check_unchanged()
    file.unlink()
    assert found.changed == [name]
