"""A built project: its folder, opened; and what the forms have in common in simulating theirs."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from crq.files import sha256
from crq.hw.dataflow.timing import TIMINGS, Timing
from crq.hw.dataflow.units import Fold, units
from crq.hw.errors import HwError
from crq.hw.forms.folder import named
from crq.hw.forms.manifest import FILE, Manifest
from crq.hw.ir.graph import Network
from crq.hw.ir.images import input_codes
from crq.hw.ir.layers import IntArray, Shape
from crq.hw.ir.ports import rows

Integers: TypeAlias = IntArray | tuple[IntArray, ...]

DESIGN, BRIDGE = ("firmware/", "rtl/", "sim/", "integer_graph.onnx"), "_bridge.cpp"
"""Beginnings, and the end, of the names of the files that simulations read."""


class Built:
    """A project folder. Images have the shape of the file's input, (N, C, H, W) or, channels last, (N, H, W, C).

    They are integer codes, or floats on the input grid. `layout` ("NCHW", "NHWC") says that they lie otherwise. Of a
    file with several inputs, images are a tuple of such arrays, or one array by name.
    """

    def __init__(self, directory: str | PathLike[str]) -> None:
        """Raises `HwError` unless `directory` is a project, of a format this version knows."""
        self.directory = Path(directory)
        self.manifest = manifest_of(self.directory)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.directory)!r})"

    @property
    def name(self) -> str:
        return self.manifest.project

    @property
    def changed(self) -> list[str]:
        """What a simulation reads and is not as the build wrote it, or missing."""
        read = [name for name in self.manifest.files if name.startswith(DESIGN) or name.endswith(BRIDGE)]
        return [name for name in sorted(read) if self._digest(name) != self.manifest.files[name]]

    def _digest(self, name: str) -> str:
        file = self.directory / name
        return sha256(file) if file.is_file() else ""

    def check_unchanged(self) -> None:
        """Raises `HwError` if `changed` has any: what is found then would not be of what was built."""
        if found := self.changed:
            raise HwError(
                f"{self.directory}: {named(found)} is not what the build wrote. Build the project again; or, if you "
                "changed it on purpose, say so with --changed"
            )

    @cached_property
    def graph(self) -> ModelWrapper:
        return ModelWrapper(str(self.directory / "integer_graph.onnx"))

    @cached_property
    def network(self) -> Network:
        return Network(self.graph)

    @property
    def folds(self) -> dict[str, Fold]:
        return dict(self.manifest.folding)

    @property
    def traced(self) -> dict[str, Shape]:
        """The layers whose integers leave a unit of the hardware, the last of each unit, with their shapes."""
        return {(u.threshold or u.layer).name: u.output.shape for u in units(self.network)}

    @property
    def timing(self) -> Timing:
        """How its units keep time."""
        return TIMINGS[self.manifest.target]

    def require_one_port(self, what: str) -> None:
        """Raises `HwError` for `what`, which joins one stream in and one out, if the network has more."""
        ins, outs = len(self.network.inputs), len(self.network.outputs)
        if ins > 1 or outs > 1:
            raise HwError(
                f"{what}: takes a network with one stream in and one out; {self.name!r} has {ins} in and {outs} out, "
                f"one for each size. Put its core {self.name}_axi into a design of your own; host.py packs for it"
            )

    def codes(self, x: Any, quantize: bool = False, layout: str | None = None) -> NDArray[np.int32]:
        """Input codes, int32 (N, inputs) in streaming order, port by port, of images.

        Floats are what the file takes, before its own preprocessing; they must then lie on the input grid (multiples of
        the input scale) unless `quantize`, which rounds half to even and clips. Raises `HwError` otherwise, and for
        codes out of range or a wrong shape.
        """
        codes: NDArray[np.int32] = rows(self.network.inputs, input_codes(self.network, x, quantize, layout))
        return codes


class Simulated(Built, ABC):
    """A project with the simulation of its form."""

    modes: ClassVar[tuple[str, ...]]
    """Ways to simulate; the first is the usual one."""
    checked: ClassVar[tuple[str, ...]]
    """Those that must agree."""

    def mode(self, mode: str | None) -> str:
        """The usual mode for None. Raises `HwError` for one that this form does not have."""
        if mode is None:
            return self.modes[0]
        if mode not in self.modes:
            raise HwError(
                f"simulation mode {mode!r}: {self.simulator} has {', '.join(self.modes)}; without one it is "
                f"{self.modes[0]}"
            )
        return mode

    @property
    @abstractmethod
    def simulator(self) -> str:
        """What simulates the project, in words."""

    @abstractmethod
    def integers(
        self,
        x: Any,
        mode: str | None = None,
        quantize: bool = False,
        progress: bool = False,
        layout: str | None = None,
    ) -> Integers:
        """The integers of the network's output, int64 (N, C, H, W), or (N, C) if it is a vector; of outputs of several
        sizes a tuple by port."""

    @abstractmethod
    def trace(
        self, x: Any, mode: str | None = None, quantize: bool = False, layout: str | None = None
    ) -> dict[str, NDArray[np.int64]]:
        """The integers each unit of the hardware gives, int64 (N, C, H, W), by the name of the last layer in it."""

    def as_results(self, parts: Sequence[IntArray]) -> Integers:
        """Integers (N, C, H, W) by port, in the shape of their streams, as `integers` gives them."""
        outputs = zip(self.network.outputs, parts, strict=True)
        found = [p.reshape(len(p), o.shape.size) if o.shape.pixels == 1 else p for o, p in outputs]
        return found[0] if len(found) == 1 else tuple(found)

    def simulate(
        self, x: Any, mode: str | None = None, quantize: bool = False, progress: bool = False,
        layout: str | None = None,
    ) -> NDArray[Any]:  # fmt: skip
        """What the file gives, in its shape: logits, float32, which are the integers times the output scale (plus a
        foreign file's offset), and behind them the file's own Softmax, ArgMax (int64) and the like. Of several outputs
        a tuple."""
        return self.network.results(self.integers(x, mode, quantize, progress, layout))


def manifest_of(directory: Path) -> Manifest:
    """Raises `HwError` unless `directory` is a project, of a format this version knows."""
    if _is_training(directory):
        name = directory.resolve().name
        raise HwError(
            f"{directory} is a training run, no crq project: `crq export {directory} -o {name}.onnx`, then `crq build "
            f"{name}.onnx -o {name}_hls`"
        )
    if not (directory / FILE).is_file():
        inside = sorted(path.parent for path in directory.glob(f"*/{FILE}") if not _is_training(path.parent))
        way = f"name the one in it, {inside[0]}" if inside else "make one with `crq build`"
        raise HwError(f"{directory}: no crq project (no {FILE}); {way}")
    return Manifest.read(directory / FILE)


def _is_training(folder: Path) -> bool:
    """Whether `folder` is that of a training run, whose manifest is another."""
    return (folder / "recipe.toml").is_file() and (folder / "checkpoints").is_dir()


def processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
