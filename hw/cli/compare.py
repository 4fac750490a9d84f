"""The verb `compare`."""

from __future__ import annotations

import csv
import io
import json
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from crq.cli.changes import changed_recipe
from crq.cli.stopping import stoppable

if TYPE_CHECKING:
    from crq.train.compared import Row
    from crq.train.recipe import Recipe


class Priced(NamedTuple):
    """What the LUTs of a comparison are for: a part or board, a clock (ns) and samples per second."""

    part: str
    clock_period: float
    fps: float

    @property
    def folded(self) -> str:
        return f"folded for {self.fps:,.10g}/s"

    @property
    def where(self) -> str:
        return f" for {self.part} at {1000 / self.clock_period:.4g} MHz"


def _rate(ctx: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value < math.inf:  # nan neither
        raise click.BadParameter(f"{value:g}: expected a positive, finite number")
    return value


@click.command()
@click.argument("recipe")
@click.option(
    "--methods", default="ste,twn,lsq,crq,crq+,int8", show_default=True,
    help="Which to compare, with commas between; int8: integers of 8 bits in every layer. The first is the yardstick.",
)  # fmt: skip
@click.option(
    "--seeds", type=click.IntRange(1), default=3, show_default=True,
    help="Float networks, from the recipe's seed on; intervals take 3.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder of the runs; default: runs/RECIPE-compared."
)
@click.option("--epochs", type=int, help="Fit the recipe's phases to this many epochs in all.")
@click.option(
    "--part", help="FPGA part or board of the estimates; default: that of the recipe's [hardware], or xcvu13p."
)
@click.option(
    "--target-fps", type=float, callback=_rate,
    help="Images per second of the folded estimate; default: the recipe's target_fps, or 1000.",
)  # fmt: skip
@click.option("--data-root", help="Folder with the recipe's data files, instead of the recipe's.")
@click.option("--csv", "form", flag_value="csv", help="Print the table as CSV.")
@click.option("--latex", "form", flag_value="latex", help="Print the table as LaTeX, with its remarks as comments.")
@click.option("--json", "form", flag_value="json", help="Print the result as JSON.")
def compare(
    recipe: str, methods: str, seeds: int, output: Path | None, epochs: int | None, part: str | None,
    target_fps: float | None, data_root: str | None, form: str | None,
) -> None:  # fmt: skip
    """Train RECIPE by several methods from the same float networks and compare them: accuracy, zeros, LUTs.

    All have as many epochs. Finished runs in the output folder are taken, so the same command goes on where it stopped;
    comparison.json, .md and .png lie there in the end. LUTs are estimates, folded for --target-fps and as fast as fits
    the part; a network that does not reach that rate has none, and a note.
    """
    from crq.errors import CrqError
    from crq.files import write_json, write_text
    from crq.hw.devices.catalog import find
    from crq.train.compared import candidate_of
    from crq.train.paired import compared, markdown, remarks
    from crq.train.plots import trade
    from crq.train.tasks import of_recipe

    loaded = changed_recipe(recipe, data_root, epochs)
    names = [name.strip() for name in methods.split(",")]
    if len(set(names)) < len(names):
        raise CrqError(f"--methods {methods}: one of them is named twice")
    for name in names:
        candidate_of(loaded, name, loaded.seed)
    priced = _priced(loaded, part, target_fps)
    find(priced.part)
    output = output or Path("runs") / f"{loaded.name}-compared"
    with stoppable(output, "the same command"):
        rows, notes = _rows(loaded, names, seeds, output, priced)
    metric = of_recipe(loaded).metric.name
    found = compared(rows, metric)
    facts = {"recipe": loaded.name, "metric": metric, **priced._asdict(), "candidates": found, "notes": notes}
    write_json(output / "comparison.json", facts)
    said = [*remarks(found, metric), f"LUTs are estimates{priced.where}, {priced.folded} and as fast as fits"]
    table = "\n\n".join((markdown(rows, metric), f"{'; '.join(said)}.", *(f"Note: {note}" for note in notes)))
    write_text(output / "comparison.md", table + "\n")
    trade(found, output / "comparison.png", metric, priced.folded, priced.where)
    _print(form, facts, said, output)


def _priced(recipe: Recipe, part: str | None, fps: float | None) -> Priced:
    """What the line says, or else the recipe's own hardware."""
    from crq.hw.cli.prices import PART
    from crq.hw.devices.boards import usual_clock
    from crq.hw.devices.catalog import find
    from crq.hw.fold.search import DEFAULT_TARGET_FPS

    own = recipe.hardware.part if "hardware" in recipe.model_fields_set else PART
    clock = recipe.hardware.clock_period or usual_clock(find(part or own))
    return Priced(part or own, clock, fps or recipe.hardware.target_fps or DEFAULT_TARGET_FPS)


def _rows(
    recipe: Recipe, names: list[str], seeds: int, output: Path, priced: Priced
) -> tuple[list[Row], list[str]]:  # fmt: skip
    """A row per seed and candidate, told of on the way, and notes on those without LUTs."""
    from crq.figures import shown
    from crq.train.compared import candidate_of, float_of, row, trained

    rows: list[Row] = []
    notes: list[str] = []
    for seed in range(recipe.seed, recipe.seed + seeds):
        start = output / f"float-{seed}"
        click.echo(f"seed {seed}: the float network", err=True)
        summary = trained(float_of(recipe, seed), start)
        metric = summary["metric"]
        click.echo(f"seed {seed}: float {shown(metric, summary[metric]['float'])}", err=True)
        for name in names:
            click.echo(f"seed {seed}: {name} …", err=True)
            chosen = candidate_of(recipe, name, seed)
            rows.append(
                row(name, chosen, output / f"{name}-{seed}", start, partial(_price, priced=priced, notes=notes))
            )
            click.echo(f"seed {seed}: {name} {shown(metric, rows[-1].test)}, {rows[-1].seconds:.0f} s", err=True)
    return rows, notes


def _price(folder: Path, priced: Priced, notes: list[str]) -> tuple[int, int] | None:
    """The LUTs of a run, or a note of why there are none: the comparison goes on, for it took its time."""
    from crq.hw.cli.prices import luts
    from crq.hw.errors import HwError

    click.echo(f"{folder.name}: frozen; its LUTs are estimated …", err=True)
    try:
        return luts(folder, priced.fps, priced.part, priced.clock_period)
    except HwError as error:
        notes.append(f"no LUTs of {folder.name}: {error}")
        return None


def _print(form: str | None, facts: dict[str, Any], said: list[str], output: Path) -> None:
    """The table in the form that was asked for."""
    from crq.hw.report.latex import escaped, tabular
    from crq.train.paired import cells, heads

    metric, found = facts["metric"], facts["candidates"]
    if form == "json":
        click.echo(json.dumps(facts, indent=2))
    elif form == "csv":
        click.echo(_csv(found), nl=False)
    elif form == "latex":
        for sentence in said:
            click.echo(f"% {escaped(sentence)}")
        click.echo(tabular(heads(metric), [cells(one, metric) for one in found], {"candidate"}), nl=False)
    else:
        _table(found, metric)
        for sentence in said:
            click.echo(f"  {sentence}")
        click.echo(f"Everything lies in {output}.")
        for note in facts["notes"]:
            click.echo(f"note: {note}")


def _csv(found: list[dict[str, Any]]) -> str:
    """A row per candidate, a column per figure; shares as in comparison.json, differences in points."""
    single = [
        {key: value for key, value in one.items() if key != "tests"} | {"seeds": len(one["seeds"])} for one in found
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(single[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(single)
    return text.getvalue()


def _table(found: list[dict[str, Any]], metric: str) -> None:
    """In the terminal, whose 80 columns have no room for the times."""
    from rich.console import Console
    from rich.table import Table

    from crq.train.paired import cells, heads

    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
    shown = [index for index, head in enumerate(heads(metric)) if head != "CPU s"]
    for index in shown:
        head = heads(metric)[index].replace(" ", "\n", 1)
        table.add_column(head, justify="right" if index else "left", no_wrap=True)
    for one in found:
        table.add_row(*(cells(one, metric)[index] for index in shown))
    Console(highlight=False).print(table)
