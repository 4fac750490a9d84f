"""README.md of a project and the host-side snippet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hw.hls.axi import has_axi_top
from hw.hls.manifest import Manifest
from hw.hls.plan import Plan, Stream
from hw.ir.host import host_source, steps
from hw.ir.layers import Mac


def _channels(stream: Stream) -> str:
    count = stream.shape.c
    return "1 channel" if count == 1 else f"{count} channels"


def _images(facts: Mapping[str, Any]) -> str:
    made = "random, or drive an accumulator to its bounds"
    if not facts["given"]:
        return f"{facts['images']} images; they are {made}"
    return f"{facts['images']} images: the first {facts['given']} were given to the build, the others are {made}"


def readme_md(plan: Plan, name: str, manifest: Manifest) -> str:
    """How to simulate, synthesize and integrate the project."""
    x, y = plan.input, plan.output
    rows = []
    for process in plan.processes:
        if process.unit is None:
            continue
        layer, fold = process.unit.layer, process.fold
        weights = f"{layer.weights.size} {layer.weight_type}" if isinstance(layer, Mac) else ""
        cycles = process.cycles if plan.io_type == "io_stream" else ""
        shape = f"{process.output.shape.h}×{process.output.shape.w}×{process.output.shape.c}"
        folded = f"{fold.pe} × {fold.simd} | {cycles} | {manifest.why[process.unit.name]}"
        function = "" if process.name == process.label else f" (function `{process.name}`)"
        rows.append(f"| `{process.label}`{function} | {layer.kind} | {shape} | {weights} | {folded} |")
    integer_layers = [
        p.label for p in plan.processes
        if p.unit and isinstance(p.unit.layer, Mac) and not p.unit.layer.multiplier_free
    ]  # fmt: skip
    free = "No layer multiplies." if not integer_layers else f"These layers multiply: {', '.join(integer_layers)}."
    slowest = ""
    if plan.io_type == "io_stream":
        cycles = max(p.cycles for p in plan.processes)
        rate = 1e9 / manifest.clock_period / cycles
        slowest = (
            f"The slowest process takes {cycles} cycles per image: {rate:,.0f} images per second at "
            f"{manifest.clock_period:g} ns, if synthesis reaches that clock.\n"
        )
    axi = ""
    prepared = ", after the steps in `host.py`" if steps(plan.network) else ""
    codes = f"{x.tensor.format.qonnx.lower()}, codes {x.tensor.lo.min()} to {x.tensor.hi.max()}"
    offset = " + output offset" if plan.network.output_offset.any() else ""
    if has_axi_top(plan):
        axi = (
            f"`firmware/{name}_axi.cpp` wraps it as an AXI4-Stream core: one pixel per word, channel 0 in the low\n"
            "bits, TLAST on the last word of a result; TVALID and TREADY alone control it (`ap_ctrl_none`).\n\n"
        )
    return f"""# {name}

Vitis HLS project of `{manifest.source["name"]}` (sha256 `{manifest.source["sha256"]}`), made by crq
{manifest.versions["crq"]} for {manifest.part}, {manifest.clock_period:g} ns, {plan.io_type}. {free}

| layer | kind | output (h×w×c) | weights | PE × SIMD | cycles per image | why this folding |
| --- | --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}

Folded for {manifest.goal}.
{slowest}
## Simulate

```
./build_lib.sh                                # g++: the testbench with its images and expected integers
crq simulate . --mode fast                    # any images, from Python: hw.open_project(".").simulate(x)
```

`tb_data` holds {_images(manifest.testbench)}.

## Synthesize

```
vitis-run --tcl build_prj.tcl --mode hls      # Vitis 2023.2 or later
vitis_hls -f build_prj.tcl                    # Vitis HLS 2022.2 and 2023.1
```

`build_opt.tcl` selects the steps: C simulation, synthesis, co-simulation, a comparison of the two simulations'
results, export as IP.

## Integrate

The top function is `{name}` in `firmware/{name}.cpp`; every layer is a function in `firmware/layers/`, with its shape,
folding, cycles and widths in the comment above it, and its tables in `firmware/weights/`.

- input: {x.shape.h}×{x.shape.w} pixels, row by row, each with {_channels(x)} of {codes}
- result: {y.shape.h}×{y.shape.w} pixels with {_channels(y)} of {y.tensor.format.qonnx.lower()}
- real input = code × {plan.network.input_scale:g}{prepared}; logits = integer × output scale{offset}

{axi}`host.py` makes codes of real values, packs them, and turns the words of a result into logits.
`integer_graph.onnx` is the network in integers; it opens in Netron and runs in qonnx. `manifest.json` has versions,
options and hashes.
"""


def host_py(plan: Plan, name: str) -> str:
    """Quantizing, packing and unpacking for the host, with NumPy only."""
    x, y = plan.input, plan.output
    network = plan.network
    return f'''"""Host side of {name}: real values to codes to words, words to integers, integers to logits."""

import numpy as np

INPUT_SHAPE = {tuple(x.shape)}  # channels, height, width
INPUT_BITS, INPUT_SIGNED = {x.tensor.format.bits}, {x.tensor.format.signed}
OUTPUT_SHAPE = {tuple(y.shape)}
OUTPUT_BITS, OUTPUT_SIGNED = {y.tensor.format.bits}, {y.tensor.format.signed}
OUTPUT_SCALE = np.array({network.output_scale.tolist()!r}, np.float32)
OUTPUT_OFFSET = np.array({network.output_offset.tolist()!r}, np.float32)


def quantize(values):
    """Real values (N, C, H, W), as the network was trained on, to codes of INPUT_SHAPE."""
    x = np.asarray(values, np.float64).reshape(-1, *INPUT_SHAPE)
{host_source(network)}


def pack(codes):
    """Codes (N, C, H, W) to beats (N, H*W): one Python integer per pixel, channel 0 in the low bits."""
    pixels = np.moveaxis(np.asarray(codes, np.int64), 1, -1).reshape(len(codes), -1, INPUT_SHAPE[0])
    mask = (1 << INPUT_BITS) - 1
    return [[sum((int(v) & mask) << (INPUT_BITS * c) for c, v in enumerate(p)) for p in image] for image in pixels]


def unpack(beats):
    """Beats (N, pixels) of the result to integers (N, C, H, W)."""
    mask, sign = (1 << OUTPUT_BITS) - 1, (1 << (OUTPUT_BITS - 1)) if OUTPUT_SIGNED else 0
    c, h, w = OUTPUT_SHAPE
    words = [[b >> (OUTPUT_BITS * i) & mask for i in range(c)] for image in beats for b in image]
    values = (np.array(words, np.int64) ^ sign) - sign
    return np.moveaxis(values.reshape(len(beats), h, w, c), -1, 1)


def logits(integers):
    """Integers (N, C, H, W) to float32 outputs of the same shape; (N, C) if the result is one vector."""
    if OUTPUT_SHAPE[1:] == (1, 1):
        integers = integers.reshape(len(integers), -1)
    per_channel = (-1, *[1] * (integers.ndim - 2))
    return integers.astype(np.float32) * OUTPUT_SCALE.reshape(per_channel) + OUTPUT_OFFSET.reshape(per_channel)
'''
