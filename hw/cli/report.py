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
    """Resources, latency and throughput of built PROJECTS; with several, side by side.

    A project is a folder of `crq build`. The folder of a `crq run`, or a report.json, shows the report saved in it.
    """
    import json

    from rich.console import Console

    from crq.files import write_text
    from crq.hw.report.compare import render_comparison
    from crq.hw.report.html import render_html
    from crq.hw.report.project import report_facts
    from crq.hw.report.terminal import render

    if html is not None and len(projects) > 1:
        raise click.UsageError("--html writes the report of one project; name one")
    reports = {str(p): report_facts(p, part=part, clock_period_ns=clock_period) for p in projects}
    first = reports[str(projects[0])]
    if html is not None:
        write_text(html, render_html(first))
    if as_json:
        click.echo(json.dumps(list(reports.values()) if len(projects) > 1 else first, indent=2))
    elif len(projects) > 1:
        render_comparison(reports, Console())
    else:
        render(first, Console())
