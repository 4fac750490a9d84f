"""The verb `synth`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from crq.hw.cli.options import FOLDING, build_options


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--layers", help="Names of layers, with commas between; default: all.")
@click.option("--family", metavar="xcup|xc7|ecp5|ice40|gowin", help="Yosys family; default: the part's.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Result file; default: in the project.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder of earlier results; default: ~/.cache/crq.")
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Layers at a time.")
@click.option("--json", "as_json", is_flag=True, help="Print estimate and measurement as JSON.")
@build_options(*FOLDING, whose="the project's, or ")
def synth(
    source: Path, layers: str | None, family: str | None, output: Path | None, cache: Path | None, jobs: int,
    as_json: bool, given: dict[str, Any],
) -> None:  # fmt: skip
    """Synthesise layers of SOURCE, a project or a QONNX file, with Yosys: the estimate beside the measured area.

    What is synthesised is the RTL form of each layer with the FIFOs in front of it. In a project the result is kept as
    synthesis.json, and `crq report` shows it. Results are cached by content.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from crq.hw.cli.folded import open_folded
    from crq.hw.forms.folder import own
    from crq.hw.report.beside import beside, render
    from crq.hw.rtl.measure import FILE, default_cache, measure, pick, store
    from crq.hw.rtl.synth import check_family, tool

    tool()  # a missing Yosys is told before anything is read
    opened = open_folded(source, given)
    family = family or opened.device.synthesis
    check_family(family)
    names = [name.strip() for name in layers.split(",")] if layers else []
    chosen = pick(opened.network, names)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=as_json) as bar:
        task = bar.add_task(f"Yosys, {family}", total=len(chosen))
        found = measure(
            opened.network, opened.folds, chosen, family, cache=cache or default_cache(), jobs=jobs,
            on_unit=lambda name: bar.update(task, advance=1, description=f"Yosys, {family}: {name}"),
        )  # fmt: skip
    kept = output or (opened.project / FILE if opened.project else None)
    if kept is not None:
        store(kept, found)
        if opened.project and not output:
            own(opened.project, kept)
    facts = beside(opened.network, opened.folds, found)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        render(facts, Console())
        click.echo(f"kept in {kept}" if kept else "not kept: -o FILE keeps the result")
