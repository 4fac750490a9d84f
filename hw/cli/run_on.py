"""The verb `run-on`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from crq.hw.ir.graph import Network
    from crq.hw.ir.layers import IntArray


@click.command(name="run-on")
@click.argument("port")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--project", "directory", default=".", type=click.Path(path_type=Path), help="The RTL project; default: here."
)
@click.option("--baud", type=click.IntRange(1), help="Bits per second; default: 115200.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def run_on(port: str, images: tuple[Path, ...], directory: Path, baud: int | None, as_json: bool) -> None:
    """Send IMAGES (files, or .npy arrays of codes) to the board at the serial PORT and print what it answers.

    The board must hold the bitstream that `crq bitstream` made of the project.
    """
    import numpy as np

    from crq.hw.ir.images import input_codes
    from crq.hw.project import open_project
    from crq.hw.rtl.board.driver import connected
    from crq.hw.rtl.board.pictures import codes_of

    project = open_project(directory)
    project.require_one_port("crq run-on")
    network = project.network
    of_file = [input_codes(network, codes_of(network, path)) for path in images]
    places = [
        str(path) if len(codes) == 1 else f"{path}[{i}]"
        for path, codes in zip(images, of_file, strict=True)
        for i in range(len(codes))
    ]
    with connected(port, network, bytes.fromhex(project.manifest.source["sha256"])) as board:
        facts = board.facts()
        if baud:
            board.speed_up(facts.khz, round(facts.khz * 1000 / baud))
        found = board.integers(np.concatenate(of_file))
    rows = [{"image": place, **row} for place, row in zip(places, _answers(network, found), strict=True)]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        chosen = f"{row['class']} " if "class" in row else ""
        values = "; ".join(", ".join(f"{value:.3g}" for value in part) for part in row["results"])
        click.echo(f"{row['image']}: {chosen}({values})")


def _answers(network: Network, integers: IntArray) -> list[dict[str, Any]]:
    """Per image `results`, a list of numbers per output of the file; and the `class` of the largest logit, where they
    may be those of classes: crq's files of other tasks name none."""
    import numpy as np

    [output] = network.outputs
    single = output.shape.pixels == 1
    given = network.results(integers)
    parts = [np.asarray(part).reshape(len(integers), -1) for part in (given if isinstance(given, tuple) else [given])]
    rows: list[dict[str, Any]] = [{"results": [part[i].tolist() for part in parts]} for i in range(len(integers))]
    metadata = network.metadata
    if single and network.gives_classes:
        return [{**row, "class": int(integers[i].item())} for i, row in enumerate(rows)]
    classifies = "class_names" in metadata.other or metadata.frozen_hash is None
    if single and output.shape.c > 1 and not network.scores[0].facts.names and classifies:
        for row, scores in zip(rows, network.logits(integers.reshape(len(integers), -1)), strict=True):
            row["class"] = int(np.argmax(scores))
    return rows
