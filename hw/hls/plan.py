"""The dataflow of a project: processes connected by streams, one per unit, and what lies between two units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from crq.hw.dataflow.beats import beat_out, beats_in, conversion, stream_beats
from crq.hw.dataflow.blocking import Loop, loop
from crq.hw.dataflow.names import Names
from crq.hw.dataflow.rings import ring
from crq.hw.dataflow.streams import MIN_FIFO, fifo_depths, paced_interval
from crq.hw.dataflow.timing import HLS
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.dataflow.windows import Window, window
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Shape, Tensor
from crq.hw.ir.ports import numbered

IO_TYPES = ("io_stream", "io_parallel")


@dataclass(frozen=True, eq=False)
class Stream:
    """A FIFO (io_stream) or array (io_parallel) that carries `tensor`, `beat` channels at a time; `shape` is how its
    pixels pass."""

    name: str
    type_name: str
    tensor: Tensor
    beat: int

    @property
    def shape(self) -> Shape:
        return self.tensor.shape

    @property
    def beats(self) -> int:
        """Beats per image."""
        return self.shape.size // self.beat


class End(NamedTuple):
    """A stream as one end of the network, where the generated code calls it `name`; `place`: of its first value among
    those of all inputs, or results, as the beginning of a C expression."""

    name: str
    type_name: str
    beats: int
    beat: int
    size: int
    place: str


def ends(kind: str, streams: Sequence[Stream]) -> list[End]:
    """Those of a `kind`, "input" or "result"."""
    found, start = list[End](), 0
    for port, stream in enumerate(streams):
        place = f"{start} + " if start else ""
        found.append(End(numbered(kind, port), stream.type_name, stream.beats, stream.beat, stream.shape.size, place))
        start += stream.shape.size
    return found


@dataclass(frozen=True, eq=False)
class Process:
    """One function of the firmware, and the clock cycles an image takes in it when it streams.

    `unit` and `window`, as the kernels slide it, are None for what lies between units: a copy of one stream to several,
    a converter between beats, or, with a window, one that drops the pixels that the window skips. `loop`: that of a
    folded unit with a window.
    """

    name: str
    unit: Unit | None
    fold: Fold
    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]
    window: Window | None
    cycles: int
    loop: Loop | None = None

    @property
    def label(self) -> str:
        """The model's name of the layer, which `name` may differ from; that of what lies between is its own."""
        return self.unit.name if self.unit else self.name

    @property
    def input(self) -> Stream:
        return self.inputs[0]

    @property
    def output(self) -> Stream:
        return self.outputs[0]


@dataclass(frozen=True, eq=False)
class Plan:
    """`processes` in topological order; they read `inputs` and write `outputs`; `depths` of FIFOs by stream."""

    network: Network
    io_type: str
    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]
    processes: tuple[Process, ...]
    depths: Mapping[str, int]

    @property
    def streams(self) -> list[Stream]:
        """Streams inside the top function."""
        return [s for p in self.processes for s in p.outputs if s not in self.outputs]


def make_plan(network: Network, io_type: str, folds: Mapping[str, Fold], project: str = "") -> Plan:
    """Connects the units of `network`; `folds` has an entry per unit name. No process takes the name of `project`.

    Raises `HwError` for an unknown io_type and for a network without layers.
    """
    if io_type not in IO_TYPES:
        raise HwError(f"io_type {io_type!r}: expected one of {', '.join(IO_TYPES)}")
    all_units = units(network)
    if not all_units:
        raise HwError("the network has no layers: there is nothing to build")
    if project in further_names(network):
        raise HwError(f"project name {project!r}: is a word of the generated code; choose another")
    return _Planner(network, io_type, all_units, folds, project).plan()


def further_names(network: Network) -> list[str]:
    """What the generated code calls the second and every further input and result, and what belongs to them."""
    kinds = {"input": len(network.inputs), "result": len(network.outputs)}
    ports = [(kind, port) for kind, count in kinds.items() for port in range(1, count)]
    made = ("{0}", "{0}_t", "{0}_word", *(f"{other}{{1}}" for other in ("codes", "integers", "from_axi", "to_axi")))
    return [text.format(numbered(kind, port), port + 1) for kind, port in ports for text in made]


