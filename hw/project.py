"""The facade: `build` makes a project of a file, `open_project` opens one, `Project` simulates, checks and reports."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from abc import abstractmethod
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crq.errors import VerificationError
from crq.files import write_text
from crq.hw.dataflow.names import identifier
from crq.hw.dataflow.words import Passing, words_of
from crq.hw.devices.catalog import find
from crq.hw.errors import HwError
from crq.hw.forms.built import Simulated, manifest_of
from crq.hw.forms.folder import check_target, own
from crq.hw.hls import built as hls
from crq.hw.hls.axi import has_axi_top
from crq.hw.hls.plugin import require_registered
from crq.hw.hls.scripts import AXI_SCRIPT
from crq.hw.ir.images import input_codes
from crq.hw.ir.vectors import GIVEN_IMAGES
from crq.hw.read.load import AnyModel, check_kind
from crq.hw.report.model import Report
from crq.hw.report.project import project_report
from crq.hw.rtl import built as rtl
from crq.hw.rtl.bitstream.flow import SEEDS
from crq.hw.rtl.bitstream.project import Bitstream, bitstream
from crq.hw.rtl.names import taken
from crq.hw.rtl.writer import write_project
from crq.hw.verify.netlists import check_netlists
from crq.hw.verify.proofs.proof import Proof
from crq.hw.verify.proofs.suite import run_proofs
from crq.hw.vivado.project import FOLDER, Core, vivado_project
from crq.options import BuildOptions


class Project(Simulated):
    """A built project with its proofs and its report."""

    @property
    @abstractmethod
    def axi_ports(self) -> tuple[Sequence[Passing], Sequence[Passing]]:
        """Inputs and results, as the AXI4-Stream top passes them. Raises `HwError` if there is none."""

    def check(self) -> list[Proof]:
        """The proofs of its form, each with what it examined."""
        return run_proofs(self)

    def report(self) -> Report:
        """Resources, latency and throughput for the project's part and clock: estimates, with what is known besides."""
        return project_report(self)

    def vivado(self, board: str | None = None) -> Path:
        """Writes the folder vivado/BOARD: the script of a Vivado project that puts the network between a DMA and the
        memory of the board's processor, and a PYNQ driver. Returns its path; no Vivado has run it.

        `board`: by default the project's. Raises `HwError` for one without a Zynq, for a project without an AXI4-Stream
        top, and for an HLS project built for another FPGA.
        """
        wanted = board or self.manifest.board
        if wanted is None:
            raise HwError(f"{self.directory}: built for the part {self.manifest.part}; name a board with --board")
        self.require_one_port("crq bitstream")
        if self.manifest.target == "hls" and (elsewhere := self.elsewhere(wanted)):
            raise HwError(f"{elsewhere} (Vitis HLS makes an IP for one part)")
        [source], [result] = ([words_of(port).bits for port in ports] for ports in self.axi_ports)
        core = Core(self.name, source, result, self.manifest.target == "rtl")
        device = find(wanted)
        files = vivado_project(core, device, self.manifest.clock_period)
        folder = self.directory / FOLDER / (device.board or wanted).lower()
        for name, text in files.items():
            write_text(folder / name, text)
            own(self.directory, folder / name)
        return folder

    def vivado_commands(self, folder: Path) -> list[str]:
        """What remains to be run, in this order, to make the bitstream of `folder`, which `vivado` wrote."""
        return [shlex.join(["vivado", "-mode", "batch", "-source", str(folder / "build.tcl")])]

    def elsewhere(self, board: str) -> str | None:
        """That the project was built for another FPGA than `board` has, and the remedy; None for the same."""
        device, own_device = find(board), find(self.manifest.part)
        if device.die == own_device.die:
            return None
        build = shlex.join(
            ["crq", "build", self.manifest.source["name"], "--target", self.manifest.target, "--part", board]
        )
        return f"{self.directory} is built for {own_device.part}, and {board} has {device.part}; for it: {build} …"


