"""The verb `build`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hw.cli.options import folding_options

if TYPE_CHECKING:
    from hw.dataflow.units import Fold
    from hw.fold.search import Target


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the new project.")
@click.option("--io-type", type=click.Choice(["io_stream", "io_parallel"]), default="io_stream", show_default=True)
@folding_options
@click.option("--no-fit-check", is_flag=True, help="Build even if the weights exceed the part's memory.")
@click.option("--data", help="Real images to begin the testbench with, as NAME:SPLIT (for example digits:test).")
@click.option("--data-root", help="Folder with the data's files.")
@click.option("--name", help="Name of the project and its top function; default: the file's.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def build(
    file: Path, output: Path, io_type: str, part: str | None, clock_period: float | None, target: Target,
    folds: dict[str, Fold], roms: dict[str, str], no_fit_check: bool, data: str | None, data_root: str | None,
    name: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Build the Vitis HLS project of the ternary QONNX FILE."""
    from rich.console import Console

    import hw
    from hw.cli.folded import CLOCK_PERIOD, PART
    from hw.ir.images import byte_codes
    from hw.ir.vectors import GIVEN_IMAGES
    from hw.report.folding import folding_table
    from hw.verify.chain import load_network

    images = None
    if data is not None:
        from crq.train.data import load

        given = load(data, root=data_root).images[:GIVEN_IMAGES].numpy()
        images = byte_codes(load_network(file), given)
    project = hw.build(
        file, output, part=part or PART, clock_period=clock_period or CLOCK_PERIOD, io_type=io_type,
        target_fps=target.fps, target_latency=target.latency_us, best_fit=target.best_fit, folding=folds,
        weight_rom=roms, project_name=name, fit_check=not no_fit_check, images=images,
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps({"directory": str(output), **project.manifest}, indent=2))
        return
    layers = len(project.folds)
    click.echo(f"{output}: project {project.name!r}, {layers} layers, {io_type}, {project.manifest['part']}")
    Console(highlight=False).print(folding_table(project))
    click.echo(f"next: crq simulate {output}")
