"""The verb `bitstream`."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crq.hw.cli.data import DataOptions, data_options
from crq.hw.cli.progress import heard_by, steps_shown

if TYPE_CHECKING:
    from rich.progress import Progress

    from crq.hw.rtl.bitstream.project import Bitstream

IMAGES = 20


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--board", help="Board, for example ulx3s-25f; default: the one that the project was built for.")
@click.option("--clock", type=float, metavar="MHZ", help="Clock to reach; default: the project's.")
@click.option("--slower", is_flag=True, help="Where the clock is not reached: take one that is.")
@click.option("--seeds", type=click.IntRange(1), default=8, show_default=True, help="Placements to try for the clock.")
@click.option("-j", "--jobs", type=click.IntRange(1), default=2, show_default=True, help="Placements at a time.")
@click.option(
    "--verify", type=click.IntRange(0), default=IMAGES, show_default=True, metavar="N",
    help="Simulate the netlists of synthesis and of place and route on N images; 0: do not.",
)  # fmt: skip
@data_options("Images for --verify (for example digits:test); default: random, extreme and bounding.")
@click.option(
    "--reference", type=click.Path(path_type=Path), help="Run folder or frozen.pt: compare with live PyTorch."
)
@click.option("--cache", type=click.Path(path_type=Path), help="Folder of finished steps; default: ~/.cache/crq.")
@click.option("--program", is_flag=True, help="Program the board that is connected.")
@click.option("--changed", is_flag=True, help="Take a design that was changed on purpose since the build as it is.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def bitstream(
    directory: Path, board: str | None, clock: float | None, slower: bool, seeds: int, jobs: int, verify: int,
    data: DataOptions, reference: Path | None, cache: Path | None, program: bool, changed: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make the bitstream of the RTL project in DIRECTORY for a board, and compare its netlists with the network.

    Finished steps are kept: after an interruption the same command goes on. Exit code 1 if an integer differs.

    For a board with a Zynq (PYNQ-Z2, KV260, …) it writes the script of a Vivado project instead, and a PYNQ driver, of
    an RTL or HLS project: run Vivado on it yourself.
    """
    from crq.errors import ToolError
    from crq.hw.devices.boards import find_board
    from crq.hw.devices.catalog import for_vivado
    from crq.hw.errors import HwError
    from crq.hw.project import HlsProject, RtlProject, open_project
    from crq.hw.rtl.bitstream.project import FILE, summary
    from crq.hw.rtl.bitstream.project import bitstream as make

    project = open_project(directory)
    if not changed:
        project.check_unchanged()
    wanted = board or project.manifest.board
    if wanted and not for_vivado(wanted):
        find_board(wanted)  # raises for what is no board, or one that needs Vivado and has no Zynq
    project.require_one_port("crq bitstream")
    if board and isinstance(project, RtlProject) and (elsewhere := project.elsewhere(board)):
        click.echo(f"note: {elsewhere}", err=True)  # the clock and the folding were chosen for another FPGA
    if for_vivado(wanted):
        folder = project.vivado(board)
        commands = project.vivado_commands(folder)
        said = [f"written    {folder}   (no Vivado has run its script)"]
        if isinstance(project, HlsProject):
            state = "is there" if project.has_ip else "not made yet, the first step"
            said.append(f"IP         {project.name}_axi: {state}")
        said += [f"{'now run' if i == 0 else 'then':10} {command}" for i, command in enumerate(commands)]
        click.echo(json.dumps({"folder": str(folder), "run": commands}, indent=2) if as_json else "\n".join(said))
        return
    if not isinstance(project, RtlProject):
        raise HwError(
            f"{directory} is an HLS project, of which `crq bitstream` writes Vivado projects for boards with a Zynq, "
            "such as --board pynq-z2; open tools make bitstreams of RTL projects: crq build --target rtl"
        )
    with steps_shown(as_json) as bar:
        made = make(
            project, board, clock_mhz=clock, slower=slower, seeds=seeds, jobs=jobs, cache=cache, heard=heard_by(bar)
        )
        found = _verified(made, verify, data, reference, cache, bar) if verify else []
    facts = json.loads((made.folder / FILE).read_text())
    text = f"{summary(facts).rstrip()}\nbitstream   {made.file}"
    click.echo(json.dumps(facts, indent=2) if as_json else text)
    if not all(netlist.equal for netlist in found):
        sys.exit(1)
    if program:
        done = subprocess.run(made.program, capture_output=as_json, check=False)
        if done.returncode:
            raise ToolError(
                f"`{shlex.join(made.program)}` ended with status {done.returncode}: is the board connected, may this "
                "user open it, and are openFPGALoader's libraries there (apt-get install libftdi1-2 libhidapi-hidraw0)?"
            )


def _verified(
    made: Bitstream, count: int, data: DataOptions, reference: Path | None, cache: Path | None, bar: Progress
) -> list[Any]:  # fmt: skip
    from crq.hw.ir.vectors import all_vectors
    from crq.hw.verify.netlists import check_netlists

    network = made.built.network
    codes = data.load(network, count).codes if data.name else all_vectors(network, count, bounding_limit=count)[:count]
    heard = heard_by(bar)
    return check_netlists(
        made, codes, reference, cache=cache,
        heard=lambda stage, n: heard(f"simulating the netlist of {stage}", "" if n == len(codes) else f"{n} images"),
    )  # fmt: skip
