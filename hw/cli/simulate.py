"""The verb `simulate`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crq.hw.cli.data import DataOptions, data_options

if TYPE_CHECKING:
    from crq.hw.ir.graph import Network
    from crq.hw.ir.layers import IntArray
    from crq.hw.project import Project
    from crq.hw.verify.link import Link
    from crq.hw.verify.proofs.proof import Proof

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

    A design that is not what the build wrote is refused without --changed. With it, made inputs (random, extreme and
    bounding) are compared beside those of --data.

    An HLS project is simulated in C, an RTL project in Verilator, images in parallel. The simulation is compiled once
    and kept in the project.
    """
    from crq.files import write_arrays
    from crq.hw.project import open_project
    from crq.hw.verify.live import trace as trace_layers
    from crq.hw.verify.live import verdict_facts, verify
    from crq.hw.verify.proofs.size import is_small, products

    project = open_project(directory)
    if not changed:
        project.check_unchanged()
    mode = project.mode(mode)
    score = note = None
    if data.name is not None:
        codes, score, note = data.load(project.network, limit)
    else:
        codes = _vectors(project.network)[:limit]
    shown = sys.stderr.isatty() and not as_json
    verdict = verify(project, codes, reference, mode=mode, score=score, progress=shown)
    edited = project.changed
    made = _made(project, reference, mode, shown) if edited and data.name is not None else None
    links: list[Link] = []
    if trace is not None:
        values, links = trace_layers(project, codes, reference, mode=mode)
        write_arrays(trace, values)
    results = project.check() if checks or (checks is None and is_small(project.network)) else []
    compared = [verdict, made] if made else [verdict]
    equal = all(link.equal for link in (*compared, *links)) and all(r.ok for r in results)
    _keep(project, compared, links, results, mode, data.name, reference)
    if as_json:
        facts = {**verdict_facts(verdict, mode, reference), "checks": [r._asdict() for r in results]}
        facts |= {"layers": [link.facts() for link in links], "note": note, "changed": edited}
        facts["made"] = None if made is None else verdict_facts(made, mode, reference)
        click.echo(json.dumps(facts, indent=2))
    else:
        for line in (*_compared(compared, edited), *links, *results):
            click.echo(str(line))
        if note:
            click.echo(f"note: {note}")
        if checks is None and not results:
            count = products(project.network)
            click.echo(f"proofs skipped: {count:,} products per image are not a small network; --checks runs them")
        if trace is None and not all(link.equal for link in compared):
            click.echo("`--trace layers.npz` says in which layer it begins")
    if not equal:
        sys.exit(1)


def _vectors(network: Network) -> IntArray:
    from crq.hw.ir.vectors import all_vectors

    return all_vectors(network, RANDOM_IMAGES, bounding_limit=RANDOM_IMAGES)


def _made(project: Project, reference: Path | None, mode: str, progress: bool) -> Link:
    """Of a changed design, whose change a few images may not show: made inputs beside them."""
    from crq.hw.verify.live import verify

    return verify(project, _vectors(project.network), reference, mode=mode, progress=progress)


def _keep(
    project: Project, compared: list[Link], links: list[Link], results: list[Proof], mode: str, data: str | None,
    reference: Path | None,
) -> None:  # fmt: skip
    """What was found stays in the project: of the data, or, if they show no difference, of made inputs that do."""
    from crq.hw.forms.verdicts import keep
    from crq.hw.verify.live import against, reference_file

    verdict = next((link for link in compared if not link.equal), compared[0])
    keep(
        project, f"simulate {mode} against {against(reference)} on {data or 'vectors'}",
        {
            "against": against(reference), "mode": mode, "data": data if verdict is compared[0] else None,
            "images": verdict.images, "integers": verdict.integers, "differing": verdict.differing,
            "equal": all(link.equal for link in (*compared, *links)) and all(r.ok for r in results),
            "figures": verdict.figures and dict(verdict.figures),
            "layers": [link.facts() for link in links], "proofs": [r._asdict() for r in results],
        },
        reference_file(reference),
    )  # fmt: skip


def _compared(links: list[Link], changed: list[str]) -> list[str]:
    """What was found, of the data and of made inputs; of a changed design what was changed."""
    from crq.hw.forms.folder import named
    from crq.hw.report.verdict import MADE
    from crq.hw.verify.live import described

    titles = ("", f"{MADE} inputs: ")
    unseen = f"; CHANGED: {named(changed)}; these images show no difference" if changed else ""
    return [
        f"{title}{described(link)}{unseen if link.equal else ''}" for title, link in zip(titles, links, strict=False)
    ]
