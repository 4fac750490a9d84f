"""The examples of one script: networks of other tools, each exact in C and RTL simulation, by its own account."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from tests.support.imports import ROOT

EXAMPLES = ROOT / "examples"
SCRIPTS = {
    "two_input": ("two_input.py", 120), "autoencoder_upsampling": ("autoencoder.py", 2880),
    "brevitas_qcdq": ("brevitas_qcdq.py", 160), "unet": ("unet.py", 3840), "deepsets": ("deepsets.py", 160),
    "mobilenet_timm": ("mobilenet.py", 80), "vgg_16bit": ("vgg_16bit.py", 120),
    "image_and_table": ("image_and_table.py", 160),
}  # fmt: skip
"""By folder: its script, and how many integers each of its simulations gives."""
QUICK = ("two_input", "autoencoder_upsampling")
LINE = re.compile(r"^(.+): (\d+) of (\d+) integers equal", re.MULTILINE)


def run(script: Path) -> subprocess.CompletedProcess[str]:
    """As a user does; timm's where torchvision may be missing."""
    with_timm = ["-m", "tests.support.timm_alone"] if "import timm" in script.read_text() else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *with_timm, script.name]
    return subprocess.run(command, cwd=script.parent, env=environment, capture_output=True, text=True, check=False)


def test_every_script_is_tried() -> None:
    folders = {path.parent.name for path in EXAMPLES.glob("*/*.py")}
    with_recipe = {path.parent.name for path in EXAMPLES.glob("*/recipe.toml")}
    assert folders - with_recipe == set(SCRIPTS)
    for name, (script, _) in SCRIPTS.items():
        assert sorted(p.name for p in (EXAMPLES / name).iterdir() if p.is_file()) == sorted(["README.md", script])


def test_the_table_lists_every_example() -> None:
    table = (EXAMPLES / "README.md").read_text()
    assert set(re.findall(r"^\| \[[\w.]+\]\(([\w.]+)\)", table, re.MULTILINE)) == {
        path.name for path in EXAMPLES.iterdir() if path.name not in ("README.md", "__pycache__")
    }


@pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in SCRIPTS]
)
def test_a_script_is_exact(name: str, tmp_path: Path) -> None:
    script, integers = SCRIPTS[name]
    for package in re.findall(r"^import (brevitas|timm)\b", (EXAMPLES / name / script).read_text(), re.MULTILINE):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    shutil.copytree(EXAMPLES / name, tmp_path / name)
    done = run(tmp_path / name / script)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {what: (int(equal), int(of)) for what, equal, of in LINE.findall(done.stdout)}
    found.pop("onnxruntime (default)", None)  # not claimed
    assert {"hls", "rtl"} <= set(found)
    assert set(found.values()) == {(integers, integers)}
    assert f"{integers:,}" in (EXAMPLES / name / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
def test_a_script_tells_a_difference(tmp_path: Path) -> None:
    """Weights changed between the reference and the build: the script exits with 1."""
    text = (EXAMPLES / "two_input" / "two_input.py").read_text()
    loop = "\nwrong = 0\n"
    assert loop in text
    changed = (
        '\nother = onnx.load("two_input.onnx")\n'
        'weights = next(i for i in other.graph.initializer if i.name == "w_scores")\n'
        "weights.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(weights), 'w_scores'))\n"
        'onnx.save(other, "two_input.onnx")\n'
    )
    (tmp_path / "script.py").write_text(text.replace(loop, changed + loop))
    done = run(tmp_path / "script.py")
    assert done.returncode == 1, done.stderr
    assert {what for what, equal, of in LINE.findall(done.stdout) if equal != of} == {"hls", "rtl"}
    assert len(onnx.load(tmp_path / "two_input.onnx").graph.input) == 2
