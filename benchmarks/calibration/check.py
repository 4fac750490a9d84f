"""Compares the estimate with synthesised layers: python benchmarks/calibration/check.py SET

Prints every layer of layers_SET.csv and the mean and largest errors. `--freeze` writes those of the set blind into
hw/cost/calibration.json, where reports for parts of that family find them; it refuses an incomplete set.
"""

from __future__ import annotations

import csv
import datetime
import json
from typing import Any, NamedTuple

import click
import numpy as np
from layers import HERE
from sets import SETS, layers

from crq.files import write_text
from crq.hw.cost.calibration import FILE, LUT4_EACH, LUT_EACH, LUT_SMALL, kind
from crq.hw.cost.resources import Resources
from crq.hw.errors import HwError
from crq.hw.rtl.synth import FAMILIES, tool


class Row(NamedTuple):
    name: str
    kind: str
    measured: Resources
    estimated: Resources


def rows(which: str, family: str) -> list[Row]:
    """Every measured layer of a set beside its estimate."""
    file = HERE / f"layers_{which}.csv"
    if not file.exists():
        raise HwError(f"{file.name}: not measured yet; run python benchmarks/calibration/layers.py {which}")
    with open(file, newline="") as stream:
        found = {r["layer"]: r for r in csv.DictReader(stream) if r["family"] == family}
    if not found:
        raise HwError(
            f"{file.name}: no layer measured for {family}; run python benchmarks/calibration/layers.py {which} "
            f"--family {family}"
        )
    result = []
    for layer in layers(which):
        if layer.name in found:
            measured = Resources(*(int(float(found[layer.name][k])) for k in Resources._fields))
            result.append(Row(layer.name, kind(layer.unit, layer.fold), measured, layer.estimate(family)))
    return result


def beyond(row: Row, family: str) -> bool:
    """Whether a layer is further off than the bar for each of them; that of 4-input LUTs is wider."""
    share = LUT4_EACH if family == "ecp5" else LUT_EACH
    return abs(row.estimated.lut - row.measured.lut) > max(LUT_SMALL / LUT_EACH * share, share * row.measured.lut)


def errors(found: list[Row], key: str) -> list[float]:
    return [abs(_error(getattr(r.measured, key), getattr(r.estimated, key))) for r in found]


def facts(found: list[Row], family: str) -> dict[str, Any]:
    """The errors of a set: in one sentence, and by kind."""
    lut, ff = errors(found, "lut"), errors(found, "ff")
    blocks = sum(r.measured.bram18 == r.estimated.bram18 and r.measured.dsp == r.estimated.dsp for r in found)
    kinds = {}
    for name in sorted({r.kind for r in found}):
        own = [r for r in found if r.kind == name]
        off = errors(own, "lut")
        kinds[name] = {"layers": len(own), "lut_mean": float(np.mean(off)), "lut_max": float(max(off)),
                       "beyond": sum(beyond(r, family) for r in own), "spans": spans(own)}  # fmt: skip
    sentence = (
        f"{len(found)} layers, {family}: LUT mean error {np.mean(lut):.1%}, largest {max(lut):.1%}; "
        f"FF mean {np.mean(ff):.1%}; BRAM and DSP equal in {blocks} of {len(found)}"
    )
    return {"sentence": sentence, "layers": len(found), "lut_mean": float(np.mean(lut)), "lut_max": float(max(lut)),
            "ff_mean": float(np.mean(ff)), "blocks_equal": blocks, "beyond": sum(beyond(r, family) for r in found),
            "kinds": kinds}  # fmt: skip


def spans(found: list[Row]) -> dict[str, list[float]]:
    """Least and largest measured / estimated of the layers so large that the bar for each of them is a share."""
    large = [r for r in found if r.measured.lut >= LUT_SMALL / LUT_EACH]
    ratios = {key: [getattr(r.measured, key) / getattr(r.estimated, key) for r in large] for key in ("lut", "ff")}
    return {key: [min([1.0, *values]), max([1.0, *values])] for key, values in ratios.items()} if large else {}


@click.command()
@click.argument("which", type=click.Choice(list(SETS)))
@click.option("--family", type=click.Choice(FAMILIES), default="xcup", show_default=True)
@click.option("--freeze", is_flag=True, help="Write the errors of the blind set into calibration.json.")
def main(which: str, family: str, freeze: bool) -> None:
    """Prints estimate beside measurement."""
    try:
        found = rows(which, family)
    except HwError as error:
        raise click.ClickException(str(error)) from error
    for name, kind_, m, e in found:
        click.echo(f"{name:8} {kind_:31} LUT {m.lut:6.0f} {e.lut:6.0f} {_error(m.lut, e.lut):+7.1%}  "
                   f"FF {m.ff:6.0f} {e.ff:6.0f} {_error(m.ff, e.ff):+7.1%}  BRAM18 {m.bram18} {e.bram18}")  # fmt: skip
    result = facts(found, family)
    click.echo(result["sentence"])
    if freeze:
        _freeze(which, family, result)


def _freeze(which: str, family: str, result: dict[str, Any]) -> None:
    if which != "blind":
        raise click.ClickException(f"calibration rests on the set blind, not on {which}")
    missing = sum(1 for _ in layers(which)) - result["layers"]
    if missing:
        raise click.ClickException(f"{missing} layers of {which} are not measured for {family}; run layers.py {which}")
    stored = json.loads(FILE.read_text()) if FILE.exists() else {}
    stored[family] = {
        "tool": tool(), "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "command": f"python benchmarks/calibration/layers.py {which} --family {family}", "blind": result,
    }  # fmt: skip
    write_text(FILE, json.dumps(stored, indent=2) + "\n")


def _error(measured: float, estimated: float) -> float:
    return (estimated - measured) / measured if measured else float(estimated != 0)


if __name__ == "__main__":
    main()
