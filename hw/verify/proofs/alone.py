"""One layer's function called alone: operands that no image of the network may ever give it."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from crq.errors import ToolError
from hw.hls.csim import COMMON, MODES, compiler
from hw.hls.plan import Plan, Process
from hw.ir.interpret import apply
from hw.ir.layers import Flatten, IntArray

Edit = Callable[[str, Process], str]
"""What is changed in a layer's source before it is compiled."""


class Alone:
    """The compiled functions of some of a project's processes; `folder` holds what is made for it.

    `edit` changes a layer's source (firmware/layers/NAME.h); `result_type` is what an edited function gives. Raises
    `ToolError` if g++ fails.
    """

    def __init__(
        self, directory: Path, plan: Plan, processes: Sequence[Process], folder: Path, mode: str,
        edit: Edit = lambda text, process: text,
        result_type: Callable[[Process], str] = lambda process: process.output.type_name,
    ) -> None:  # fmt: skip
        firmware = (directory / "firmware").resolve()
        lines = [f'#include "{firmware}/defines.h"']
        for process in processes:
            text = edit((firmware / "layers" / f"{process.name}.h").read_text(), process)
            target = folder / "layers" / f"{process.name}.h"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.replace('"../', f'"{firmware}/'))
            lines.append(f'#include "{target}"')
            lines += [f'#include "{firmware}/layers/{p.name}.h"' for p in [dropping(plan, process)] if p]
        lines += [_entry(plan, process, result_type(process)) for process in processes]
        (folder / "layers.cpp").write_text("\n".join(lines))
        library = folder / "layers.so"
        command = [compiler(), *COMMON, *MODES[mode], "-I.", str(folder / "layers.cpp"), "-o", str(library)]
        run = subprocess.run(command, cwd=directory, capture_output=True, text=True)
        if run.returncode:
            raise ToolError(f"{' '.join(command)} failed in {directory}:\n{run.stderr[-4000:]}")
        self.library = ctypes.CDLL(str(library))

    def run(self, process: Process, codes: IntArray) -> IntArray:
        """The integers (N, C, H, W) of operands (N, C, H, W)."""
        function = self.library[f"crq_layer_{process.name}"]
        function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long)
        streamed = np.ascontiguousarray(codes.transpose(0, 2, 3, 1), np.int32)
        c, h, w = process.output.shape
        integers = np.zeros((len(codes), h, w, c), np.int64)
        function(streamed.ctypes.data, integers.ctypes.data, len(codes))
        return integers.transpose(0, 3, 1, 2)


def sums_of(plan: Plan, process: Process, operand: IntArray) -> IntArray:
    """What the layer of `process`, without its thresholds, makes of `operand` (N, C, H, W), by the NumPy reference."""
    assert process.unit is not None
    layer = process.unit.layer
    producer = plan.network.producer(layer.input)
    values = operand
    for step in [*([producer] if isinstance(producer, Flatten) else []), layer]:
        values = apply(step, values)
    return values


def dropping(plan: Plan, process: Process) -> Process | None:
    """The process in front of `process` that drops the pixels its window skips, if there is one."""
    before = [p for p in plan.processes if process.input in p.outputs]
    return next((p for p in before if p.unit is None and p.window), None)


def _entry(plan: Plan, process: Process, result: str) -> str:
    x, y, first = process.input, process.output, dropping(plan, process)
    if first:
        x = first.input
    if plan.io_type == "io_stream":
        body = f"""        hls::stream<{x.type_name}> in("in");
        hls::stream<{result}> out("out");
        for (unsigned p = 0; p < {x.beats}; p++) {{
            {x.type_name} beat;
            for (unsigned c = 0; c < {x.beat}; c++)
                beat[c] = *codes++;
            in.write(beat);
        }}
        {f'hls::stream<{x.type_name}> kept("kept"); {first.name}(in, kept);' if first else ""}
        {process.name}({"kept" if first else "in"}, out);
        for (unsigned p = 0; p < {y.beats}; p++) {{
            const {result} beat = out.read();
            for (unsigned c = 0; c < {y.beat}; c++)
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
