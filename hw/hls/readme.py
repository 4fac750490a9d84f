"""README.md of a project."""

from __future__ import annotations

from collections.abc import Iterator

from crq.hw.dataflow.timing import PIPELINE_STAGES
from crq.hw.dataflow.words import words_of
from crq.hw.forms.manifest import Manifest
from crq.hw.forms.render import render
from crq.hw.forms.vectors import images_in_words
from crq.hw.hls.axi import has_axi_top
from crq.hw.hls.plan import Plan
from crq.hw.ir.host import steps
from crq.hw.ir.images import axes_of, image_shape
from crq.hw.ir.layers import Mac
from crq.hw.vivado.project import Core


def readme_md(plan: Plan, name: str, manifest: Manifest) -> str:
    """How to simulate, synthesize and integrate the project."""
    x, y, network = plan.input, plan.output, plan.network
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
        x=x.shape,
        y=y.shape,
        images_of=f"({', '.join(map(str, ('N', *image_shape(network))))}): {axes_of(network)}",
        codes=f"{x.tensor.format.qonnx.lower()}, codes {x.tensor.lo.min()} to {x.tensor.hi.max()}",
        integers=y.tensor.format.qonnx.lower(),
        scale=f"{network.input_scale:g}",
        prepared=bool(steps(network)),
        offset=bool(network.output_offset.any()),
        axi=has_axi_top(plan),
        core=Core(name, words_of(x).bits, words_of(y).bits, sources=False),
        stages=PIPELINE_STAGES,
        x_words=words_of(plan.input),
        y_words=words_of(plan.output),
        x_beat=plan.input.beat,
        y_beat=plan.output.beat,
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
