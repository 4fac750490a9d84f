"""The verb `compare`."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crq.cli.changes import changed_recipe
from crq.cli.stopping import stoppable

if TYPE_CHECKING:
    from crq.train.compared import Row
    from crq.train.recipe import Recipe


def _rate(ctx: click.Context, parameter: click.Parameter, value: float) -> float:
    if not 0 < value < math.inf:  # nan neither
        raise click.BadParameter(f"{value:g}: expected a positive, finite number")
    return value


@click.command()
@click.argument("recipe")
@click.option(
    "--methods", default="ste,twn,lsq,crq,crq+,int8", show_default=True,
    help="Which to compare, with commas between; int8: integers of 8 bits in every layer. The first is the yardstick.",
)  # fmt: skip
@click.option(
    "--seeds", type=click.IntRange(1), default=3, show_default=True, help="Float networks, from the recipe's seed on."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder of the runs; default: runs/RECIPE-compared."
)
@click.option("--epochs", type=int, help="Fit the recipe's phases to this many epochs in all.")
@click.option(
    "--fps", default=1000.0, show_default=True, callback=_rate, help="Images per second of the folded estimate."
)
@click.option("--data-root", help="Folder with the recipe's data files, instead of the recipe's.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def compare(
    recipe: str, methods: str, seeds: int, output: Path | None, epochs: int | None, fps: float, data_root: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Train RECIPE by several methods from the same float networks and compare them: accuracy, zeros, LUTs.

    All have as many epochs. Finished runs in the output folder are taken, so the same command goes on where it stopped;
    comparison.json, .md and .png lie there in the end. LUTs are estimates for UltraScale+, folded for --fps and as fast
    as fits a VU13P; a network that does not reach that rate has none, and a note.
    """
    from crq.errors import CrqError
    from crq.files import write_json, write_text
    from crq.train.compared import candidate_of
    from crq.train.paired import compared, markdown
    from crq.train.plots import trade
    from crq.train.tasks import of

    loaded = changed_recipe(recipe, data_root, epochs)
    names = [name.strip() for name in methods.split(",")]
    if len(set(names)) < len(names):
        raise CrqError(f"--methods {methods}: one of them is named twice")
    for name in names:
        candidate_of(loaded, name, loaded.seed)
    output = output or Path("runs") / f"{loaded.name}-compared"
    with stoppable(output, "the same command"):
        rows, notes = _rows(loaded, names, seeds, output, fps)
    metric = of(loaded.loss, loaded.data.target == "input").metric.name
    found = compared(rows, metric)
    facts = {"recipe": loaded.name, "metric": metric, "fps": fps, "candidates": found, "notes": notes}
    write_json(output / "comparison.json", facts)
    table = "\n\n".join((markdown(rows, metric), *(f"Note: {note}" for note in notes)))
    write_text(output / "comparison.md", table + "\n")
    trade(found, output / "comparison.png", metric)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        _print(found, metric, output)
        for note in notes:
            click.echo(f"note: {note}")


def _rows(recipe: Recipe, names: list[str], seeds: int, output: Path, fps: float) -> tuple[list[Row], list[str]]:
    """A row per seed and candidate, told of on the way, and notes on those without LUTs."""
    from crq.figures import shown
    from crq.train.compared import candidate_of, float_of, row, trained

    rows: list[Row] = []
    notes: list[str] = []
    for seed in range(recipe.seed, recipe.seed + seeds):
        start = output / f"float-{seed}"
        summary = trained(float_of(recipe, seed), start)
        metric = summary["metric"]
        click.echo(f"seed {seed}: float {shown(metric, summary[metric]['float'])}", err=True)
        for name in names:
            chosen = candidate_of(recipe, name, seed)
            rows.append(row(name, chosen, output / f"{name}-{seed}", start, partial(_price, fps=fps, notes=notes)))
            click.echo(f"seed {seed}: {name} {shown(metric, rows[-1].test)}, {rows[-1].seconds:.0f} s", err=True)
    return rows, notes


def _price(folder: Path, fps: float, notes: list[str]) -> tuple[int, int] | None:
    """The LUTs of a run, or a note of why there are none: the comparison goes on, for it took its time."""
    from crq.hw.cli.prices import luts
    from crq.hw.errors import HwError

    try:
        return luts(folder, fps)
    except HwError as error:
        notes.append(f"no LUTs of {folder.name}: {error}")
        return None


def _print(found: list[dict[str, Any]], metric: str, output: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from crq.train.paired import HEADS, cells

    console, table = Console(highlight=False), Table(box=None, pad_edge=False, header_style="bold")
    shown = [index for index, head in enumerate(HEADS) if head not in ("seeds", "held out", "CPU s")]
    for index in shown:
        head = metric if HEADS[index] == "test" else HEADS[index]
        table.add_column(head, justify="right" if index else "left", no_wrap=True)
    for one in found:
        table.add_row(*(cells(one, metric)[index] for index in shown))
    console.print(table)
    console.print(f"± is the spread of seeds, and the 95% interval of paired differences. Everything lies in {output}.")
