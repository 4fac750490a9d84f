"""A built project: its folder, opened; its C simulation, run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from qonnx.core.modelwrapper import ModelWrapper
from rich.progress import Progress

from hw.dataflow.units import Fold
from hw.errors import HwError
from hw.hls.csim import Batch, Simulation, compile_simulation
from hw.hls.manifest import FILE, Manifest
from hw.hls.plan import Plan, make_plan
from hw.ir.graph import Network
from hw.ir.images import input_codes
from hw.ir.layers import Shape

BATCH_BYTES = 1 << 24  # integers held per batch and thread


class Built:
    """A project folder. Images have the shape of the file's input, (N, C, H, W) or, channels last, (N, H, W, C).

    They are integer codes, or floats on the input grid. `layout` ("NCHW", "NHWC") says that they lie otherwise.
    """

    def __init__(self, directory: str | PathLike[str]) -> None:
        """Raises `HwError` unless `directory` is a project, of a format this version knows."""
        self.directory = Path(directory)
        file = self.directory / FILE
        if not file.is_file():
            raise HwError(f"{self.directory}: no crq project (no {FILE}); make one with `crq build`")
        self.manifest = Manifest.read(file)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.directory)!r})"

    @property
    def name(self) -> str:
        return self.manifest.project

    @cached_property
    def graph(self) -> ModelWrapper:
        return ModelWrapper(str(self.directory / "integer_graph.onnx"))

    @cached_property
    def network(self) -> Network:
        return Network(self.graph)

    @property
    def folds(self) -> dict[str, Fold]:
        return dict(self.manifest.folding)

    @cached_property
    def plan(self) -> Plan:
        return make_plan(self.network, self.manifest.io_type, self.folds, self.name)

    def codes(self, x: ArrayLike, quantize: bool = False, layout: str | None = None) -> NDArray[np.int32]:
        """Input codes, int32 (N, inputs) in streaming order, of images.

        Floats are what the file takes, before its own preprocessing; they must then lie on the input grid (multiples of
        the input scale) unless `quantize`, which rounds half to even and clips. Raises `HwError` otherwise, and for
        codes out of range or a wrong shape.
        """
        codes = input_codes(self.network, x, quantize, layout)
        return codes.transpose(0, 2, 3, 1).reshape(len(codes), self.network.input.shape.size)

    def integers(
        self, x: ArrayLike, mode: str = "fast", quantize: bool = False, progress: bool = False,
        layout: str | None = None,
    ) -> NDArray[np.int64]:  # fmt: skip
        """The integers of the network's output, int64 (N, C, H, W), or (N, C) if it is a vector."""
        codes = self.codes(x, quantize, layout)
        size = self.network.output.shape.size
        simulation = Simulation(compile_simulation(self.directory, mode), codes.shape[1], size)
        result = np.empty((len(codes), size), np.int64)
        done = 0
        for batch in _with_progress(simulation.batches(codes, *_parallel(len(codes), size)), len(codes), progress):
            result[done : done + len(batch.integers)] = batch.integers
            done += len(batch.integers)
        images = _images(result, self.plan.output.shape)
        return images.reshape(len(result), size) if self.network.output.shape.pixels == 1 else images

    def simulate(
        self, x: ArrayLike, mode: str = "fast", quantize: bool = False, progress: bool = False,
        layout: str | None = None,
    ) -> NDArray[np.float32]:  # fmt: skip
        """Logits: the integers times the output scale (plus a foreign file's offset), float32."""
        return self.network.logits(self.integers(x, mode, quantize, progress, layout))

    def trace(
        self, x: ArrayLike, mode: str = "fast", quantize: bool = False, layout: str | None = None
    ) -> dict[str, NDArray[np.int64]]:
        """The integers each unit of the hardware gives, int64 (N, C, H, W), by the name of the last layer in it."""
        codes = self.codes(x, quantize, layout)
        traced = [((p.unit.threshold or p.unit.layer).name, p.output.shape) for p in self.plan.processes if p.unit]
        size = sum(shape.size for _, shape in traced)
        library = compile_simulation(self.directory, mode, trace=True)
        simulation = Simulation(library, codes.shape[1], self.network.output.shape.size, size)
        batches = simulation.batches(codes, *_parallel(len(codes), size))
        none = np.empty((0, size), np.int64)
        values = np.concatenate([none, *(batch.trace for batch in batches if batch.trace is not None)])
        result, start = {}, 0
        for name, shape in traced:
            result[name] = _images(values[:, start : start + shape.size], shape)
            start += shape.size
        return result


def _images(values: NDArray[np.int64], shape: Shape) -> NDArray[np.int64]:
    """Values (N, H·W·C), as they stream, as (N, C, H, W)."""
    return values.reshape(-1, shape.h, shape.w, shape.c).transpose(0, 3, 1, 2)


def _parallel(images: int, values: int) -> tuple[int, int]:
    """Threads and images per batch: small enough for memory and to keep every processor busy."""
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    size = max(1, min(BATCH_BYTES // (8 * max(values, 1)), -(-images // (4 * threads))))
    return threads, size


def _with_progress(batches: Iterable[Batch], images: int, show: bool) -> Iterator[Batch]:
    with Progress(disable=not show) as bar:
        task = bar.add_task("simulating", total=images)
        for batch in batches:
            bar.advance(task, len(batch.integers))
            yield batch
