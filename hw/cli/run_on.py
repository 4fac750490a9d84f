"""The verb `run-on`."""

from __future__ import annotations

import json
from pathlib import Path

import click


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

    from hw.ir.images import input_codes
    from hw.project import open_project
    from hw.rtl.board.driver import connected
    from hw.rtl.board.pictures import codes_of

    project = open_project(directory)
    network = project.network
    codes = np.concatenate([input_codes(network, codes_of(network, path)) for path in images])
    with connected(port, network, bytes.fromhex(project.manifest.source["sha256"])) as board:
        facts = board.facts()
        if baud:
            board.speed_up(facts.khz, round(facts.khz * 1000 / baud))
        found = board.integers(codes)
    single = network.output.shape.pixels == 1
    logits = np.asarray(network.logits(found.reshape(len(found), -1) if single else found)).reshape(len(found), -1)
    answers = [int(row.argmax()) for row in logits]
    if as_json:
        rows = zip(images, answers, logits.tolist(), strict=False)
        click.echo(json.dumps([{"image": str(p), "class": a, "logits": z} for p, a, z in rows], indent=2))
        return
    for path, answer, row in zip(images, answers, logits, strict=False):
        click.echo(f"{path}: {answer} ({', '.join(f'{value:.3g}' for value in row)})")
