"""The C++ of one process in parts: its configuration, its function, its call; and how types are spelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crq.hw.hls.comments import describe
from crq.hw.hls.plan import Process, Stream
from crq.hw.hls.tables import Table
from crq.hw.ir.layers import Format

PIPELINE = "#pragma HLS PIPELINE II=1 style=flp"
"""Of every streaming loop: results in flight leave also while the loop waits for input."""

LINE = 116
"""Letters of a line of a function's body."""


class Emitted(NamedTuple):
    """The generated text of one process."""

    config: str  # configuration struct, or "" if the process needs none
    call: str  # the statement in the top function
    function: str
    comment: str
    tables: list[Table]


def cpp_type(fmt: Format) -> str:
    return f"ap_{'' if fmt.signed else 'u'}int<{fmt.bits}>"


def stream_type(stream: Stream, io_type: str) -> str:
    """The C++ type of what passes: a beat of channels (io_stream) or one value (io_parallel)."""
    scalar = cpp_type(stream.tensor.format)
    return f"nnet::array<{scalar}, {stream.beat}>" if io_type == "io_stream" else scalar


class Source:
    """What the sources of all kinds of processes have in common."""

    def __init__(self, process: Process, io_type: str) -> None:
        self.p, self.io_type, self.streaming = process, io_type, io_type == "io_stream"
        self.name = process.name
        self.config = f"{process.name}_config"
        self.suffix = "stream" if self.streaming else "parallel"

    def made(self, fields: Sequence[str], body: Sequence[str], tables: Sequence[Table] = ()) -> Emitted:
        """The process with a configuration of `fields` (none: no configuration) and `body` as its function."""
        streams = (*self.p.inputs, *self.p.outputs)
        constants = [True] * len(self.p.inputs) + [False] * len(self.p.outputs)
        names = self.inputs() + self.outputs()
        parameters = [self._parameter(*each) for each in zip(streams, names, constants, strict=True)]
        lines = body if self.streaming else ["#pragma HLS INLINE", *body]
        function = [f"inline void {self.name}({', '.join(parameters)}) {{", *(f"    {line}" for line in lines), "}"]
        config = "\n".join([f"struct {self.config} {{", *(f"    {f}" for f in fields), "};"]) if fields else ""
        call = f"{self.name}({', '.join(s.name for s in streams)});"
        return Emitted(config, call, "\n".join(function), describe(self.p, self.streaming), list(tables))

    def kernel(self, name: str, *more: str) -> str:
        """A call of one of the hand-written kernels, with `more` arguments behind the streams."""
        types = ", ".join(s.type_name for s in (*self.p.inputs, *self.p.outputs))
        arguments = ", ".join([*self.inputs(), *self.outputs(), *more])
        call = f"crq::{name}<{types}, {self.config}>({arguments});"
        return call if len(call) <= LINE else f"crq::{name}<\n        {types},\n        {self.config}>({arguments});"

    def inputs(self) -> list[str]:
        return ["in"] if len(self.p.inputs) == 1 else [f"in{i}" for i in range(len(self.p.inputs))]

    def outputs(self) -> list[str]:
        return ["out"] if len(self.p.outputs) == 1 else [f"out{i}" for i in range(len(self.p.outputs))]

    def partition(self, table: Table) -> list[str]:
        """All of a table at once in io_parallel, all of one block of channels where it streams."""
        if not self.streaming:
            return [f"#pragma HLS ARRAY_PARTITION variable={table.name} complete dim=0"]
        inner = range(2, table.values.ndim + 1)
        return [f"#pragma HLS ARRAY_PARTITION variable={table.name} complete dim={d}" for d in inner]

    def _parameter(self, stream: Stream, name: str, constant: bool) -> str:
        if self.streaming:
            return f"hls::stream<{stream.type_name}> &{name}"
        return f"{'const ' if constant else ''}{stream.type_name} {name}[{stream.shape.size}]"


def number(name: str, value: int, kind: str = "unsigned", says: str = "") -> str:
    """A field of a configuration."""
    return f"static const {kind} {name} = {value};{f' // {says}' if says else ''}"
