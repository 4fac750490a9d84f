"""Methods side by side: float networks of several seeds, each made ternary by every method, in several settings.

    python benchmarks/methods.py fashion-mnist convnet --out runs/fashion --seeds 0 1 2 --methods crq crq+ twn

All methods start from the same float networks and train for the same number of epochs after them. Where several λ,
retrain epochs or retrain learning rates are given, a penalized method takes the combination that does best on the
held-out part of the first seed's training split, never on test. Finished runs are reused, so an interrupted benchmark
continues where it stopped; those of another recipe are refused. Writes results.json beside the runs and prints tables.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
from pathlib import Path
from typing import Any, NamedTuple

import torch

from crq.quant.methods import get
from crq.train import recipe as recipes
from crq.train.compared import trained

SETTINGS: dict[str, dict[str, Any]] = {
    "float activations": {"act_bits": None},
    "4-bit activations": {"act_bits": 4},
    "first and last 8-bit": {"act_bits": 4, "integer": {"first": 8, "last": 8}},
    "float activations, first and last 8-bit": {"act_bits": None, "integer": {"first": 8, "last": 8}},
}


class Retrain(NamedTuple):
    """How the penalized retrain is done, of the epochs after the float network; λ also acts in crq+'s fine-tuning."""

    lam: float
    epochs: int
    lr: float

    def __str__(self) -> str:
        return f"lam{self.lam:g}-{self.epochs}x{self.lr:g}"


def recipe_of(
    options: argparse.Namespace, seed: int, method: str, setting: str, retrain: Retrain | None
) -> recipes.Recipe:
    """One run's recipe. A method without penalty spends all epochs on fine-tuning."""
    after = 0 if method == "float" else options.epochs
    common = {"batch_size": 128, "weight_decay": 5e-4}
    first, weight = {"epochs": 0}, {}
    if retrain:
        weight = {"lam": retrain.lam}
        first = {**common, **weight, "epochs": retrain.epochs, "lr": retrain.lr, "schedule": "constant"}
    return recipes.parse(
        {
            "name": f"{options.data}-{options.network}",
            "seed": seed,
            "precision": options.precision,
            "data": {"name": options.data, "root": options.root, "augment": options.augment},
            "network": {"name": options.network, "options": json.loads(options.options)},
            "ternary": {"method": "twn" if method == "float" else method, **SETTINGS[setting]},
            "pretrain": {**common, "epochs": options.pretrain, "lr": 0.1},
            "retrain": first,
            "finetune": {
                **common, **weight, "epochs": after - first["epochs"], "lr": options.lr, "weight_decay": 0.0
            },
        }
    )  # fmt: skip


def run(recipe: recipes.Recipe, folder: Path, pretrained: Path | None) -> dict[str, Any]:
    """The summary of `recipe` run into `folder`, training only what is not there yet."""
    new = not (folder / "measured.json").exists()
    summary = trained(recipe, folder, pretrained)
    if new:
        print(f"{folder}  {summary['processor_seconds']:.0f} s  {summary['accuracy']}", flush=True)
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("network")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--root", help="folder with the data files")
    parser.add_argument("--options", default="{}", help="network options as JSON")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--methods", nargs="+", default=["crq", "crq+", "twn", "ttq", "ste"])
    parser.add_argument("--settings", nargs="+", default=["float activations", "4-bit activations"], choices=SETTINGS)
    parser.add_argument("--pretrain", type=int, default=15, help="epochs of the float network")
    parser.add_argument("--epochs", type=int, default=10, help="epochs after it, the same for every method")
    parser.add_argument("--retrain", type=int, nargs="+", default=[3], help="of those, epochs of a penalized retrain")
    parser.add_argument("--retrain-lr", type=float, nargs="+", default=[0.05], help="its learning rate, held constant")
    parser.add_argument("--lr", type=float, default=0.02, help="learning rate of the fine-tuning")
    parser.add_argument("--lam", type=float, nargs="+", default=[1e-3], help="λ of the penalty")
    parser.add_argument("--augment", default="none")
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    floats = {}
    for seed in options.seeds:
        folder = options.out / f"float-{seed}"
        floats[seed] = folder
        run(recipe_of(options, seed, "float", "float activations", None), folder, None)

    def finished(method: str, setting: str, retrain: Retrain | None, seed: int) -> dict[str, Any]:
        tag = f"-{retrain}" if retrain else ""
        folder = options.out / f"{method}-{setting}{tag}-{seed}".replace(" ", "-")
        return run(recipe_of(options, seed, method, setting, retrain), folder, floats[seed])

    candidates = [Retrain(*c) for c in itertools.product(options.lam, options.retrain, options.retrain_lr)]
    results = []
    for setting in options.settings:
        for method in options.methods:
            retrain = candidates[0] if get(method).penalize_retrain else None
            if retrain and len(candidates) > 1:
                scores = {c: finished(method, setting, c, options.seeds[0])["validation"] for c in candidates}
                retrain = max(scores, key=lambda c: scores[c])
                listed = ", ".join(f"{c} {score:.2%}" for c, score in scores.items())
                print(f"{method}, {setting}: chosen on held-out images: {retrain} of {listed}", flush=True)
            for seed in options.seeds:
                summary = finished(method, setting, retrain, seed)
                accuracy = summary["accuracy"]
                final = accuracy.get("frozen") or accuracy["finetuned"]
                row = {"setting": setting, "method": method, "retrain": retrain and str(retrain), "seed": seed}
                seconds = sum(summary["seconds"].values())
                results.append({**row, "float": accuracy["float"], "final": final, "seconds": seconds})
    (options.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print_tables(results)


def print_tables(results: list[dict[str, Any]]) -> None:
    """Markdown: mean and range of the error over the seeds, and the drop against float."""
    for setting in dict.fromkeys(row["setting"] for row in results):
        print(f"\n**{setting}**\n\n| method | retrain | float | ternary | drop (points) | per seed |")
        print("| --- | --- | --- | --- | --- | --- |")
        for method in dict.fromkeys(row["method"] for row in results):
            rows = [row for row in results if row["setting"] == setting and row["method"] == method]
            if not rows:
                continue
            base, final = (statistics.mean(row[key] for row in rows) * 100 for key in ("float", "final"))
            each = ", ".join(f"{row['final'] * 100:.2f}" for row in rows)
            print(
                f"| {method} | {rows[0]['retrain'] or '–'} | {base:.2f} | {final:.2f} | {base - final:+.2f} | {each} |"
            )


if __name__ == "__main__":
    main()
