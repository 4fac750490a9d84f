"""A built project: `build` makes one from a file, `open_project` opens one, `Project` simulates and checks it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from qonnx.core.modelwrapper import ModelWrapper

from hw.dataflow.names import identifier
from hw.dataflow.units import Fold
from hw.errors import HwError
from hw.hls.csim import Simulation, compile_simulation
from hw.hls.plan import Plan, make_plan
from hw.ir.graph import Network
from hw.ir.images import input_codes
from hw.ir.vectors import GIVEN_IMAGES
from hw.read.origin import Model
from hw.verify.proofs.result import Check

if TYPE_CHECKING:
    from hw.report.model import Report

BATCH_BYTES = 1 << 24  # integers held per batch and thread


def build(
    model: Model, output_dir: str | PathLike, *, part: str = "xc7z020clg400-1", clock_period: float = 5.0,
    io_type: str = "io_stream", folding: Mapping[str, Fold] | None = None, weight_rom: Mapping[str, str] | None = None,
    target_fps: float | None = None, target_latency: float | None = None, best_fit: bool = False,
    project_name: str | None = None, fit_check: bool = True, images: ArrayLike | None = None,
) -> Project:  # fmt: skip
    """Writes the project of `model` (path, ModelProto, or ModelWrapper with an integer graph) into `output_dir`.

    `clock_period` in ns; `folding` has explicit folds by layer, `weight_rom` where a layer's weights lie ("lut" or
    "bram"; by default their size decides). `target_fps` in images per second and `target_latency` in µs for one image
    are reached with the least area; `best_fit` takes the highest rate that fits the part (hw.fold). `fit_check` refuses
    weights that exceed the memory of the part. The first few of `images`, as `Project` takes them, come first in the
    testbench; without them its images are made up. Raises `HwError` for a folder that is not empty, for a network or
    option the hardware cannot have and for images that the network does not take.
    """
    from hw.hls.plugin import require_registered
    from hw.hls.target import check_target

    target = Path(output_dir)
    check_target(target, replace=False)
    require_registered()
    import hls4ml

    name = project_name or _project_name(model)
    with contextlib.redirect_stdout(io.StringIO()):  # hls4ml narrates on stdout
        converted = hls4ml.converters.convert_from_onnx_model(
            str(model) if isinstance(model, PathLike) else model, output_dir=str(target), project_name=name,
            backend="crq", part=part, clock_period=clock_period, io_type=io_type, folding=folding,
            weight_rom=weight_rom, target_fps=target_fps, target_latency=target_latency, best_fit=best_fit,
            fit_check=fit_check,
        )  # fmt: skip
        if images is not None:
            converted.crq_images = input_codes(converted.crq_plan.network, np.asarray(images)[:GIVEN_IMAGES])
        converted.write()
    return open_project(target)


def _project_name(model: Model) -> str:
    stem = Path(os.fspath(model)).stem if isinstance(model, (str, PathLike)) else model.graph.name
    return identifier(re.sub(r"^[^A-Za-z]*", "", stem) or "network", prefix="network")


def open_project(directory: str | PathLike) -> Project:
    """The project in `directory`. Raises `HwError` unless it is one, of a format this version knows."""
    path = Path(directory)
    manifest = path / "manifest.json"
    if not manifest.is_file():
        raise HwError(f"{path}: no crq project (no manifest.json); make one with `crq build`")
    facts = json.loads(manifest.read_text())
    if facts.get("format") != 1:
        raise HwError(
            f"{manifest}: format {facts.get('format')!r}; this version reads format 1. Build the project again"
        )
    return Project(path, facts)


class Project:
    """A project folder. Images are integer codes (N, C, H, W) or (N, inputs), or floats on the input grid."""

    def __init__(self, directory: Path, manifest: dict[str, Any]) -> None:
        self.directory, self.manifest = directory, manifest

    def __repr__(self) -> str:
        return f"Project({str(self.directory)!r})"

    @property
    def name(self) -> str:
        return self.manifest["project"]

    @cached_property
    def graph(self) -> ModelWrapper:
        return ModelWrapper(str(self.directory / "integer_graph.onnx"))

    @cached_property
    def network(self) -> Network:
        return Network(self.graph)

    @property
    def folds(self) -> dict[str, Fold]:
        return {name: Fold(*fold) for name, fold in self.manifest["folding"].items()}

    @cached_property
    def plan(self) -> Plan:
        return make_plan(self.network, self.manifest["io_type"], self.folds, self.name)

    def codes(self, x: ArrayLike, quantize: bool = False) -> NDArray[np.int32]:
        """Input codes, int32 (N, inputs) in streaming order, of images.

        Floats are what the file takes, before its own preprocessing; they must then lie on the input grid (multiples of
        the input scale) unless `quantize`, which rounds half to even and clips. Raises `HwError` otherwise, and for
        codes out of range or a wrong shape.
        """
        codes = input_codes(self.network, x, quantize)
        return codes.transpose(0, 2, 3, 1).reshape(len(codes), -1)

    def integers(
        self, x: ArrayLike, mode: str = "fast", quantize: bool = False, progress: bool = False
    ) -> NDArray[np.int64]:
        """The integers of the network's output, int64 (N, C, H, W), or (N, C) if it is a vector."""
        codes = self.codes(x, quantize)
        size = self.network.output.shape.size
        simulation = Simulation(compile_simulation(self.directory, mode), codes.shape[1], size)
        result = np.empty((len(codes), size), np.int64)
        done = 0
        for batch in _with_progress(simulation.batches(codes, *_parallel(len(codes), size)), len(codes), progress):
            result[done : done + len(batch.integers)] = batch.integers
            done += len(batch.integers)
        return self._shaped(result, self.plan.output.shape, self.network.output.shape)

    def simulate(
        self, x: ArrayLike, mode: str = "fast", quantize: bool = False, progress: bool = False
    ) -> NDArray[np.float32]:
        """Logits: the integers times the output scale (plus a foreign file's offset), float32."""
        return self.network.logits(self.integers(x, mode, quantize, progress))

    def trace(self, x: ArrayLike, mode: str = "fast", quantize: bool = False) -> dict[str, NDArray[np.int64]]:
        """The integers each unit of the hardware gives, int64 (N, C, H, W), by the name of the last layer in it."""
        codes = self.codes(x, quantize)
        outputs = [p.output for p in self.plan.processes if p.unit]
        names = [(p.unit.threshold or p.unit.layer).name for p in self.plan.processes if p.unit]
        traced = sum(s.shape.size for s in outputs)
        library = compile_simulation(self.directory, mode, trace=True)
        simulation = Simulation(library, codes.shape[1], self.network.output.shape.size, traced)
        batches = simulation.batches(codes, *_parallel(len(codes), traced))
        values = np.concatenate([batch.trace for batch in batches if batch.trace is not None])
        result, start = {}, 0
        for name, stream in zip(names, outputs, strict=True):
            piece = values[:, start : start + stream.shape.size]
            start += stream.shape.size
            c, h, w = stream.shape
            result[name] = piece.reshape(-1, h, w, c).transpose(0, 3, 1, 2)
        return result

    def check(self) -> list[Check]:
        """The proofs: multiplier-free by compilation, source rules, accumulator widths, FIFO depths, mutations."""
        from hw.verify.proofs import accumulator, fifo, lint, multiplier, mutation

        return [
            multiplier.check(self.directory, self.name, self.plan),
            lint.check(self.directory),
            accumulator.check(self.directory, self.plan),
            fifo.check(self.directory, self.plan),
            mutation.check(self),
        ]

    def report(self) -> Report:
        """Resources, latency and throughput for the project's part and clock: estimates, with what is known besides."""
        from hw.report.project import project_report

        return project_report(self.directory)

    @staticmethod
    def _shaped(values: NDArray[np.int64], carried: Any, shape: Any) -> NDArray[np.int64]:
        image = values.reshape(-1, carried.h, carried.w, carried.c).transpose(0, 3, 1, 2)
        return image.reshape(len(values), -1) if shape.pixels == 1 else image


def _parallel(images: int, values: int) -> tuple[int, int]:
    """Threads and images per batch: small enough for memory and to keep every processor busy."""
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    size = max(1, min(BATCH_BYTES // (8 * max(values, 1)), -(-images // (4 * threads))))
    return threads, size


def _with_progress(batches: Any, images: int, show: bool) -> Any:
    if not show:
        yield from batches
        return
    from rich.progress import Progress

    with Progress() as bar:
        task = bar.add_task("simulating", total=images)
        for batch in batches:
            bar.advance(task, len(batch.integers))
            yield batch