class HlsProject(Project, hls.Built):
    """A project for Vitis HLS."""

    @property
    def axi_ports(self) -> tuple[Sequence[Passing], Sequence[Passing]]:
        if not has_axi_top(self.plan):
            raise HwError(
                f"{self.directory}: an io_parallel project for HLS has no AXI4-Stream top; build it with --target rtl, "
                "or with --io-type io_stream"
            )
        return self.plan.inputs, self.plan.outputs

    def vivado_commands(self, folder: Path) -> list[str]:
        export = f"(cd {shlex.quote(str(self.directory))} && vitis-run --tcl {AXI_SCRIPT} --mode hls)"
        return [*([] if self.has_ip else [export]), *super().vivado_commands(folder)]


class RtlProject(Project, rtl.Built):
    """A project in SystemVerilog."""

    @property
    def axi_ports(self) -> tuple[Sequence[Passing], Sequence[Passing]]:
        return self.plan.inputs, self.plan.outputs

    def bitstream(
        self, board: str | None = None, clock_mhz: float | None = None, seeds: int = SEEDS,
        images: ArrayLike | None = None, reference: str | PathLike[str] | None = None,
    ) -> Bitstream:  # fmt: skip
        """The bitstream for a board (by default the one it was built for) at a clock (by default its own), in the
        folder bitstream/BOARD; with `images`, both netlists are compared on them with live PyTorch (`reference`: a run
        folder or frozen.pt) or the integer graph.

        Raises `HwError` for a board, clock or size that cannot be, `ToolError` for tools, and `VerificationError` if
        an integer differs.
        """
        made = bitstream(self, board, clock_mhz=clock_mhz, seeds=seeds)
        if images is not None:
            codes = input_codes(self.network, np.asarray(images))
            wrong = [n for n in check_netlists(made, codes, reference) if not n.equal]
            if wrong:
                raise VerificationError("; ".join(f"netlist of {n.stage}: {n}" for n in wrong))
        return made


FORMS: dict[str, type[Project]] = {"hls": HlsProject, "rtl": RtlProject}
"""By `target` of a build."""


def build(
    model: AnyModel, output_dir: str | PathLike[str], *, options: BuildOptions | None = None,
    project_name: str | None = None, images: Any = None, **given: Any,
) -> Project:  # fmt: skip
    """Writes the project of `model` (path, ModelProto, or ModelWrapper with an integer graph) into `output_dir`.

    `given` are fields of `crq.options.BuildOptions` (target, part, clock_period, io_type, target_fps, target_latency,
    best_fit, folding, weight_rom, fit_check) that override `options`. `project_name` is the top function's or
    module's; by default the file's. The first few of `images`, as `Project` takes them, come first in the testbench;
    without them its images are made up. Raises `HwError` for a folder that is not empty, for a network or option the
    hardware cannot have and for images that the network does not take, `CrqError` for an option that does not exist.
    """
    check_kind(model)
    directory = Path(output_dir)
    check_target(directory, replace=False)
    chosen = (options or BuildOptions()).with_given(given)
    name = project_name or _project_name(model)
    if chosen.target == "rtl":
        write_project(model, directory, chosen, name, images)
    elif chosen.target == "hls":
        _write_hls(model, directory, chosen, name, images)
    else:
        raise HwError(f"target {chosen.target!r}: expected one of {', '.join(FORMS)}")
    return open_project(directory)


def _write_hls(
    model: AnyModel, directory: Path, options: BuildOptions, name: str, images: Any
) -> None:  # fmt: skip
    require_registered()
    import hls4ml  # takes a second, which opening a project need not

    with contextlib.redirect_stdout(io.StringIO()):  # hls4ml narrates on stdout
        converted = hls4ml.converters.convert_from_onnx_model(
            str(model) if isinstance(model, PathLike) else model, output_dir=str(directory), project_name=name,
            backend="crq", **options.to_dict(),
        )  # fmt: skip
        if images is not None:
            converted.crq_images = input_codes(converted.crq_plan.network, images)[:GIVEN_IMAGES]
        converted.write()


def _project_name(model: AnyModel) -> str:
    stem = Path(os.fspath(model)).stem if isinstance(model, (str, PathLike)) else model.graph.name
    found = identifier(re.sub(r"^[^A-Za-z]*", "", stem) or "network", prefix="network")
    return f"network_{found}" if taken(found) else found


def open_project(directory: str | PathLike[str]) -> Project:
    """The project in `directory`. Raises `HwError` unless it is one, of a format this version knows."""
    path = Path(directory)
    return FORMS[manifest_of(path).target](path)
