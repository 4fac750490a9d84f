"""README.md of a project."""

from __future__ import annotations

from collections.abc import Iterator

from crq.hw.dataflow.timing import PIPELINE_STAGES
from crq.hw.forms.ends import inputs_of, results_of
from crq.hw.forms.manifest import Manifest
from crq.hw.forms.render import render
from crq.hw.forms.vectors import images_in_words
from crq.hw.hls.axi import has_axi_top
from crq.hw.hls.plan import Plan
from crq.hw.ir.layers import Mac
from crq.hw.vivado.project import Core


def readme_md(plan: Plan, name: str, manifest: Manifest) -> str:
    """How to simulate, synthesize and integrate the project."""
    network = plan.network
    integer_layers = [
        p.label for p in plan.processes
        if p.unit and isinstance(p.unit.layer, Mac) and not p.unit.layer.multiplier_free
    ]  # fmt: skip
    slowest = max(plan.processes, key=lambda p: p.cycles) if plan.io_type == "io_stream" else None
    return render(
        "crq.hw.hls",
        "README.md",
        name=name,
        manifest=manifest,
        clock=f"{manifest.clock_period:g}",
        free=f"These layers multiply: {', '.join(integer_layers)}." if integer_layers else "No layer multiplies.",
        rows=list(_rows(plan, manifest)),
        slowest=slowest,
        rate=f"{1e9 / manifest.clock_period / slowest.cycles:,.0f}" if slowest else "",
        images=images_in_words(dict(manifest.testbench)),
        inputs=inputs_of(network, plan.inputs),
        results=results_of(network, plan.outputs),
        axi=has_axi_top(plan),
        core=Core(name, 0, 0, sources=False),
        stages=PIPELINE_STAGES,
    )


def _rows(plan: Plan, manifest: Manifest) -> Iterator[list[str]]:
    """Of each unit: layer, kind, output, weights, folding, cycles, and why it is folded so."""
    for process in plan.processes:
        if process.unit is None:
            continue
        layer, fold, out = process.unit.layer, process.fold, process.output.shape
        function = "" if process.name == process.label else f" (function `{process.name}`)"
        weights = f"{layer.weights.size} {layer.weight_type}" if isinstance(layer, Mac) else ""
        cycles = str(process.cycles) if plan.io_type == "io_stream" else ""
        yield [
            f"`{process.label}`{function}", layer.kind, f"{out.h}×{out.w}×{out.c}", weights,
            f"{fold.pe} × {fold.simd}{', folded' if process.loop else ''}", cycles, manifest.why[process.unit.name],
        ]  # fmt: skip
