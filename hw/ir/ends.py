"""What a port of the integer graph carries: how the host makes its codes, or what its integers are worth.

In the file these are metadata properties (docs/integer-graph.md): `crq.input.scale`, of a second input
`crq.input2.scale`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from crq.hw.errors import HwError
from crq.hw.ir.head import HOST, Head
from crq.hw.ir.joined import Names
from crq.hw.ir.layers import Tensor


@dataclass(frozen=True)
class InputFacts:
    """real value = code × `scale`, after the host's steps `preprocessing` ([operator, constant] in the file's order).

    `range`: lowest and highest code, where they are not those of the input's type; one or per channel. `shape`: of one
    image as the file takes it, its axes in the order of `layout`, where the file flattens it before its codes.
    `names`: where the file has several inputs, name and channels of those that are this port's, which follow each
    other.
    """

    scale: float = 1.0
    range: tuple[int, int] | tuple[list[int], list[int]] | None = None
    zero_point: int = 0
    layout: str = "NCHW"
    shape: tuple[int, ...] | None = None
    preprocessing: tuple[tuple[str, Any], ...] = ()
    names: Names = ()


class Entry(NamedTuple):
    """An input: its tensor, whose shape in the graph has `rank` axes behind the batch."""

    tensor: Tensor
    facts: InputFacts
    rank: int


@dataclass(frozen=True)
class OutputFacts:
    """result = integer × `scale` + `offset`, numbers or lists with one per channel.

    `head`: the operations that the host applies to it (crq.hw.ir.head), and `tensor` is then the file's name of it.
    `names`: where the file has several outputs, name and channels of those that are this port's; of one with a head
    that of the file's output, behind the head.
    """

    scale: float | list[float] = 1.0
    offset: float | list[float] = 0.0
    head: Head = ()
    tensor: str | None = None
    names: Names = ()


def written(end: InputFacts | OutputFacts) -> dict[str, Any]:
    """The facts that a file has: the scale, and what is not its default."""
    values = {field.name: (getattr(end, field.name), field.default) for field in fields(end)}
    return {name: value for name, (value, default) in values.items() if value != default or name == "scale"}


class Kind(NamedTuple):
    """What the JSON of a property is, how it is checked, and what becomes of it."""

    expected: str
    check: Callable[[Any], bool]
    convert: Callable[[Any], Any] = lambda value: value
    text: bool = False

    def parsed(self, key: str, text: str) -> Any:
        """Raises `HwError` naming the property `key` if its `text` is something else."""
        if self.text:
            return text
        try:
            value = json.loads(text)
            if self.check(value):
                return self.convert(value)
        except (ValueError, TypeError):  # no JSON, or fields of a source that are none
            pass
        raise HwError(f"metadata {key} {text!r}: expected {self.expected}")


TEXT = Kind("text", lambda value: True, text=True)
"""Stands in the file as it is."""


def is_integer(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _are_numbers(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, list) and bool(value) and all(map(_is_number, value)))


def _are_steps(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(s, list) and len(s) == 2 and isinstance(s[0], str) for s in value)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(is_integer(size) and size > 0 for size in value)


def _are_ends(value: Any) -> bool:
    """Two numbers, or two lists of as many."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    lists = [v if isinstance(v, list) else [v] for v in value]
    return all(map(is_integer, lists[0] + lists[1])) and len(lists[0]) == len(lists[1])


def _is_head(value: Any) -> bool:
    """Pairs of a known operation and integers by name."""
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and pair[0] in HOST and isinstance(pair[1], dict)
        and all(map(is_integer, pair[1].values())) for pair in value
    )  # fmt: skip


def _are_channels_by_name(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and is_integer(pair[1]) for pair in value
    )


def _steps(value: list[list[Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple((kind, constant) for kind, constant in value)


INPUT_KINDS: dict[str, Kind] = {
    "scale": Kind("a number", _is_number, float),
    "range": Kind("[lowest, highest] code of the input", _are_ends, tuple),
    "zero_point": Kind("an integer", is_integer, int),
    "layout": TEXT,
    "shape": Kind("the shape of one image", _are_sizes, tuple),
    "preprocessing": Kind("a list of [operator, constant]", _are_steps, _steps),
    "names": Kind("a list of [name, channels]", _are_channels_by_name, _steps),
}
OUTPUT_KINDS: dict[str, Kind] = {
    "scale": Kind("a number, or one per channel", _are_numbers),
    "offset": Kind("a number, or one per channel", _are_numbers),
    "head": Kind(f"a list of [operation, integers by name], of {', '.join(HOST)}", _is_head, _steps),
    "tensor": TEXT,
    "names": Kind("a list of [name, channels]", _are_channels_by_name, _steps),
}
"""By field."""
