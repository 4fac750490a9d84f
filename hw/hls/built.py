"""A built project of the HLS form: its C simulation, run."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crq.hw.forms import built as forms
from crq.hw.forms.built import Integers, processors
from crq.hw.hls.csim import Simulation, compile_simulation
from crq.hw.hls.plan import Plan, make_plan
from crq.hw.ir.layers import Shape
from crq.progress import counted

BATCH_BYTES = 1 << 24  # integers held per batch and thread


class Built(forms.Simulated):
    """A project of the HLS form."""

    modes = ("fast", "ap", "hls")
    checked = ("fast", "ap")

    @property
    def simulator(self) -> str:
        return "C simulation"

    @property
    def has_ip(self) -> bool:
        """Whether Vitis HLS has left the IP of the AXI4-Stream core in the folder."""
        found = self.directory.glob(f"{self.name}_prj/*/impl/ip/component.xml")
        return any(f"<spirit:name>{self.name}_axi</spirit:name>" in file.read_text(errors="replace") for file in found)

    @cached_property
    def plan(self) -> Plan:
        return make_plan(self.network, self.manifest.io_type, self.folds, self.name)

    def integers(
        self, x: Any, mode: str | None = None, quantize: bool = False, progress: bool = False, layout: str | None = None
    ) -> Integers:
        """The integers of the network's output, int64 (N, C, H, W), or (N, C) if it is a vector; of outputs of several
        sizes a tuple by port."""
        codes = self.codes(x, quantize, layout)
        size = self.outputs
        simulation = Simulation(compile_simulation(self.directory, self.mode(mode)), codes.shape[1], size)
        result = np.empty((len(codes), size), np.int64)
        done = 0
        batches = ((len(b.integers), b) for b in simulation.batches(codes, *_parallel(len(codes), size)))
        for batch in counted(batches, "simulating", len(codes), progress):
            result[done : done + len(batch.integers)] = batch.integers
            done += len(batch.integers)
        shapes = [stream.shape for stream in self.plan.outputs]
        parts = np.split(result, np.cumsum([shape.size for shape in shapes])[:-1], axis=1)
        return self.as_results([_images(part, shape) for part, shape in zip(parts, shapes, strict=True)])

    @property
    def outputs(self) -> int:
        """Integers of an image, of all outputs."""
        return sum(output.shape.size for output in self.network.outputs)

    def trace(
        self, x: Any, mode: str | None = None, quantize: bool = False, layout: str | None = None
    ) -> dict[str, NDArray[np.int64]]:
        """The integers each unit of the hardware gives, int64 (N, C, H, W), by the name of the last layer in it."""
        codes = self.codes(x, quantize, layout)
        traced = self.traced
        size = sum(shape.size for shape in traced.values())
        library = compile_simulation(self.directory, self.mode(mode), trace=True)
        simulation = Simulation(library, codes.shape[1], self.outputs, size)
        batches = simulation.batches(codes, *_parallel(len(codes), size))
        none = np.empty((0, size), np.int64)
        values = np.concatenate([none, *(batch.trace for batch in batches if batch.trace is not None)])
        result, start = {}, 0
        for name, shape in traced.items():
            result[name] = _images(values[:, start : start + shape.size], shape)
            start += shape.size
        return result


def _images(values: NDArray[np.int64], shape: Shape) -> NDArray[np.int64]:
    """Values (N, H·W·C), as they stream, as (N, C, H, W)."""
    return values.reshape(-1, shape.h, shape.w, shape.c).transpose(0, 3, 1, 2)


def _parallel(images: int, values: int) -> tuple[int, int]:
    """Threads and images per batch: small enough for memory and to keep every processor busy."""
    threads = processors()
    size = max(1, min(BATCH_BYTES // (8 * max(values, 1)), -(-images // (4 * threads))))
    return threads, size
