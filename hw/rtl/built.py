"""A built project of the RTL form: its simulation in Verilator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from crq.hw.dataflow.words import Words, pack, unpack, whole_beats
from crq.hw.devices.catalog import find
from crq.hw.errors import HwError
from crq.hw.forms import built as forms
from crq.hw.forms.built import Integers
from crq.hw.forms.folder import own
from crq.hw.ir.images import input_codes
from crq.hw.ir.layers import IntArray
from crq.hw.ir.ports import apart
from crq.hw.rtl.bench import Bench, bytes_of, compile_bench, key
from crq.hw.rtl.cores import axi_bench, axi_words, beat_words, network_bench, traced_ports
from crq.hw.rtl.drive import PLAIN, Program, Run, Stimulus, run, run_all
from crq.hw.rtl.plan import Plan, make_plan

LIST = "sources.f"


class Built(forms.Simulated):
    """A project in SystemVerilog."""

    modes = checked = ("rtl",)

    @property
    def simulator(self) -> str:
        return "Verilog simulation"

    @cached_property
    def plan(self) -> Plan:
        facts = self.manifest
        return make_plan(self.network, facts.io_type, self.folds, self.name, find(facts.part).synthesis)

    def sources(self) -> dict[str, str]:
        """The project's Verilog as it is now, in the order of compilation, by file name. Raises `HwError` for files
        that are not there."""
        try:
            listed = [Path(name) for name in (self.directory / LIST).read_text().split()]
            return {path.name: (self.directory / path).read_text() for path in listed}
        except OSError as error:
            raise HwError(f"{self.directory}: {error}; build the project again") from error

    def program(self, bench: Bench, label: str, words: Sequence[Words]) -> Program:
        """The simulation of `bench`, kept in the folder `build` and used again while sources and tools stay."""
        sources = self.sources()
        path = self.directory / "build" / f"{label}-{key(bench, sources)}"
        if not path.is_file():
            compile_bench(bench, sources, path)
            others = [p for p in path.parent.glob(f"{label}-????????????????") if p != path]
            own(self.directory, path, instead_of=others)
        pace, cuts = self.plan.pipeline, sum(w.per_image for side in axi_words(self.plan) for w in side)
        patience = 4 * (pace.latency + pace.interval + cuts) + 1000
        probes = tuple((bytes_of(probe.bits), probe.beats) for probe in bench.probes)
        counts, sizes = tuple(w.per_image for w in words), tuple(map(bytes_of, bench.out_bits))
        return Program(path, self.directory / "rtl", counts, sizes, patience, probes)

    def core(self, traced: bool = False) -> Program:
        """The simulation of the AXI4-Stream core."""
        label = "core-trace" if traced else "core"
        return self.program(axi_bench(self.plan, traced), label, axi_words(self.plan)[1])

    def alone(self) -> Program:
        """That of the network without the core around it, whose words are beats."""
        return self.program(network_bench(self.plan), "network", beat_words(self.plan)[1])

    def run_beats(self, codes: IntArray, stimulus: Stimulus = PLAIN) -> tuple[list[IntArray], Run]:
        """Codes (N, C, H, W) through the network alone, one image behind the other: the integers (N, C, H, W) of each
        output as they stream, and when they came."""
        words, results = beat_words(self.plan)
        found = run(self.alone(), self.packed(codes, words), stimulus)
        return self.unpacked(found, results), found

    def run_core(
        self, codes: IntArray, stimulus: Stimulus = PLAIN, done: Callable[[], object] = lambda: None,
        traced: bool = False, together: bool = False,
    ) -> tuple[list[IntArray], Run]:  # fmt: skip
        """The same through the core; `together`: in one process, one image behind the other."""
        send = run if together else run_all
        words, results = axi_words(self.plan)
        found = send(self.core(traced), self.packed(codes, words), stimulus, done, traced)
        return self.unpacked(found, results), found

    def packed(self, codes: IntArray, words: Sequence[Words]) -> list[NDArray[np.uint8]]:
        """Codes of images as the `words` of each input."""
        parts = zip(apart(self.network.inputs, codes), self.plan.inputs, words, strict=True)
        return [pack(part, port, size) for part, port, size in parts]

    def unpacked(self, found: Run, words: Sequence[Words]) -> list[IntArray]:
        """The integers (N, C, H, W) of each output, which came as `words`."""
        streams = zip(found.streams, self.plan.outputs, words, strict=True)
        return [unpack(stream.words, port, size) for stream, port, size in streams]

    def integers(
        self, x: Any, mode: str | None = None, quantize: bool = False, progress: bool = False, layout: str | None = None
    ) -> Integers:
        """The integers of the network's output, int64 (N, C, H, W), or (N, C) if it is a vector; of outputs of several
        sizes a tuple by port."""
        self.mode(mode)
        codes = input_codes(self.network, x, quantize, layout).astype(np.int64)
        with Progress(console=Console(stderr=True), disable=not progress) as bar:
            task = bar.add_task("simulating", total=len(codes))
            found, _ = self.run_core(codes, done=lambda: bar.advance(task))
        return self.as_results(found)

    def trace(
        self, x: Any, mode: str | None = None, quantize: bool = False, layout: str | None = None
    ) -> dict[str, NDArray[np.int64]]:
        """The integers each unit of the hardware gives, int64 (N, C, H, W), by the name of the last layer in it."""
        self.mode(mode)
        codes = input_codes(self.network, x, quantize, layout).astype(np.int64)
        _, found = self.run_core(codes, traced=True)
        ports = traced_ports(self.plan)
        return {
            name: unpack(seen, port, whole_beats(port))
            for name, port, seen in zip(self.traced, ports, found.probes, strict=True)
        }
