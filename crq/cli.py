"""The `crq` command: a group whose verbs are entry points, loaded when called, and the trainer's own verbs."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

GROUP = "crq.commands"
_FIRST = ("run", "train", "export", "check", "build", "simulate", "report", "fold", "synth")


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
        except OSError as error:
            if error.filename is None:
                raise
            click.echo(f"Error: {error.filename}: {error.strerror}", err=True)
            sys.exit(2)
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


@contextlib.contextmanager
def _stoppable(folder: Path, how: str) -> Iterator[None]:
    """On SIGINT and SIGTERM exit with 128 + the signal's number, telling `how` the run in `folder` goes on."""

    def stop(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    code: Any = None
    try:
        yield
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except SystemExit as error:
        code = error.code
    finally:
        signal.signal(signal.SIGTERM, before)
    if code is not None:
        going_on = f": {how} continues from its last checkpoint" if (folder / "recipe.toml").exists() else ""
        click.echo(f"Stopped{going_on}.", err=True)
        sys.exit(code)


@click.command()
@click.argument("recipe")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the run; empty or new."
)
@click.option("--resume", is_flag=True, help="Continue the interrupted run in the output folder.")
@click.option("--pretrained", metavar="RUN", help="Start from the float network of this run folder.")
@click.option("--seed", type=int, help="Use this seed instead of the recipe's.")
@click.option("--data-root", help="Folder with the recipe's data files, instead of the recipe's.")
@click.option("--download", is_flag=True, help="Fetch mnist, fashion-mnist or cifar10 first where files are missing.")
@click.option("--steps", type=int, help="Stop every phase after this many steps: a trial of the recipe.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def train(
    recipe: str,
    output: Path,
    resume: bool,
    pretrained: str | None,
    seed: int | None,
    data_root: str | None,
    download: bool,
    steps: int | None,
    as_json: bool,
) -> None:
    """Train a network to ternary weights as RECIPE says: a TOML file or a built-in name.

    Writes frozen.pt, checkpoints, metrics, plots, summary.json and manifest.json. `crq recipes` lists built-in ones.
    """
    from crq.train import data
    from crq.train.trainer import train_recipe as run

    loaded = _recipe(recipe, data_root, seed=seed, steps=steps)
    if download:
        data.fetch(loaded.data.name, loaded.data.root)
    with _stoppable(output, "the same command with --resume"):
        summary = run(loaded, output, resume=resume, pretrained=pretrained)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    elif summary:
        _print_summary(summary, output)


def _recipe(name: str, data_root: str | None, **changes: int | None) -> Any:
    """The recipe of that name or file, with the command line's changes."""
    from crq.train import recipe as recipes

    loaded = recipes.load(name)
    values = loaded.model_dump(mode="python")
    given: dict[str, Any] = {key: value for key, value in changes.items() if value is not None}
    if data_root is not None:
        given["data"] = {**values["data"], "root": data_root}
    return recipes.parse({**values, **given}, name) if given else loaded


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
    bits = summary["size"]["bits_per_weight"]
    console.print(
        f"{summary['size']['weights']:,} weights at {bits['packed']:.2f} bits as packed "
        f"(base-3 {bits['base3']:.2f}, Huffman {bits['huffman']:.2f}, entropy {bits['entropy']:.2f})",
        highlight=False,
    )
    if summary["not_exportable"]:
        console.print(f"Not exportable: {summary['not_exportable']}.")
    console.print(f"Run folder: {output}", highlight=False)


@click.command()
@click.argument("recipe", default="digits")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for everything; default: runs/RECIPE.")
@click.option("--part", help="FPGA part or board name; default: the recipe's, or xc7z020clg400-1.")
@click.option("--clock-period", type=float, help="Clock period in ns; default: the recipe's, or 5.")
@click.option("--io-type", type=click.Choice(["io_stream", "io_parallel"]), help="Default: the recipe's, or io_stream.")
@click.option("--target-fps", type=float, help="Images per second to reach with the least area.")
@click.option("--target-latency", type=float, help="Microseconds in which one image must pass, with the least area.")
@click.option("--best-fit", is_flag=True, default=None, help="The highest rate that fits the part.")
@click.option("--seed", type=int, help="Use this seed instead of the recipe's.")
@click.option("--data-root", help="Folder with the recipe's data files, instead of the recipe's.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(
    recipe: str, output: Path | None, seed: int | None, data_root: str | None, as_json: bool, **options: Any
) -> None:
    """Everything at once: train RECIPE, export it, build the FPGA project, simulate the test images, report.

    A second call takes up what the first one finished. Exit code 1 if a single integer of the C simulation differs
    from the frozen PyTorch network.
    """
    loaded = _recipe(recipe, data_root, seed=seed)
    output = output or Path("runs") / loaded.name
    with _stoppable(output / "train", "the same command"):
        summary, report = _run(loaded, output, loaded.hardware.options(options), quiet=as_json)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        _print_run(summary, report, output)
    if not summary["bit_exact"]:
        sys.exit(1)


