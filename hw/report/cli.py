"""The verb `report`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("projects", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--part", help="Report for this part or board instead of the project's.")
@click.option("--clock-period", type=float, help="Clock period in ns instead of the project's.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write the report as one HTML file.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of tables.")
def report(
    projects: tuple[Path, ...], part: str | None, clock_period: float | None, html: Path | None, as_json: bool
) -> None:
    """Resources, latency and throughput of built PROJECTS; with several, side by side."""
    import json

    from rich.console import Console

    from hw.report.compare import render_comparison
    from hw.report.project import project_report

    if html is not None and len(projects) > 1:
        raise click.UsageError("--html writes the report of one project; name one")
    reports = [project_report(p, part=part, clock_period_ns=clock_period) for p in projects]
    if html is not None:
        reports[0].to_html(html)
    if as_json:
        click.echo(json.dumps([r.to_dict() for r in reports], indent=2) if len(reports) > 1 else reports[0].to_json())
    elif len(reports) > 1:
        render_comparison({str(p): r.to_dict() for p, r in zip(projects, reports, strict=True)}, Console())
    else:
        reports[0].render(Console())
