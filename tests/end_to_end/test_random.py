"""Random networks: live PyTorch = integer graph, on random codes, extremes and accumulator bounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

import crq
from crq import export
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import all_vectors
from crq.hw.project import build
from crq.hw.read import read_qonnx
from tests.support.random_nets import networks


def frozen(case) -> crq.FrozenModel:
    net, shape, config, seed = case
    torch.manual_seed(seed)
    x = torch.randint(0, 256, (8, *shape), dtype=torch.uint8)
    model = crq.prepare(net, crq.TernaryConfig(**config))
    crq.set_mode(model, "quantized")
    model.train()
    with torch.no_grad():
        model(x.float() / 256)
    return crq.freeze(model.eval(), [x])


def network_and_vectors(case, path) -> tuple[crq.FrozenModel, Network, torch.Tensor]:
    model = frozen(case)
    network = Network(read_qonnx(export.to_qonnx(model, path)))
    return model, network, torch.from_numpy(all_vectors(network, 10, bounding_limit=20))


quiet = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


@settings(max_examples=200, **quiet)
@given(networks())
def test_integer_graph(tmp_path, case) -> None:
    model, network, x = network_and_vectors(case, tmp_path / "m.onnx")
    found = evaluate(network, x.numpy()).reshape(len(x), -1)
    np.testing.assert_array_equal(found, model.integers(x).numpy())


def simulate(case, folder) -> None:
    model, _, x = network_and_vectors(case, folder / "m.onnx")
    project = build(folder / "m.onnx", folder / "project")
    np.testing.assert_array_equal(project.integers(x.numpy()).reshape(len(x), -1), model.integers(x).numpy())


@settings(max_examples=20, **quiet)
@given(networks())
def test_c_simulation(tmp_path_factory, case) -> None:
    simulate(case, tmp_path_factory.mktemp("net"))


@pytest.mark.slow
@settings(max_examples=200, **quiet)
@given(networks())
def test_c_simulation_of_many(tmp_path_factory, case) -> None:
    simulate(case, tmp_path_factory.mktemp("net"))
