"""A picture for each phase of a run."""

from __future__ import annotations

import csv
from pathlib import Path

from PIL import Image

from scripts.docs.phases import PICTURES, draw

PHASES = ("pretrain", "retrain", "finetune")


def write(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_a_picture_per_phase(tmp_path: Path) -> None:
    figures = {"loss": 0.5, "accuracy": 0.9, "validation": 0.8, "lr": 0.1, "changed": 0.01}
    write(tmp_path / "metrics.csv", [{"phase": phase, **figures} for phase in PHASES for _ in range(3)])
    layers = [
        {"phase": phase, "layer": layer, "cost": 0.1} for phase in PHASES for layer in ("conv", "fc") for _ in range(3)
    ]
    write(tmp_path / "layers.csv", layers)
    draw(tmp_path, tmp_path)
    for phase in PHASES:
        assert Image.open(tmp_path / f"{phase}.webp").size == Image.open(PICTURES / f"{phase}.webp").size
