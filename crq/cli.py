"""The `crq` command: a group whose verbs are entry points, loaded when called, and the trainer's own verbs."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

import click

GROUP = "crq.commands"
_FIRST = ("run", "train", "export", "build", "simulate", "report", "inspect", "doctor")


class _Verbs(click.Group):
    """Finds verbs among the installed packages' entry points, and turns the project's errors into messages."""

    def _entries(self) -> dict[str, importlib.metadata.EntryPoint]:
        return {entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = self._entries()
        return [name for name in _FIRST if name in names] + sorted(set(names) - set(_FIRST))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries().get(cmd_name)
        return entry.load() if entry else None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None:
            from crq.errors import nearest

            ctx.fail(f"no command {args[0]!r}{nearest(args[0], self.list_commands(ctx))}; `crq --help` lists them")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            code = getattr(error, "exit_code", None)
            if not isinstance(code, int) or isinstance(error, (click.ClickException, click.exceptions.Exit)):
                raise
            click.echo(f"Error: {error}", err=True)
            sys.exit(code)


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`crq VERB --help` explains one verb. A first try, with nothing to prepare: crq run digits",
)
@click.version_option(package_name="crq", message="crq %(version)s")
def main() -> None:
    """Train networks to ternary weights and turn them into multiplier-free FPGA projects, bit for bit.

    \b
    A project goes through these steps, each one a verb:
      crq train RECIPE -o runs/a        PyTorch: train, cluster, quantize, fine-tune, freeze
      crq export runs/a -o a.onnx       one QONNX file, two bits per weight
      crq build a.onnx -o a_hls         an hls4ml project
      crq simulate a_hls                its C simulation against PyTorch, every bit
      crq report a_hls                  resources, latency, throughput
    """


@click.command()
@click.argument("recipe")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the run; empty or new."
)
@click.option("--resume", is_flag=True, help="Continue the interrupted run in the output folder.")
@click.option("--pretrained", metavar="RUN", help="Start from the float network of this run folder.")
@click.option("--seed", type=int, help="Use this seed instead of the recipe's.")
@click.option("--data-root", help="Folder with the recipe's data files, instead of the recipe's.")
@click.option("--steps", type=int, help="Stop every phase after this many steps: a trial of the recipe.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def train(
    recipe: str,
    output: Path,
    resume: bool,
    pretrained: str | None,
    seed: int | None,
    data_root: str | None,
    steps: int | None,
    as_json: bool,
) -> None:
    """Train a network to ternary weights as RECIPE says: a TOML file or a built-in name.

    Writes the frozen network (frozen.pt), checkpoints, metrics, plots, summary.json and manifest.json into the
    output folder. `crq recipes` lists the built-in recipes.
    """
    from crq import recipe as recipes
    from crq.trainer import train as run

    loaded = recipes.load(recipe)
    values = loaded.model_dump(mode="python")
    changes: dict[str, Any] = {key: value for key, value in (("seed", seed), ("steps", steps)) if value is not None}
    if data_root is not None:
        changes["data"] = {**values["data"], "root": data_root}
    if changes:
        loaded = recipes.parse({**values, **changes}, recipe)
    summary = run(loaded, output, resume=resume, pretrained=pretrained)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    elif summary:
        _print_summary(summary, output)


def _print_summary(summary: dict[str, Any], output: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"{summary['name']} ({summary['method']}), {summary['test_images']} test images")
    table.add_column("network")
    table.add_column("accuracy", justify="right")
    for stage, value in summary["accuracy"].items():
        table.add_row(stage, f"{value:.2%}")
    console.print(table)
    layers = Table()
    for heading in ("layer", "weights", "J/‖W‖² before", "after", "now", "zeros", "α"):
        layers.add_column(heading, justify="left" if heading == "layer" else "right")
    for name, row in summary["layers"].items():
        costs = (f"{row[key]:.3f}" for key in ("cost_before", "cost_after", "cost"))
        layers.add_row(name, f"{row['weights']:,}", *costs, f"{row['zeros']:.0%}", f"{row['alpha']:.4f}")
    console.print(layers)
    if summary["not_exportable"]:
        console.print(f"Not exportable: {summary['not_exportable']}.")
    console.print(f"Run folder: {output}", highlight=False)


@click.command("recipes")
@click.option("--show", metavar="NAME", help="Print this recipe as TOML, to start your own from.")
def recipes_command(show: str | None) -> None:
    """List the built-in recipes, or print one."""
    from crq import recipe as recipes

    if show:
        click.echo(recipes.load(show).to_toml(), nl=False)
        return
    for name in recipes.built_in():
        loaded = recipes.load(name)
        click.echo(f"{name:<28} {loaded.network.name} on {loaded.data.name}, {loaded.ternary.method}")
