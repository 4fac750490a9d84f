"""Networks of real size, frozen from random weights: generated in bounds, bit-exact against PyTorch. Slow."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

import crq
import hw
from crq import models
from crq.frozen import FrozenModel
from export.qonnx import to_qonnx
from hw.golden import evaluate
from hw.project import Project
from hw.vectors import all_vectors

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
