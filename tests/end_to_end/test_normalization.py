"""A network that normalizes its input: the file carries it, and the chain of equality holds from floats to hardware."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import crq
from crq import export, hw
from crq.cli import main
from crq.hw.ir.host import to_codes
from crq.hw.read import read_qonnx
from crq.train.data import load

MEAN, STD = 0.1307, 0.3081


class Digits(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((1, 1, 1), MEAN))
        self.register_buffer("std", torch.full((1, 1, 1, 1), STD))
        self.conv, self.fc = nn.Conv2d(1, 6, 3, padding=1), nn.Linear(6 * 16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - self.mean) / self.std
        return self.fc(nn.functional.max_pool2d(torch.relu(self.conv(x)), 2).flatten(1))


class Colors(nn.Module):
    """Three channels with a constant each, numbers, and a subtraction from one."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.49, 0.48, 0.44]).view(1, 3, 1, 1))
        self.conv, self.fc = nn.Conv2d(3, 6, 3, padding=1), nn.Linear(6 * 16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = 1 - (x / 255 - self.mean) * 4.5
        return self.fc(nn.functional.max_pool2d(torch.relu(self.conv(x)), 2).flatten(1))


def written(net: nn.Module, x: torch.Tensor, folder: Path) -> crq.FrozenModel:
    model = crq.prepare(net, crq.TernaryConfig(input_signed=True, input_scale=2.0**-5), x[:2])
    crq.quantize(model, [x])
    deploy = crq.freeze(model, [x])
    deploy.save(folder / "frozen.pt")
    export.to_qonnx(deploy, folder / "a.onnx")
    return deploy


@pytest.mark.parametrize("net", [Digits, Colors])
def test_floats_are_codes_and_logits_everywhere(net: type[nn.Module], tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = torch.rand(40, 1, 8, 8) if net is Digits else torch.rand(40, 3, 8, 8) * 255
    deploy = written(net(), x, tmp_path)
    network = hw.Network(read_qonnx(str(tmp_path / "a.onnx")))
    assert [kind for kind, _ in network.metadata.inputs[0].preprocessing] == [
        kind for kind, _ in deploy.input.preprocessing
    ]
    codes = deploy.codes(x)
    assert np.array_equal(to_codes(network, x.numpy()), codes.numpy())
    assert torch.equal(deploy.integers(x), deploy.integers(codes))
    results = {r.runtime: r.different for r in export.check_file(deploy, tmp_path / "a.onnx", x)}
    assert results["onnxruntime (optimizations off)"] == results["qonnx"] == 0
    project = hw.build(tmp_path / "a.onnx", tmp_path / "p")
    assert np.array_equal(project.simulate(x.numpy(), quantize=True), deploy(x).numpy())


@pytest.mark.slow  # trains and builds by every verb
def test_the_commands_agree(tmp_path: Path) -> None:
    torch.manual_seed(0)
    images = load("digits:train").images[:64].float() / 256
    written(Digits(), images, tmp_path)
    run = CliRunner()
    reference = ["--reference", str(tmp_path / "frozen.pt"), "--data", "digits:test"]
    checked = run.invoke(main, ["check", str(tmp_path / "a.onnx"), *reference, "--limit", "20"])
    assert checked.exit_code == 0, checked.output
    built = run.invoke(main, ["build", str(tmp_path / "a.onnx"), "-o", str(tmp_path / "p")])
    assert built.exit_code == 0, built.output
    simulated = run.invoke(main, ["simulate", str(tmp_path / "p"), *reference, "--json"])
    assert simulated.exit_code == 0, simulated.output
    assert json.loads(simulated.stdout)["bit_exact"]
    for verb in (["inspect", str(tmp_path / "frozen.pt"), "--json"], ["inspect", str(tmp_path / "a.onnx")]):
        assert run.invoke(main, verb).exit_code == 0
