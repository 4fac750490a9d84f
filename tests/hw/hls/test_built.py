"""A project folder, opened: codes in the order of the stream, integers and traces in that of the file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from crq import hw
from crq.hw.dataflow.units import Fold
from crq.hw.errors import HwError
from crq.hw.hls.built import Built
from tests.support import reference
from tests.support.random_graphs import GraphBuilder, random_input

FOLDS = {"conv1": Fold(2, 6, "bram"), "add4": Fold(1)}


@pytest.fixture(scope="module")
def graph():
    """The result is an image of 4 channels, 3 x 5 pixels."""
    g = GraphBuilder((2, 6, 5), "INT4", seed=2)
    h = g.threshold(g.conv("x", 4, (3, 3), (2, 1), (1, 1, 1, 1)), 3)
    return g.finish(g.add(g.shift(h, 1), h), input_scale=0.25, output_scale=0.5)


@pytest.fixture(scope="module")
def built(graph, tmp_path_factory) -> Built:
    folder = tmp_path_factory.mktemp("built") / "p"
    hw.build(graph, folder, project_name="net", folding={"conv1": (2, 6)}, weight_rom={"conv1": "bram"})
    return Built(folder)


@pytest.fixture(scope="module")
def images(graph):
    return random_input(graph, 70)


def test_an_opened_project_is_what_its_manifest_says(built: Built) -> None:
    assert built.name == "net"
    assert repr(built) == f"Built({str(built.directory)!r})"
    assert built.folds["conv1"] == Fold(2, 6, "bram")
    assert [p.name for p in built.plan.processes if "_beats" not in p.name] == ["conv1", "copy_conv1", "shift3", "add4"]
    assert {p.unit.name: p.fold for p in built.plan.processes if p.unit} == built.folds


def test_codes_stream_pixel_by_pixel(built: Built, images) -> None:
    codes = built.codes(images)
    assert codes.dtype == np.int32
    assert np.array_equal(codes, images.transpose(0, 2, 3, 1).reshape(70, 60))
    assert np.array_equal(built.codes(images / 4), codes)
    assert np.array_equal(built.codes(images / 4 + 0.1, quantize=True), codes)


def test_integers_are_images_in_the_files_order(built: Built, graph, images) -> None:
    """Also over several batches; logits are scaled."""
    expected = reference.run(graph, images)[graph.graph.output[0].name]
    found = built.integers(images)
    assert found.dtype == np.int64
    assert found.shape == (70, 4, 3, 5)
    assert np.array_equal(found, expected)
    logits = built.simulate(images)
    assert logits.dtype == np.float32
    assert np.array_equal(logits, expected / 2)


def test_a_trace_has_the_codes_of_every_unit_by_the_last_layers_name(built: Built, graph, images) -> None:
    values = reference.run(graph, images[:7])
    traced = built.trace(images[:7])
    assert list(traced) == ["act2", "shift3", "add4"]
    for name, found in traced.items():
        assert np.array_equal(found, values[f"{name}_out"]), name


def test_a_vector_comes_without_pixels(tmp_path: Path) -> None:
    g = GraphBuilder((3,), "INT4", seed=1)
    graph = g.finish(g.matmul("x", 2))
    hw.build(graph, tmp_path / "p", io_type="io_parallel")
    x = random_input(graph, 5)
    found = Built(tmp_path / "p").integers(x)
    assert found.shape == (5, 2)
    assert np.array_equal(found, reference.run(graph, x)["fc1_out"])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((1, 2, 5, 5), np.int64), r"images of shape \(1, 2, 5, 5\): expected \(N, 2, 6, 5\)"),
        (np.full((1, 2, 6, 5), 8), r"input codes in \[8, 8\]; the input takes \[-8, 7\]"),
        (np.full((1, 2, 6, 5), 0.3), r"not on the input grid: .*0\.3.* is no multiple of 0\.25"),
        (np.full((1, 2, 6, 5), np.inf), "not finite"),
        (np.full((1, 2, 6, 5), "a"), "images of type .*; expected integers or floats"),
    ],
)
def test_images_that_the_network_does_not_take_are_refused(built: Built, x, message: str) -> None:
    with pytest.raises(HwError, match=message):
        built.codes(x)


def test_folders_that_are_no_project_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(HwError, match=rf"{tmp_path}: no crq project \(no manifest.json\); make one with `crq build`"):
        Built(tmp_path)
    with pytest.raises(HwError, match="absent: no crq project"):
        Built(tmp_path / "absent")


def test_a_project_of_another_format_is_refused(built: Built, tmp_path: Path) -> None:
    shutil.copy(built.directory / "manifest.json", tmp_path)
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 99}))
    with pytest.raises(HwError, match="format 99; this version reads format 6"):
        Built(tmp_path)


def test_a_project_may_be_moved(built: Built, images, tmp_path: Path) -> None:
    moved = shutil.copytree(built.directory, tmp_path / "elsewhere")
    assert np.array_equal(Built(moved).integers(images[:3]), built.integers(images[:3]))


def test_of_no_images_there_are_no_results(built: Built) -> None:
    nothing = np.empty((0, 2, 6, 5), np.int64)
    assert built.codes(nothing).shape == (0, 60)
    assert built.integers(nothing).shape == built.simulate(nothing).shape == (0, 4, 3, 5)
    assert {name: values.shape[0] for name, values in built.trace(nothing).items()} == dict.fromkeys(
        built.trace(nothing), 0
    )
    with pytest.raises(HwError, match=r"images of shape \(0,\): expected \(N, 2, 6, 5\)"):
        built.integers([])
