"""The hls4ml side: convert_from_onnx_model, registration through either door, hls4ml's own configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper

import hw
from hw.dataflow.units import Fold
from hw.hls.plugin import require_registered
from hw.ir.graph import Network
from hw.ir.interpret import evaluate
from tests.support.random_graphs import random_input, small_cnn

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


def test_compile_and_predict(tmp_path):
    model = small_cnn(2)
    converted = convert(model, tmp_path / "p")
    converted.compile()
    codes = random_input(model, 5)
    logits = converted.predict(codes.astype(np.float32) / 256)
    assert np.array_equal(logits, evaluate(Network(model), codes).reshape(5, -1).astype(np.float32))


def test_reuse_factors_of_hls4ml_are_kept(tmp_path):
    layers = {"conv1": {"ReuseFactor": 9}, "conv4": {"PE": 3, "SIMD": 12}}
    convert(small_cnn(1), tmp_path / "p", hls_config={"Model": {"ReuseFactor": 64}, "LayerName": layers}).write()
    project = hw.open_project(tmp_path / "p")
    units = {p.unit.name: p.unit for p in project.plan.processes if p.unit}
    assert project.folds["conv4"] == Fold(3, 12)
    assert units["conv1"].reuse_factor(project.folds["conv1"]) == 9
    assert all(units[n].reuse_factor(f) <= 64 for n, f in project.folds.items())


def test_targets_and_rom_styles_in_hls4mls_configuration(tmp_path):
    layers = {"conv4": {"WeightRom": "bram"}}
    convert(small_cnn(1), tmp_path / "p", target_latency=50.0, hls_config={"Model": {}, "LayerName": layers}).write()
    project = hw.open_project(tmp_path / "p")
    assert project.folds["conv4"].rom == "bram"
    assert "a latency of 50 µs" in project.manifest.goal
    bounded = {"Model": {"ReuseFactor": 64}, "LayerName": layers}
    convert(small_cnn(1), tmp_path / "q", hls_config=bounded).write()
    assert hw.open_project(tmp_path / "q").folds["conv4"].rom == "bram"
    with pytest.raises(hw.HwError, match="ReuseFactor 64 bounds every layer"):
        convert(small_cnn(1), tmp_path / "r", best_fit=True, hls_config=bounded)


@pytest.mark.parametrize(
    ("hls_config", "message"),
    [
        ({"LayerName": {"conv11": {"ReuseFactor": 9}}}, "'conv11': no such layer; did you mean conv1"),
        ({"LayerName": {"conv11": {}}}, "'conv11': no such layer; did you mean conv1"),
        ({"LayerName": {"dense_3": {"Trace": False}}}, "'dense_3': no such layer; the layers are conv1, "),
        ({"LayerName": {"conv1": {"Precision": "ap_fixed<8,3>"}}}, "'conv1': Precision 'ap_fixed<8,3>'.*exact integer"),
        ({"LayerName": {"conv1": {"Precision": {"weight": "fixed<8,3>"}}}}, "'conv1': Precision .*exact integer"),
        ({"LayerName": {"conv1": {"Strategy": "distributed_arithmetic"}}}, "'conv1': Strategy .*adders already"),
        ({"LayerName": {"conv1": {"ReuseFactr": 9}}}, "'conv1': ReuseFactr 9 .*did you mean ReuseFactor"),
        ({"LayerName": {"conv1": {"ParallelizationFactor": 9}}}, "'conv1': ParallelizationFactor .*expected ReuseFac"),
        ({"Model": {"Strategy": "distributed_arithmetic"}}, "the model: Strategy 'distributed_arithmetic'.*adders"),
        ({"Model": {"Strategy": "Resource"}}, "the model: Strategy 'Resource'.*adders already"),
        ({"Model": {"Precision": "ap_fixed<8,3>"}}, "the model: Precision 'ap_fixed<8,3>'.*exact integer ranges"),
        ({"Model": {"TargetCycles": 100}}, "the model: TargetCycles 100.*target_fps"),
        ({"LayerType": {"Conv2D": {"ReuseFactor": 9}}}, "section 'LayerType'.*expected Model and LayerName"),
        ({"SkipOptimizers": ["fuse_bias_add"]}, "section 'SkipOptimizers'.*expected Model and LayerName"),
    ],
    ids=str,
)
def test_no_option_of_hls4ml_is_passed_over_in_silence(hls_config, message, tmp_path):
    with pytest.raises(hw.HwError, match=message):
        convert(small_cnn(1), tmp_path / "p", hls_config=hls_config)


def test_what_hls4ml_writes_by_itself_is_no_wish(tmp_path):
    """As hls4ml.utils.config_from_onnx_model gives them."""
    model = {"Precision": {"default": "fixed<16,6>"}, "ReuseFactor": 1, "Strategy": "Latency", "BramFactor": 1e9}
    config = {"Model": {**model, "TraceOutput": False}, "LayerName": {"conv1": {"Trace": False}}}
    hw.build(small_cnn(1), tmp_path / "a", project_name="net")
    convert(small_cnn(1), tmp_path / "b", hls_config=config).write()
    assert hw.open_project(tmp_path / "a").folds == hw.open_project(tmp_path / "b").folds


def test_other_backends_still_use_the_stock_parser(tmp_path):
    import hls4ml

    convert(small_cnn(1), tmp_path / "p")
    with pytest.raises(Exception, match="channels-last"):
        hls4ml.converters.convert_from_onnx_model(small_cnn(1).model, output_dir=str(tmp_path / "v"), backend="Vitis")


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
    run = run_python(WITHOUT_ENTRY_POINTS + REGISTERED, HLS4ML_BACKEND_PLUGINS="hw.hls.plugin")
    assert run.stdout.endswith("True\n")


def test_both_doors_together_register_once():
    run = run_python(REGISTERED, HLS4ML_BACKEND_PLUGINS="hw.hls.plugin")
    assert run.stdout.endswith("True\n")
    assert "WARNING" not in run.stdout


@pytest.mark.parametrize(
    "conversion",
    [
        "import hw; hw.build(model, 'never')",
        "import hls4ml; hls4ml.converters.convert_from_onnx_model(model, backend='crq', output_dir='never')",
    ],
)
def test_broken_registration_is_a_hard_error_with_its_cause(conversion):
    code = f"""
import sys
sys.modules["hw.hls.templates"] = None
from tests.support.random_graphs import small_cnn
model = small_cnn(0)
{conversion}
"""
    run = run_python(code)
    assert run.returncode
    assert "HwError: the crq backend failed to register" in run.stderr
    assert "hw.hls.templates" in run.stderr


def test_a_flow_that_is_missing_is_named(monkeypatch):
    backend = require_registered()
    monkeypatch.setattr(backend, "_default_flow", "crq:lost")
    with pytest.raises(hw.HwError, match=r"registered incompletely; missing: .*crq:lost"):
        require_registered()
