"""One layer's function called alone: operands that no image of the network may ever give it."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from crq.errors import ToolError
from crq.hw.compiler import compiler
from crq.hw.hls.csim import COMMON, MODES
from crq.hw.hls.plan import Plan, Process, Stream
from crq.hw.ir.interpret import apply
from crq.hw.ir.layers import Add, Flatten, IntArray

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
        """The integers (N, C, H, W) of operands (N, C, H, W): the channels of several inputs follow each other."""
        function = self.library[f"crq_layer_{process.name}"]
        function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long)
        ends = np.cumsum([stream.shape.c for stream in process.inputs])[:-1]
        parts = [p.transpose(0, 2, 3, 1).reshape(len(codes), -1) for p in np.split(codes, ends, axis=1)]
        streamed = np.ascontiguousarray(np.concatenate(parts, axis=1), np.int32)
        c, h, w = process.output.shape
        integers = np.zeros((len(codes), h, w, c), np.int64)
        function(streamed.ctypes.data, integers.ctypes.data, len(codes))
        return integers.transpose(0, 3, 1, 2)


def sums_of(plan: Plan, process: Process, operand: IntArray) -> IntArray:
    """What the layer of `process`, without its thresholds, makes of `operand` (N, C, H, W), by the NumPy reference.

    The channels of the two operands of an addition follow each other.
    """
    assert process.unit is not None
    layer = process.unit.layer
    if isinstance(layer, Add):
        return apply(layer, *np.split(operand, 2, axis=1))
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
    streaming, y, first = plan.io_type == "io_stream", process.output, dropping(plan, process)
    inputs = (first.input,) if first else process.inputs
    names = [f"in{i}" for i in range(len(inputs))]
    lines = [_fed(stream, name, streaming) for stream, name in zip(inputs, names, strict=True)]
    if first:
        lines.append(f'        hls::stream<{first.output.type_name}> kept("kept");\n        {first.name}(in0, kept);\n')
        names = ["kept"]
    call = f"        {process.name}({', '.join([*names, 'out'])});\n"
    if streaming:
        lines += [f'        hls::stream<{result}> out("out");\n', call]
        lines.append(f"""        for (unsigned b = 0; b < {y.beats}; b++) {{
            const {result} beat = out.read();
            for (unsigned c = 0; c < {y.beat}; c++)
                *integers++ = (long long)(beat[c]);
        }}
""")
    else:
        lines += [f"        {result} out[{y.shape.size}];\n", call]
        lines.append(f"""        for (unsigned i = 0; i < {y.shape.size}; i++)
            *integers++ = (long long)(out[i]);
""")
    return f"""
extern "C" void crq_layer_{process.name}(const int *codes, long long *integers, long images) {{
    for (long image = 0; image < images; image++) {{
{"".join(lines)}    }}
}}
"""


def _fed(stream: Stream, name: str, streaming: bool) -> str:
    """The declaration of one input, filled with the next codes."""
    if not streaming:
        return f"""        {stream.type_name} {name}[{stream.shape.size}];
        for (unsigned i = 0; i < {stream.shape.size}; i++)
            {name}[i] = *codes++;
"""
    return f"""        hls::stream<{stream.type_name}> {name}("{name}");
        for (unsigned b = 0; b < {stream.beats}; b++) {{
            {stream.type_name} beat;
            for (unsigned c = 0; c < {stream.beat}; c++)
                beat[c] = *codes++;
            {name}.write(beat);
        }}
"""
