"""What the integer graph says beside its nodes, typed (docs/integer-graph.md, "Metadata").

In the file these are ONNX metadata properties under `crq.`: text as it is, everything else as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.ir.ends import INPUT_KINDS, OUTPUT_KINDS, TEXT, InputFacts, Kind, OutputFacts, is_integer, written
from crq.hw.ir.ports import numbered

PREFIX = "crq."


class FileTensor(NamedTuple):
    """The tensor of the read file that holds a layer's codes: value = code × scale, one number or one per channel."""

    tensor: str
    scale: float | list[float]
    layout: str
    """NCHW or NHWC, whatever the tensor's rank: where the file has its channels."""

    def channels_first(self, values: NDArray[Any]) -> NDArray[Any]:
        return np.moveaxis(values, -1, 1) if self.layout == "NHWC" else values

    def codes(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Codes of the tensor's `values`, channels first."""
        first = self.channels_first(values)
        scale = np.asarray(self.scale, np.float64)
        return np.rint(first / (scale.reshape(-1, *[1] * (first.ndim - 2)) if scale.ndim else scale)).astype(np.int64)


@dataclass(frozen=True)
class Metadata:
    """The properties that something here reads; `other` has the rest as text, by key without prefix.

    `inputs`, `outputs`: what each port of the graph carries, in its order; `input_order`, `output_order`: where there
    are several ports, the names of the file's inputs and outputs in the file's order.
    `ties`: channels, by
    layer, with a boundary that float32 evaluation decides otherwise. `sources`: by layer, or the name of an input, the
    file's tensor. `frozen_hash`: of the frozen PyTorch model that the file was exported from; `frozen_steps`: by step
    of that model, the layer with its codes, or None where a pass has moved the step so that its codes are nowhere.
    """

    inputs: tuple[InputFacts, ...] = (InputFacts(),)
    outputs: tuple[OutputFacts, ...] = (OutputFacts(),)
    input_order: tuple[str, ...] = ()
    output_order: tuple[str, ...] = ()
    ties: Mapping[str, list[int]] = field(default_factory=dict)
    sources: Mapping[str, FileTensor] = field(default_factory=dict)
    frozen_hash: str | None = None
    frozen_steps: Mapping[str, str | None] = field(default_factory=dict)
    other: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, model: ModelWrapper) -> Metadata:
        """Raises `HwError` naming the property that holds something else than it should."""
        found, constants = properties(model.graph), {i.name for i in model.graph.initializer}
        values: dict[str, Any] = {}
        for name, key in KEYS.items():
            text = found.pop(key, None)
            if text is not None:
                values[name] = _KINDS[name].parsed(f"{PREFIX}{key}", text)
        ports = len([i for i in model.graph.input if i.name not in constants])
        inputs = tuple(InputFacts(**_end(found, "input", port, INPUT_KINDS)) for port in range(ports))
        outputs = tuple(
            OutputFacts(**_end(found, "output", port, OUTPUT_KINDS)) for port in range(len(model.graph.output))
        )
        return cls(inputs=inputs, outputs=outputs, **values, other=found)

    def write(self, model: ModelWrapper) -> None:
        """Replaces the properties of `model` by these, those with their default value left out."""
        facts: dict[str, Any] = dict(self.other)
        for name, key in KEYS.items():
            value = getattr(self, name)
            if value or name in WRITTEN:
                facts[key] = {k: v._asdict() for k, v in value.items()} if name == "sources" else value
        given = {numbered("input", port): written(end) for port, end in enumerate(self.inputs)}
        made = {numbered("output", port): written(end) for port, end in enumerate(self.outputs)}
        for place, end in {**given, **made}.items():
            facts |= {f"{place}.{name}": value for name, value in end.items()}
        for entry in [p for p in model.graph.metadata_props if p.key.startswith(PREFIX)]:
            model.graph.metadata_props.remove(entry)
        for key, value in sorted(facts.items()):
            model.set_metadata_prop(f"{PREFIX}{key}", value if isinstance(value, str) else json.dumps(value))

    def renamed_source(self, old: str, new: str) -> Metadata:
        """The codes that layer `old` gave are now those of layer `new`, whose own codes are given up."""
        sources = {name: source for name, source in self.sources.items() if name != new}
        moved = {new if name == old else name: source for name, source in sources.items()}
        places = {old: new, new: None}
        steps = {step: places.get(layer, layer) if layer else None for step, layer in self.frozen_steps.items()}
        return replace(self, sources=moved, frozen_steps=steps)


KEYS = {
    "input_order": "input.order", "output_order": "output.order", "ties": "ties", "sources": "sources",
    "frozen_hash": "frozen_hash", "frozen_steps": "frozen_steps",
}  # fmt: skip
"""Field to property. Those of the ports: crq.hw.ir.ends."""

WRITTEN = ("sources",)
"""Properties that every graph carries, whatever their value."""


def of_an_end(key: str) -> bool:
    """Whether a property, without prefix, is of an input or output of a graph."""
    kind, _, name = key.partition(".")
    known = {"input": INPUT_KINDS, "output": OUTPUT_KINDS}.get(kind.rstrip("0123456789"), {})
    return name in known


def properties(holder: ModelProto | GraphProto) -> dict[str, str]:
    """The properties under `crq.`, by key without prefix: of a file, or of an integer graph, where qonnx puts them."""
    return {p.key.removeprefix(PREFIX): p.value for p in holder.metadata_props if p.key.startswith(PREFIX)}


def _end(found: dict[str, str], kind: str, port: int, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Fields of a port, whose properties are taken out of `found`."""
    keys = {name: f"{numbered(kind, port)}.{name}" for name in kinds}
    return {name: kinds[name].parsed(f"{PREFIX}{key}", found.pop(key)) for name, key in keys.items() if key in found}


def _file_tensors(value: dict[str, dict[str, Any]]) -> dict[str, FileTensor]:
    return {layer: FileTensor(**facts) for layer, facts in value.items()}


def _are_channels(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(v, list) and all(map(is_integer, v)) for v in value.values())


def _are_names(value: Any) -> bool:
    return isinstance(value, dict) and all(v is None or isinstance(v, str) for v in value.values())


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


_KINDS: dict[str, Kind] = {
    "input_order": Kind("a list of names", _are_texts, tuple),
    "output_order": Kind("a list of names", _are_texts, tuple),
    "ties": Kind("channels by layer", _are_channels),
    "sources": Kind("a tensor, scale and layout by layer", lambda v: isinstance(v, dict), _file_tensors),
    "frozen_hash": TEXT,
    "frozen_steps": Kind("layers by step", _are_names),
}
