"""A search among recipes: which one trains the most accurate ternary network within a budget of epochs.

    python -m benchmarks.recipes penalty --seeds 5 --out runs/recipes
    python -m benchmarks.recipes schedule --rungs 3 --seeds 5 --out runs/recipes     # halves the candidates twice
    python -m benchmarks.recipes distillation --equal time --out runs/recipes

The questions stand in questions.toml. Every candidate starts from the same float networks, a seed each, and has as
many epochs after them; with `--equal time` as much processor time, by a trial epoch of each. `--rungs N` begins with
a share of the epochs and of the seeds and keeps the better half, by accuracy on held-out images, until all are
spent; the first candidate stays. Test images choose nothing. Finished runs are kept in the folder, so the same command
goes on where it stopped, and candidates that several questions share are trained once. Every run adds a row to
results.csv beside this file.
"""

from __future__ import annotations

import math
import statistics
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch

from benchmarks.history import append
from benchmarks.recipes.questions import Question, float_of, read, recipe_of
from crq.hw.cli.prices import luts
from crq.train.compared import Row, row, trained
from crq.train.paired import markdown

TABLE = Path(__file__).with_name("results.csv")
HEADER = ("date", "commit", "data", "network", "question", *Row._fields)


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="QUESTION…")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the runs.")
@click.option("--seeds", default=5, show_default=True, help="Float networks.")
@click.option("--rungs", default=1, show_default=True, help="Rounds of successive halving.")
@click.option("--equal", type=click.Choice(["epochs", "time"]), default="epochs", show_default=True)
@click.option("--data", default=None, help="Instead of fashion-mnist.")
@click.option("--root", default=None, help="Folder of the data.")
@click.option("--network", default=None, help="Instead of convnet.")
@click.option("--pretrain", type=int, default=None, help="Epochs of the float networks.")
@click.option("--epochs", type=int, default=None, help="Epochs after them.")
@click.option("--precision", default=None, help="Instead of the question's, as 32-true where bfloat16 is slow.")
@click.option("--fps", default=1000.0, show_default=True, help="Rate of the folded estimate.")
def main(names: tuple[str, ...], out: Path, seeds: int, rungs: int, equal: str, fps: float, **given: Any) -> None:
    """Answer each QUESTION of questions.toml with a table of means, spreads and paired differences."""
    torch.set_num_threads(1)
    questions = read(_changes(**given))
    for name in names:
        if name not in questions:
            raise click.UsageError(f"no question {name!r}; there are {', '.join(questions)}")
        click.echo(f"\n**{questions[name].asks}**\n")
        click.echo(markdown(_Search(questions[name], out, fps, equal == "time").answer(seeds, rungs)))


def _changes(
    data: str | None,
    root: str | None,
    network: str | None,
    pretrain: int | None,
    epochs: int | None,
    precision: str | None,
) -> dict[str, Any]:
    """What the command line changes in the common recipe."""
    places = {("data", "name"): data, ("data", "root"): root, ("network", "name"): network}
    places |= {("pretrain", "epochs"): pretrain, ("finetune", "epochs"): epochs}
    changes: dict[str, Any] = {} if precision is None else {"precision": precision}
    for (section, key), value in places.items():
        if value is not None:
            changes.setdefault(section, {})[key] = value
    return changes


class _Search:
    """One question on its way to an answer. by_time: candidates have equal processor time, not equal epochs."""

    def __init__(self, question: Question, out: Path, fps: float, by_time: bool) -> None:
        self.question, self.out, self.fps, self.by_time = question, out, fps, by_time
        self.cost: dict[str, float] = {}

    def answer(self, seeds: int, rungs: int) -> list[Row]:
        """The rows of the last rung."""
        left = list(self.question.candidates)
        rows: list[Row] = []
        for rung in range(rungs - 1, -1, -1):
            few = max(1, math.ceil(seeds / 2**rung))
            rows = [self._row(name, seed, rung) for seed in range(few) for name in left]
            if rung:
                first, *others = left
                scores = {name: _held_out(rows, name) for name in others}
                better = sorted(others, key=lambda name: -scores[name])[: max(1, len(others) // 2)]
                click.echo(f"rung of {few} seeds: kept {', '.join(better)} of {scores}", err=True)
                left = [first, *(name for name in others if name in better)]
        return rows

    def _row(self, name: str, seed: int, rung: int) -> Row:
        candidate = self.question.candidates[name]
        recipe = float_of(self.question, candidate, seed)
        of = f"{recipe.data.name}-{recipe.network.name}-{recipe.pretrain.epochs}".replace("/", "_")
        of += "" if recipe.precision == "bf16-mixed" else f"-{recipe.precision}"
        start = self.out / f"float-{of}-{seed}"
        trained(recipe, start)
        epochs = max(1, (candidate["retrain"]["epochs"] + candidate["finetune"]["epochs"]) // 2**rung)
        if self.by_time:
            first = next(iter(self.question.candidates))
            epochs = max(1, round(epochs * self._cost(first, start) / self._cost(name, start)))
        folder = self.out / f"{of}-{name}-{epochs}-{seed}".replace(" ", "-").replace(",", "")
        new = not (folder / "measured.json").exists()
        found = row(name, recipe_of(candidate, seed, epochs), folder, start, partial(luts, fps=self.fps))
        if new:
            append(TABLE, HEADER, recipe.data.name, recipe.network.name, self.question.name, *found)
            click.echo(f"{name}, seed {seed}: {found.test:.2%}, {found.seconds:.0f} s", err=True)
        return found

    def _cost(self, name: str, start: Path) -> float:
        """Processor seconds of a candidate's epoch, by a trial of one."""
        if name not in self.cost:
            recipe = recipe_of(self.question.candidates[name], 0, 1)
            folder = start.with_name(f"trial-{start.name}-{name}".replace(" ", "-").replace(",", ""))
            self.cost[name] = row(name, recipe, folder, start).seconds
        return self.cost[name]


def _held_out(rows: list[Row], name: str) -> float:
    return round(statistics.mean(r.validation or 0.0 for r in rows if r.candidate == name), 5)


if __name__ == "__main__":
    main()
