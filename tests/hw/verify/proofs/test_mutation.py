"""Faults put into a project: each is what it says, each is caught, and one that is not caught is told."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from crq import hw
from crq.hw.graphs.layer import HLS_OPERANDS, layer_graph
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.layers import Conv, Dense, Threshold
from crq.hw.ir.vectors import all_vectors
from crq.hw.verify.proofs import mutation
from crq.hw.verify.proofs.mutation import Mutation, changed_adder, check, flipped_weight, mutations
from tests.support import reference
from tests.support.random_graphs import NETWORKS, GraphBuilder


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> hw.Project:
    g = GraphBuilder((1, 5, 5), "UINT4", seed=3)
    model = g.finish(g.matmul(g.flatten(g.threshold(g.conv("x", 2), 2)), 3))
    return hw.build(model, tmp_path_factory.mktemp("mutation") / "p", project_name="p")


@pytest.fixture(scope="module")
def images(small: hw.Project) -> np.ndarray:
    return all_vectors(small.network, 8)


@pytest.fixture(scope="module")
def values(small: hw.Project, images: np.ndarray) -> dict[str, np.ndarray]:
    """Every layer's integers by the plain loops of tests/support."""
    found = reference.run(small.graph, images)
    return {layer.name: found[layer.output.name].reshape(-1, *layer.output.shape) for layer in small.network}


def faults(small: hw.Project, values: dict[str, np.ndarray]) -> dict[str, Mutation]:
    return {fault.name: fault for fault in mutations(small.plan, values)}


def faulty(small: hw.Project, fault: Mutation, folder: Path) -> hw.Project:
    copy = shutil.copytree(small.directory, folder / "p", ignore=shutil.ignore_patterns("build"))
    fault.put(copy)
    return hw.open_project(copy)


def changed_files(small: hw.Project, other: hw.Project) -> list[str]:
    files = [p.relative_to(small.directory) for p in small.directory.rglob("*") if p.is_file()]
    kept = [f for f in files if f.parts[0] != "build"]
    return [str(f) for f in kept if (small.directory / f).read_bytes() != (other.directory / f).read_bytes()]


def test_a_sound_project_catches_one_fault_of_each_kind(small: hw.Project) -> None:
    result = check(small)
    assert (result.name, result.ok) == ("mutations", True)
    for fault in ("a flipped weight of fc4", "a threshold of act2 one up", "a threshold of act2 one down",
                  "an accumulator of conv1 one bit short"):  # fmt: skip
        assert fault in result.facts


def test_a_flipped_weight_adds_its_operand_to_one_sum(
    small: hw.Project, images: np.ndarray, values: dict[str, np.ndarray], tmp_path: Path
) -> None:
    other = faulty(small, faults(small, values)["a flipped weight of fc4"], tmp_path)
    assert changed_files(small, other) == ["firmware/weights/fc4.h"]
    dense = next(layer for layer in small.network if isinstance(layer, Dense))
    output, at = np.argwhere(dense.weights[:, :, 0, 0] == 0)[0]
    operand = values["act2"].transpose(0, 2, 3, 1).reshape(len(images), -1)[:, at]
    expected = values["fc4"][:, :, 0, 0].copy()
    expected[:, output] += operand
    np.testing.assert_array_equal(other.integers(images), expected)


