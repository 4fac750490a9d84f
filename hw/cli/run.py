"""The verb `run`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crq.cli.changes import changed_recipe
from crq.cli.next_step import recipes_in
from crq.cli.stopping import stoppable
from crq.hw.cli.options import build_options

if TYPE_CHECKING:
    from crq.hw.report.model import Report


@click.command()
@click.argument("recipe", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for everything; default: runs/RECIPE.")
@build_options(whose="the recipe's, or ")
@click.option(
    "--board", metavar="NAME",
    help="Make the bitstream for this board too (ulx3s-25f, …): sets the part, --target rtl and a clock that suits it. "
    "For a board with a Zynq (pynq-z2, …): the Vivado project.",
)  # fmt: skip
@click.option("--seed", type=int, help="Use this seed instead of the recipe's.")
@click.option("--epochs", type=int, help="Fit the recipe's phases to this many epochs in all.")
@click.option("--data-root", help="Folder with the recipe's data files, instead of the recipe's.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(
    recipe: str | None, output: Path | None, given: dict[str, Any], board: str | None, seed: int | None,
    epochs: int | None, data_root: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Everything at once: train RECIPE, export it, build the FPGA project, simulate the test images, report.

    Without RECIPE it is the only recipe in this folder, or digits where there is none. A second call takes up what the
    first one finished. Exit code 1 if a single integer of a simulation, or a logit of the file in onnxruntime or qonnx,
    differs from the frozen PyTorch network, or if a proof fails.
    """
    from rich.console import Console

    from crq.train.recipe import check_penalties

    recipe = recipe or _only_recipe()
    loaded = changed_recipe(recipe, data_root, epochs, seed=seed)
    check_penalties(loaded, recipe)
    usual = "clock_period" not in given and loaded.hardware.clock_period is None
    if board is not None:
        given = _for_board(board, given)
    output = output or Path("runs") / loaded.name
    with stoppable(output / "train", "the same command"):
        from crq.hw.cli.steps import run_all

        console = Console(stderr=True, quiet=as_json, highlight=False)
        summary, report = run_all(loaded, output, loaded.hardware.with_given(given), console, board, usual)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        _print(summary, report, output)
    if not summary["bit_exact"]:
        sys.exit(1)


def _only_recipe() -> str:
    """The recipe that is meant where none is named."""
    found = recipes_in(Path.cwd())
    if len(found) > 1:
        raise click.UsageError(f"there are several recipes here: name one of {', '.join(found)}")
    click.echo(f"no recipe named: {found[0] if found else 'digits, as there is none here'}", err=True)
    return found[0] if found else "digits"


def _for_board(board: str, given: dict[str, Any]) -> dict[str, Any]:
    """The build options that a board sets."""
    from crq.hw.devices.boards import find_board
    from crq.hw.devices.catalog import for_vivado

    if "part" in given:
        raise click.UsageError("--part and --board: give one; a board sets its part")
    if for_vivado(board):
        return given | {"part": board}
    if given.get("target") == "hls":
        raise click.UsageError(f"--board {board} with --target hls: bitstreams are made of --target rtl")
    return given | {"part": find_board(board).name, "target": "rtl"}


def _print(summary: dict[str, Any], report: Report, output: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from crq.figures import shown

    console = Console(highlight=False)
    console.rule(f"{summary['name']}: summary")
    table = Table("network", box=None, pad_edge=False)
    metric = summary["metric"]
    table.add_column(metric, justify="right")
    for stage, value in summary[metric].items():
        table.add_row(stage, shown(metric, value))
    console.print(table)
    console.print(
        f"{summary['weights']:,} weights at {summary['bits_per_weight']:.2f} bits: {summary['weight_bytes']:,} bytes "
        f"in a file of {summary['file_bytes']:,} (float32 parameters: {summary['float_bytes']:,})"
    )
    counted = ("images", "exact_images", "integers", "exact_integers")
    totals = {key: sum(v[key] for v in summary["verdicts"]) for key in counted}
    verdict = "[bold green]bit-exact[/]" if summary["bit_exact"] else "[bold red]NOT bit-exact[/]"
    console.print(
        f"{verdict}: {totals['exact_images']:,} of {totals['images']:,} images, {totals['exact_integers']:,} of "
        f"{totals['integers']:,} integers, {summary['target'].upper()} against PyTorch"
    )
    for link in summary["runtimes"]:
        if link["claimed"] and (link["differing"] or not link["integers"]):
            console.print(f"[bold red]FAILED[/]: {link['name']}: {link['differing']:,} of {link['integers']:,} differ")
    for proof in summary["checks"]:
        if not proof["ok"]:
            console.print(f"[bold red]FAILED[/]: {proof['name']}: {proof['facts']}", markup=True)
    report.render(console)
    if summary["bitstream"]:
        console.print(summary["bitstream"]["text"].rstrip())
    console.print(f"Everything lies in {output}; summary.json is its index.")
