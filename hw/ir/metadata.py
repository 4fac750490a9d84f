"""What the integer graph says beside its nodes, typed (docs/integer-graph.md, "Metadata").

In the file these are ONNX metadata properties under `crq.`: text as it is, everything else as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.errors import HwError
from crq.hw.ir.head import HOST, Head
from crq.hw.ir.joined import Names

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

    real input = code × `input_scale`, after the host's steps `preprocessing` ([operator, constant] in the file's
    order); result = integer × `output_scale` + `output_offset`, numbers or lists with one per channel. `output_head`:
    the operations that the host applies to it (crq.hw.ir.head), and `output_tensor` is then the file's name of it.
    `input_names`, `output_names`: of a file with several, name and channels of each, which follow each other.
    `input_range`: lowest and highest input code, where they are not those of the input's type; one or per channel.
    `input_shape`: of one image as the file takes it, its axes in the order of `input_layout`, where the file flattens
    it before its codes.
    `ties`: channels, by
    layer, with a boundary that float32 evaluation decides otherwise. `sources`: by layer, or the input's name, the
    file's tensor. `frozen_hash`: of the frozen PyTorch model that the file was exported from; `frozen_steps`: by step
    of that model, the layer with its codes, or None where a pass has moved the step so that its codes are nowhere.
    """

    input_scale: float = 1.0
    input_range: tuple[int, int] | tuple[list[int], list[int]] | None = None
    input_zero_point: int = 0
    input_layout: str = "NCHW"
    input_shape: tuple[int, ...] | None = None
    preprocessing: tuple[tuple[str, Any], ...] = ()
    output_scale: float | list[float] = 1.0
    output_offset: float | list[float] = 0.0
    output_head: Head = ()
    output_tensor: str | None = None
    input_names: Names = ()
    output_names: Names = ()
    ties: Mapping[str, list[int]] = field(default_factory=dict)
    sources: Mapping[str, FileTensor] = field(default_factory=dict)
    frozen_hash: str | None = None
    frozen_steps: Mapping[str, str | None] = field(default_factory=dict)
    other: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, model: ModelWrapper) -> Metadata:
        """Raises `HwError` naming the property that holds something else than it should."""
        found = properties(model.graph)
        values: dict[str, Any] = {}
        for name, key in KEYS.items():
            text = found.pop(key, None)
            if text is not None:
                values[name] = _parsed(name, key, text)
        return cls(**values, other=found)

    def write(self, model: ModelWrapper) -> None:
        """Replaces the properties of `model` by these, those with their default value left out."""
        defaults = Metadata()
        facts: dict[str, Any] = dict(self.other)
        for name, key in KEYS.items():
            value = getattr(self, name)
            if value != getattr(defaults, name) or name in WRITTEN:
                facts[key] = {k: v._asdict() for k, v in value.items()} if name == "sources" else value
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
    "input_scale": "input.scale", "input_range": "input.range", "input_zero_point": "input.zero_point",
    "input_layout": "input.layout", "input_shape": "input.shape", "preprocessing": "input.preprocessing",
    "output_scale": "output.scale", "output_offset": "output.offset", "output_head": "output.head",
    "output_tensor": "output.tensor", "input_names": "input.names", "output_names": "output.names",
    "ties": "ties", "sources": "sources",
    "frozen_hash": "frozen_hash", "frozen_steps": "frozen_steps",
}  # fmt: skip
"""Field to property."""

WRITTEN = ("input_scale", "output_scale", "sources")
"""Properties that every graph carries, whatever their value."""

_TEXTS = ("input_layout", "frozen_hash", "output_tensor")


def properties(holder: ModelProto | GraphProto) -> dict[str, str]:
    """The properties under `crq.`, by key without prefix: of a file, or of an integer graph, where qonnx puts them."""
    return {p.key.removeprefix(PREFIX): p.value for p in holder.metadata_props if p.key.startswith(PREFIX)}


def _parsed(name: str, key: str, text: str) -> Any:
    if name in _TEXTS:
        return text
    expected, check, convert = _EXPECTED[name]
    try:
        value = json.loads(text)
        if check(value):
            return convert(value)
    except (ValueError, TypeError):  # no JSON, or fields of a source that are none
        pass
    raise HwError(f"metadata {PREFIX}{key} {text!r}: expected {expected}")


def _is_integer(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _are_numbers(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, list) and bool(value) and all(map(_is_number, value)))


def _are_steps(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(s, list) and len(s) == 2 and isinstance(s[0], str) for s in value)


def _are_channels(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(v, list) and all(map(_is_integer, v)) for v in value.values())


def _are_names(value: Any) -> bool:
    return isinstance(value, dict) and all(v is None or isinstance(v, str) for v in value.values())


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_integer(size) and size > 0 for size in value)


def _are_ends(value: Any) -> bool:
    """Two numbers, or two lists of as many."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    lists = [v if isinstance(v, list) else [v] for v in value]
    return all(map(_is_integer, lists[0] + lists[1])) and len(lists[0]) == len(lists[1])


def _is_head(value: Any) -> bool:
    """Pairs of a known operation and integers by name."""
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and pair[0] in HOST and isinstance(pair[1], dict)
        and all(map(_is_integer, pair[1].values())) for pair in value
    )  # fmt: skip


def _are_channels_by_name(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and _is_integer(pair[1])
        for pair in value
    )


def _steps(value: list[list[Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple((kind, constant) for kind, constant in value)


def _file_tensors(value: dict[str, dict[str, Any]]) -> dict[str, FileTensor]:
    return {layer: FileTensor(**facts) for layer, facts in value.items()}


def _as_it_is(value: Any) -> Any:
    return value


_EXPECTED: dict[str, tuple[str, Callable[[Any], bool], Callable[[Any], Any]]] = {
    "input_scale": ("a number", _is_number, float),
    "input_range": ("[lowest, highest] code of the input", _are_ends, tuple),
    "input_names": ("a list of [name, channels]", _are_channels_by_name, _steps),
    "output_names": ("a list of [name, channels]", _are_channels_by_name, _steps),
    "input_zero_point": ("an integer", _is_integer, int),
    "input_shape": ("the shape of one image", _are_sizes, tuple),
    "preprocessing": ("a list of [operator, constant]", _are_steps, _steps),
    "output_scale": ("a number, or one per channel", _are_numbers, _as_it_is),
    "output_offset": ("a number, or one per channel", _are_numbers, _as_it_is),
    "output_head": (f"a list of [operation, integers by name], of {', '.join(HOST)}", _is_head, _steps),
    "ties": ("channels by layer", _are_channels, _as_it_is),
    "frozen_steps": ("layers by step", _are_names, _as_it_is),
    "sources": ("a tensor, scale and layout by layer", lambda v: isinstance(v, dict), _file_tensors),
}
"""What the JSON of a property is, how it is checked, and what becomes of it."""
