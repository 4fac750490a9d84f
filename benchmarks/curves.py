"""Training accuracy over the epochs after the float network, method by method (the paper's Fig. 1), from a benchmark.

    python benchmarks/curves.py runs/fashion --setting "4-bit activations" -o docs/fashion-curves.png

Reads the run folders that benchmarks/methods.py left; a line is the mean over a method's seeds, at the λ it chose
(the one with most seeds).
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure


def epochs_of(folder: Path) -> list[float]:
    """Training accuracy per epoch of the phases after pretrain."""
    with open(folder / "metrics.csv", newline="") as file:
        return [float(row["accuracy"]) for row in csv.DictReader(file) if row["phase"] != "pretrain"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--setting", default="4-bit activations")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    curves: dict[str, dict[str, list[list[float]]]] = {}
    for folder in sorted(options.runs.glob(f"*-{options.setting.replace(' ', '-')}*")):
        if (folder / "summary.json").exists():
            method = json.loads((folder / "summary.json").read_text())["method"]
            without_seed = folder.name.rpartition("-")[0]
            curves.setdefault(method, {}).setdefault(without_seed, []).append(epochs_of(folder))
    figure = Figure(figsize=(6, 4), layout="constrained")
    axis = figure.subplots()
    for method, settings in curves.items():
        rows = max(settings.values(), key=len)
        length = min(map(len, rows))
        mean = np.mean([row[:length] for row in rows], axis=0)
        axis.plot(np.arange(1, length + 1), mean * 100, marker="o", label=f"{method} ({len(rows)} seeds)")
    axis.set(xlabel="epoch after the float network", ylabel="training accuracy, %", title=options.setting)
    axis.legend()
    figure.savefig(options.output, dpi=120)


if __name__ == "__main__":
    main()
