"""The verb of the file: export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


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
    from crq.convert.frozen import FrozenModel, frozen_file
    from crq.export.qonnx import to_qonnx

    model = FrozenModel.load(frozen_file(run))
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
