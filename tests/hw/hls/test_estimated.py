"""hls4ml's report keys, filled with the estimate."""

from __future__ import annotations

import shutil

import hls4ml
import pytest

from crq import hw
from tests.support.random_graphs import small_cnn


@pytest.mark.skipif(shutil.which("vitis-run") is not None, reason="Vitis is here")
def test_build_without_vitis_gives_the_estimate_and_says_so(tmp_path, capsys) -> None:
    model = hls4ml.converters.convert_from_onnx_model(
        small_cnn(2), output_dir=str(tmp_path / "p"), project_name="net", backend="crq"
    )
    found = model.build(csim=False)["CSynthesisReport"]
    assert "No vitis-run on PATH: these are estimates" in capsys.readouterr().err
    assert found["Source"] == "estimate of crq for xc7z020clg400-1: no tool of a vendor ran"
    report = hw.open_project(tmp_path / "p").report().to_dict()
    summary, utilization = report["summary"], report["utilization"]
    assert float(found["TargetClockPeriod"]) == report["clock_period_ns"]
    assert int(found["IntervalMax"]) == summary["interval_cycles"]
    assert int(found["BestLatency"]) == summary["latency_cycles"]
    for key, name, share in (("LUT", "LUT", 1), ("FF", "FF", 1), ("DSP", "DSP", 1), ("BRAM_18K", "BRAM36", 2)):
        assert int(found[key]) == pytest.approx(share * utilization[name]["used"], abs=0.5)
        assert int(found[f"Available{key}"]) == round(share * utilization[name]["available"])
    # hls4ml's own aggregation reads these as it reads Vitis's.
    assert all(isinstance(value, str) for value in found.values())
