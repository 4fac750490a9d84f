"""The hls4ml side: convert_from_onnx_model, registration through either door, hls4ml's own configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from qonnx.core.modelwrapper import ModelWrapper

from crq import hw
from tests.support.random_graphs import small_cnn

ROOT = Path(__file__).parents[3]


def convert(model: ModelWrapper, folder: Path, **options):
    import hls4ml

    return hls4ml.converters.convert_from_onnx_model(
        model, output_dir=str(folder), project_name="net", backend="crq", **options
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_hls4ml_gives_the_same_project_as_build(tmp_path):
    model = small_cnn(1)
    hw.build(model, tmp_path / "a", project_name="net")
    convert(model, tmp_path / "b").write()
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_building_twice_gives_identical_files(tmp_path):
    for name in ("a", "b"):
        hw.build(small_cnn(1), tmp_path / name, target_fps=5000)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_what_hls4ml_writes_by_itself_is_no_wish(tmp_path):
    """As hls4ml.utils.config_from_onnx_model gives them."""
    model = {"Precision": {"default": "fixed<16,6>"}, "ReuseFactor": 1, "Strategy": "Latency", "BramFactor": 1e9}
    config = {"Model": {**model, "TraceOutput": False}, "LayerName": {"conv1": {"Trace": False}}}
    hw.build(small_cnn(1), tmp_path / "a", project_name="net")
    convert(small_cnn(1), tmp_path / "b", hls_config=config).write()
    assert hw.open_project(tmp_path / "a").folds == hw.open_project(tmp_path / "b").folds


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k != "HLS4ML_BACKEND_PLUGINS"} | environment
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=env)


# Hides every installed entry point of hls4ml's group.
WITHOUT_ENTRY_POINTS = """
import importlib.metadata as m
stock = m.entry_points
m.entry_points = lambda **k: stock(**k) if k else m.EntryPoints(())
"""
REGISTERED = "import hls4ml; print('crq' in hls4ml.backends.get_available_backends())"


def test_entry_point_alone_registers():
    assert run_python(REGISTERED).stdout.endswith("True\n")


def test_environment_variable_alone_registers():
    assert run_python(WITHOUT_ENTRY_POINTS + REGISTERED).stdout.endswith("False\n")
    run = run_python(WITHOUT_ENTRY_POINTS + REGISTERED, HLS4ML_BACKEND_PLUGINS="crq.hw.hls.plugin")
    assert run.stdout.endswith("True\n")


def test_both_doors_together_register_once():
    run = run_python(REGISTERED, HLS4ML_BACKEND_PLUGINS="crq.hw.hls.plugin")
    assert run.stdout.endswith("True\n")
    assert "WARNING" not in run.stdout


@pytest.mark.parametrize(
    "conversion",
    [
        "from crq import hw; hw.build(model, 'never')",
        "import hls4ml; hls4ml.converters.convert_from_onnx_model(model, backend='crq', output_dir='never')",
    ],
)
def test_broken_registration_is_a_hard_error_with_its_cause(conversion):
    code = f"""
import sys
sys.modules["crq.hw.hls.templates"] = None
from tests.support.random_graphs import small_cnn
model = small_cnn(0)
{conversion}
"""
    run = run_python(code)
    assert run.returncode
    assert "HwError: the crq backend failed to register" in run.stderr
    assert "crq.hw.hls.templates" in run.stderr