class _Planner:
    def __init__(
        self, network: Network, io_type: str, all_units: tuple[Unit, ...], folds: Mapping[str, Fold], project: str
    ) -> None:
        self.network, self.streaming, self.units, self.folds = network, io_type == "io_stream", all_units, folds
        self.io_type = io_type
        self.readers: dict[str, int] = {}
        for unit in all_units:
            for tensor in unit.inputs:
                self.count(tensor)
        for output in network.outputs:
            self.count(output)
        self.ready: dict[str, list[Stream]] = {}  # streams that carry a tensor and have no reader yet
        self.processes: list[Process] = []
        self.names = Names([project, f"{project}_axi", *further_names(network)])
        self.depths: dict[str, int] = {}

    def count(self, tensor: Tensor) -> None:
        name = self.network.carried(tensor).name
        self.readers[name] = self.readers.get(name, 0) + 1

    def plan(self) -> Plan:
        network = self.network
        beats = stream_beats(network, self.folds) if self.streaming else {}
        sources = []
        for port, tensor in enumerate(network.inputs):
            name = numbered("input", port)
            sources.append(Stream(name, f"{name}_t", tensor, beats.get(tensor.name, tensor.shape.c)))
            self.publish(sources[-1], name)
        needed = fifo_depths(network, self.folds, HLS) if self.streaming else {}
        for unit in self.units:
            self.add(unit, needed)
        outputs = tuple(self.ready[result.name].pop(0) for result in network.leaving)
        names = [*(s.name for s in sources), *(s.name for p in self.processes for s in p.outputs)]
        depths = {name: max(MIN_FIFO, self.depths.get(name, 0)) for name in names}
        return Plan(network, self.io_type, tuple(sources), outputs, tuple(self.processes), depths)

    def add(self, unit: Unit, needed: Mapping[tuple[str, int], int]) -> None:
        """The process of `unit`, behind what turns the streams of its inputs into what it reads."""
        name, fold = self.names.unique(unit.name), self.folds[unit.name]
        inputs = [self.ready[tensor.name].pop(0) for tensor in unit.sources]
        folded = self.streaming and unit.is_windowed and fold.form == FOLDED
        paces = [1] * len(inputs)
        if self.streaming:
            self.depths |= {s.name: needed[unit.name, i] for i, s in enumerate(inputs)}
            beats = beats_in(unit, fold)
            paces = [conversion(s.beat, beat)[1] for s, beat in zip(inputs, beats, strict=True)]
            inputs = [
                self.converted(s, beat, f"{name}_beats{i + 1}")
                for i, (s, beat) in enumerate(zip(inputs, beats, strict=True))
            ]
        slide = window(unit).lying()
        if folded:
            found = ring(unit, fold)
            slide = found.slide
            if found.decimated:
                inputs = [self.decimated(inputs[0], found.decimated, f"{name}_pixels")]
        results = self.network.leaving
        made = numbered("result", results.index(unit.output)) if unit.output in results else ""
        beat = beat_out(unit, fold) if self.streaming else unit.output.shape.c
        stream = Stream(made or f"{name}_out", f"{made or name}_t", unit.output, beat)
        taken = paced_interval(unit, fold, tuple(paces), HLS)
        counted = loop(unit, fold) if folded else None
        self.processes.append(Process(name, unit, fold, tuple(inputs), (stream,), slide, taken, counted))
        self.publish(stream, name)

    def converted(self, stream: Stream, beat: int, name: str) -> Stream:
        """`stream` in beats of `beat` channels, through a converter if it has others."""
        parts, joined = conversion(stream.beat, beat)
        if (parts, joined) == (1, 1):
            return stream
        process = self.names.unique(name)
        result = Stream(f"{process}_out", f"{process}_t", stream.tensor, beat)
        cycles = stream.shape.size // (stream.beat // parts)
        self.processes.append(Process(process, None, Fold(stream.beat // parts), (stream,), (result,), None, cycles))
        return result

    def decimated(self, stream: Stream, slide: Window, name: str) -> Stream:
        """`stream` without the pixels that a window of one pixel skips."""
        process = self.names.unique(name)
        kept = replace(stream.tensor, shape=slide.output._replace(c=stream.shape.c))
        result = Stream(f"{process}_out", stream.type_name, kept, stream.beat)
        self.processes.append(Process(process, None, Fold(stream.beat), (stream,), (result,), slide, stream.beats))
        return result

    def publish(self, stream: Stream, name: str) -> None:
        """Makes `stream` available to its readers, through a copy if there are several."""
        readers = self.readers.get(stream.tensor.name, 0)
        if not readers:
            raise HwError(f"layer {name!r}: nothing reads its output; remove it from the network")
        copies: tuple[Stream, ...] = (stream,)
        if readers > 1:
            copied = [self.names.unique(f"{name}_copy{i + 1}") for i in range(readers)]
            copies = tuple(Stream(copy, stream.type_name, stream.tensor, stream.beat) for copy in copied)
            self.processes.append(
                Process(self.names.unique(f"copy_{name}"), None, Fold(1), (stream,), copies, None, stream.beats)
            )
        self.ready[stream.tensor.name] = list(copies)
