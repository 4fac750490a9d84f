"""The images that ship with a project, and the integers that must come of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.layers import IntArray, Mac, Shape
from crq.hw.ir.ports import apart
from crq.hw.ir.vectors import shipped_vectors

PRODUCTS = 400_000_000  # spent on the expected integers, unless two images need more


class Vectors(NamedTuple):
    """The text of both files, an image per line; `facts`: `images`, how many of them were `given`, `sha256`."""

    inputs: str
    expected: str
    facts: dict[str, Any]


def vectors(network: Network, results: Sequence[Shape], images: NDArray[np.integer] | None) -> Vectors:
    """A few of the given `images` first, then made-up ones; `results` are the shapes in which the integers leave."""
    products = sum(layer.macs for layer in network if isinstance(layer, Mac)) or 1
    codes, given = shipped_vectors(network, max(2, min(32, PRODUCTS // products)), images)
    inputs = data_file(apart(network.inputs, codes))
    facts = {"images": len(codes), "given": given, "sha256": hashlib.sha256(inputs.encode()).hexdigest()}
    return Vectors(inputs, data_file(streamed(network, evaluate(network, codes), results)), facts)


def images_in_words(facts: dict[str, Any]) -> str:
    """What the images are, for a README."""
    made = "random, or drive an accumulator to its bounds"
    if not facts["given"]:
        return f"{facts['images']} images; they are {made}"
    return f"{facts['images']} images: the first {facts['given']} were given to the build, the others are {made}"


def data_file(ports: Sequence[IntArray]) -> str:
    """One image per line, in the order in which the hardware takes or gives them: (height, width, channel), port by
    port."""
    found = np.concatenate([values.transpose(0, 2, 3, 1).reshape(len(values), -1) for values in ports], axis=1)
    return "".join(" ".join(map(str, row)) + "\n" for row in found.tolist())


def streamed(network: Network, integers: IntArray, results: Sequence[Shape]) -> list[IntArray]:
    """Integers of the network's outputs in the shapes of the streams that carry them."""
    return [as_stream(*pair) for pair in zip(apart(network.outputs, integers), results, strict=True)]


def as_stream(values: IntArray, shape: Shape) -> IntArray:
    """Integers of the network's output in the shape of the stream that carries it: a flattened image is an image."""
    c, h, w = shape
    return values if values.shape[1:] == (c, h, w) else values.reshape(-1, h, w, c).transpose(0, 3, 1, 2)
