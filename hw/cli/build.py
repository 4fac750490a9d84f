"""The verb `build`."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crq.hw.cli.data import DataOptions, data_options
from crq.hw.cli.options import build_options
from crq.hw.errors import DoesNotFit

if TYPE_CHECKING:
    from crq.hw.project import Project

DOES_NOT_FIT = DoesNotFit.exit_code
"""Exit code of a project that was built for a part that it does not fit."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the new project.")
@build_options()
@data_options("Real images to begin the testbench with (for example digits:test).")
@click.option("--name", help="Name of the project and its top function; default: the file's.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def build(
    file: Path, output: Path, given: dict[str, Any], data: DataOptions, name: str | None, as_json: bool
) -> None:  # fmt: skip
    """Build the FPGA project of the ternary QONNX FILE: for Vitis HLS, or in SystemVerilog (--target rtl).

    Exit code 5 if it does not fit the part.
    """
    from rich.console import Console

    from crq.hw.devices.catalog import find
    from crq.hw.fold.fit import remedy, told
    from crq.hw.ir.images import as_file
    from crq.hw.ir.vectors import GIVEN_IMAGES
    from crq.hw.project import build as build_project
    from crq.hw.report.folding import filling, filling_told, folding_table
    from crq.hw.report.terminal import WIDE
    from crq.hw.verify.chain import load_network

    images = None
    if data.name is not None:
        network = load_network(file)
        images = as_file(network, data.load(network, GIVEN_IMAGES).codes)
    project = build_project(file, output, project_name=name, images=images, **given)
    manifest = project.manifest
    shares = filling(project)
    fits = max(shares.values()) <= 1 or not given.get("fit_check", True)
    if as_json:
        click.echo(json.dumps({"directory": str(output), "fits": fits, **manifest.to_dict()}, indent=2))
    else:
        layers = len(project.folds)
        click.echo(f"{output}: project {project.name!r}, {layers} layers, {manifest.io_type}, {manifest.part}")
        console = Console(highlight=False)
        narrow = console.width < WIDE
        console.print(f"folded for {manifest.goal}", style="italic")
        console.print(folding_table(project, narrow))
        console.print(filling_told(project), style="dim")
        if narrow:
            console.print(
                f"why each layer is folded so: {output / 'README.md'}", style="dim", soft_wrap=True, markup=False
            )
        if any(kind == "ArgMax" for scores in project.network.scores for kind, _ in scores.facts.head):
            click.echo("note: the file ends in ArgMax, which the host applies; with --argmax the hardware does")
        if fits:
            click.echo(f"next: crq simulate {shlex.quote(str(output))}")
    if not fits:
        unrolled, device = manifest.io_type == "io_parallel", find(manifest.part)
        folding = "take a larger part" if unrolled else remedy(project.network, project.folds, device, project.timing)
        lower = f", {_slower(project, given)}".rstrip(", ") if manifest.wanted else ""
        click.echo(
            f"Error: {output} is built, but does not fit {manifest.part}: by the estimate it needs {told(shares)} of "
            f"it. Remedies: {folding}{lower}, or give --no-fit-check if the estimate is not to decide",
            err=True,
        )
        sys.exit(DOES_NOT_FIT)


def _slower(project: Project, given: dict[str, Any]) -> str:
    """The remedy of a lower rate, or nothing."""
    from crq.hw.devices.catalog import find
    from crq.hw.fold.resolve import rate_that_fits, resolve
    from crq.options import BuildOptions

    options = BuildOptions().with_given(given).with_given({"best_fit": True})
    return rate_that_fits(
        project.network, lambda: resolve(project.network, options, find(options.part), project.timing),
        project.manifest.clock_period, project.timing,
    )  # fmt: skip
