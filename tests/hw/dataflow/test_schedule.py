"""Interval and latency of whole networks: the cycle model against Verilator, FIFOs as deep as the design has them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import crq
from crq import models
from export.qonnx import to_qonnx
from hw.dataflow.schedule import pipeline
from hw.fold import search as fold
from hw.ir.graph import Network
from hw.ir.interpret import evaluate
from hw.read import read_qonnx
from hw.rtl.generate import generate
from hw.rtl.verilator import beats, run_network
from tests.support import random_graphs

pytestmark = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")

IMAGES = 4


def digits_cnn(folder: Path) -> Network:
    """The network of the recipe `digits`, weights as initialised, quantizers calibrated on random images."""
    torch.manual_seed(0)
    x = torch.randint(0, 256, (16, 1, 8, 8), dtype=torch.uint8)
    model = crq.prepare(models.build("digits-cnn"), crq.TernaryConfig())
    crq.set_mode(model, "quantized")
    model.train()
    with torch.no_grad():
        model(x.float() / 256)
    return Network(read_qonnx(to_qonnx(crq.freeze(model.eval(), [x]), folder / "digits.onnx")))


NETWORKS = {
    "digits": digits_cnn,
    "residual": lambda folder: Network(random_graphs.residual_net(0)),
    "resnet8": lambda folder: Network(random_graphs.resnet(1, size=8, widths=(4, 8, 8))),
}


@pytest.mark.parametrize(
    ("name", "fps"),
    [("digits", 20_000), pytest.param("digits", 400_000, marks=pytest.mark.slow),
     ("residual", 100_000), pytest.param("residual", 20_000, marks=pytest.mark.slow),
     pytest.param("resnet8", 100_000, marks=pytest.mark.slow)],
)  # fmt: skip
def test_interval_is_within_2_percent(name: str, fps: float, tmp_path: Path) -> None:
    """Images back to back, as fast as the design takes them. The simulation knows nothing of the cycle model but the
    FIFO depths, which are hardware."""
    network = NETWORKS[name](tmp_path)
    folds = fold.choose(network, target_fps=fps)
    lo, hi = (int(v) for v in (network.input.lo.min(), network.input.hi.max()))
    images = np.random.default_rng(0).integers(lo, hi + 1, (IMAGES, *network.input.shape))
    found = run_network(network, generate(network, folds), tmp_path, images)
    np.testing.assert_array_equal(found.values, beats(evaluate(network, images)))
    expected = pipeline(network, folds)
    last = found.cycles.reshape(IMAGES, -1)[:, -1]  # of each image
    intervals = np.diff(last)
    print(f"{name}: {intervals.tolist()} cycles measured, {expected.interval} modelled; latency {last[0] + 1}, "
          f"{expected.latency}")  # fmt: skip
    # The first image finds every FIFO empty; from then on the slowest unit paces.
    assert abs(intervals[1:] - expected.interval).max() <= 0.02 * expected.interval
    assert abs(last[0] + 1 - expected.latency) <= 0.02 * expected.latency
