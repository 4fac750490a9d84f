"""What a report says: facts gathered once, shown by `terminal`, `html` and `to_json`."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crq.files import write_text
from crq.hw.cost.calibration import band, calibrations, kind, sentence
from crq.hw.cost.network import Estimate, UnitEstimate, estimate
from crq.hw.cost.own import Own
from crq.hw.dataflow.beats import beat_out, beats_in
from crq.hw.dataflow.timing import TIMINGS
from crq.hw.dataflow.units import Fold, Unit, units
from crq.hw.devices.boards import check_clock
from crq.hw.devices.catalog import Device, find
from crq.hw.errors import HwError
from crq.hw.fold.candidates import check
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac
from crq.hw.report import adders, terminal
from crq.hw.report.beside import beside
from crq.hw.report.html import render_html
from crq.hw.report.sharing import shared
from crq.hw.report.sizes import bits_per_weight, mean_bits
from crq.hw.report.streams import streams

if TYPE_CHECKING:
    from rich.console import Console

    from crq.hw.rtl.measure import Measurements

# Version of report.json (docs/report.md); a change of meaning or a removed key raises it.
SCHEMA = 1


@dataclass(frozen=True)
class Report:
    """Estimates of one network under one folding, device and clock, with whatever the project knows besides.

    `project` may hold: `name`, `backend` ("hls" or "rtl"), `io_type`, `metric` (by default accuracy) and under that
    name {stage: value}, `verdict` ({"images", "integers", "differing", "against"}), `folding` ({"goal", "why": {unit:
    reason}, "wanted"}), `ports` (`input` and `result`, see crq.hw.forms.manifest), `classes` (crq.hw.report.classes),
    `versions`, `commands`, `vendor` (crq.hw.report.vendor). `measurements` are areas that `crq synth` measured.
    """

    network: Network
    folds: dict[str, Fold]
    device: Device
    clock_period_ns: float
    estimate: Estimate
    project: dict[str, Any]
    created: str
    measurements: Measurements | None = None
    own: Own | None = None

    @property
    def io_type(self) -> str:
        return str(self.project.get("io_type", "io_stream"))

    @property
    def form(self) -> str:
        """What the figures are of: "rtl", "hls" or "io_parallel"."""
        if self.project.get("backend") == "rtl":
            return "rtl"
        return self.io_type if self.io_type == "io_parallel" else "hls"

    @property
    def fps(self) -> float:
        return self.estimate.fps(self.clock_period_ns)

    @property
    def trust(self) -> str:
        """How far the figures can be trusted, as one sentence."""
        text = sentence(self.form, self.device.synthesis, self.kinds, own=self.own is not None)
        if self.project.get("backend") != "rtl":
            return text
        return f"{text}; cycles are those of the RTL, which `crq simulate --checks` measures"

    @property
    def kinds(self) -> set[str]:
        """The kinds of units whose errors are told apart. Wires have neither an area nor an error."""
        if self.io_type == "io_parallel":
            return {kind(u, None) for u in units(self.network) if u.layer.kind not in ("Shift", "Concat")}
        return {kind(u, self.folds[u.name]) for u in units(self.network) if u.layer.kind != "Shift"}

    def capacity(self) -> dict[str, tuple[float, float]]:
        """Resource to (used, available)."""
        used, device = self.estimate.total, self.device
        return {
            "LUT": (used.lut, device.lut),
            "FF": (used.ff, device.ff),
            "BRAM36": (used.bram36, device.bram36),
            "URAM": (used.uram, device.uram),
            "DSP": (used.dsp, device.dsp),
        }

    def share(self, resource: str) -> float | None:
        """Used of available; None where the device has none."""
        used, available = self.capacity()[resource]
        return used / available if available else None

    def to_dict(self) -> dict[str, Any]:
        """The content of report.json (docs/report.md)."""
        found, device, pipeline = calibrations(), self.device, self.estimate.pipeline
        layers = {unit.name: unit for unit in units(self.network)}
        own = found.get(device.synthesis)
        rows = [self._row(u, layers[u.name]) for u in self.estimate.units]
        calibration = {**vars(own), "families": list(found)} if own else None
        return {
            "schema": SCHEMA,
            "created": self.created,
            "estimated": True,
            "trust": self.trust,
            "calibration": calibration,
            "device": {k: getattr(device, k) for k in ("part", "board", "family", "source")},
            "clock_period_ns": self.clock_period_ns,
            "summary": {
                **self.estimate.total.facts(),
                "band": band(self.estimate.total, self.form, device.synthesis, self.kinds, self.own),
                "interval_cycles": pipeline.interval,
                "latency_cycles": pipeline.latency,
                "latency_us": self.estimate.latency_us(self.clock_period_ns),
                "frames_per_second": self.fps,
                "bottleneck": pipeline.bottleneck,
                "macs_per_image": sum(u.layer.macs for u in layers.values() if isinstance(u.layer, Mac)),
            },
            "utilization": {
                name: {"used": used, "available": available, "share": self.share(name)}
                for name, (used, available) in self.capacity().items()
            },
            "multiplier_free": multiplier_free(self.network, self.form != "hls"),
            "bits_per_weight": mean_bits(row["weights"] for row in rows if "weights" in row),
            "shared_weights": shared(self.network),
            "units": rows,
            "streams": streams(self.network, self.folds, self.io_type, TIMINGS[self.project.get("backend", "hls")]),
            # What `crq synth` measures is the streaming RTL form: nothing to set beside an unrolled design.
            "own_reports": len(self.own.reports) if self.own and self.form != "rtl" else 0,
            "synthesis": beside(self.network, self.folds, self.measurements)
            if self.measurements and self.io_type != "io_parallel"
            else None,
            "project": self.project,
        }

    def _row(self, found: UnitEstimate, unit: Unit) -> dict[str, Any]:
        graph = adders.facts(unit, found.fold, self.device.priced, self.io_type == "io_parallel")
        return {**_unit(found, unit, self.estimate.pipeline), "adder_graph": graph}

    def to_json(self, path: str | Path | None = None) -> str:
        """report.json as text; written to `path` too if one is given."""
        text = json.dumps(self.to_dict(), indent=2) + "\n"
        if path is not None:
            write_text(path, text)
        return text

    def to_html(self, path: str | Path) -> Path:
        """One self-contained HTML file."""
        return write_text(path, render_html(self.to_dict()))

    def render(self, console: Console) -> None:
        """The report as terminal tables."""
        terminal.render(self.to_dict(), console)


def build_report(
    network: Network,
    folds: Mapping[str, Fold],
    part: str,
    clock_period_ns: float,
    *,
    project_info: Mapping[str, Any] | None = None,
    measurements: Measurements | None = None,
    own: Own | None = None,
) -> Report:
    """The report of `network` under `folds` on `part` (a part or board name). Raises `HwError` for what is unknown."""
    device = find(part)
    check(network, folds)
    missing = [u.name for u in units(network) if u.name not in folds]
    if missing:
        raise HwError(
            f"report: no folding for {', '.join(missing)}; crq.hw.fold.search.choose gives one for every unit"
        )
    check_clock(clock_period_ns)
    project = dict(project_info or {})
    return Report(
        network=network,
        folds=dict(folds),
        device=device,
        clock_period_ns=float(clock_period_ns),
        estimate=estimate(
            network,
            folds,
            device.priced,
            project.get("io_type", "io_stream"),
            TIMINGS[project.get("backend", "hls")],
        ),  # fmt: skip
        project=project,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        measurements=measurements,
        own=own,
    )


def multiplier_free(network: Network, shifts: bool = False) -> dict[str, Any]:
    """Which layers are not ternary, and the rule that keeps DSP blocks at zero; `shifts`: integer weights are digits,
    as in RTL and in io_parallel."""
    integer = [layer.name for layer in network if isinstance(layer, Mac) and not layer.multiplier_free]
    rule = (
        "weights are -1, 0 or +1, so each product is an add, a subtraction or nothing; scales, batch norm and "
        "activations are integer thresholds"
    )
    if integer:
        rule += "; the integer layers named " + (
            "shift and add once per signed digit of their weights" if shifts else
            "have multipliers, which BIND_OP asks for in LUTs; they are estimated as shifts and adds"
        )  # fmt: skip
    return {"every_layer": not integer, "integer_layers": integer, "rule": rule}


def _unit(found: UnitEstimate, unit: Unit, pipeline: Any) -> dict[str, Any]:
    layer = unit.layer
    facts: dict[str, Any] = {
        "name": found.name,
        "kind": found.kind,
        "thresholds": unit.threshold.name if unit.threshold else None,
        "input_shape": list(layer.input.shape),
        "output_shape": list(unit.output.shape),
        "input_type": layer.input.format.qonnx,
        "output_type": unit.output.format.qonnx,
        "pe": found.fold.pe,
        "simd": found.fold.simd,
        "form": found.fold.form if unit.is_windowed else None,
        "beats_in": list(beats_in(unit, found.fold)),
        "beat_out": beat_out(unit, found.fold),
        "steps": found.cycles.steps,
        "interval_cycles": found.cycles.interval,
        "waiting_cycles": found.waiting,
        "first_output_cycle": pipeline.first_output[found.name],
        "last_output_cycle": pipeline.last_output[found.name],
        **found.total.facts(),
        "parts": {name: part.facts() for name, part in found.parts.items()},
    }
    if isinstance(layer, Mac):
        codes, counts = np.unique(layer.weights, return_counts=True)
        histogram = {int(c): int(n) for c, n in zip(codes, counts, strict=True)}
        facts["weights"] = {
            "type": layer.weight_type,
            "count": int(layer.weights.size),
            "sparsity": 1 - layer.nonzeros / layer.weights.size,
            "histogram": histogram,
            "bits_per_weight": bits_per_weight(histogram, layer.weight_type),
            "accumulator": layer.output.format.qonnx,
            "macs": layer.macs,
        }
    return facts
