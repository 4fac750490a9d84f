"""A layer's function called alone gives what its layer does, as it is and as it is edited."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crq import hw
from crq.hw.ir.layers import Conv, Dense
from crq.hw.verify.proofs.alone import Alone, sums_of
from tests.support import reference
from tests.support.random_graphs import GraphBuilder, random_input


def made(folder: Path, io_type: str = "io_stream") -> tuple[hw.Project, np.ndarray, dict[str, np.ndarray]]:
    g = GraphBuilder((2, 5, 4), "UINT4", seed=2)
    h = g.threshold(g.conv("x", 3, pads=(1, 1, 1, 1)), 3)
    model = g.finish(g.matmul(g.flatten(h), 4))
    x = random_input(model, 6)
    return hw.build(model, folder / "p", io_type=io_type), x, reference.run(model, x)


@pytest.mark.parametrize("mode", ["fast", "ap"])
@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_a_layer_alone_gives_what_it_gives_in_the_network(mode: str, io_type: str, tmp_path: Path) -> None:
    project, x, values = made(tmp_path, io_type)
    processes = [p for p in project.plan.processes if p.unit]
    (tmp_path / "work").mkdir()
    alone = Alone(project.directory, project.plan, processes, tmp_path / "work", mode)
    operand = x
    for process in processes:
        expected = values[process.unit.output.name].reshape(6, *process.output.shape)
        np.testing.assert_array_equal(alone.run(process, operand), expected)
        operand = expected


def test_sums_are_those_before_the_thresholds(tmp_path: Path) -> None:
    project, x, values = made(tmp_path)
    conv, dense = [p for p in project.plan.processes if p.unit and isinstance(p.unit.layer, (Conv, Dense))]
    np.testing.assert_array_equal(sums_of(project.plan, conv, x), values[conv.unit.layer.output.name])
    operand = values[conv.unit.output.name]
    expected = values[dense.unit.layer.output.name].reshape(6, -1, 1, 1)
    np.testing.assert_array_equal(sums_of(project.plan, dense, operand), expected)


def test_an_edit_changes_the_copy_alone(tmp_path: Path) -> None:
    project, x, _ = made(tmp_path)
    process = next(p for p in project.plan.processes if p.unit)
    before = (project.directory / "firmware" / "layers" / f"{process.name}.h").read_text()
    (tmp_path / "work").mkdir()
    with pytest.raises(hw.ToolError, match="broken on purpose"):
        Alone(
            project.directory, project.plan, [process], tmp_path / "work", "fast",
            edit=lambda text, process: f"#error broken on purpose\n{text}",
        )  # fmt: skip
    assert (project.directory / "firmware" / "layers" / f"{process.name}.h").read_text() == before
