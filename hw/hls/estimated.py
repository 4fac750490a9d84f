"""The estimate of a project under the keys of hls4ml's reports."""

from __future__ import annotations

from typing import Any

from crq.hw.cost.network import estimate
from crq.hw.devices.catalog import find
from crq.hw.hls.built import Built

VITIS = "vitis-run --tcl build_prj.tcl --mode hls"


def estimated(built: Built) -> dict[str, Any]:
    """hls4ml's report of a synthesis, text by key, with estimates in the place of Vitis's figures; `Source` says so.

    Block RAM counts in halves of 36 Kbit, as Vitis does.
    """
    facts, device = built.manifest, find(built.manifest.part)
    found = estimate(built.network, built.folds, device.priced, facts.io_type, built.timing)
    total, clock = found.total, f"{facts.clock_period:.2f}"
    latency, interval = str(found.pipeline.latency), str(found.pipeline.interval)
    report = {
        "Source": f"estimate of crq for {device.part}: no tool of a vendor ran",
        "TargetClockPeriod": clock,
        "BestLatency": latency, "WorstLatency": latency, "IntervalMin": interval, "IntervalMax": interval,
        "BRAM_18K": str(round(2 * total.bram36)), "DSP": str(round(total.dsp)), "FF": str(round(total.ff)),
        "LUT": str(round(total.lut)), "URAM": str(round(total.uram)),
        "AvailableBRAM_18K": str(round(2 * device.bram36)), "AvailableDSP": str(device.dsp),
        "AvailableFF": str(device.ff), "AvailableLUT": str(device.lut), "AvailableURAM": str(device.uram),
    }  # fmt: skip
    return {"CSynthesisReport": report}