def _run(recipe: Any, output: Path, options: dict[str, Any], quiet: bool) -> tuple[dict[str, Any], Any]:
    """The whole path; the summary (also written to `output`) and the report. Here the three packages meet."""
    import torch
    from rich.console import Console

    from crq.convert.frozen import FrozenModel
    from crq.errors import CrqError
    from crq.files import write_json
    from crq.train.trainer import Run
    from export.check import check_file
    from export.qonnx import to_qonnx
    from hw.devices.catalog import find
    from hw.hls.csim import compiler
    from hw.ir.vectors import all_vectors
    from hw.report.project import project_report
    from hw.verify.live import verify

    reason = recipe.ternary.not_exportable
    if reason:
        raise CrqError(f"{recipe.name} cannot become hardware: {reason}; crq train trains it all the same")
    find(options["part"])  # wrong options and missing tools are told before the training, not after
    compiler()
    folder = output / "train"
    if not folder.exists() and output.is_dir() and any(output.iterdir()):
        raise CrqError(f"output folder {output} is not empty and holds no run: choose another with -o")
    console = Console(stderr=True, quiet=quiet, highlight=False)
    seconds: dict[str, float] = {}
    clock = time.perf_counter()

    def done(step: str) -> None:
        nonlocal clock
        seconds[step] = round(time.perf_counter() - clock, 2)
        clock = time.perf_counter()

    console.rule("train")
    training = Run(recipe, folder, None, None, None, (folder / "recipe.toml").exists(), console)
    trained = training.complete()
    done("train")

    console.rule("export")
    frozen, file = FrozenModel.load(folder / "frozen.pt"), output / f"{recipe.name}.onnx"
    to_qonnx(frozen, file)
    pixels, labels = training.test.take(torch.arange(len(training.test))), training.test.labels.numpy()
    runtimes = check_file(frozen, file, pixels)
    for result in runtimes:
        console.print(f"{result.runtime}: {result.different} of {result.values:,} logits differ from PyTorch")
    done("export")

    console.rule("build")
    project = _project(file, output / f"{recipe.name}_hls", options, pixels.numpy())
    done("build")

    console.rule("simulate")
    images = pixels.numpy()
    vectors = all_vectors(project.network, 1000)
    verdicts = []
    for mode in ("fast", "ap"):
        for name, x, y in ((f"{recipe.data.name}:test", images, labels), ("random, extreme, bounding", vectors, None)):
            verdict = verify(project, x, folder, mode=mode, labels=y, progress=not quiet)
            console.print(f"{name}: {verdict}")
            verdicts.append({"data": name, **verdict._asdict(), "bit_exact": verdict.bit_exact})
    proofs = project.check()
    for proof in proofs:
        console.print(str(proof))
    done("simulate")

    accuracy = {**trained["accuracy"], "simulated": verdicts[0]["correct"] / verdicts[0]["images"]}
    differing = sum(v["integers"] - v["exact_integers"] for v in verdicts)
    info = {
        "name": recipe.name,
        "accuracy": accuracy,
        "verdict": {
            **{key: sum(v[key] for v in verdicts) for key in ("images", "integers")},
            "differing": differing,
            "against": "the live PyTorch model",
        },
        "commands": [f"crq run {recipe.name} --part {options['part']} --clock-period {options['clock_period']:g}"],
    }
    report = project_report(project.directory, info=info)
    report.to_json(output / "report.json")
    report.to_html(output / "report.html")
    done("report")
    weights = sum(layer["weights"] for layer in trained["layers"].values())
    packed = sum(-(-layer["weights"] // 4) for layer in trained["layers"].values())
    summary = {
        "schema": 1,
        "name": recipe.name,
        "bit_exact": not differing and all(proof.ok for proof in proofs),
        "accuracy": accuracy,
        "weights": weights,
        "bits_per_weight": 8 * packed / weights,
        "weight_bytes": packed,
        "file_bytes": file.stat().st_size,
        "float_bytes": 4 * trained["parameters"],
        "verdicts": verdicts,
        "runtimes": [r._asdict() for r in runtimes],
        "checks": [proof._asdict() for proof in proofs],
        "seconds": seconds,
        "files": {
            "curves": "train/curves.png",
            "weights": "train/weights.png",
            "frozen": "train/frozen.pt",
            "training": "train/summary.json",
            "qonnx": file.name,
            "project": f"{recipe.name}_hls/",
            "report": "report.html",
        },
    }
    write_json(output / "summary.json", summary)
    return summary, report


def _project(file: Path, folder: Path, options: dict[str, Any], images: Any) -> Any:
    """The HLS project of `file`, its testbench beginning with `images`; the one in `folder` if it is the same."""
    import shutil
    import tempfile

    import hw

    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        project = hw.build(file, Path(scratch) / folder.name, images=images, **options)
        if folder.exists():
            before = hw.open_project(folder)  # raises if someone else's files are there
            if before.manifest == project.manifest:
                return before
            shutil.rmtree(folder)
        shutil.move(project.directory, folder)
    return hw.open_project(folder)


def _print_run(summary: dict[str, Any], report: Any, output: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.rule(f"{summary['name']}: summary")
    table = Table("network", box=None, pad_edge=False)
    table.add_column("accuracy", justify="right")
    for stage, value in summary["accuracy"].items():
        table.add_row(stage, f"{value:.2%}")
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
        f"{totals['integers']:,} integers, HLS against PyTorch"
    )
    report.render(console)
    console.print(f"Everything lies in {output}; summary.json is its index.")


@click.command("recipes")
@click.option("--show", metavar="NAME", help="Print this recipe as TOML, to start your own from.")
@click.option("--json", "as_json", is_flag=True, help="Print the recipes, or the one to show, as JSON.")
def recipes_command(show: str | None, as_json: bool) -> None:
    """List the built-in recipes, or print one."""
    from crq.train import recipe as recipes

    if show:
        loaded = recipes.load(show)
        click.echo(json.dumps(loaded.model_dump(mode="json"), indent=2) if as_json else loaded.to_toml().rstrip())
        return
    rows = []
    for name in recipes.built_in():
        loaded = recipes.load(name)
        row = {"name": name, "network": loaded.network.name, "data": loaded.data.name, "method": loaded.ternary.method}
        rows.append(row)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']:<28} {row['network']} on {row['data']}, {row['method']}")
