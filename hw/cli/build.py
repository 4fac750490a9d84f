"""The verb `build`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hw.cli.options import build_options


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the new project.")
@build_options()
@click.option("--data", help="Real images to begin the testbench with, as NAME:SPLIT (for example digits:test).")
@click.option("--data-root", help="Folder with the data's files.")
@click.option("--name", help="Name of the project and its top function; default: the file's.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def build(
    file: Path, output: Path, given: dict[str, Any], data: str | None, data_root: str | None, name: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Build the Vitis HLS project of the ternary QONNX FILE."""
    from rich.console import Console

    from hw.ir.images import byte_codes
    from hw.ir.vectors import GIVEN_IMAGES
    from hw.project import build as build_project
    from hw.report.folding import folding_table
    from hw.verify.chain import load_network

    images = None
    if data is not None:
        from crq.train.data import load

        pixels = load(data, root=data_root).images[:GIVEN_IMAGES].numpy()
        images = byte_codes(load_network(file), pixels)
    project = build_project(file, output, project_name=name, images=images, **given)
    manifest = project.manifest
    if as_json:
        click.echo(json.dumps({"directory": str(output), **manifest.to_dict()}, indent=2))
        return
    layers = len(project.folds)
    click.echo(f"{output}: project {project.name!r}, {layers} layers, {manifest.io_type}, {manifest.part}")
    Console(highlight=False).print(folding_table(project))
    click.echo(f"next: crq simulate {output}")
