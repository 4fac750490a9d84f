"""A whole network through synthesis: the total area against the estimate."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from crq.convert.frozen import FrozenModel
from crq.train.recipe import load
from crq.train.trainer import train_recipe
from export.qonnx import to_qonnx
from hw.cli.folded import open_folded
from hw.cost.network import estimate
from hw.rtl.generate import generate
from hw.rtl.synth import synthesize

pytestmark = [
    pytest.mark.slow,  # training, then a minute of Yosys per folding
    pytest.mark.skipif(find_spec("pyosys") is None, reason="pyosys is not installed"),
]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The QONNX file of the recipe `digits`."""
    folder = tmp_path_factory.mktemp("digits")
    train_recipe(load("digits"), folder / "run")
    to_qonnx(FrozenModel.load(folder / "run" / "frozen.pt"), folder / "digits.onnx")
    return folder / "digits.onnx"


@pytest.mark.parametrize(("board", "fps"), [("KV260", 1_000), ("KV260", 100_000), ("PYNQ-Z2", 1_000)])
def test_digits_total_is_within_5_percent(digits: Path, board: str, fps: float) -> None:
    source = open_folded(digits, {"part": board, "target_fps": fps})
    family = source.device.synthesis
    measured = synthesize(generate(source.network, source.folds), family).total()
    estimated = estimate(source.network, source.folds, family).total
    print(
        f"{family}, {fps:g} frames/s: {measured.lut:.0f} LUT, {measured.ff:.0f} FF measured; "
        f"{estimated.lut:.0f} LUT, {estimated.ff:.0f} FF estimated"
    )
    assert abs(estimated.lut - measured.lut) <= 0.05 * measured.lut
    assert abs(estimated.ff - measured.ff) <= 0.03 * measured.ff
    assert (estimated.bram18, estimated.dsp) == (measured.bram18, measured.dsp)
