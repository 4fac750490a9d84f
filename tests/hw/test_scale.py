"""Networks of real size: build and simulate bit-exactly. Slow."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper

import hw
from hw.golden import evaluate
from hw.vectors import all_vectors
from tests.hw.random_graphs import mobile_net, resnet, resnet18, vgg7

NETWORKS: dict[str, Callable[[], ModelWrapper]] = {
    "resnet20": partial(resnet, 3),
    "resnet32": partial(resnet, 5),
    "resnet44": partial(resnet, 7),
    "vgg7": vgg7,
    "mobile_net": mobile_net,
    "resnet18": resnet18,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_real_networks_are_bit_exact(name, tmp_path):
    graph = NETWORKS[name]()
    start = time.perf_counter()
    project = hw.build(graph, tmp_path / name, fit_check=False, project_name=name)
    print(f"{name}: built in {time.perf_counter() - start:.1f} s")
    images = 4 if name == "resnet18" else 40
    codes = all_vectors(project.network, images, bounding_limit=images)[-images:]
    values: dict[str, np.ndarray] = {}
    expected = evaluate(project.network, codes)
    assert np.array_equal(project.integers(codes, mode="fast").reshape(expected.shape), expected)
    if name == "resnet20":
        assert np.array_equal(project.integers(codes[:20], mode="ap").reshape(-1), expected[:20].reshape(-1))
    evaluate(project.network, codes[:2], wanted=values.__setitem__)
    traced = project.trace(codes[:2])
    assert len(traced) == len(project.folds)
    for layer, found in traced.items():
        assert np.array_equal(found, values[layer]), layer
