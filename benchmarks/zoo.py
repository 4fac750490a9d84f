"""The model zoo in examples/zoo: trained networks as packed QONNX, each with a card and integers to hold it to.

    crq run digits -o runs/digits
    python -m benchmarks.zoo runs/digits                  # add or renew its entry

A run folder of `crq run` (HLS form) becomes NAME.onnx, NAME.npz (codes of the first test images and of the extremes,
with the integers that the frozen PyTorch network gives for them) and a row of cards.csv. README.md is written anew from
all rows. Recipes that are no built-in ones lie beside the files.
"""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.history import stamp
from crq.convert.frozen import FrozenModel
from crq.hw.cli.steps import Images
from crq.hw.cost.network import estimate
from crq.hw.devices.catalog import find
from crq.hw.fold.search import Target, decide
from crq.hw.ir.graph import Network
from crq.hw.ir.vectors import all_vectors
from crq.hw.read.origin import load_graph
from crq.hw.verify.live import expected_integers
from crq.train.recipe import Recipe, built_in, load

ZOO = Path(__file__).parents[1] / "examples" / "zoo"
CARDS = ZOO / "cards.csv"
IMAGES, EXTREMES = 8, 24
PARTS = ("xc7z020clg400-1", "xczu3eg-sbva484-1-e")
FPS, CLOCK = 1000.0, 5.0
FIGURES = ("LUT", "FF", "BRAM36", "fps")
HEADER = (
    "name", "data", "seed", "float", "frozen", "simulated", "images", "differing", "weights", "bytes",
    *(f"{figure} {part}" for part in PARTS for figure in FIGURES), "command", "date", "commit",
)  # fmt: skip


def card(run: Path, recipe: Recipe, summary: dict[str, Any], network: Network) -> dict[str, Any]:
    """The row of a finished run: what it reached, and the estimate for both parts at `FPS` frames/s and `CLOCK` ns."""
    quality, verdict = summary[summary["metric"]], summary["verdicts"][0]
    if not summary["bit_exact"] or verdict["mode"] != "fast":
        raise click.UsageError(f"{run} is no bit-exact run of the HLS form: crq run {recipe.name} -o {run}")
    row = {
        "name": recipe.name, "data": recipe.data.name, "seed": recipe.seed,
        "float": quality["float"], "frozen": quality["frozen"], "simulated": quality["simulated"],
        "images": verdict["images"], "differing": verdict["integers"] - verdict["exact_integers"],
        "weights": summary["weights"], "bytes": summary["file_bytes"],
    }  # fmt: skip
    for part in PARTS:
        device = find(part)
        folds = decide(network, Target(fps=FPS), device=device, clock_period_ns=CLOCK).folds
        found = estimate(network, folds, device.priced)
        figures = (round(found.total.lut), round(found.total.ff), found.total.bram36, round(found.fps(CLOCK)))
        row |= {f"{figure} {part}": value for figure, value in zip(FIGURES, figures, strict=True)}
    own = ZOO / f"{recipe.name}.toml"
    known = load(recipe.name) if recipe.name in built_in() else load(own)
    if _training(known) != _training(recipe):
        raise click.UsageError(f"{run} was trained by another recipe than {known.name}: no command would make it again")
    row["command"] = f"crq run {recipe.name if recipe.name in built_in() else own.relative_to(ZOO.parents[1])}"
    return row


def _training(recipe: Recipe) -> dict[str, Any]:
    """What the trained network depends on, but for where its data lies."""
    return {**recipe.training, "data": {**recipe.training["data"], "root": None}}


def add(run: Path) -> None:
    """The entry of one run."""
    recipe, summary = load(run / "train" / "recipe.toml"), json.loads((run / "summary.json").read_text())
    file = ZOO / f"{recipe.name}.onnx"
    network = Network(load_graph(run / summary["files"]["qonnx"])[0])
    row = card(run, recipe, summary, network)
    images = Images(recipe, FrozenModel.load(run / "train" / "frozen.pt")).codes[:IMAGES].numpy()
    images = images.reshape(-1, *network.inputs[0].shape)
    codes = np.concatenate([images, all_vectors(network, 4, bounding_limit=4)[:EXTREMES]])
    integers = expected_integers(network, codes, run / "train")
    shutil.copy2(run / summary["files"]["qonnx"], file)
    np.savez_compressed(file.with_suffix(".npz"), codes=codes, integers=integers)
    rows = [old for old in cards() if old["name"] != recipe.name]
    date, commit = stamp()
    rows.append({key: str(value) for key, value in {**row, "date": date, "commit": commit}.items()})
    with CARDS.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, HEADER, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda card: int(card["weights"])))


def cards() -> list[dict[str, str]]:
    """Every entry as it stands in cards.csv."""
    if not CARDS.exists():
        return []
    with CARDS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


INTRODUCTION = """# Trained networks

Ternary networks as packed QONNX files, ready for `crq inspect`, `crq build` and `crq report`. Each has a card here, and
beside it `NAME.npz`: `codes` of test images and extreme inputs, and the `integers` that the PyTorch network gives for
them. A test builds every file and simulates it to those integers.

All layers are ternary, activations have 4 bits. *differing*: integers of the simulated hardware that are not PyTorch's,
on as many test images. The networks called *-jpeg* are trained and tested on a copy of CIFAR-10 whose images had been
compressed as JPEG: their accuracies do not compare with those on the original.

| network | data | float | ternary | images | differing | weights | file, bytes | made by |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def readme() -> str:
    """README.md of the zoo."""
    text = INTRODUCTION
    for row in cards():
        text += (
            f"| [{row['name']}]({row['name']}.onnx) | {row['data']} | {float(row['float']):.2%} | "
            f"{float(row['frozen']):.2%} | {int(row['images']):,} | {row['differing']} | {int(row['weights']):,} | "
            f"{int(row['bytes']):,} | `{row['command']}` |\n"
        )
    text += f"\nEstimated at {CLOCK:g} ns, the smallest folding for {FPS:,g} frames/s:\n\n"
    text += f"| network | part | {' | '.join(FIGURES)} |\n| --- | --- |{' --- |' * len(FIGURES)}\n"
    for row in cards():
        for part in PARTS:
            figures = [f"{float(row[f'{figure} {part}']):,g}" for figure in FIGURES]
            text += f"| {row['name']} | {part} | {' | '.join(figures)} |\n"
    return f"{text}\nWritten by `python -m benchmarks.zoo RUN…` from cards.csv.\n"


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def main(runs: tuple[Path, ...]) -> None:
    """Add or renew the entries of finished RUNS of `crq run`."""
    for run in runs:
        add(run)
        click.echo(run)
    (ZOO / "README.md").write_text(readme(), encoding="utf-8")


if __name__ == "__main__":
    main()
