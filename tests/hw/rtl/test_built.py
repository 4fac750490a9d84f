"""The simulation of an RTL project, in both of its forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crq import hw
from crq.hw.forms.folder import foreign
from crq.hw.ir.interpret import evaluate, from_stream
from crq.hw.ir.vectors import all_vectors
from crq.hw.verify.chain import layer_values
from crq.hw.verify.link import compare_layers
from tests.support.rtl_projects import copied, needs_verilator, project


@needs_verilator
@pytest.mark.parametrize(("io_type", "flat"), [("io_stream", False), ("io_stream", True), ("io_parallel", False)])
def test_integers_and_layers_equal_the_graph(io_type: str, flat: bool) -> None:
    found = project(io_type, flat)
    codes = all_vectors(found.network, 8)
    values = found.trace(codes)
    link = compare_layers(found.network, "trace", layer_values(found.network, codes), values, found.traced)
    assert link.equal, str(link)
    if not flat:
        expected = from_stream(found.network, evaluate(found.network, codes)).reshape(len(codes), -1)
        np.testing.assert_array_equal(found.integers(codes), expected)
        np.testing.assert_array_equal(found.simulate(codes), found.network.logits(expected))


@needs_verilator
def test_floats_on_the_grid_are_codes() -> None:
    found = project()
    codes = all_vectors(found.network, 2)
    floats = (codes * found.network.metadata.inputs[0].scale).astype(np.float32)
    np.testing.assert_array_equal(found.integers(floats), found.integers(codes))
    with pytest.raises(hw.HwError, match="codes in"):
        found.integers(codes + 100)


@needs_verilator
def test_a_simulation_is_compiled_once_and_again_when_the_project_changes(tmp_path: Path) -> None:
    project().core()
    found = copied(project(), tmp_path / "p")
    before = found.core().path
    stamp = before.stat().st_mtime_ns
    assert found.core().path.stat().st_mtime_ns == stamp
    assert not foreign(found.directory)
    top = found.directory / "rtl" / "net_axi.sv"
    top.write_text(top.read_text() + "\n// changed\n")
    assert found.core().path != before
    assert not before.exists()
    assert foreign(found.directory) == ["rtl/net_axi.sv"]


@needs_verilator
def test_a_changed_memory_shows_without_compiling(tmp_path: Path) -> None:
    project().core()
    found = copied(project(), tmp_path / "p")
    codes = all_vectors(found.network, 8)
    right = found.integers(codes)
    path = found.directory / "rtl" / "fc5_w.mem"
    lines = path.read_text().split()
    path.write_text("\n".join([f"{int(lines[0], 16) ^ 1:x}", *lines[1:]]))
    assert not np.array_equal(found.integers(codes), right)


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    found = copied(project(), tmp_path / "p")
    (found.directory / "rtl" / "net.sv").unlink()
    with pytest.raises(hw.HwError, match=r"net\.sv.*build the project again"):
        found.sources()
