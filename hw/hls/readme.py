"""README.md of a project, and host.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hw.hls.axi import has_axi_top, words_of
from hw.hls.manifest import Manifest
from hw.hls.plan import Plan
from hw.hls.render import render
from hw.ir.host import host_source, steps
from hw.ir.images import axes_of, image_shape
from hw.ir.layers import Mac


def readme_md(plan: Plan, name: str, manifest: Manifest) -> str:
    """How to simulate, synthesize and integrate the project."""
    x, y, network = plan.input, plan.output, plan.network
    integer_layers = [
        p.label for p in plan.processes
        if p.unit and isinstance(p.unit.layer, Mac) and not p.unit.layer.multiplier_free
    ]  # fmt: skip
    slowest = max(p.cycles for p in plan.processes) if plan.io_type == "io_stream" else 0
    return render(
        "README.md",
        name=name,
        manifest=manifest,
        clock=f"{manifest.clock_period:g}",
        free=f"These layers multiply: {', '.join(integer_layers)}." if integer_layers else "No layer multiplies.",
        rows=list(_rows(plan, manifest)),
        slowest=slowest,
        rate=f"{1e9 / manifest.clock_period / slowest:,.0f}" if slowest else "",
        images=_images(manifest.testbench),
        x=x.shape,
        y=y.shape,
        images_of=f"({', '.join(map(str, ('N', *image_shape(network))))}): {axes_of(network)}",
        codes=f"{x.tensor.format.qonnx.lower()}, codes {x.tensor.lo.min()} to {x.tensor.hi.max()}",
        integers=y.tensor.format.qonnx.lower(),
        scale=f"{network.input_scale:g}",
        prepared=bool(steps(network)),
        offset=bool(network.output_offset.any()),
        axi=has_axi_top(plan),
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


def _images(facts: Mapping[str, Any]) -> str:
    made = "random, or drive an accumulator to its bounds"
    if not facts["given"]:
        return f"{facts['images']} images; they are {made}"
    return f"{facts['images']} images: the first {facts['given']} were given to the build, the others are {made}"


def host_py(plan: Plan, name: str) -> str:
    """Quantizing, packing and unpacking for the host, with NumPy only."""
    network = plan.network
    return render(
        "host.py",
        name=name,
        file_shape=image_shape(network),
        file_axes=axes_of(network),
        last=network.metadata.input_layout == "NHWC",
        input_shape=tuple(plan.input.shape),
        output_shape=tuple(plan.output.shape),
        x=plan.input.tensor.format,
        y=plan.output.tensor.format,
        x_beat=plan.input.beat,
        y_beat=plan.output.beat,
        x_beats=plan.input.beats,
        y_beats=plan.output.beats,
        x_words=words_of(plan.input),
        y_words=words_of(plan.output),
        output_scale=repr(network.output_scale.tolist()),
        output_offset=repr(network.output_offset.tolist()),
        quantize=host_source(network),
    )
