"""The verb `fold`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crq.hw.cli.options import FOLDING, build_options

if TYPE_CHECKING:
    from crq.hw.cli.folded import Folded
    from crq.hw.cost.network import Estimate
    from crq.hw.fold.pareto import Point


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--pareto", type=click.Path(path_type=Path), help="Plot area against throughput: a .png, .svg or .pdf.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON; with --pareto, every point and its folding too.")
@build_options(*FOLDING, "io_type", whose="the project's, or ")
def fold(
    source: Path, pareto: Path | None, as_json: bool, given: dict[str, Any],
) -> None:  # fmt: skip
    """Show how SOURCE, a project or a QONNX file, is folded, and what other foldings would trade: area for speed.

    Exit code 5 if it does not fit the part.
    """
    from crq.hw.cli.build import DOES_NOT_FIT
    from crq.hw.cli.folded import open_folded
    from crq.hw.cost.network import estimate
    from crq.hw.fold.fit import remedy, shares, told
    from crq.hw.fold.pareto import pareto as search

    opened = open_folded(source, given, unrolled=True)
    parallel = opened.io_type == "io_parallel"
    if parallel and pareto is not None:
        raise click.UsageError("--pareto: io_parallel has one folding, every layer unrolled; leave one of them out")
    chosen = estimate(opened.network, opened.folds, opened.device.priced, opened.io_type, opened.timing)
    points = []
    if pareto is not None:
        from crq.hw.report.pareto import plot

        points = search(opened.network, opened.device.priced, opened.timing, opened.clock_period_ns)
        plot(opened.name, points, chosen, opened.device, opened.clock_period_ns, pareto)
    if as_json:
        click.echo(json.dumps(_facts(opened, chosen, points), indent=2))
        return
    _print(opened, chosen, points)
    if pareto is not None:
        click.echo(f"plot: {pareto}")
    if max((found := shares(chosen.total, opened.device)).values()) > 1:
        larger = "fold it (--io-type io_stream), or take a larger part"
        what = larger if parallel else remedy(opened.network, opened.folds, opened.device, opened.timing)
        click.echo(f"Error: it does not fit {opened.device.part}: {told(found)}; {what}", err=True)
        sys.exit(DOES_NOT_FIT)


def _facts(source: Folded, chosen: Estimate, points: list[Point]) -> dict[str, Any]:
    def fps(interval: int) -> float:
        return 1e9 / (source.clock_period_ns * interval)

    facts: dict[str, Any] = {
        "name": source.name,
        "part": source.device.part,
        "clock_period_ns": source.clock_period_ns,
        "chosen": {
            "interval_cycles": chosen.pipeline.interval,
            "frames_per_second": fps(chosen.pipeline.interval),
            "bottleneck": chosen.pipeline.bottleneck,
            **chosen.total.facts(),
            "units": [
                {"name": u.name, **u.fold._asdict(), "interval_cycles": u.cycles.interval, **u.total.facts()}
                for u in chosen.units
            ],
        },
    }
    if points:
        facts["pareto"] = [
            {"interval_cycles": p.interval, "frames_per_second": fps(p.interval), **p.total.facts(),
             "folding": {name: list(fold) for name, fold in p.folds.items()}}
            for p in points
        ]  # fmt: skip
    return facts


def _print(source: Folded, chosen: Estimate, points: list[Point]) -> None:
    from rich.console import Console
    from rich.table import Table

    from crq.hw.fold.fit import shares

    console, device = Console(highlight=False), source.device
    console.print(f"[bold]{source.name}[/] on {device.part}, clock {source.clock_period_ns:g} ns")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("unit")
    for name in ("PE×SIMD", "cycles", "busy", "LUT", "BRAM36"):
        table.add_column(name, justify="right")
    for u in chosen.units:
        table.add_row(
            u.name, f"{u.fold.pe}×{u.fold.simd}", f"{u.cycles.interval:,}",
            f"{u.cycles.interval / chosen.pipeline.interval:.0%}", f"{u.total.lut:,.0f}", f"{u.total.bram36:g}",
            style="yellow" if u.name == chosen.pipeline.bottleneck else None,
        )  # fmt: skip
    console.print(table)
    console.print(
        f"{chosen.fps(source.clock_period_ns):,.0f} frames/s, "
        f"{f'bound by {chosen.pipeline.bottleneck}' if chosen.pipeline.bottleneck else 'every layer unrolled'}; "
        f"{chosen.total.lut:,.0f} LUT, {chosen.total.bram36:g} BRAM36; of the part "
        + ", ".join(f"{name} {share:.0%}" for name, share in shares(chosen.total, device).items())
    )
    if not points:
        return
    front = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("frames/s", "cycles", "LUT", "FF", "BRAM36", device.part):
        front.add_column(name, justify="right")
    for p in points:
        front.add_row(
            f"{1e9 / (source.clock_period_ns * p.interval):,.0f}", f"{p.interval:,}", f"{p.total.lut:,.0f}",
            f"{p.total.ff:,.0f}", f"{p.total.bram36:g}", _fits(shares(p.total, device)),
        )  # fmt: skip
    console.print("\nFoldings that no other beats in both speed and LUTs, and what they take of the part:")
    console.print(front)


def _fits(found: Mapping[str, float]) -> str:
    from crq.hw.fold.fit import told

    return f"{told(found)}, {'fits' if max(found.values()) <= 1 else 'does NOT fit'}"
