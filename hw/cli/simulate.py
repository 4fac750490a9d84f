"""The verb `simulate`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crq.hw.cli.data import DataOptions, data_options

if TYPE_CHECKING:
    from crq.hw.verify.link import Link

RANDOM_IMAGES = 100


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--mode", type=click.Choice(["fast", "ap", "hls", "rtl"]),
    help="Of an HLS project: native integers (fast, the default), the bit-accurate types that Vitis HLS uses (ap), or "
    "these in the code that synthesis reads (hls). RTL projects have one, rtl.",
)  # fmt: skip
@data_options("Images (for example digits:test); default: random, extreme and bounding.")
@click.option(
    "--reference", type=click.Path(path_type=Path), help="Run folder or frozen.pt: compare with live PyTorch."
)
@click.option("--limit", type=click.IntRange(1), help="Use at most this many images.")
@click.option(
    "--trace", type=click.Path(path_type=Path, dir_okay=False),
    help="Also compare every layer's integers, naming the first that differs, and save them to this .npz file.",
)  # fmt: skip
@click.option(
    "--checks/--no-checks", default=None,
    help="Run the proofs of the project's form. HLS: multiplier-free, sources, accumulators, thresholds, FIFO depths, "
    "mutations. RTL: lint, multiplier-free, cycles, back-pressure, resets, initial state, accumulators, thresholds, "
    "mutations. Default: for networks of up to 5 million products per image.",
)  # fmt: skip
@click.option("--changed", is_flag=True, help="Take a design that was changed on purpose since the build as it is.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def simulate(
    directory: Path, mode: str | None, data: DataOptions, reference: Path | None, limit: int | None,
    trace: Path | None, checks: bool | None, changed: bool, as_json: bool,
) -> None:  # fmt: skip
    """Simulate the project in DIRECTORY and compare every integer. Exit code 1 if any differs.

    A design that is not what the build wrote is refused without --changed.

    An HLS project is simulated in C, an RTL project in Verilator, images in parallel. The simulation is compiled once
    and kept in the project.
    """
    from crq.convert.frozen import frozen_file
    from crq.files import write_arrays
    from crq.hw.forms.verdicts import keep
    from crq.hw.ir.vectors import all_vectors
    from crq.hw.project import open_project
    from crq.hw.verify.live import against, described, verdict_facts, verify
    from crq.hw.verify.live import trace as trace_layers
    from crq.hw.verify.proofs.size import is_small, products

    project = open_project(directory)
    if not changed:
        project.check_unchanged()
    mode = project.mode(mode)
    score = note = None
    if data.name is not None:
        codes, score, note = data.load(project.network, limit)
    else:
        codes = all_vectors(project.network, RANDOM_IMAGES, bounding_limit=RANDOM_IMAGES)[:limit]
    verdict = verify(project, codes, reference, mode=mode, score=score, progress=sys.stderr.isatty() and not as_json)
    links: list[Link] = []
    if trace is not None:
        values, links = trace_layers(project, codes, reference, mode=mode)
        write_arrays(trace, values)
    results = project.check() if checks or (checks is None and is_small(project.network)) else []
    equal = all(link.equal for link in (verdict, *links)) and all(r.ok for r in results)
    keep(
        project, f"simulate {mode} against {against(reference)} on {data.name or 'vectors'}",
        {
            "against": against(reference), "mode": mode, "data": data.name, "images": verdict.images,
            "integers": verdict.integers, "differing": verdict.differing, "equal": equal,
            "figures": verdict.figures and dict(verdict.figures),
            "layers": [link.facts() for link in links], "proofs": [r._asdict() for r in results],
        },
        reference and frozen_file(reference),
    )  # fmt: skip
    if as_json:
        facts = {**verdict_facts(verdict, mode, reference), "checks": [r._asdict() for r in results]}
        facts |= {"layers": [link.facts() for link in links], "note": note}
        click.echo(json.dumps(facts, indent=2))
    else:
        for line in (described(verdict), *links, *results):
            click.echo(str(line))
        if note:
            click.echo(f"note: {note}")
        if checks is None and not results:
            count = products(project.network)
            click.echo(f"proofs skipped: {count:,} products per image are not a small network; --checks runs them")
        if not verdict.equal and trace is None:
            click.echo("`--trace layers.npz` says in which layer it begins")
    if not equal:
        sys.exit(1)
