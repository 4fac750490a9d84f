"""The verbs of the file: export, check, inspect."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click


def _frozen_path(run: Path) -> Path:
    return run / "frozen.pt" if run.is_dir() else run


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The QONNX file to write.")
@click.option(
    "--carrier",
    type=click.Choice(["packed", "int2", "float"]),
    default="packed",
    show_default=True,
    help="How weights are stored: 2-bit codes unpacked by standard nodes, ONNX INT2 tensors, or floats.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def export(run: Path, output: Path, carrier: Any, as_json: bool) -> None:
    """Write the frozen network of RUN (a run folder or a frozen.pt) as one QONNX file."""
    from crq.frozen import FrozenModel
    from export.qonnx import to_qonnx

    model = FrozenModel.load(_frozen_path(run))
    proto = to_qonnx(model, output, carrier=carrier)
    layers = json.loads({p.key: p.value for p in proto.metadata_props}["crq.layers"])
    weights = sum(layer["weights"] for layer in layers)
    facts = {"file": str(output), "bytes": output.stat().st_size, "weights": weights, "frozen_hash": model.content_hash}
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        click.echo(
            f"{output}: {facts['bytes']:,} bytes, {weights:,} weights in {len(layers)} layers, carrier {carrier}"
        )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--reference", required=True, type=click.Path(path_type=Path), help="Run folder or frozen.pt it is from.")
@click.option("--data", help="Images, as NAME:SPLIT (for example digits:test); default: random and extreme codes.")
@click.option("--data-root", help="Folder with the data's files.")
@click.option("--limit", type=int, default=1000, show_default=True, help="Use at most this many images.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def check(file: Path, reference: Path, data: str | None, data_root: str | None, limit: int, as_json: bool) -> None:
    """Run FILE in qonnx and onnxruntime; compare every logit with the frozen PyTorch model. Exit code 1 if any differs."""
    import torch

    from crq.frozen import FrozenModel
    from export.check import check as compare

    model = FrozenModel.load(_frozen_path(reference))
    if data is not None:
        from crq.data import load

        x = torch.as_tensor(load(data, root=data_root).images[:limit])
    else:
        x = _codes(model, limit)
    results = compare(model, file, x)
    promised = [r for r in results if r.runtime != "onnxruntime (default)"]
    if as_json:
        click.echo(json.dumps([r._asdict() for r in results], indent=2))
    else:
        for r in results:
            verdict = "equal" if not r.different else f"{r.different:,} of {r.values:,} logits differ"
            click.echo(f"{r.runtime:<32} {r.images:,} images, {r.values:,} logits: {verdict}")
    if any(r.different for r in promised):
        sys.exit(1)


def _codes(model: Any, limit: int) -> Any:
    import torch

    spec = model.input
    generator = torch.Generator().manual_seed(0)
    random = torch.randint(spec.qmin, spec.qmax + 1, (max(limit - 2, 1), *spec.shape), generator=generator)
    ends = [torch.full((1, *spec.shape), v) for v in (spec.qmin, spec.qmax)]
    return torch.cat([*ends, random])


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def inspect(file: Path, as_json: bool) -> None:
    """Show what is in FILE: a QONNX file, a frozen.pt or a run folder. Layers, codes, α, widths, sizes."""
    if file.is_dir() or file.suffix == ".pt":
        _inspect_frozen(_frozen_path(file), as_json)
        return
    from hw.describe import describe

    facts = describe(file)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    _print_file(facts)


def _print_file(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    carrier = f", carrier {facts['carrier']}" if facts["carrier"] else ""
    console.print(f"[bold]{facts['file']}[/]: {facts['bytes']:,} bytes{carrier}, written by {facts['producer']}")
    given, made = facts["input"], facts["output"]
    console.print(f"input {given['shape']} {given['type']}, scale {given['scale']}; output {made['shape']}")
    table = Table()
    for heading in ("layer", "kind", "output", "type", "weights", "codes", "zeros", "α"):
        right = heading in ("weights", "zeros", "α")
        table.add_column(heading, justify="right" if right else "left", overflow="fold", no_wrap=heading == "α")
    for row in facts["layers"]:
        mac = "weights" in row
        table.add_row(
            row["name"],
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
        bits = 8 * facts["packed_bytes"] / max(facts["ternary_weights"], 1)
        console.print(f"{facts['packed_bytes']:,} bytes hold the ternary weights: {bits:.2f} bits each")
    free = "every layer is multiplier-free" if facts["multiplier_free"] else "integer layers use multipliers"
    console.print(f"{facts['weights']:,} weights, {facts['ternary_weights']:,} of them ternary; {free}")


def _inspect_frozen(path: Path, as_json: bool) -> None:
    from crq.frozen import FrozenModel

    model = FrozenModel.load(path)
    steps = []
    for wire in model.wires:
        step = model.steps[wire.name]
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
