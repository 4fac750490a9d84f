"""README.md of an RTL project."""

from __future__ import annotations

from collections.abc import Iterator

from crq.hw.dataflow.streams import intervals
from crq.hw.dataflow.timing import every
from crq.hw.dataflow.units import FOLDED
from crq.hw.forms.ends import inputs_of, results_of
from crq.hw.forms.manifest import Manifest
from crq.hw.forms.render import render
from crq.hw.forms.vectors import images_in_words
from crq.hw.ir.layers import Mac
from crq.hw.rtl.fabric import DEFINES
from crq.hw.rtl.plan import Plan


def readme_md(plan: Plan, manifest: Manifest) -> str:
    """How to simulate, synthesize and integrate the project."""
    network, pace = plan.network, plan.pipeline
    return render(
        "crq.hw.rtl",
        "README.md",
        name=plan.name,
        manifest=manifest,
        clock=f"{manifest.clock_period:g}",
        integer_layers=[layer for layer in network if isinstance(layer, Mac) and not layer.multiplier_free],
        rows=list(_rows(plan, manifest)),
        every=every(pace.interval),
        latency=f"{pace.latency:,}",
        rate=f"{1e9 / manifest.clock_period / pace.interval:,.0f}",
        images=images_in_words(dict(manifest.testbench)),
        define=DEFINES[plan.family],
        inputs=inputs_of(network, plan.inputs),
        results=results_of(network, plan.outputs),
    )


def _rows(plan: Plan, manifest: Manifest) -> Iterator[list[str]]:
    """Of each unit: layer, kind, output, weights, folding, cycles, and why it is folded so."""
    paced = intervals(plan.network, plan.folds) if plan.streaming else {}
    for unit, _ in plan.units():
        layer, fold, out = unit.layer, plan.folds[unit.name], unit.output.shape
        weights = f"{layer.weights.size} {layer.weight_type}" if isinstance(layer, Mac) else ""
        taken = f"{paced[unit.name]:,}" if plan.streaming else ""
        form = ", folded" if unit.is_windowed and fold.form == FOLDED else ""
        yield [
            f"`{unit.name}` (module `{plan.modules[unit.name]}`)", layer.kind, f"{out.h}×{out.w}×{out.c}", weights,
            f"{fold.pe} × {fold.simd}{form}", taken, manifest.why[unit.name],
        ]  # fmt: skip
