"""Options of a build as hls4ml's configuration and back; of hls_config nothing is passed over in silence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.errors import HwError
from crq.hw.hls.config import from_config, hls_options, to_config
from crq.options import BuildOptions

LAYERS = ("conv1", "pool3", "conv4", "fc7")
NAMES = st.sampled_from(LAYERS)
OPTIONS = st.builds(
    BuildOptions,
    part=st.sampled_from(["KV260", "xc7z020clg400-1"]),
    clock_period=st.floats(0.5, 50),
    io_type=st.sampled_from(["io_stream", "io_parallel"]),
    folding=st.dictionaries(NAMES, st.tuples(st.integers(1, 64), st.integers(1, 64))),
    weight_rom=st.dictionaries(NAMES, st.sampled_from(["lut", "bram"])),
    fit_check=st.booleans(),
    argmax=st.booleans(),
)


def test_options_have_hls4mls_spelling() -> None:
    options = BuildOptions(target_fps=100.0, folding={"conv1": (2, 9)}, weight_rom={"fc7": "bram"}, clock_period=4)
    assert to_config(options) == {
        "Target": "hls", "Part": "xc7z020clg400-1", "ClockPeriod": 4.0, "IOType": "io_stream",
        "TargetFps": 100.0, "TargetLatency": None, "BestFit": False, "Folding": {"conv1": [2, 9]},
        "WeightRom": {"fc7": "bram"}, "MaxBeat": 1024, "FitCheck": True, "Argmax": False,
    }  # fmt: skip


@given(OPTIONS, st.sampled_from([{}, {"target_fps": 3.0}, {"target_latency": 0.5}, {"best_fit": True}]))
def test_options_come_back(options: BuildOptions, target: dict[str, Any]) -> None:
    options = options.with_given(target)
    found = from_config(to_config(options))
    assert {name: tuple(fold) for name, fold in found.folding.items()} == options.folding
    assert {**found.to_dict(), "folding": {}} == {**options.to_dict(), "folding": {}}


def test_what_a_configuration_lacks_has_its_default() -> None:
    assert from_config({}) == BuildOptions()
    found = from_config({"Part": "KV260", "OutputDir": "x", "HLSConfig": {}, "Backend": "crq"})
    assert found == BuildOptions(part="KV260")


REFUSED = [
    ({"LayerName": {"conv11": {"ReuseFactor": 9}}}, "'conv11': no such layer; did you mean conv1"),
    ({"LayerName": {"conv11": {}}}, "'conv11': no such layer; did you mean conv1"),
    ({"LayerName": {"dense_3": {"Trace": False}}}, "'dense_3': no such layer; the layers are conv1, pool3, conv4, fc7"),
    ({"LayerName": {"conv1": {"Precision": "ap_fixed<8,3>"}}}, "'conv1': Precision 'ap_fixed<8,3>'.*exact integer"),
    ({"LayerName": {"conv1": {"Precision": {"weight": "fixed<8,3>"}}}}, "'conv1': Precision .*exact integer"),
    ({"LayerName": {"conv1": {"Precision": {"weight": "fixed<16,6>"}}}}, "'conv1': Precision .*exact integer"),
    ({"LayerName": {"conv1": {"Strategy": "Resource"}}}, "'conv1': Strategy .*adder graphs"),
    ({"LayerName": {"conv1": {"ReuseFactr": 9}}}, "'conv1': ReuseFactr 9 .*did you mean ReuseFactor"),
    ({"LayerName": {"conv1": {"ParallelizationFactor": 9}}}, "'conv1': ParallelizationFactor .*expected ReuseFac"),
    ({"LayerName": {"conv1": {"BramFactor": 5}}}, "'conv1': BramFactor 5 .*give WeightRom by layer"),
    ({"Model": {"PE": 4}}, "the model: PE 4 .*expected ReuseFactor"),
    ({"Model": {"Strategy": "Resource"}}, "the model: Strategy 'Resource'.*distributed_arithmetic"),
    ({"Model": {"Precision": "ap_fixed<8,3>"}}, "the model: Precision 'ap_fixed<8,3>'.*exact integer ranges"),
    ({"Model": {"TargetCycles": 100}}, "the model: TargetCycles 100.*target_fps"),
    ({"Model": {"ReuseFactor": 0}}, "the model: ReuseFactor 0; expected a whole number of at least 1"),
    ({"Model": {"reusefactor": -5}}, "the model: ReuseFactor -5; expected a whole"),
    ({"Model": 3}, "the model: 3; expected a mapping"),
    ({"LayerName": ["conv1"]}, r"LayerName: \['conv1'\]; expected a mapping"),
    ({"LayerName": {"conv1": 9}}, "'conv1': 9; expected a mapping"),
    ({"LayerName": {"conv1": {"ReuseFactor": "x"}}}, "'conv1': ReuseFactor 'x'; expected a whole number"),
    ({"LayerName": {"conv1": {"ReuseFactor": 9.7}}}, "'conv1': ReuseFactor 9.7; expected a whole number"),
    ({"LayerName": {"conv1": {"ReuseFactor": None}}}, "'conv1': ReuseFactor None; expected a whole number"),
    ({"LayerName": {"conv1": {"PE": True}}}, "'conv1': PE True; expected a whole number"),
    ({"LayerType": {"Conv2D": {"ReuseFactor": 9}}}, "section 'LayerType'.*expected Model and LayerName"),
    ({"SkipOptimizers": ["fuse_bias_add"]}, "section 'SkipOptimizers'.*expected Model and LayerName"),
]


@pytest.mark.parametrize(("hls", "message"), REFUSED, ids=lambda case: str(case)[:60])
def test_no_option_of_hls4ml_is_passed_over_in_silence(hls: dict[str, Any], message: str) -> None:
    with pytest.raises(HwError, match=message):
        hls_options(hls, LAYERS)


@pytest.mark.parametrize(
    "hls",
    [
        {},
        {"Model": None, "LayerName": None, "LayerType": {}},
        {"Model": {"ReuseFactor": 64}, "LayerName": {"conv1": {"PE": 2, "SIMD": 3, "WeightRom": "lut"}, "fc7": None}},
        {"LayerName": {"conv1": {"reusefactor": 9}, "conv4": {"pe": 2, "weightrom": "bram"}}},
    ],
)
def test_options_with_a_meaning_pass(hls: dict[str, Any]) -> None:
    hls_options(hls, LAYERS)


@pytest.mark.parametrize(
    ("option", "value"),
    [("Precision", "fixed<16,6>"), ("Precision", {"default": "ap_fixed<16,6>"}), ("Strategy", "Latency"),
     ("BramFactor", 1e9), ("BramFactor", 1_000_000_000), ("TraceOutput", False), ("Trace", False), ("Trace", True),
     ("Compression", False), ("ConvImplementation", "LineBuffer"), ("PipelineStyle", "auto"), ("BitExact", None)],
)  # fmt: skip
def test_what_hls4ml_writes_by_itself_is_no_wish(option: str, value: Any) -> None:
    """As hls4ml.utils.config_from_onnx_model gives them."""
    hls_options({"Model": {option: value}, "LayerName": {"conv1": {option: value}}}, LAYERS)
