"""An RTL project before it is written: the network under its folding, its ends, its design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from crq.hw.dataflow import unrolled
from crq.hw.dataflow.beats import stream_beats
from crq.hw.dataflow.streams import Pipeline, pipeline
from crq.hw.dataflow.units import Fold, Unit, units
from crq.hw.dataflow.words import Port
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Tensor
from crq.hw.rtl.generate import generate, module_name
from crq.hw.rtl.names import check_name, named
from crq.hw.rtl.parallel import generate_parallel
from crq.hw.rtl.verilog import Design

IO_TYPES = ("io_stream", "io_parallel")


@dataclass(frozen=True, eq=False)
class Plan:
    """`network` under `folds`, an entry per unit name, for a synthesis family. `name`: of the project and its top."""

    network: Network
    io_type: str
    folds: Mapping[str, Fold]
    name: str
    family: str

    @property
    def streaming(self) -> bool:
        return self.io_type == "io_stream"

    @cached_property
    def _named(self) -> tuple[Network, dict[str, str]]:
        return named(self.network)

    @property
    def hardware(self) -> Network:
        """The network under the names of the generated code."""
        return self._named[0]

    @property
    def hardware_folds(self) -> dict[str, Fold]:
        return {self._named[1][name]: fold for name, fold in self.folds.items()}

    @property
    def levels(self) -> int:
        """Of adders between two registers of an unrolled design."""
        return max((fold.levels for fold in self.folds.values()), default=unrolled.LEVELS)

    @cached_property
    def modules(self) -> dict[str, str]:
        """The module of each unit."""
        pairs = zip(units(self.network), units(self.hardware), strict=True)
        return {unit.name: module_name(made) for unit, made in pairs}

    @cached_property
    def design(self) -> Design:
        if self.streaming:
            return generate(self.hardware, self.hardware_folds, self.name, self.family)
        return generate_parallel(self.hardware, self.family, self.levels, self.name)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The cycles that the design takes, without the AXI4-Stream core around it."""
        if self.streaming:
            return pipeline(self.network, self.folds)
        return unrolled.pipeline(self.network, self.levels)

    @cached_property
    def inputs(self) -> tuple[Port, ...]:
        return tuple(map(self._port, self.network.inputs))

    @cached_property
    def outputs(self) -> tuple[Port, ...]:
        return tuple(map(self._port, self.network.leaving))

    def _port(self, tensor: Tensor) -> Port:
        return Port(
            tensor, stream_beats(self.network, self.folds)[tensor.name] if self.streaming else tensor.shape.size
        )

    def units(self) -> list[tuple[Unit, Unit]]:
        """Every unit, and the same under the names of the generated code."""
        return list(zip(units(self.network), units(self.hardware), strict=True))


def make_plan(network: Network, io_type: str, folds: Mapping[str, Fold], name: str, family: str) -> Plan:
    """Raises `HwError` for an unknown io_type, a network without layers, and a name that a module cannot have."""
    if io_type not in IO_TYPES:
        raise HwError(f"io_type {io_type!r}: expected one of {', '.join(IO_TYPES)}")
    if not units(network):
        raise HwError("the network has no layers: there is nothing to build")
    plan = Plan(network, io_type, folds, name, family)
    check_name(name, [layer.name for layer in plan.hardware])
    return plan
