"""The dataflow of a project: processes connected by streams, one per unit, and copies of shared tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hw.dataflow.fifos import MIN_FIFO, fifo_depths
from hw.dataflow.names import Names
from hw.dataflow.schedule import cycles
from hw.dataflow.units import Fold, Unit, units
from hw.dataflow.windows import Window, window
from hw.errors import HwError
from hw.ir.graph import Network
from hw.ir.layers import Shape, Tensor

IO_TYPES = ("io_stream", "io_parallel")


@dataclass(frozen=True, eq=False)
class Stream:
    """A FIFO (io_stream) or array (io_parallel) that carries `tensor`; `shape` is how its pixels pass."""

    name: str
    type_name: str
    tensor: Tensor

    @property
    def shape(self) -> Shape:
        return self.tensor.shape


@dataclass(frozen=True, eq=False)
class Process:
    """One function of the firmware, and the clock cycles an image takes in it when it streams.

    `unit` and `window`, as the kernels slide it, are None for a copy of one stream to several.
    """

    name: str
    unit: Unit | None
    fold: Fold
    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]
    window: Window | None
    cycles: int

    @property
    def label(self) -> str:
        """The model's name of the layer, which `name` may differ from; a copy's own."""
        return self.unit.name if self.unit else self.name

    @property
    def input(self) -> Stream:
        return self.inputs[0]

    @property
    def output(self) -> Stream:
        return self.outputs[0]


@dataclass(frozen=True, eq=False)
class Plan:
    """`processes` in topological order; the first reads `input`, one writes `output`; `depths` of FIFOs by stream."""

    network: Network
    io_type: str
    input: Stream
    output: Stream
    processes: tuple[Process, ...]
    depths: Mapping[str, int]

    @property
    def streams(self) -> list[Stream]:
        """Streams inside the top function."""
        return [s for p in self.processes for s in p.outputs if s is not self.output]


def make_plan(network: Network, io_type: str, folds: Mapping[str, Fold], project: str = "") -> Plan:
    """Connects the units of `network`; `folds` has an entry per unit name. No process takes the name of `project`.

    Raises `HwError` for an unknown io_type and for a network without layers.
    """
    if io_type not in IO_TYPES:
        raise HwError(f"io_type {io_type!r}: expected one of {', '.join(IO_TYPES)}")
    all_units = units(network)
    if not all_units:
        raise HwError("the network has no layers: there is nothing to build")
    return _Planner(network, io_type, all_units, folds, project).plan()


class _Planner:
    def __init__(
        self, network: Network, io_type: str, all_units: list[Unit], folds: Mapping[str, Fold], project: str
    ) -> None:
        self.network, self.io_type, self.units, self.folds = network, io_type, all_units, folds
        self.readers: dict[str, int] = {}
        for unit in all_units:
            for tensor in unit.inputs:
                self.count(tensor)
        self.count(network.output)
        self.ready: dict[str, list[Stream]] = {}  # streams that carry a tensor and have no reader yet
        self.processes: list[Process] = []
        self.names = Names([project, f"{project}_axi"])

    def count(self, tensor: Tensor) -> None:
        name = self.network.carried(tensor).name
        self.readers[name] = self.readers.get(name, 0) + 1

    def plan(self) -> Plan:
        source = Stream("input", "input_t", self.network.input)
        self.publish(source, "input")
        for unit in self.units:
            name = self.names.unique(unit.name)
            inputs = tuple(self.ready[self.network.carried(t).name].pop(0) for t in unit.inputs)
            is_output = unit.output is self.network.carried(self.network.output)
            stream = Stream(
                "result" if is_output else f"{name}_out", "result_t" if is_output else f"{name}_t", unit.output
            )
            slide, fold = window(self.network, unit).lying(), self.folds[unit.name]
            taken = cycles(self.network, unit, fold).interval
            self.processes.append(Process(name, unit, fold, inputs, (stream,), slide, taken))
            self.publish(stream, name)
        [output] = self.ready[self.network.carried(self.network.output).name]
        return Plan(self.network, self.io_type, source, output, tuple(self.processes), self.depths())

    def depths(self) -> dict[str, int]:
        """Beats each stream must hold: where branches join, what the earlier brings before the later one arrives."""
        needed = fifo_depths(self.network, self.folds)
        result = {s.name: MIN_FIFO for p in self.processes for s in p.outputs}
        for process in self.processes:
            if process.unit:
                result |= {s.name: max(MIN_FIFO, needed[process.unit.name, i]) for i, s in enumerate(process.inputs)}
        return result

    def publish(self, stream: Stream, name: str) -> None:
        """Makes `stream` available to its readers, through a copy if there are several."""
        readers = self.readers.get(stream.tensor.name, 0)
        if not readers:
            raise HwError(f"layer {name!r}: nothing reads its output; remove it from the network")
        copies: tuple[Stream, ...] = (stream,)
        if readers > 1:
            copied = [self.names.unique(f"{name}_copy{i + 1}") for i in range(readers)]
            copies = tuple(Stream(copy, stream.type_name, stream.tensor) for copy in copied)
            self.processes.append(
                Process(self.names.unique(f"copy_{name}"), None, Fold(1), (stream,), copies, None, stream.shape.pixels)
            )
        self.ready[stream.tensor.name] = list(copies)
