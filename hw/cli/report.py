"""The verb `report`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("projects", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--part", help="Report for this part or board instead of the project's.")
@click.option("--clock-period", type=float, help="Clock period in ns instead of the project's.")
@click.option("--calibration", type=click.Path(path_type=Path), help="A file of `crq calibrate`.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write it as one HTML file.")
@click.option(
    "--csv", "forms", flag_value="csv", multiple=True, help="Print the row of a paper's table, one per project."
)
@click.option("--latex", "forms", flag_value="latex", multiple=True, help="The same as a LaTeX table.")
@click.option("--json", "forms", flag_value="json", multiple=True, help="Print report.json instead of tables.")
def report(
    projects: tuple[Path, ...],
    part: str | None,
    clock_period: float | None,
    calibration: Path | None,
    html: Path | None,
    forms: tuple[str, ...],
) -> None:
    """Resources, latency and throughput of built PROJECTS; with several, side by side.

    A project is a folder of `crq build`. The folder of a `crq run`, or a report.json, shows the report saved in it.
    """
    import json

    from rich.console import Console

    from crq.files import write_text
    from crq.hw.cost.own import Own
    from crq.hw.report.compare import render_comparison
    from crq.hw.report.html import render_comparison_html, render_html
    from crq.hw.report.paper import to_csv, to_latex
    from crq.hw.report.project import report_facts
    from crq.hw.report.terminal import render

    if len(set(forms)) > 1:
        raise click.UsageError(f"--{' and --'.join(dict.fromkeys(forms))} print in two forms: give one of them")
    form = next(iter(forms), None)
    if len({str(project) for project in projects}) < len(projects):
        raise click.UsageError("a project is named twice")
    own = Own.load(calibration) if calibration else None
    reports = {str(p): report_facts(p, part=part, clock_period_ns=clock_period, own=own) for p in projects}
    first = reports[str(projects[0])]
    if html is not None:
        write_text(html, render_comparison_html(reports) if len(projects) > 1 else render_html(first))
    if form == "csv":
        click.echo(to_csv(reports), nl=False)
    elif form == "latex":
        click.echo(to_latex(reports), nl=False)
    elif form == "json":
        click.echo(json.dumps(list(reports.values()) if len(projects) > 1 else first, indent=2))
    elif len(projects) > 1:
        render_comparison(reports, Console())
    else:
        render(first, Console())
