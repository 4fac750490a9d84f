"""The verbs of the hardware: build, simulate."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hw.options import parse_folds, parse_roms

if TYPE_CHECKING:
    from hw.equality import Link

RANDOM_IMAGES = 100


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the new project.")
@click.option("--part", default="xc7z020clg400-1", show_default=True, help="FPGA part or board name.")
@click.option("--clock-period", default=5.0, show_default=True, help="Clock period in ns.")
@click.option("--io-type", type=click.Choice(["io_stream", "io_parallel"]), default="io_stream", show_default=True)
@click.option("--target-fps", type=float, help="Images per second to reach with the least area.")
@click.option("--target-latency", type=float, help="Microseconds in which one image must pass, with the least area.")
@click.option("--best-fit", is_flag=True, help="The highest rate that fits the part.")
@click.option("--fold", "folds", multiple=True, metavar="LAYER=PE,SIMD", help="Folding of one layer; may be repeated.")
@click.option("--rom", multiple=True, metavar="LAYER=lut|bram", help="Memory of one layer's weights; may be repeated.")
@click.option("--no-fit-check", is_flag=True, help="Build even if the weights exceed the part's memory.")
@click.option("--name", help="Name of the project and its top function; default: the file's.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def build(
    file: Path, output: Path, part: str, clock_period: float, io_type: str, target_fps: float | None,
    target_latency: float | None, best_fit: bool, folds: tuple[str, ...], rom: tuple[str, ...], no_fit_check: bool,
    name: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Build the Vitis HLS project of the ternary QONNX FILE."""
    from rich.console import Console

    import hw
    from hw.explain import folding_table

    project = hw.build(
        file, output, part=part, clock_period=clock_period, io_type=io_type, target_fps=target_fps,
        target_latency=target_latency, best_fit=best_fit, folding=parse_folds(folds), weight_rom=parse_roms(rom),
        project_name=name, fit_check=not no_fit_check,
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps({"directory": str(output), **project.manifest}, indent=2))
        return
    layers = len(project.folds)
    click.echo(f"{output}: project {project.name!r}, {layers} layers, {io_type}, {part}, {clock_period:g} ns")
    Console(highlight=False).print(folding_table(project))
    click.echo(f"next: crq simulate {output}")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--mode", type=click.Choice(["fast", "ap"]), default="fast", show_default=True,
    help="Native integers, or the bit-accurate types that Vitis HLS uses.",
)  # fmt: skip
@click.option("--data", help="Images, as NAME:SPLIT (for example digits:test); default: random, extreme and bounding.")
@click.option("--data-root", help="Folder with the data's files.")
@click.option(
    "--reference", type=click.Path(path_type=Path), help="Run folder or frozen.pt: compare with live PyTorch."
)
@click.option("--limit", type=int, help="Use at most this many images.")
@click.option(
    "--trace", type=click.Path(path_type=Path, dir_okay=False),
    help="Also compare every layer's integers, naming the first that differs, and save them to this .npz file.",
)  # fmt: skip
@click.option(
    "--checks/--no-checks", default=None,
    help="Run the proofs: multiplier-free, sources, FIFO depths, mutations. "
    "Default: for networks of up to 5 million products per image.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def simulate(
    directory: Path, mode: str, data: str | None, data_root: str | None, reference: Path | None, limit: int | None,
    trace: Path | None, checks: bool | None, as_json: bool,
) -> None:  # fmt: skip
    """C simulation of the project in DIRECTORY, compared integer by integer. Exit code 1 if any differs."""
    import hw
    from hw.checks.size import is_small, products
    from hw.files import write_arrays
    from hw.vectors import all_vectors
    from hw.verify import trace as trace_layers
    from hw.verify import verify

    project = hw.open_project(directory)
    labels = None
    if data is not None:
        from crq.data import load

        images = load(data, root=data_root)
        codes, labels = images.images.numpy()[:limit], images.labels.numpy()[:limit]
    else:
        codes = all_vectors(project.network, RANDOM_IMAGES, bounding_limit=RANDOM_IMAGES)[:limit]
    verdict = verify(project, codes, reference, mode=mode, labels=labels, progress=sys.stderr.isatty() and not as_json)
    links: list[Link] = []
    if trace is not None:
        values, links = trace_layers(project, codes, reference, mode=mode)
        write_arrays(trace, values)
    results = project.check() if checks or (checks is None and is_small(project.network)) else []
    if as_json:
        facts = {**verdict._asdict(), "bit_exact": verdict.bit_exact, "checks": [r._asdict() for r in results]}
        facts["layers"] = [link.facts() for link in links]
        click.echo(json.dumps(facts, indent=2))
    else:
        for line in (verdict, *links, *results):
            click.echo(str(line))
        if checks is None and not results:
            count = products(project.network)
            click.echo(f"proofs skipped: {count:,} products per image are not a small network; --checks runs them")
    if not verdict.bit_exact or any(link.differing for link in links) or not all(r.ok for r in results):
        sys.exit(1)
