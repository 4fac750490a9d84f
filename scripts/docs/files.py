"""reference/files.md: the files that programs read, manifest.json and report.json, from the code and a real project."""

from __future__ import annotations

import tempfile
import typing
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

import crq
from crq import export, hw
from crq.hw.forms.manifest import ENDS, FORMAT, TARGETS, Manifest
from crq.hw.report.model import SCHEMA
from crq.train.docstrings import keys
from scripts.docs.text import GENERATED, table

HEAD = f"""\
# Files for programs

{GENERATED}

Also for programs: `--json` of every verb that prints results, and `summary.json`, the index of a folder of `crq run`.
"""


def page() -> str:
    said = keys(Manifest.__doc__ or "", [f.name for f in fields(Manifest)])
    hints = typing.get_type_hints(Manifest)
    manifest = [("`format`", "integer", f"{FORMAT}; another is refused by name")]
    said |= {"target": " or ".join(f"`{target}`" for target in TARGETS), "io_type": "`io_stream` or `io_parallel`"}
    manifest += [(f"`{ENDS.get(f.name, f.name)}`", _kind(hints[f.name]), said[f.name]) for f in fields(Manifest)]
    report = [(f"`{path}`", kind) for path, kind in _paths(_report())]
    return (
        f"{HEAD}\n## manifest.json, format {FORMAT}\n\n"
        "In every project. In Python: `hw.open_project(folder).manifest`.\n\n"
        f"{table(('key', 'type', 'meaning'), manifest)}\n"
        f"\n## report.json, schema {SCHEMA}\n\n"
        "What the keys mean, and when the schema changes: [the report](../report.md). `[]` is each element of a list,\n"
        "`NAME` each key that is a name (of a unit, a circuit, a package). The keys are those\n"
        f"of a small project in SystemVerilog.\n\n{table(('key', 'type'), report)}\n"
    )


def _report() -> dict[str, Any]:
    torch.manual_seed(0)
    batch = torch.rand(16, 4)
    net = crq.prepare(
        torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)), crq.TernaryConfig()
    )
    crq.quantize(net, [batch])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.onnx"
        export.to_qonnx(crq.freeze(net, [batch]), file)
        return hw.build(file, Path(folder) / "net_rtl", target="rtl").report().to_dict()


NAMED = ("why", "parts", "versions", "families", "histogram")
"""Keys whose own keys are names."""


def _paths(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        rows = [] if not path else [(path, "object")]
        items = value.items() if path.rsplit(".")[-1] not in NAMED else [("NAME", next(iter(value.values())))]
        for key, inner in items:
            rows += _paths(inner, f"{path}.{key}" if path else key)
        return rows
    if isinstance(value, list) and value and isinstance(value[0], dict):
        merged = {key: inner for element in value for key, inner in element.items() if inner is not None}
        merged = {key: merged.get(key) for element in value for key in element}
        return [(path, "list"), *_paths(merged, f"{path}[]")[1:]]
    return [(path, _json_kind(value))]


def _json_kind(value: Any) -> str:
    if value is None:
        return "null, or what the report says"
    if isinstance(value, bool):
        return "boolean"
    kinds: dict[type, str] = {int: "integer", float: "number", str: "string", list: "list", dict: "object"}
    return kinds[type(value)]


def _kind(hint: Any) -> str:
    if type(None) in typing.get_args(hint):
        return "string or null"
    return {str: "string", float: "number"}.get(hint, "object")