@pytest.mark.parametrize(("direction", "step"), [("up", 1), ("down", -1)])
def test_a_moved_threshold_changes_codes_by_one_in_one_direction(
    small: hw.Project, images: np.ndarray, values: dict[str, np.ndarray], tmp_path: Path, direction: str, step: int
) -> None:
    other = faulty(small, faults(small, values)[f"a threshold of act2 one {direction}"], tmp_path)
    assert changed_files(small, other) == ["firmware/weights/conv1.h"]
    moved = other.trace(images)["act2"] - values["act2"]
    assert set(np.unique(moved)) == {0, -step}  # a higher threshold gives a lower code
    assert len(np.unique(np.argwhere(moved)[:, 1])) == 1


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n == "residual_net" else pytest.mark.slow) for n in NETWORKS]
)
def test_a_changed_adder_is_caught_by_images(name: str, tmp_path: Path) -> None:
    """The first, a middle and the last adder of every layer: in io_parallel each layer is an adder graph."""
    project = hw.build(NETWORKS[name](0), tmp_path / "p", project_name="p", io_type="io_parallel")
    codes = all_vectors(project.network, 16, bounding_limit=16)
    values: dict[str, np.ndarray] = {project.network.inputs[0].name: codes}
    evaluate(project.network, codes, wanted=values.__setitem__)
    faults = []
    for process in project.plan.processes:
        if process.unit and isinstance(process.unit.layer, (Conv, Dense)):
            adders = len(layer_graph(process.unit.layer, HLS_OPERANDS).adders)
            places = sorted({0, adders // 2, adders - 1}) if adders else []
            faults += [(changed_adder(process, process.unit.layer, at), at) for at in places]
    assert len(faults) > 2
    with ThreadPoolExecutor(2) as pool:
        caught = list(pool.map(lambda f: mutation._catches(project, f[0], codes, values), faults))
    assert [f"{fault.name}, {at}" for (fault, at), shows in zip(faults, caught, strict=True) if not shows] == []


def test_a_fault_that_no_image_can_show_is_named(tmp_path: Path) -> None:
    """Thresholds that no sum reaches: one that wraps around is below them as well."""
    g = GraphBuilder((1, 4, 4), "UINT4", seed=1)
    sums = g.conv("x", 2)
    never = np.full((2, 3), 1000)
    project = hw.build(g.finish(g.threshold(sums, 2, table=never)), tmp_path / "p", project_name="p")
    result = check(project)
    assert result.ok
    assert "an accumulator of conv1 one bit short" in result.exceptions
    assert "catch a flipped weight of conv1" in result.facts


def test_faults_that_nothing_shows_prove_nothing(small: hw.Project, monkeypatch) -> None:
    process = next(p for p in small.plan.processes if p.unit)
    harmless = Mutation("a comment", lambda folder: (folder / "firmware" / "notes.h").touch(), process, process)
    monkeypatch.setattr(mutation, "mutations", lambda *_: iter([harmless]))
    result = check(small)
    assert not result.ok
    assert result.facts.endswith("images catch no fault, and no layer alone: nothing is proven")


def test_a_fault_that_only_the_layer_alone_shows_is_no_verdict_on_the_design(small: hw.Project, monkeypatch) -> None:
    """Its images are too weak: here the fault is left out of the project, and is in the layer alone."""
    process = next(p for p in small.plan.processes if p.unit and p.unit.quantizer)
    layer = process.unit.layer
    weak = flipped_weight(process, layer, small.plan)._replace(put=lambda folder: None)
    monkeypatch.setattr(mutation, "mutations", lambda *_: iter([weak]))
    result = check(small)
    assert (result.ok, result.exceptions) == (True, ())
    assert result.facts.endswith(f"no image, but operands of the layer alone catch {weak.name}")


def firmware(project: hw.Project) -> list[str]:
    return [path.read_text() for path in sorted((project.directory / "firmware").rglob("conv1.h"))]


@pytest.mark.parametrize(("code", "weight_type"), [(-128, "INT8"), (-1, "BIPOLAR"), (1, "TERNARY")])
def test_a_layer_without_zeros_has_a_sign_flipped(tmp_path: Path, code: int, weight_type: str) -> None:
    """-128 too, which has no opposite of eight bits."""
    g = GraphBuilder((1, 4, 4), "UINT4", seed=1)
    model = g.finish(g.conv("x", 2, weight_type=weight_type, weights=np.full((2, 1, 3, 3), code)))
    project = hw.build(model, tmp_path / "p", project_name="p")
    process = next(p for p in project.plan.processes if p.unit)
    assert process.unit is not None
    fault = flipped_weight(process, process.unit.layer, project.plan)
    before = firmware(project)
    fault.put(project.directory)
    assert firmware(project) != before


def test_what_the_network_has_no_room_for_is_not_tried(tmp_path: Path) -> None:
    """A pool alone has no weights, no thresholds and no sums."""
    g = GraphBuilder((2, 4, 4), "UINT4")
    project = hw.build(g.finish(g.max_pool("x")), tmp_path / "p", project_name="p")
    assert not any(isinstance(layer, Threshold) for layer in project.network)
    assert list(mutations(project.plan, {})) == []
