"""The verb `inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option(
    "--svg", type=click.Path(path_type=Path), metavar="OUT",
    help="Draw the dataflow of the hardware into this file, folded as `crq build FILE` would; of a project as built.",
)  # fmt: skip
def inspect(file: Path, as_json: bool, svg: Path | None) -> None:
    """Show what is in FILE: a QONNX file, a frozen.pt or a run folder. Layers, codes, α, widths, sizes.

    With --svg FILE may be a project, too.
    """
    from crq.errors import CrqError
    from crq.hw.forms.manifest import FILE

    if svg is not None:
        _draw(file, svg)
        return
    if (file / FILE).is_file() and not (file / "frozen.pt").is_file() and not (file / "train").is_dir():
        raise CrqError(f"{file} is a project: `crq report {file}` tells of it, `crq inspect {file} --svg OUT` draws it")
    if file.is_dir() or file.suffix == ".pt":
        _inspect_frozen(file, as_json)
        return
    from crq.hw.report.inspect import describe

    facts = describe(file)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    _print_file(facts)


def _draw(file: Path, svg: Path) -> None:
    from crq.files import write_text
    from crq.hw.dataflow.timing import HLS
    from crq.hw.devices.catalog import find
    from crq.hw.fold.options import clock_of
    from crq.hw.fold.resolve import resolve
    from crq.hw.forms.manifest import FILE
    from crq.hw.ir.graph import Network
    from crq.hw.project import open_project
    from crq.hw.read.origin import load_graph
    from crq.hw.report.html import render_svg
    from crq.hw.report.model import build_report
    from crq.options import BuildOptions

    if (file / FILE).exists():
        report = open_project(file).report()
    else:
        options = BuildOptions()
        network = Network(load_graph(file)[0])
        folds = resolve(network, options, find(options.part), HLS).folds
        report = build_report(network, folds, options.part, clock_of(options), project_info={"name": file.stem})
    write_text(svg, render_svg(report.to_dict()))
    click.echo(f"{svg}: the dataflow of {file}")


def _print_file(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from crq.hw.report.names import shortened
    from crq.hw.report.sharing import text
    from crq.hw.report.terminal import NARROW_NAME, WIDE

    console = Console(highlight=False)
    carrier = f", carrier {facts['carrier']}" if facts["carrier"] else ""
    written = f", written by {facts['producer']}" if facts["producer"] else ""
    told = f"[bold]{facts['file']}[/]: {facts['bytes']:,} bytes{carrier}{written}"
    console.print(told, soft_wrap=True)
    given = [facts[name] for name in facts if name.rstrip("0123456789") == "input"]
    made = [facts[name] for name in facts if name.rstrip("0123456789") == "output"]
    inputs = ", ".join(f"{_names(i)}{i['shape']} {i['type']}, scale {i['scale']}" for i in given)
    outputs = ", ".join(f"{_names(o)}{o['shape']}" for o in made)
    console.print(f"input {inputs}; output {outputs}", markup=False)
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
    for heading in ("layer", "kind", "output", "type", "weights", "codes", "zeros", "α"):
        right = heading in ("weights", "zeros", "α")
        # Names may be of any length: they alone are broken.
        table.add_column(heading, justify="right" if right else "left", overflow="fold", no_wrap=heading != "layer")
    names = [row["name"] for row in facts["layers"]]
    short = shortened(names, NARROW_NAME) if console.width < WIDE else dict(zip(names, names, strict=True))
    for row in facts["layers"]:
        mac = "weights" in row
        table.add_row(
            Text(short[row["name"]]),
            row["kind"],
            "×".join(map(str, row["output_shape"])),
            row["output_type"],
            f"{row['weights']:,}" if mac else "",
            row["weight_type"] if mac else "",
            f"{row['zeros'] / max(row['weights'], 1):.0%}" if mac else "",
            f"{row['alpha']:.6g}" if row.get("alpha") is not None else "",
        )
    console.print(table)
    if facts["packed_bytes"]:
        bits = 8 * facts["packed_bytes"] / max(facts["ternary_weights"] + facts["bipolar_weights"], 1)
        console.print(f"{facts['packed_bytes']:,} bytes hold the ternary weights: {bits:.2f} bits each")
    if facts["shared_weights"]:
        console.print(text(facts["shared_weights"]))
    free = (
        "every layer is multiplier-free"
        if facts["multiplier_free"]
        else "integer layers multiply, in RTL by shifts and adds"
    )
    bipolar = f", {facts['bipolar_weights']:,} bipolar" if facts["bipolar_weights"] else ""
    console.print(f"{facts['weights']:,} weights, {facts['ternary_weights']:,} of them ternary{bipolar}; {free}")


def _names(end: dict[str, Any]) -> str:
    """The file's, where it has several."""
    return "".join(f"{name!r} " for name in end.get("names", []))


def _inspect_frozen(run: Path, as_json: bool) -> None:
    from crq.convert.frozen import FrozenModel, frozen_file

    path = frozen_file(run)
    model = FrozenModel.load(path)
    steps = []
    for wire in model.wires:
        step: Any = model.steps[wire.name]
        codes = getattr(step, "codes", None)
        row: dict[str, Any] = {"name": wire.name, "operation": type(step).__name__, "inputs": list(wire.inputs)}
        if codes is not None:
            row |= {"weights": codes.numel(), "zeros": int((codes == 0).sum()), "alpha": float(step.alpha)}
        steps.append(row)
    facts = {"file": str(path), "hash": model.content_hash, "input": model.input._asdict(), "steps": steps}
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"{path}: frozen model {model.content_hash[:16]}, input {model.input.shape}")
    for row in steps:
        extra = f"  {row['weights']:,} weights, α {row['alpha']:.6g}" if "weights" in row else ""
        click.echo(f"  {row['name']:<24} {row['operation']:<10} ← {', '.join(row['inputs'])}{extra}")
