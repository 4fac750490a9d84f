"""Accumulators wide enough and no wider: one bit less is an error that names the layer, one more is no proof of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from crq import hw
from crq.hw.verify.proofs import mutation
from crq.hw.verify.proofs.accumulator import check
from tests.support.random_graphs import GraphBuilder, residual_net


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> hw.Project:
    """Two layers with sums: one behind the input, with thresholds, and one that reads flattened codes."""
    g = GraphBuilder((1, 5, 5), "UINT4", seed=3)
    model = g.finish(g.matmul(g.flatten(g.threshold(g.conv("x", 2), 2)), 3))
    return hw.build(model, tmp_path_factory.mktemp("accumulator") / "p", project_name="p")


@pytest.fixture
def copy(small: hw.Project, tmp_path: Path) -> hw.Project:
    return hw.open_project(shutil.copytree(small.directory, tmp_path / "p"))


def resized(project: hw.Project, layer: str, bits: int) -> None:
    """The accumulator of `layer` by `bits` wider."""
    path = project.directory / "firmware" / "layers" / f"{layer}.h"
    text, types = re.subn(r"int<(\d+)> accum_t", lambda m: f"int<{int(m[1]) + bits}> accum_t", path.read_text())
    text, widths = re.subn(r"accum_bits = (\d+);", lambda m: f"accum_bits = {int(m[1]) + bits};", text)
    assert (types, widths) == (1, 1)
    path.write_text(text)


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_every_accumulator_reaches_both_ends_wherever_the_layer_stands(tmp_path: Path, io_type: str) -> None:
    project = hw.build(residual_net(3), tmp_path / "p", project_name="p", io_type=io_type)
    result = check(project.directory, project.plan)
    assert result.ok
    assert result.facts == "7 layers are exact at both ends of their range; 7 are wrong with one bit less"


def test_an_accumulator_one_bit_short_is_named(copy: hw.Project) -> None:
    resized(copy, "fc4", -1)
    result = check(copy.directory, copy.plan)
    assert (result.ok, result.facts) == (False, "wrong sums at the ends of their range: fc4")


def test_an_accumulator_with_a_bit_to_spare_is_named(copy: hw.Project) -> None:
    resized(copy, "fc4", 1)
    result = check(copy.directory, copy.plan)
    assert result.ok
    assert result.facts.startswith("2 layers are exact at both ends of their range; 1 are wrong")
    assert result.facts.endswith("; fc4 could do with one bit less")


def test_wrong_weights_are_found_at_the_ends_too(copy: hw.Project) -> None:
    process = next(p for p in copy.plan.processes if p.name == "conv1")
    assert process.unit is not None
    mutation.flipped_weight(process, process.unit.layer, copy.plan).put(copy.directory)
    result = check(copy.directory, copy.plan)
    assert not result.ok
    assert result.facts.endswith(": conv1")


def test_code_that_does_not_compile_is_an_error_of_the_tool(copy: hw.Project) -> None:
    path = copy.directory / "firmware" / "layers" / "conv1.h"
    path.write_text(path.read_text() + "\n#error broken on purpose\n")
    with pytest.raises(hw.ToolError, match="broken on purpose"):
        check(copy.directory, copy.plan)
