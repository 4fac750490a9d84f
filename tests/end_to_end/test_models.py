"""Every network of crq.models: frozen, exported, read; equal in onnxruntime, and as an integer graph in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import crq
from crq import export, models
from crq.export.runtime import run_onnxruntime, run_qonnx
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.project import build
from crq.hw.read import read_qonnx
from tests.end_to_end.test_scale import SIDES
from tests.support.shapes import SHAPES

LARGE = {"alexnet", "mobilenet", "resnet18", "resnet32", "resnet44", "resnet56", "vgg7", "vgg7-unrolled"}


def frozen(name: str) -> tuple[crq.FrozenModel, torch.Tensor]:
    torch.manual_seed(0)
    x = torch.randint(0, 256, (6, *SHAPES[name]), dtype=torch.uint8)
    x[-2:] = torch.tensor([0, 255], dtype=torch.uint8).reshape(2, *[1] * len(SHAPES[name]))
    model = crq.prepare(models.build(name), crq.TernaryConfig())
    crq.set_mode(model, "quantized")
    model.train()
    with torch.no_grad():
        model(x.float() / 256)
    return crq.freeze(model.eval(), [x]), x


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in models.names()]
)  # fmt: skip
def test_network(name: str, tmp_path) -> None:
    model, x = frozen(name)
    path = tmp_path / "m.onnx"
    proto = export.to_qonnx(model, path)
    integers, logits = model.integers(x).numpy(), model(x).numpy()
    np.testing.assert_array_equal(run_onnxruntime(proto, (x.float() / 256).numpy()), logits)
    network = Network(read_qonnx(path))
    np.testing.assert_array_equal(
        evaluate(network, x.numpy().reshape(-1, *network.inputs[0].shape)).reshape(6, -1), integers
    )
    if name != "resnet20":  # qonnx spends a minute cleaning it up, as on resnet32, a slow test
        np.testing.assert_array_equal(run_qonnx(proto, (x[:1].float() / 256).numpy()), logits[:1])
    if name == "resnet18":  # 11 M weights: the packed codes are nearly all of the file
        weights = sum(step.codes.numel() for step in model.steps.values() if hasattr(step, "codes"))
        assert path.stat().st_size <= 1.1 * weights / 4


@pytest.mark.parametrize("name", ["digits-cnn", "lenet", "convnet", "signal"])
def test_onnxruntime_at_its_default_level(name: str, tmp_path, record_property) -> None:
    """Its fusions may round: how many logits differ is recorded; promised is that they stay close."""
    model, _ = frozen(name)
    x = torch.randint(0, 256, (100, *SHAPES[name]), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    proto = export.to_qonnx(model, tmp_path / "m.onnx")
    expected = model(x).numpy()
    found = run_onnxruntime(proto, (x.float() / 256).numpy(), "default")
    different = int(np.count_nonzero(found != expected))
    record_property("logits that differ", f"{different} of {expected.size}")
    print(f"{name}: {different} of {expected.size} logits differ at onnxruntime's default optimization level")
    assert np.abs(found - expected).max() <= 0.05 * np.ptp(expected)
    assert (found.argmax(1) == expected.argmax(1)).mean() >= 0.95


@pytest.mark.parametrize(
    "name",
    [n if n == "signal" else pytest.param(n, marks=pytest.mark.slow) for n in models.names() if n not in SIDES],
)
def test_simulation(name: str, tmp_path) -> None:
    """PyTorch = C simulation, fast and, unless it is large, with ap types; test_scale.py has the others."""
    model, x = frozen(name)
    export.to_qonnx(model, tmp_path / "m.onnx")
    project = build(tmp_path / "m.onnx", tmp_path / "project", part="zcu102", fit_check=False)
    codes = x.numpy().reshape(-1, *project.network.inputs[0].shape)
    expected = model.integers(x).numpy()
    np.testing.assert_array_equal(project.integers(codes, mode="fast").reshape(len(x), -1), expected)
    if name not in LARGE:
        np.testing.assert_array_equal(project.integers(codes[:1], mode="ap").reshape(1, -1), expected[:1])


def test_every_network_has_a_shape_here() -> None:
    assert set(SHAPES) == set(models.names())
