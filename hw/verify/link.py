"""One comparison of integers: what was compared, how many differ, and where first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Flatten, IntArray, Mac, Threshold
from crq.hw.ir.scores import Scores


class Difference(NamedTuple):
    """The first integer that differs: in network order, then image, channel, row, column."""

    layer: str
    image: int
    channel: int
    row: int
    column: int
    expected: int
    found: int
    accumulator: int | None
    """The sum that the layer's threshold read, where there is one."""

    def __str__(self) -> str:
        text = (
            f"layer {self.layer!r}, image {self.image}, channel {self.channel}, pixel ({self.row}, {self.column}): "
            f"expected {self.expected}, found {self.found}"
        )
        return text if self.accumulator is None else f"{text}; accumulator {self.accumulator}"


class Link(NamedTuple):
    """Two sources of integers, compared on `images` images. What compared nothing, or lacks a layer, is not equal.

    `missing` are layers that should have been compared and were not. `images_differing` counts the images with any
    difference, `explained` those of them that a known cause explains; `figures` how well the results fit the labels.
    None is what was not looked at.
    """

    name: str
    images: int
    integers: int
    differing: int
    first: Difference | None = None
    missing: tuple[str, ...] = ()
    images_differing: int | None = None
    explained: int | None = None
    figures: Mapping[str, float] | None = None
    claimed: bool = True
    """Whether crq claims that the two are equal; what it does not claim is shown and is no verdict."""

    @property
    def equal(self) -> bool:
        return not self.differing and not self.missing and self.integers > 0

    @property
    def outcome(self) -> str:
        """Whether images were found bit-exact, and how many; or how many of them differ."""
        if self.equal:
            return f"bit-exact: {self.images} of {self.images} images, {self.integers} of {self.integers} integers"
        return (
            f"NOT bit-exact: {self.images_differing or 0:,} of {self.images:,} images differ, {self.differing:,} of "
            f"{self.integers:,} integers"
        )

    def facts(self) -> dict[str, Any]:
        """For JSON: the counts, and the first difference."""
        counted = ("name", "images", "integers", "differing")
        facts = {key: getattr(self, key) for key in counted}
        return {**facts, "first": self.first and self.first._asdict(), "missing": list(self.missing)}

    def __str__(self) -> str:
        if self.equal:
            return f"equal    {self.name}: {self.images:,} images, {self.integers:,} integers"
        text = f"FAILED   {self.name}: it compared nothing"
        if self.differing:
            where = f"\n         first: {self.first}" if self.first else ""
            text = f"DIFFERS  {self.name}: {self.differing:,} of {self.integers:,} integers{where}"
        elif self.integers:
            text = f"FAILED   {self.name}: layers were left out"
        return f"{text}\n         not compared: {', '.join(self.missing)}" if self.missing else text


def compare(
    name: str, found: NDArray[np.int64], expected: NDArray[np.int64], *, figures: Mapping[str, float] | None = None
) -> Link:  # fmt: skip
    """Compares images (N, …) of integers. Raises `HwError` if the two have different sizes."""
    if found.size != expected.size or len(found) != len(expected):
        raise HwError(f"{name}: integers of shape {found.shape} against {expected.shape}")
    shape = (len(found), found.size // max(1, len(found)))
    wrong = found.reshape(shape) != expected.reshape(shape)
    return Link(
        name, len(found), wrong.size, int(wrong.sum()), images_differing=int(wrong.any(axis=1).sum()), figures=figures
    )


def compare_layers(
    network: Network, name: str, expected: Mapping[str, NDArray[Any]], found: Mapping[str, NDArray[Any]],
    wanted: Collection[str],
) -> Link:  # fmt: skip
    """Compare the layers `wanted`, which both must have; the first difference carries the sum behind its threshold."""
    integers = differing = 0
    first = None
    for layer in network:
        if layer.name not in wanted or layer.name not in found or layer.name not in expected:
            continue
        want = expected[layer.name]
        have = np.asarray(found[layer.name], np.int64).reshape(want.shape)
        wrong = want != have
        integers += want.size
        differing += int(wrong.sum())
        if first is None and wrong.any():
            n, c, h, w = (int(i) for i in np.argwhere(wrong)[0])
            producer = network.producer(layer.input) if isinstance(layer, Threshold) else None
            sums = expected.get(producer.name) if isinstance(producer, Mac) else None
            accumulator = None if sums is None else int(sums[n, c, h, w])
            first = Difference(layer.name, n, c, h, w, int(want[n, c, h, w]), int(have[n, c, h, w]), accumulator)
    compared = {layer.name for layer in network} & expected.keys() & found.keys()
    missing = tuple(sorted(set(wanted) - compared))
    return Link(name, len(next(iter(expected.values()))), integers, differing, first, missing)


def ends(network: Network) -> dict[str, Scores]:
    """What the integers of each output are worth, by the layer that makes it."""
    made = [network.producer(output) for output in network.outputs]
    return {layer.name: scores for layer, scores in zip(made, network.scores, strict=True) if layer is not None}


def output_integers(network: Network, scores: Scores, values: NDArray[Any], expected: IntArray) -> IntArray:
    """One image's `values` of an output, as a file gives them, as integers in the order and shape of `expected`.

    Its order is that of the stream where the network ends by flattening, (H, W, C) for the file's (C, H, W). A channel
    of scale 0 has no integers: there they are the expected ones if the value is the offset, else one more.
    """
    last = network.producer(scores.tensor)
    shape = last.input.shape if isinstance(last, Flatten) else scores.tensor.shape
    index = np.arange(shape.size).reshape(shape)
    order = (index.transpose(1, 2, 0) if isinstance(last, Flatten) else index).reshape(-1)
    scale, offset = (
        np.repeat(v.astype(np.float64).reshape(-1), shape.size // v.size)[order] for v in (scores.scale, scores.offset)
    )
    found, want = values.reshape(-1)[order], expected.reshape(-1)
    integers = np.rint((found - offset) / np.where(scale == 0, 1.0, scale)).astype(np.int64)
    is_offset = np.isclose(found, offset, rtol=1e-6, atol=0.0)
    result: IntArray = np.where(scale == 0, np.where(is_offset, want, want + 1), integers).reshape(expected.shape)
    return result
