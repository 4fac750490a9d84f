"""Writes an RTL project: first beside its place, then renamed, so that no half-written project is ever seen."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crq.files import temporary_beside
from crq.hw.dataflow.timing import RTL
from crq.hw.dataflow.words import words_of
from crq.hw.devices.catalog import Device, find
from crq.hw.fold.limits import check_limits
from crq.hw.fold.options import clock_of
from crq.hw.fold.resolve import resolve
from crq.hw.fold.search import Choice
from crq.hw.forms.folder import check_target, hashes, put
from crq.hw.forms.host import host_py
from crq.hw.forms.manifest import FILE, Manifest
from crq.hw.forms.render import render
from crq.hw.forms.vectors import vectors
from crq.hw.ir.graph import Network
from crq.hw.ir.images import input_codes
from crq.hw.ir.vectors import GIVEN_IMAGES
from crq.hw.read.load import AnyModel
from crq.hw.read.origin import Origin, load_graph
from crq.hw.rtl.axi import axi_top
from crq.hw.rtl.lines import wrapped
from crq.hw.rtl.order import used
from crq.hw.rtl.plan import Plan, make_plan
from crq.hw.rtl.readme import readme_md
from crq.options import BuildOptions

TEST_IMAGES, TEST_CYCLES = 3, 30_000
"""That the testbench sends, if they take no more cycles: simulators other than Verilator are slow."""


@dataclass(frozen=True, eq=False)
class Made:
    """A project that is to be written."""

    plan: Plan
    options: BuildOptions
    device: Device
    choice: Choice
    origin: Origin


def write_project(
    model: AnyModel, target: Path, options: BuildOptions, name: str, images: Any
) -> None:  # fmt: skip
    """The first of `images`, as a project takes them, begin the vectors. Raises `HwError` for a network or option that
    the hardware cannot have, and if `target` holds anything."""
    target = target.resolve()
    check_target(target, replace=False)
    device = find(options.part)
    graph, origin = load_graph(model, options.argmax)
    network = Network(graph)
    check_limits(network, options.io_type)
    choice = resolve(network, options, device, RTL)
    plan = make_plan(network, options.io_type, choice.folds, name, device.synthesis)
    given = None if images is None else input_codes(network, images)[:GIVEN_IMAGES]
    target.parent.mkdir(parents=True, exist_ok=True)
    work = temporary_beside(target)
    work.mkdir()
    try:
        _Files(work, Made(plan, options, device, choice, origin)).write(given)
        put(work, target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


class _Files:
    def __init__(self, root: Path, made: Made) -> None:
        self.root, self.made, self.plan, self.name = root, made, made.plan, made.plan.name

    def text(self, path: str, content: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def write(self, images: NDArray[np.integer] | None) -> None:
        plan, name = self.plan, self.name
        shipped = vectors(plan.network, [port.shape for port in plan.outputs], images)
        self.text("vectors/input_codes.dat", shipped.inputs)
        self.text("vectors/expected.dat", shipped.expected)
        manifest = self.manifest(shipped.facts)
        self.write_design(wrapped(f"// {manifest.made_of}\n"))
        self.write_testbench(shipped.facts["images"])
        clock = f"{clock_of(self.made.options):g}"
        for kind in ("xdc", "sdc"):
            text = render("crq.hw.rtl", f"constraints.{kind}", name=name, clock=clock)
            self.text(f"constraints/{name}.{kind}", text)
        plan.network.model.save(str(self.root / "integer_graph.onnx"))
        self.text("host.py", host_py(plan.network, name, plan.inputs, plan.outputs))
        self.text("README.md", readme_md(plan, manifest))
        self.text(FILE, replace(manifest, files=hashes(self.root)).to_json())

    def write_design(self, head: str) -> None:
        design, top = self.plan.design, f"{self.name}_axi"
        core = axi_top(self.name, self.plan.inputs, self.plan.outputs)
        sources = used({**design.sources, f"{top}.sv": core}, top)
        for name, text in {**sources, **design.memories}.items():
            made = name.endswith(".sv") and not name.startswith("crq_")  # the library is the same in every project
            self.text(f"rtl/{name}", head + text if made else text)
        self.text("sources.f", "".join(f"rtl/{name}\n" for name in sources))

    def write_testbench(self, images: int) -> None:
        pace, ports = self.plan.pipeline, (*self.plan.inputs, *self.plan.outputs)
        words = sum(words_of(port).per_image for port in ports)
        count = max(1, min(images, TEST_IMAGES, TEST_CYCLES // pace.interval))
        longest = 2 * max(pace.interval, words) + 20
        facts = {"name": self.name, "images": count, "longest": longest, "latency": 20 * pace.latency, "period": 10}
        template = "testbench.py" if len(ports) == 2 else "testbench_ports.py"
        self.text(f"tb/test_{self.name}.py", render("crq.hw.rtl", template, **facts))
        self.text("tb/run.py", render("crq.hw.rtl", "run.py", name=self.name))
        self.text("tb/Makefile", render("crq.hw.rtl", "Makefile"))

    def manifest(self, testbench: dict[str, object]) -> Manifest:
        plan, made = self.plan, self.made
        return Manifest(
            project=self.name,
            target="rtl",
            source=made.origin._asdict(),
            part=made.device.part,
            board=made.device.board,
            clock_period=clock_of(made.options),
            io_type=plan.io_type,
            folding=plan.folds,
            goal=made.choice.goal,
            why=made.choice.why,
            wanted=made.choice.wanted,
            layers=plan.modules,
            tops={"network": self.name, "axi": f"{self.name}_axi"},
            inputs=[words_of(port)._asdict() for port in plan.inputs],
            results=[words_of(port)._asdict() for port in plan.outputs],
            testbench=testbench,
            versions={package: metadata.version(package) for package in ("crq", "qonnx", "onnx")},
            files={},
        )
