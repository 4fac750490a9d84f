"""Pictures of a run: its curves, and its weights after each phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from crq.figures import ACCURACY
from crq.files import atomic_path

_COLOURS = {"pretrain": "#4c72b0", "retrain": "#dd8452", "finetune": "#55a868"}


def curves(rows: list[dict[str, Any]], target: Path, metric: str = "accuracy") -> None:
    """Loss, `metric` and each layer's J/‖W‖² over the epochs of all phases, one colour per phase (PNG).

    rows: what `fit` gives for an epoch; only those of prepared networks have "layers".
    """
    from matplotlib.ticker import MaxNLocator

    figure, (left, right, cost) = _figure(1, 3, (14, 3.6))
    start = 0
    for phase, colour in _COLOURS.items():
        part = [row for row in rows if row["phase"] == phase]
        if not part:
            continue
        epochs = np.arange(start, start + len(part)) + 1
        left.plot(epochs, [row["loss"] for row in part], color=colour, label=phase)
        right.plot(epochs, [row[metric] for row in part], color=colour, label=f"{phase}, training")
        if part[0]["validation"] is not None:
            held_out = [row["validation"] for row in part]
            right.plot(epochs, held_out, color=colour, linestyle=":", label=f"{phase}, held out")
        for name in part[-1].get("layers", {}):
            cost.plot(epochs, [row["layers"][name]["cost"] for row in part], color=colour, linewidth=0.8)
        start += len(part)
    left.set(xlabel="epoch", ylabel="loss", yscale="log")
    right.set(xlabel="epoch", ylabel=metric)
    cost.set(xlabel="epoch", ylabel="J/‖W‖² of each layer")
    for axes in (left, right, cost):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    cost.set_ylim(0, max(0.21, cost.get_ylim()[1] if start else 0))
    for value, law in ((1 / 9, "uniform"), (0.19, "normal")):  # the least that three levels leave of such weights
        cost.axhline(value, color="#bbbbbb", linewidth=0.8, linestyle="--")
        cost.annotate(
            f"{law} weights", (0.01, value), xycoords=("axes fraction", "data"), fontsize="x-small", va="bottom"
        )
    if start:
        left.legend()
        right.legend(fontsize="small")
    _save(figure, target)


class Stage(NamedTuple):
    """Float weights by layer at the end of a phase, and the α that they had then."""

    title: str
    weights: Mapping[str, Tensor]
    alphas: Mapping[str, float]


def histograms(stages: Sequence[Stage], target: Path) -> None:
    """Each layer's float weights, a column per stage, with 0 and ±α of that stage marked (PNG). At most 8 layers."""
    names = list(stages[0].weights)
    if len(names) > 8:  # first, last and an even choice between
        names = [names[round(i * (len(names) - 1) / 7)] for i in range(8)]
    figure, axes = _figure(len(names), len(stages), (1 + 4 * len(stages), 1.9 * len(names)))
    for row, name in zip(np.reshape(axes, (len(names), -1)), names, strict=True):
        for axis, stage in zip(row, stages, strict=True):
            weights = stage.weights[name].flatten().float().numpy()
            axis.hist(weights, bins=min(101, max(11, round(2 * len(weights) ** 0.5) | 1)), color="#4c72b0")
            for mark in (-stage.alphas[name], 0.0, stage.alphas[name]):
                axis.axvline(mark, color="#c44e52", linewidth=0.8)
            axis.set_title(f"{name}, {stage.title}", fontsize="small")
            axis.set_yticks([])
    _save(figure, target)


def trade(
    compared: list[dict[str, Any]], target: Path, metric: str = ACCURACY, folded: str = "folded", where: str = ""
) -> None:
    """The figure of each candidate (`crq.train.paired.compared`) against its LUTs, folded and fast (PNG).

    Those without an estimate are lines at their figure. folded, where: what for, and on which part, in words.
    """
    unit, name = (100, f"{metric}, %") if metric.endswith(ACCURACY) else (1, metric)
    figure, axis = _figure(1, 1, (7, 4.2))
    for index, found in enumerate(compared):
        colour = f"C{index % 10}"
        if found["lut_folded"] is None:
            axis.axhline(unit * found["test"], color=colour, linestyle=":", label=f"{found['candidate']}, no LUTs")
            continue
        luts = [found["lut_folded"], found["lut_fast"]]
        test, spread = unit * found["test"], unit * (found["spread"] or 0)
        axis.errorbar(luts, [test] * 2, spread, color=colour, linewidth=0.8, capsize=3)
        axis.plot(luts[0], test, "o", color=colour, label=found["candidate"])
        axis.plot(luts[1], test, "^", color=colour)
    axis.set(xscale="log", xlabel=f"LUTs, estimated{where}: ● {folded}, ▲ as fast as fits", ylabel=name)
    axis.legend(fontsize="small")
    _save(figure, target)


def _figure(rows: int, columns: int, size: tuple[float, float]) -> Any:
    # The object interface needs no display and leaves pyplot's global state alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns)


def _save(figure: Any, target: Path) -> None:
    with atomic_path(target) as path:
        # A fixed date keeps the picture's bytes a function of the run.
        figure.savefig(path, format="png", dpi=110, metadata={"Software": "crq"})
