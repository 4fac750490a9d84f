"""The verb `calibrate`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("projects", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="File of the calibration (JSON).")
@click.option("--json", "as_json", is_flag=True, help="Print the pairs and the spans as JSON.")
def calibrate(projects: tuple[Path, ...], output: Path, as_json: bool) -> None:
    """Learn from the vendor reports in your own HLS PROJECTS how far the estimates are off.

    Of each project the report of Vivado's synthesis counts, or that of Vitis HLS where there is none. `crq report
    --calibration FILE` then shows the band that they span instead of a judgement.
    """
    import json

    from crq.hw.cost.own import NAMES, RESOURCES, fit
    from crq.hw.report.vendor import pair

    if len({project.resolve() for project in projects}) < len(projects):
        raise click.UsageError("a project is named twice; each counts once")
    pairs = [pair(project) for project in projects]
    own = fit(pairs)
    own.save(output)
    if as_json:
        found = [{**p._asdict(), "ratios": {r: p.ratio(r) for r in RESOURCES}} for p in pairs]
        click.echo(json.dumps({"pairs": found, "spans": own.spans}, indent=2))
        return
    for p in pairs:
        ratios = ", ".join(
            f"{name} {p.reported[key]:,.4g} of {p.estimated[key]:,.4g} estimated (× {ratio:.2f})"
            for key, name in NAMES.items()
            if (ratio := p.ratio(key)) is not None
        )
        click.echo(f"{p.project}, {p.tool}: {ratios}")
    spans = ", ".join(f"{key} {low:.2f} to {high:.2f}" for key, (low, high) in own.spans.items())
    click.echo(f"times the estimate: {spans}\n{output}: crq report --calibration {output} PROJECT")
