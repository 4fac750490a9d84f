"""The README's Python example runs as printed, and its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader

from crq.train.data import load

README = (Path(__file__).parents[2] / "README.md").read_text()


class MyNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 4 * 4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv1(x))
        x = nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def test_the_python_example(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    loader = DataLoader(load("digits:train"), batch_size=64, shuffle=True)
    exec(compile(code, "README.md", "exec"), {"MyNet": MyNet, "loader": loader})  # our own file
    assert (tmp_path / "model.onnx").is_file()
    assert (tmp_path / "model_hls" / "firmware" / "model.cpp").is_file()


def test_every_command_line_names_a_verb_and_its_options() -> None:
    crq = Path(sys.executable).with_name("crq")
    block = re.search(r"## On the command line\n+```\n(.*?)```", README, re.S)
    assert block
    lines = re.findall(r"^crq ([\w-]+)(.*)$", block[1], re.M)
    assert len(lines) >= 8
    for verb, rest in lines:
        done = subprocess.run([crq, verb, "--help"], capture_output=True, text=True)
        assert done.returncode == 0, verb
        for option in re.findall(r"--[\w-]+", rest):
            assert option in done.stdout, (verb, option)
