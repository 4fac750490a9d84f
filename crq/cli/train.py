"""The verb `train`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import click

from crq.cli.changes import changed_recipe
from crq.cli.stopping import stoppable


@click.command()
@click.argument("recipe")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path),
    help="Folder for the run: new, empty, or that of a trial, which is set aside.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Continue the interrupted run in the output folder.")
@click.option("--pretrained", metavar="RUN", help="Start from the float network of this run folder.")
@click.option("--seed", type=int, help="Use this seed instead of the recipe's.")
@click.option("--epochs", type=int, help="Fit the recipe's phases to this many epochs in all.")
@click.option("--data-root", help="Folder with the recipe's data files, instead of the recipe's.")
@click.option(
    "--download", is_flag=True, help="Fetch the public data set that the recipe names first, where files are missing."
)
@click.option(
    "--steps", type=int, help="Stop every phase after this many steps: a trial, whose accuracies mean nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def train(
    recipe: str,
    output: Path,
    resume: bool,
    pretrained: str | None,
    seed: int | None,
    epochs: int | None,
    data_root: str | None,
    download: bool,
    steps: int | None,
    as_json: bool,
) -> None:
    """Train a network to ternary weights as RECIPE says: a TOML file or a built-in name.

    Writes frozen.pt, checkpoints, metrics, plots, summary.json and manifest.json. `crq recipes` lists built-in ones.
    """
    from crq.train import data
    from crq.train.recipe import check_penalties
    from crq.train.trainer import train_recipe

    loaded = changed_recipe(recipe, data_root, epochs, seed=seed, steps=steps)
    check_penalties(loaded, recipe)
    if download:
        data.fetch(loaded.data.name, loaded.data.root)
    with stoppable(output, "the same command with --resume"):
        summary = train_recipe(loaded, output, resume=resume, pretrained=pretrained)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    elif summary:
        _print_summary(summary)
        click.echo(f"Run folder: {output}")
        given = {"-o": output, "--epochs": epochs, "--seed": seed, "--data-root": data_root, "--pretrained": pretrained}
        words = [str(word) for pair in given.items() if pair[1] is not None for word in pair]
        _print_next(summary, shlex.join(["crq", "train", recipe, *words]), output)


def _print_next(summary: dict[str, Any], again: str, output: Path) -> None:
    """What to do now; again: the command without --steps."""
    if summary["not_exportable"]:
        click.echo(f"Not exportable: {summary['not_exportable']}.")
    if summary["steps"]:
        click.echo(f"next: {again}, which sets this trial aside")
    elif not summary["not_exportable"]:
        click.echo(f"next: {shlex.join(['crq', 'export', str(output), '-o', summary['name'] + '.onnx'])}")


def _print_summary(summary: dict[str, Any]) -> None:
    if summary["steps"]:
        click.echo(
            f"Trial of {summary['steps']} steps per phase: network and data fit together; its accuracies mean nothing"
        )
        return
    from rich.console import Console
    from rich.table import Table

    from crq.figures import shown

    console = Console()
    console.print(f"{summary['name']} ({summary['method']}), {summary['test_images']:,} test samples", highlight=False)
    table = Table()
    table.add_column("network")
    metric = summary["metric"]
    table.add_column(metric, justify="right")
    for stage, value in summary[metric].items():
        table.add_row(stage, shown(metric, value))
    console.print(table)
    layers = Table()
    for heading in ("layer", "weights", "J/‖W‖² before", "after", "now", "zeros", "α"):
        layers.add_column(heading, justify="left" if heading == "layer" else "right")
    for name, row in summary["layers"].items():
        costs = (f"{row[key]:.3f}" for key in ("cost_before", "cost_after", "cost"))
        layers.add_row(name, f"{row['weights']:,}", *costs, f"{row['zeros']:.0%}", f"{row['alpha']:.4f}")
    console.print(layers)
    bits = summary["size"]["bits_per_weight"]
    console.print(
        f"{summary['size']['weights']:,} weights at {bits['packed']:.2f} bits as packed "
        f"(base-3 {bits['base3']:.2f}, Huffman {bits['huffman']:.2f}, entropy {bits['entropy']:.2f})",
        highlight=False,
    )
