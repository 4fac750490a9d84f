"""What is in a QONNX file: layers, codes, scales, widths, sizes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from crq.hw.ir.ends import Entry
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac, Threshold
from crq.hw.ir.metadata import properties
from crq.hw.ir.ports import numbered
from crq.hw.ir.scores import Scores
from crq.hw.read import read_qonnx
from crq.hw.read.load import load
from crq.hw.read.refusals import refuse
from crq.hw.report.sharing import shared


def describe(path: str | Path) -> dict[str, Any]:
    """Facts about a file that `crq.hw.read` accepts; JSON-ready. Raises `HwError` as the reader does."""
    source = load(path)
    network = Network(read_qonnx(source))
    props = properties(source)
    alphas = _alphas(path, props.get("layers", "[]"))
    layers = []
    for layer in network:
        row: dict[str, Any] = {
            "name": layer.name,
            "kind": layer.kind,
            "output_shape": list(layer.output.shape),
            "output_type": layer.output.format.qonnx,
        }
        if isinstance(layer, Mac):
            row |= {
                "weights": int(layer.weights.size),
                "weight_type": layer.weight_type,
                "zeros": int(layer.weights.size) - layer.nonzeros,
                "alpha": alphas.get(layer.name),
                "macs": layer.macs,
                "multiplier_free": layer.multiplier_free,
            }
        elif isinstance(layer, Threshold):
            row |= {"thresholds": layer.levels * layer.input.shape.c, "code_type": layer.code_type}
        layers.append(row)
    macs = [layer for layer in network if isinstance(layer, Mac)]
    of_type = {t: sum(int(m.weights.size) for m in macs if m.weight_type == t) for t in ("TERNARY", "BIPOLAR")}
    packed = sum(i.dims[0] for i in source.graph.initializer if i.name.endswith(".weight.packed"))
    return {
        "file": str(path),
        "bytes": Path(path).stat().st_size,
        "carrier": props.get("carrier"),
        "producer": f"{source.producer_name} {source.producer_version}".strip(),
        **{numbered("input", port): _input(entry) for port, entry in enumerate(network.entries)},
        **{numbered("output", port): _output(scores) for port, scores in enumerate(network.scores)},
        "weights": sum(int(m.weights.size) for m in macs),
        "ternary_weights": of_type["TERNARY"],
        "bipolar_weights": of_type["BIPOLAR"],
        "packed_bytes": packed or None,
        "multiplier_free": all(m.multiplier_free for m in macs),
        "shared_weights": shared(network),
        "layers": layers,
        "metadata": {k: v for k, v in sorted(props.items()) if k != "layers"},
    }


def _input(entry: Entry) -> dict[str, Any]:
    tensor, facts = entry.tensor, entry.facts
    named = {"names": [name for name, _ in facts.names]} if facts.names else {}
    return {"shape": list(tensor.shape), "type": tensor.format.qonnx, "scale": facts.scale, **named}


def _output(scores: Scores) -> dict[str, Any]:
    named = {"names": [name for name, _ in scores.facts.names]} if scores.facts.names else {}
    return {"shape": list(scores.tensor.shape), "scale": scores.scale.tolist(), **named}


def _alphas(path: str | Path, text: str) -> dict[str, Any]:
    """α by layer, from the file's metadata."""
    try:
        return {layer["name"]: layer["alpha"] for layer in json.loads(text)}
    except (ValueError, TypeError, LookupError) as error:
        refuse("malformed", f"{path}: metadata 'crq.layers'", f"is no list of layers ({error})")
