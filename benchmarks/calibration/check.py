"""Compares the estimate with synthesised layers: python benchmarks/calibration/check.py SET

Prints every layer of layers_SET.csv and the mean and largest errors. `--freeze` writes hw/estimate/calibration.json
from the blind set, which turns "uncalibrated" off in every report; it refuses below 20 layers.
"""

from __future__ import annotations

import csv
import datetime
import json
from pathlib import Path

import click
import numpy as np
from layers import HERE, SEEDS, layers

from hw.errors import HwError
from hw.estimate import Resources
from hw.estimate.calibration import FILE
from hw.estimate.network import estimate_unit
from hw.files import write_text
from hw.synth import tool

BLIND_LAYERS = 20


def rows(which: str, family: str) -> list[tuple[str, Resources, Resources]]:
    """(layer, measured, estimated without FIFOs, which the layers have not)."""
    file = HERE / f"layers_{which}.csv"
    if not file.exists():
        raise HwError(f"{file.name}: not measured yet; run python benchmarks/calibration/layers.py {which}")
    with open(file, newline="") as stream:
        found = {r["layer"]: r for r in csv.DictReader(stream) if r["family"] == family}
    result = []
    for name, network, unit, fold in layers(which):
        if name in found:
            r = found[name]
            measured = Resources(*(int(float(r[k])) for k in Resources._fields))
            parts = estimate_unit(network, unit, fold, family=family).parts
            estimated = Resources().plus(*(v for k, v in parts.items() if k != "fifo")).rounded()
            result.append((name, measured, estimated))
    return result


@click.command()
@click.argument("which", type=click.Choice(list(SEEDS)))
@click.option("--family", default="xcup", show_default=True)
@click.option("--freeze", is_flag=True, help="Write calibration.json from the blind set.")
def main(which: str, family: str, freeze: bool) -> None:
    """Prints estimate beside measurement."""
    found = rows(which, family)
    for name, m, e in found:
        click.echo(f"{name:8} LUT {m.lut:6.0f} {e.lut:6.0f} {_error(m.lut, e.lut):+7.1%}  "
                   f"FF {m.ff:6.0f} {e.ff:6.0f} {_error(m.ff, e.ff):+7.1%}  BRAM18 {m.bram18} {e.bram18}")  # fmt: skip
    lut, ff = ([abs(_error(getattr(m, k), getattr(e, k))) for _, m, e in found] for k in ("lut", "ff"))
    blocks = sum(m.bram18 == e.bram18 and m.dsp == e.dsp for _, m, e in found)
    sentence = (
        f"{len(found)} layers, {family}: LUT mean error {np.mean(lut):.1%}, largest {max(lut):.1%}; "
        f"FF mean {np.mean(ff):.1%}; BRAM and DSP equal in {blocks} of {len(found)}"
    )
    click.echo(sentence)
    if freeze:
        if which != "blind" or len(found) < BLIND_LAYERS:
            raise click.ClickException(f"calibration needs {BLIND_LAYERS} blind layers, found {len(found)} of {which}")
        facts = {
            "tool": tool(), "date": datetime.datetime.now(datetime.UTC).date().isoformat(), "families": [family],
            "command": f"python benchmarks/calibration/layers.py blind --family {family}",
            "blind": {"sentence": sentence, "layers": len(found), "lut_mean": float(np.mean(lut)),
                      "lut_max": float(max(lut)), "ff_mean": float(np.mean(ff)), "blocks_equal": blocks},
        }  # fmt: skip
        write_text(Path(FILE), json.dumps(facts, indent=2) + "\n")


def _error(measured: float, estimated: float) -> float:
    return (estimated - measured) / measured if measured else float(estimated != 0)


if __name__ == "__main__":
    main()
