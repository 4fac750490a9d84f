"""The trade between area and throughput as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crq.files import atomic_path
from crq.hw.cost.network import Estimate
from crq.hw.devices.catalog import Device
from crq.hw.errors import HwError
from crq.hw.fold.search import FILL

if TYPE_CHECKING:
    from crq.hw.fold.pareto import Point

FORMATS = (".png", ".svg", ".pdf")


def plot(
    name: str, points: Sequence[Point], chosen: Estimate, device: Device, clock_period_ns: float, path: Path
) -> Path:
    """Writes the plot of `points` (crq.hw.fold.pareto) and the chosen folding; the suffix of `path` is the format."""
    if path.suffix.lower() not in FORMATS:
        raise HwError(f"plot {path}: expected a name that ends in {', '.join(FORMATS)}")
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axis = figure.subplots()
    luts = [p.total.lut for p in points]
    rates = [1e9 / (clock_period_ns * p.interval) for p in points]
    axis.step(luts, rates, where="pre", color="#8fb6dc", linewidth=1.2)
    axis.plot(luts, rates, "o", color="#2f6fb3", markersize=5, label="best foldings")
    axis.plot(chosen.total.lut, chosen.fps(clock_period_ns), "D", color="#b3541e", markersize=8, label="chosen")
    axis.axvline(device.lut, color="#1c2430", linewidth=1, label=f"{device.part}: {device.lut:,} LUTs")
    axis.axvline(FILL * device.lut, color="#1c2430", linewidth=1, linestyle=":", label=f"{FILL:.0%} of it")
    axis.set(xscale="log", yscale="log", xlabel="LUTs, estimated", ylabel=f"frames/s at {clock_period_ns:g} ns",
             title=f"{name}: area against throughput")  # fmt: skip
    axis.grid(True, which="both", color="#dde3ea", linewidth=0.5)
    for one in (axis.xaxis, axis.yaxis):
        one.set_major_locator(LogLocator(subs=(1, 2, 5)))
        one.set_major_formatter(EngFormatter(sep=""))
        one.set_minor_formatter(NullFormatter())
    axis.legend(frameon=False, loc="best")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130)
    return path
