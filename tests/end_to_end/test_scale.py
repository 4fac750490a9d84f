"""Networks of real size, frozen from random weights: generated in bounds, bit-exact against PyTorch. Slow."""

from __future__ import annotations

import resource
import time
import tracemalloc
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

import crq
from crq import hw, models
from crq.convert.frozen import FrozenModel
from crq.export.qonnx import to_qonnx
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import all_vectors
from crq.hw.project import Project
from tests.support.random_graphs import GraphBuilder

SIDES = {
    "resnet20": 32, "resnet32": 32, "resnet44": 32, "vgg7": 32, "vgg7-unrolled": 32, "separable": 32, "resnet18": 224
}  # fmt: skip
IMAGES = {"resnet20": 10_000, "resnet18": 8}  # 1,000 of the others
AP_IMAGES = {"resnet20": 20}  # 2 of the others
GENERATION_KB = 4 << 20


class Built(NamedTuple):
    name: str
    frozen: FrozenModel
    project: Project
    seconds: float


@pytest.fixture(scope="module", params=SIDES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    name, folder = request.param, tmp_path_factory.mktemp("scale")
    file = folder / f"{name}.onnx"
    frozen = freeze(name, file)
    start = time.perf_counter()
    project = hw.build(file, folder / name, fit_check=False)
    return Built(name, frozen, project, time.perf_counter() - start)


def freeze(name: str, file: Path) -> FrozenModel:
    torch.manual_seed(0)
    model = crq.prepare(models.build(name))
    crq.set_mode(model, "quantized")
    frozen = crq.freeze(model, [torch.randint(0, 256, (8, 3, SIDES[name], SIDES[name]), dtype=torch.uint8)])
    to_qonnx(frozen, file)
    return frozen


@pytest.mark.slow
def test_generation_is_bounded_in_memory(built: Built) -> None:
    print(f"{built.name}: built in {built.seconds:.1f} s")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss <= GENERATION_KB


@pytest.mark.slow
def test_memory_and_sources_grow_linearly_with_the_weights(tmp_path: Path) -> None:
    peaks, sizes = [], []
    for channels in (64, 128, 256):
        builder = GraphBuilder((channels, 8, 8), "UINT4", seed=1)
        graph = builder.finish(builder.conv("x", channels, (3, 3), pads=(1, 1, 1, 1)))
        tracemalloc.start()
        hw.build(graph, tmp_path / str(channels))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        files = [file for file in (tmp_path / str(channels)).rglob("*") if file.is_file()]
        sizes.append(sum(file.stat().st_size for file in files))
    weights = 256 * 256 * 9
    print(f"per weight: {peaks[2] / weights:.0f} bytes of memory, {sizes[2] / weights:.1f} bytes of project")
    # The first build also loads what every build needs.
    assert peaks[2] < 4.5 * peaks[1]
    assert sizes[2] - sizes[1] < 4.5 * (sizes[1] - sizes[0])


@pytest.mark.slow
def test_simulation_equals_pytorch(built: Built) -> None:
    """Random, extreme and bounding images."""
    count = IMAGES.get(built.name, 1000)
    codes = all_vectors(built.project.network, count)[-count:]
    expected = np.concatenate([built.frozen.integers(batch).numpy() for batch in torch.as_tensor(codes).split(50)])
    start = time.perf_counter()
    found = built.project.integers(codes)
    print(f"{built.name}: {count} images in {time.perf_counter() - start:.1f} s, compilation included")
    assert np.array_equal(found, expected)
    few = AP_IMAGES.get(built.name, 2)
    assert np.array_equal(built.project.integers(codes[-few:], mode="ap"), expected[-few:])


@pytest.mark.slow
def test_every_traced_layer_is_bit_exact(built: Built) -> None:
    codes = all_vectors(built.project.network, 2, bounding_limit=2)[-4:]
    expected: dict[str, np.ndarray] = {}
    evaluate(built.project.network, codes, wanted=expected.__setitem__)
    traced = built.project.trace(codes)
    assert len(traced) == len(built.project.folds)
    for layer, found in traced.items():
        assert np.array_equal(found, expected[layer]), layer
