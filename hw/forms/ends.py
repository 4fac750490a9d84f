"""The ends of a network in words: what a README says of its ports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crq.hw.dataflow.words import Passing, Words, words_of
from crq.hw.ir.ends import Entry
from crq.hw.ir.graph import Network
from crq.hw.ir.host import steps
from crq.hw.ir.images import axes_of, image_shape
from crq.hw.ir.layers import Shape
from crq.hw.ir.ports import numbered
from crq.hw.ir.scores import Scores


class Input(NamedTuple):
    """`port`: its name in generated code; `label`: with those of the file where it has several; `images`: the shape of
    images, `codes`: their type and range; `prepared`: whether the host does more than scale them."""

    port: str
    label: str
    shape: Shape
    beat: int
    words: Words
    images: str
    codes: str
    scale: str
    prepared: bool


class Result(NamedTuple):
    """The same of an output; `offset`: whether the host adds one."""

    port: str
    label: str
    shape: Shape
    beat: int
    words: Words
    integers: str
    offset: bool


def inputs_of(network: Network, passing: Sequence[Passing]) -> list[Input]:
    """By port, as they pass."""
    pairs = enumerate(zip(network.entries, passing, strict=True))
    return [_input(numbered("input", port), entry, own, len(passing)) for port, (entry, own) in pairs]


def _input(port: str, entry: Entry, passing: Passing, ports: int) -> Input:
    tensor = entry.tensor
    return Input(
        port, _label(port, entry, ports), tensor.shape, passing.beat, words_of(passing),
        f"({', '.join(map(str, ('N', *image_shape(entry))))}): {axes_of(entry)}",
        f"{tensor.format.qonnx.lower()}, codes {tensor.lo.min()} to {tensor.hi.max()}",
        f"{entry.facts.scale:g}", bool(steps(entry)),
    )  # fmt: skip


def results_of(network: Network, passing: Sequence[Passing]) -> list[Result]:
    """By port, as they pass."""
    found = []
    for port, (scores, own) in enumerate(zip(network.scores, passing, strict=True)):
        name, integers = numbered("result", port), own.tensor.format.qonnx.lower()
        label = _label(name, scores, len(passing))
        found.append(
            Result(name, label, own.tensor.shape, own.beat, words_of(own), integers, bool(scores.offset.any()))
        )
    return found


def _label(port: str, end: Entry | Scores, ports: int) -> str:
    own = f" ({', '.join(ascii(name) for name, _ in end.facts.names)})" if ports > 1 else ""
    return port + own
