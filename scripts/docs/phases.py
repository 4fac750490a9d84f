"""A picture per phase of a training run, into docs/pictures: `crq train digits -o runs/digits`, then
`python -m scripts.docs.phases runs/digits`."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import click
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from PIL import Image

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
BLUE, ORANGE, GREY = "#4c72b0", "#dd8452", "#888888"

Rows = list[dict[str, str]]


def column(rows: Rows, key: str) -> list[float]:
    return [float(row[key]) for row in rows]


def accuracy(axis: Axes, rows: Rows) -> None:
    epochs = range(1, len(rows) + 1)
    axis.plot(epochs, column(rows, "accuracy"), color=BLUE, label="training samples")
    axis.plot(epochs, column(rows, "validation"), color=BLUE, linestyle=":", label="held out")
    axis.set_ylabel("accuracy")
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.margins(y=0.1)
    axis.legend(fontsize="small", loc="best")


def loss(axis: Axes, rows: Rows) -> None:
    axis.plot(range(1, len(rows) + 1), column(rows, "loss"), color=BLUE, label="loss")
    axis.set(ylabel="loss", yscale="log")
    rate = axis.twinx()
    rate.plot(range(1, len(rows) + 1), column(rows, "lr"), color=GREY, linestyle="--", linewidth=0.9)
    rate.set_ylabel("learning rate (dashed)", color=GREY)


def by_layer(axis: Axes, layers: Rows, key: str, name: str) -> None:
    for layer in dict.fromkeys(row["layer"] for row in layers):
        values = column([row for row in layers if row["layer"] == layer], key)
        axis.plot(range(1, len(values) + 1), values, label=layer)
    axis.set(ylabel=name, ylim=(0, None))
    axis.legend(fontsize="small")


def changed(axis: Axes, rows: Rows) -> None:
    axis.plot(range(1, len(rows) + 1), column(rows, "changed"), color=ORANGE)
    axis.set(ylabel="new codes in an epoch", ylim=(0, None))
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))


def save(figure: Figure, target: Path) -> None:
    for axis in figure.axes:
        axis.set_xlabel("epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.tight_layout()
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=110)
    Image.open(raw).convert("RGB").save(target, "WEBP", quality=80, method=6)


def draw(run: Path, folder: Path) -> None:
    """pretrain.webp, retrain.webp and finetune.webp of the run folder `run`."""
    metrics, layers = (list(csv.DictReader((run / f"{name}.csv").open())) for name in ("metrics", "layers"))

    def of(rows: Rows, phase: str) -> Rows:
        return [row for row in rows if row["phase"] == phase]

    def pair() -> tuple[Figure, Any]:
        figure = Figure(figsize=(8.4, 2.8))
        return figure, figure.subplots(1, 2)

    figure, (left, right) = pair()
    loss(left, of(metrics, "pretrain"))
    accuracy(right, of(metrics, "pretrain"))
    save(figure, folder / "pretrain.webp")
    figure, (left, right) = pair()
    by_layer(left, of(layers, "retrain"), "cost", "J/‖W‖²")
    accuracy(right, of(metrics, "retrain"))
    save(figure, folder / "retrain.webp")
    figure, (left, right) = pair()
    changed(left, of(metrics, "finetune"))
    accuracy(right, of(metrics, "finetune"))
    save(figure, folder / "finetune.webp")


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(run: Path) -> None:
    draw(run, PICTURES)


if __name__ == "__main__":
    main()
