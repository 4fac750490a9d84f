"""Accumulators wide enough and no wider: each layer's own function, on operands that drive its sums to their ends.

Inside a network few layers ever see such operands; here every layer that multiplies and adds is called alone.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from crq.errors import ToolError
from hw.hls.csim import COMMON, MODES, compiler
from hw.hls.emit import stream_type
from hw.hls.plan import Plan, Process
from hw.ir.interpret import apply
from hw.ir.layers import Conv, Dense, Flatten, IntArray
from hw.ir.vectors import driving, kinds_of_pixels
from hw.verify.proofs.proof import Proof

CHANNELS = 8  # of each layer: those with the widest range


@dataclass(frozen=True, eq=False)
class Case:
    """A layer, images (N, C, H, W) for it, and the sums (N, H·W·C) it must make of them."""

    process: Process
    codes: IntArray
    expected: IntArray


def check(directory: Path, plan: Plan) -> Proof:
    """Runs every layer with ap types as it is, and with an accumulator one bit short, which must show."""
    cases = list(_cases(plan))
    if not cases:
        return Proof("accumulators", True, "no layer sums products", skipped=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        sound, short = pool.map(lambda bits: _run(directory, plan, cases, Path(folder), bits), (0, 1))
    wrong = [c.process.label for c, found in zip(cases, sound, strict=True) if not np.array_equal(found, c.expected)]
    if wrong:
        return Proof("accumulators", False, f"wrong sums at the ends of their range: {', '.join(wrong)}")
    caught = [not np.array_equal(found, c.expected) for c, found in zip(cases, short, strict=True)]
    rest = tuple(c.process.label for c, shows in zip(cases, caught, strict=True) if not shows)
    if not any(caught):
        return Proof("accumulators", False, "no layer needs its highest bit: nothing is proven", rest)
    facts = f"{sum(caught)} of {len(cases)} layers are exact at both ends of their range and wrong with one bit less"
    return Proof("accumulators", True, facts, rest)


def _cases(plan: Plan) -> Iterator[Case]:
    for process in plan.processes:
        layer = process.unit and process.unit.layer
        if not isinstance(layer, (Conv, Dense)):
            continue
        operand, network = process.input.tensor, plan.network
        producer = network.producer(layer.input)
        flatten = [producer] if isinstance(producer, Flatten) else []
        width = np.maximum(layer.output.hi, -layer.output.lo)
        channels = np.argsort(-width, kind="stable")[:CHANNELS]
        for pixels in (kinds_of_pixels(layer)[:1], kinds_of_pixels(layer)):  # the centre alone sees most kernels whole
            codes = np.stack([
                driving(network, operand, layer, int(c), sign, pixel)
                for c in channels for sign in (1, -1) for pixel in pixels
            ])  # fmt: skip
            sums = codes
            for step in [*flatten, layer]:
                sums = apply(step, sums)
            reached = sums[:, channels].max(axis=(0, 2, 3)), sums[:, channels].min(axis=(0, 2, 3))
            ends = np.array_equal(reached, (layer.output.hi[channels], layer.output.lo[channels]))
            if ends:
                break
        yield Case(process, codes, sums.transpose(0, 2, 3, 1).reshape(len(codes), -1))


def _run(directory: Path, plan: Plan, cases: list[Case], folder: Path, short: int) -> list[IntArray]:
    """The integers of each case; `short` bits are taken off every accumulator."""
    source = _driver(plan, cases)
    sources = {f"firmware/layers/{c.process.name}.h": c for c in cases}
    overlay = folder / str(short)
    for name in sources:
        text = _sums_only((directory / name).read_text(), sources[name].process, plan.io_type)
        text = re.sub(r"(ap_u?int<)(\d+)(> accum_t)", lambda m: f"{m[1]}{int(m[2]) - short}{m[3]}", text)
        text = re.sub(r"(accum_bits = )(\d+);", lambda m: f"{m[1]}{int(m[2]) - short};", text)
        target = overlay / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace('"../', f'"{(directory / "firmware").resolve()}/'))
        source = source.replace(f'"{name}"', f'"{target}"')
    (overlay / "layers.cpp").write_text(source)
    library = overlay / "layers.so"
    flags = [*COMMON, *MODES["ap"], "-I."]
    command = [compiler(), *flags, str(overlay / "layers.cpp"), "-o", str(library)]
    run = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    if run.returncode:
        raise ToolError(f"{' '.join(command)} failed in {directory}:\n{run.stderr[-4000:]}")
    loaded = ctypes.CDLL(str(library))
    results = []
    for case in cases:
        function = getattr(loaded, f"crq_layer_{case.process.name}")
        function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long)
        codes = np.ascontiguousarray(case.codes.transpose(0, 2, 3, 1), np.int32)
        integers = np.zeros(case.expected.shape, np.int64)
        function(codes.ctypes.data, integers.ctypes.data, len(codes))
        results.append(integers)
    return results


def _sums_only(text: str, process: Process, io_type: str) -> str:
    """A layer's source without its thresholds, which hide the ends of sums: it gives the sums themselves.

    Raises `ToolError` for a source that is not written as a build writes it.
    """
    assert process.unit is not None
    name, layer = process.name, process.unit.layer
    result = stream_type(replace(process.output, tensor=layer.output), io_type)
    edits = [
        (rf"\b{process.output.type_name}\b", f"{name}_sums", 1),
        (r"(?=^inline void )", f"typedef {result} {name}_sums;\n\n", 1),
    ]
    if process.unit.threshold is not None:
        edits += [
            (r"(static const unsigned levels = )\d+;", r"\g<1>0;", 1),
            (rf"^ *#pragma HLS ARRAY_PARTITION variable={name}_thresholds .*\n", "", 1),
            (rf", {name}_thresholds\)", ", crq::no_table())", 1),
        ]
    for pattern, replacement, least in edits:
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        if count < least:
            raise ToolError(
                f"firmware/layers/{name}.h is not as a build writes it (no {pattern}): build the project again"
            )
    return text


def _driver(plan: Plan, cases: list[Case]) -> str:
    """C++ with one entry per layer: images as plain integers through the layer's function."""
    includes = "".join(f'#include "firmware/layers/{c.process.name}.h"\n' for c in cases)
    return '#include "firmware/defines.h"\n' + includes + "".join(_entry(c.process, plan.io_type) for c in cases)


def _entry(process: Process, io_type: str) -> str:
    x, y = process.input, process.output
    result = f"{process.name}_sums"
    if io_type == "io_stream":
        body = f"""        hls::stream<{x.type_name}> in("in");
        hls::stream<{result}> out("out");
        for (unsigned p = 0; p < {x.shape.pixels}; p++) {{
            {x.type_name} beat;
            for (unsigned c = 0; c < {x.shape.c}; c++)
                beat[c] = *codes++;
            in.write(beat);
        }}
        {process.name}(in, out);
        for (unsigned p = 0; p < {y.shape.pixels}; p++) {{
            const {result} beat = out.read();
            for (unsigned c = 0; c < {y.shape.c}; c++)
                *integers++ = (long long)(beat[c]);
        }}"""
    else:
        body = f"""        {x.type_name} in[{x.shape.size}];
        {result} out[{y.shape.size}];
        for (unsigned i = 0; i < {x.shape.size}; i++)
            in[i] = *codes++;
        {process.name}(in, out);
        for (unsigned i = 0; i < {y.shape.size}; i++)
            *integers++ = (long long)(out[i]);"""
    return f"""
extern "C" void crq_layer_{process.name}(const int *codes, long long *integers, long images) {{
    for (long image = 0; image < images; image++) {{
{body}
    }}
}}
"""
